//! The order is placed, and the client is told otherwise or nothing at all: only an idempotency key
//! keeps the next try from placing another.

use serde_json::{Value, json};

use crate::binary::Fracas;
use crate::client::{Runs, run};

/// The responses that a client meets when it tries again, and the number of orders then.
struct Case {
    /// Keys of the rule.
    rule: &'static str,
    key: &'static str,
    tries: Value,
    writes: u64,
}

#[test]
fn only_an_idempotency_key_keeps_a_lost_order_from_being_placed_twice() {
    let gone = "RemoteProtocolError";
    let after = r#"rule="unheard", kind=transient, phase=after, n=1"#;
    let lost = r#"rule="unheard", kind=transient, phase=lost, n=1"#;
    for Case { rule, key, tries, writes } in [
        Case { rule: "phase = 'lost'", key: "k-1", tries: json!([[gone, null], [201, null]]), writes: 1 },
        Case { rule: "phase = 'lost'", key: "", tries: json!([[gone, null], [201, null]]), writes: 2 },
        Case { rule: "phase = 'after'", key: "k-1", tries: json!([[409, after], [201, null]]), writes: 1 },
        Case { rule: "phase = 'after'", key: "", tries: json!([[409, after], [201, null]]), writes: 2 },
        Case {
            rule: "phase = 'lost'\nreply = { status = 504 }",
            key: "k-1",
            tries: json!([[504, lost], [201, null]]),
            writes: 1,
        },
    ] {
        let fracas = Fracas::start(&format!(
            "[[rule]]\nname = 'unheard'\nmethod = 'POST'\npath = '/orders'\nfirst = 1\n{rule}\n"
        ));
        let url = format!("http://{}", fracas.address());
        let placed = run(Runs::Python, "conflicts/order_httpx.py", &[&url, key]);
        assert_eq!(placed["tries"], tries, "{rule}, key {key:?}");
        assert_eq!(fracas.upstream_saw("POST /orders"), (2, writes), "{rule}, key {key:?}");
        assert_eq!(placed["orders"], json!(writes), "{rule}, key {key:?}");
    }
}
