//! Stripe's SDK sends the same request again, with the same idempotency key, until it gets through.

use serde_json::{Value, json};

use super::stage::Stage;
use crate::client::Runs::Python;

fn each<'v>(tries: &'v Value, what: &str) -> Vec<&'v Value> {
    tries.as_array().expect("a list").iter().map(|one| &one[what]).collect()
}

#[test]
fn a_key_in_use_is_tried_again_until_the_answer_is_there() {
    let stage = Stage::start(
        Python,
        "conflicts/stripe_origin.py",
        r#"
        [[rule]]
        name   = "still-paying"
        method = "POST"
        path   = "/v1/**"
        on     = "key_in_use"
        reply  = { style = "stripe" }
        "#,
    );
    let paid = stage.run(Python, "conflicts/stripe_client.py", &["twice"]);

    assert_eq!(paid["seen"], json!(["order-7"]), "the upstream sees one payment: {paid}");
    assert_eq!(paid["payments"], json!({"first": "pi_1", "second": "pi_1"}), "both are that payment");
    assert_eq!(each(&paid["tries"]["first"], "status"), [200]);

    let second = paid["tries"]["second"].as_array().expect("a list");
    let (last, refused) = second.split_last().expect("at least one");
    assert_eq!((&last["status"], &last["replayed"]), (&json!(200), &json!("true")), "{paid}");
    assert!(!refused.is_empty(), "it was refused at first: {paid}");
    for try_ in refused {
        assert_eq!((&try_["status"], &try_["code"]), (&json!(409), &json!("idempotency_key_in_use")));
    }
    assert_eq!(stage.fired("still-paying"), refused.len() as u64);
}

#[test]
fn a_forced_conflict_is_tried_again_with_the_same_key() {
    let stage = Stage::start(
        Python,
        "conflicts/stripe_origin.py",
        r#"
        [[rule]]
        name   = "in-use-at-first"
        method = "POST"
        path   = "/v1/payment_intents"
        first  = 1
        per    = "header:idempotency-key"
        kind   = "idempotency"
        reply  = { style = "stripe" }
        "#,
    );
    let paid = stage.run(Python, "conflicts/stripe_client.py", &["once"]);

    let tries = &paid["tries"]["first"];
    assert_eq!(each(tries, "status"), [409, 200], "{paid}");
    assert_eq!(each(tries, "code"), [&json!("idempotency_key_in_use"), &json!(null)]);
    let keys = each(tries, "key");
    assert_eq!(keys[0], keys[1], "the SDK keeps the key that it made up");
    assert_eq!(paid["seen"], json!([keys[0]]), "the upstream sees the second try only");
}
