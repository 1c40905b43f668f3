//! PouchDB reads again and writes on top of the revision it read, as CouchDB taught it to.

use serde_json::json;

use super::stage::Stage;
use crate::client::Runs::Node;

#[test]
fn no_upsert_is_lost() {
    let stage = Stage::start(
        Node,
        "conflicts/couchdb_server.mjs",
        r#"
        # The very first write, which makes the document, and each third after it.
        [[rule]]
        name    = "somebody-else-won"
        method  = "PUT"
        path    = "/counters/visits"
        pattern = "x.."
        per     = "path"
        kind    = "version"
        clear   = "refetch"
        reply   = { style = "couchdb" }
        "#,
    );
    let told = stage.run(Node, "conflicts/upsert_pouchdb.mjs", &[]);

    assert_eq!((&told["count"], &told["revision"]), (&json!(30), &json!(30)), "each counted once: {told}");
    assert_eq!(told["answers"]["written"], json!(30), "{told}");
    let forced = told["answers"]["forced"].as_u64().expect("some conflicts were forced");
    assert!(forced >= 5, "{told}");
    assert_eq!(stage.fired("somebody-else-won"), forced);
}

#[test]
fn replication_converges_although_its_checkpoints_conflict() {
    let stage = Stage::start(
        Node,
        "conflicts/couchdb_server.mjs",
        r#"
        # A replication keeps on both sides how far it came, in documents that are not replicated.
        [[rule]]
        name    = "checkpoint"
        method  = "PUT"
        path    = "/notes/_local/*"
        pattern = "x."
        per     = "path"
        kind    = "version"
        clear   = "refetch"
        reply   = { style = "couchdb" }
        "#,
    );
    let told = stage.run(Node, "conflicts/replicate_pouchdb.mjs", &[]);

    assert_eq!(told["ok"], json!([true, true, true, true]), "{told}");
    assert_eq!(told["written"], json!([30, 1, 10]), "{told}");
    assert_eq!((&told["documents"], &told["edited"], &told["same"]), (&json!(31), &json!(10), &json!(true)));
    let conflicts = told["answers"].as_array().expect("a list");
    assert!(conflicts.len() >= 2, "{told}");
    assert!(conflicts.iter().all(|conflict| *conflict == json!("PUT forced")), "{told}");
    assert_eq!(stage.fired("checkpoint"), conflicts.len() as u64);
}
