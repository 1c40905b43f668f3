//! The Kubernetes client raises the same errors as for the API server's own conflicts, `reason` and all.

use serde_json::json;

use super::stage::Stage;
use crate::client::Runs::Python;

#[test]
fn a_stale_version_and_a_name_that_is_taken_are_told_apart() {
    let stage = Stage::start(
        Python,
        "conflicts/kubernetes_origin.py",
        r#"
        [[rule]]
        name    = "modified"
        method  = "PUT"
        path    = "/api/v1/namespaces/{namespace}/configmaps/{name}"
        on      = "stale"
        version = "body:/metadata/resourceVersion"
        reply   = { style = "kubernetes" }

        [[rule]]
        name    = "taken"
        method  = "POST"
        path    = "/api/v1/namespaces/{namespace}/configmaps"
        on      = "duplicate"
        per     = ["param:namespace", "body:/metadata/name"]
        reply   = { style = "kubernetes" }

        [rule.release]
        method  = "DELETE"
        path    = "/api/v1/namespaces/{namespace}/configmaps/{name}"
        per     = ["param:namespace", "param:name"]
        "#,
    );
    let told = stage.run(Python, "conflicts/kubernetes_client.py", &[]);

    let status = |reason: &str, message: &str| {
        json!({"status": 409, "body": {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason,
            "details": {"name": "colours", "kind": "configmaps"}, "code": 409,
        }})
    };
    let taken = status("AlreadyExists", r#"configmaps "colours" already exists"#);
    let modified = status(
        "Conflict",
        "Operation cannot be fulfilled on configmaps \"colours\": the object has been modified; please \
         apply your changes to the latest version and try again",
    );
    assert_eq!(told["refusals"], json!([taken, modified]), "{told}");
    let all = json!({"sky": "blue", "grass": "green", "sun": "yellow"});
    assert_eq!(told["data"], all, "no update is lost, although the server checks no version");
    assert_eq!(told["data_made_again"], json!({"sky": "blue"}), "a deleted name is free");
    assert_eq!((stage.fired("modified"), stage.fired("taken")), (1, 1));
}

#[test]
fn forced_conflicts_end_when_the_object_is_read_again() {
    let stage = Stage::start(
        Python,
        "conflicts/kubernetes_origin.py",
        r#"
        [[rule]]
        name   = "somebody-else-won"
        method = "PUT"
        path   = "/api/v1/**"
        first  = 1
        per    = "path"
        kind   = "version"
        clear  = "refetch"
        reply  = { style = "kubernetes" }

        [[rule]]
        name   = "taken-at-first"
        method = "POST"
        path   = "/api/v1/**"
        first  = 1
        kind   = "duplicate"
        reply  = { style = "kubernetes" }
        "#,
    );
    let told = stage.run(Python, "conflicts/kubernetes_forced.py", &[]);
    assert_eq!(
        told["tries"],
        json!([
            ["create", "AlreadyExists", "colours"],
            ["create", null, "colours"],
            ["replace", "Conflict", "colours"],
            ["replace as before", "Conflict", "colours"],
            ["replace what was read again", null, "colours"],
        ]),
    );
    assert_eq!((stage.fired("somebody-else-won"), stage.fired("taken-at-first")), (2, 1));
}
