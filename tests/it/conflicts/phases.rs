//! Before, after, lost: the upstream's state when the client is refused.

use super::{example, nothing, rule, stage, upstream};

const ORDER: &str = r#"{"item_id":1}"#;

#[test]
fn an_order_whose_answer_is_lost_is_placed_once_by_a_client_that_keeps_its_key() {
    let stage = example("lost-acknowledgement.toml");
    let key = ["Idempotency-Key: a"];
    assert_eq!(stage.got("POST /orders", &key, ORDER), nothing());
    assert_eq!(stage.got("POST /orders", &key, ORDER), upstream(201));
    assert_eq!(stage.writes("POST /orders"), 1);
}

#[test]
fn an_order_whose_answer_is_lost_is_placed_twice_by_a_client_without_a_key() {
    let stage = example("lost-acknowledgement.toml");
    assert_eq!(stage.got("POST /orders", &[], ORDER), nothing());
    assert_eq!(stage.got("POST /orders", &[], ORDER), upstream(201));
    assert_eq!(stage.writes("POST /orders"), 2);
}

#[test]
fn a_lost_answer_can_be_a_gateways_instead() {
    let stage = stage(
        "[[rule]]\nname = \"lost\"\nmethod = \"POST\"\nfirst = 1\nphase = \"lost\"\nreply = { status = 504 }",
    );
    assert_eq!(stage.got("POST /orders", &[], ORDER), rule(504, "lost"));
    assert_eq!(stage.writes("POST /orders"), 1);
}

#[test]
fn each_phase_says_so_and_leaves_the_upstream_as_it_should_be() {
    for (phase, writes) in [("before", 0), ("after", 1)] {
        let stage = stage(&format!(
            "[[rule]]\nname = \"r\"\nmethod = \"POST\"\npath = \"/orders\"\nfirst = 1\nphase = \"{phase}\""
        ));
        let response = stage.ask("POST /orders", &[], ORDER).expect("an answer");
        let marker = format!("rule=\"r\", kind=transient, phase={phase}, n=1");
        assert_eq!((response.status(), response.header("fracas")), (409, Some(&*marker)));
        assert_eq!(response.header("location"), None, "nothing of the upstream's answer shows");
        assert_eq!(stage.writes("POST /orders"), writes, "{phase}");
        let summary = stage.proxy.running().summary();
        assert_eq!((summary.rules[0].matched, summary.rules[0].fired), (1, 1));
    }
}

#[test]
fn what_the_upstream_refuses_passes_and_counts_as_not_fired() {
    for phase in ["after", "lost"] {
        let stage = stage(&format!("[[rule]]\nmethod = \"POST\"\nphase = \"{phase}\"\nlimit = 1"));
        assert_eq!(stage.got("POST /orders", &[], r#"{"item_id":999}"#), upstream(422));
        let fired = |stage: &super::Stage| stage.proxy.running().summary().rules[0].fired;
        assert_eq!(fired(&stage), 0);
        stage.got("POST /orders", &[], ORDER);
        assert_eq!(fired(&stage), 1);
        assert_eq!(stage.got("POST /orders", &[], ORDER), upstream(201), "the limit is reached");
    }
}

#[test]
fn a_lost_answer_ends_its_own_connection_alone_and_the_upstreams_is_used_again() {
    let stage = stage("[[rule]]\nmethod = \"POST\"\nphase = \"lost\"\nevery = 2");
    let mut other = stage.proxy.connect();
    for round in 0..20 {
        super::send(&mut other, "GET /items/1", &[], "");
        assert_eq!(super::response(&mut other).expect("an answer").status(), 200);
        let expected = if round % 2 == 1 { nothing() } else { upstream(201) };
        assert_eq!(stage.got("POST /orders", &[], ORDER), expected);
    }
    assert_eq!(stage.writes("POST /orders"), 20);
}

#[test]
fn a_rule_whose_limit_is_reached_leaves_requests_to_the_next_rule() {
    for phase in ["before", "after", "lost"] {
        let stage = stage(&format!(
            "[[rule]]\nname = \"once\"\nmethod = \"POST\"\nphase = \"{phase}\"\nlimit = 1\n\
             [[rule]]\nname = \"next\"\nmethod = \"POST\""
        ));
        let first = if phase == "lost" { nothing() } else { rule(409, "once") };
        assert_eq!(stage.got("POST /orders", &[], ORDER), first, "{phase}");
        assert_eq!(stage.got("POST /orders", &[], ORDER), rule(409, "next"), "{phase}");
    }
}

#[test]
fn a_later_rule_knows_of_the_request_whose_answer_an_earlier_one_withholds() {
    let stage = stage(
        r#"
        [[rule]]
        name = "lost"
        method = "POST"
        first = 1
        phase = "lost"
        [[rule]]
        name = "key"
        method = "POST"
        on = "key_in_use"
        per = "header:x-key"
        "#,
    );
    let key = ["X-Key: a"];
    assert_eq!(stage.got("POST /orders", &key, ORDER), nothing());
    // The lost response passes before the connection ends, but no event tells when it has been kept.
    let again = loop {
        let got = stage.got("POST /orders", &key, ORDER);
        if got != rule(409, "key") {
            break got;
        }
    };
    assert_eq!(again, upstream(201), "the answer that was lost");
    assert_eq!(stage.writes("POST /orders"), 1);
}
