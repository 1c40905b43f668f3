//! Elasticsearch's client raises its ConflictError, and finds a conflict for each row of a bulk write.

use serde_json::{Value, json};

use super::stage::Stage;
use crate::client::Runs::Python;

#[test]
fn documents_conflict_one_by_one_and_in_bulk() {
    let stage = Stage::start(
        Python,
        "conflicts/elasticsearch_origin.py",
        r#"
        [[rule]]
        name    = "changed"
        method  = "PUT"
        path    = "/{index}/_doc/{id}"
        on      = "stale"
        version = "query:if_seq_no"
        reply   = { style = "elasticsearch" }

        [[rule]]
        name    = "there-already"
        method  = "PUT"
        path    = "/{index}/_create/{id}"
        on      = "duplicate"
        reply   = { style = "elasticsearch" }

        [[rule]]
        name    = "bulk"
        method  = "PUT"
        path    = "/_bulk"
        first   = 1
        kind    = "version"
        reply   = { style = "elasticsearch" }
        "#,
    );
    let told = stage.run(Python, "conflicts/elasticsearch_client.py", &[]);

    let conflict =
        |reason: &str| json!({"status": 409, "type": "version_conflict_engine_exception", "reason": reason});
    let there = "[lamp]: version conflict, document already exists (current version [1])";
    let changed = "[lamp]: version conflict, required seqNo [0], primary term [1]. current document has \
                   seqNo [1] and primary term [1]";
    let expected = [Value::Null, conflict(there), Value::Null, conflict(changed), Value::Null];
    assert_eq!(told["conflicts"], json!(expected));
    assert_eq!(told["price"], json!(13), "written on top of what was read again");

    let row = |id: &str| json!([id, 409, "version_conflict_engine_exception"]);
    let errors = [row("desk"), row("chair"), row("shelf")];
    assert_eq!(told["bulk"], json!({"written": 0, "errors": errors}), "every row is answered");
    assert_eq!(told["bulk_again"], json!({"written": 3, "errors": []}));
    assert_eq!(["changed", "there-already", "bulk"].map(|rule| stage.fired(rule)), [1, 1, 1]);
}
