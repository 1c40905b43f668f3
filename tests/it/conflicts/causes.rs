//! Each cause of a conflict, by its example, in front of the sample API: real state, learned from requests
//! that the upstream accepted.

use super::{example, got, rule, stage, upstream};

#[test]
fn version_mismatch() {
    let stage = stage(
        "[[rule]]\nname = \"stale\"\nmethod = [\"PUT\", \"PATCH\"]\npath = \"/items/{id}\"\non = \"stale\"\nmissing = 428",
    );
    let patch = |tag: &[&str]| stage.got("PATCH /items/1", tag, r#"{"name":"x"}"#);
    assert_eq!(patch(&[]), rule(428, "stale"));
    assert_eq!(patch(&["If-Match: \"7\""]), upstream(412), "nothing is known yet: the upstream decides");
    stage.got("GET /items/1", &[], "");
    assert_eq!(patch(&["If-Match: \"7\""]), rule(409, "stale"));
    assert_eq!(patch(&["If-Match: \"7\", \"1\""]), upstream(200), "a write teaches its own version");
    assert_eq!(patch(&["If-Match: \"1\""]), rule(409, "stale"));
    assert_eq!(patch(&["If-Match: \"2\""]), upstream(200));
    assert_eq!(patch(&["If-Match: *"]), upstream(200));
    stage.got("DELETE /items/1", &[], "");
    assert_eq!(patch(&["If-Match: \"4\""]), upstream(404), "what is gone has no version");
}

#[test]
fn version_mismatch_in_a_body_field() {
    let stage = stage(
        "[[rule]]\nname = \"stale\"\nmethod = \"PUT\"\npath = \"/items/{id}\"\non = \"stale\"\nversion = \"body:/rev\"",
    );
    let put = |rev: u32| stage.got("PUT /items/1", &[], &format!(r#"{{"name":"x","rev":{rev}}}"#));
    stage.got("GET /items/1", &[], "");
    assert_eq!(put(9), rule(409, "stale"));
    assert_eq!(put(1), upstream(200));
    assert_eq!(put(1), rule(409, "stale"), "the answer's body told the new one");
    assert_eq!(put(2), upstream(200));
}

#[test]
fn a_duplicate_is_what_the_upstream_has_accepted() {
    let stage = example("duplicate.toml");
    let register = |name: &str| stage.got("POST /register", &[], &format!(r#"{{"username":"{name}"}}"#));
    assert_eq!(register("john_doe"), upstream(409), "the upstream's own conflict");
    assert_eq!(register("john_doe"), upstream(409), "teaches nothing");
    assert_eq!(register("ada"), upstream(201));
    assert_eq!(register("ada"), rule(409, "username-taken"));
    assert_eq!(register("grace"), upstream(201));
    assert_eq!(stage.writes("POST /register"), 2);
}

#[test]
fn a_reference_lives_until_the_order_is_deleted() {
    let stage = example("referenced.toml");
    let order = || {
        let response = stage.ask("POST /orders", &[], r#"{"item_id":3}"#).expect("an answer");
        response.header("location").expect("a location").split("proxy").last().expect("a path").to_owned()
    };
    let (first, second) = (order(), order());
    let delete_item = || stage.got("DELETE /items/3", &[], "");
    assert_eq!(delete_item(), rule(409, "item-has-orders"));
    assert_eq!(stage.got(&format!("DELETE {first}"), &[], ""), upstream(204));
    assert_eq!(stage.got(&format!("DELETE {first}"), &[], ""), upstream(404), "deleted once");
    assert_eq!(delete_item(), rule(409, "item-has-orders"), "one order is left");
    assert_eq!(stage.got(&format!("DELETE {second}"), &[], ""), upstream(204));
    assert_eq!(delete_item(), upstream(204));
    assert_eq!(stage.got("DELETE /items/4", &[], ""), upstream(204), "nobody ever ordered it");
}

#[test]
fn a_session_serves_so_many_requests() {
    let stage = example("stale-session.toml");
    stage.got("POST /register", &[], r#"{"username":"ada"}"#);
    let log_in = || {
        let response = stage.ask("POST /login", &[], r#"{"username":"ada"}"#).expect("an answer");
        let cookie = response.header("set-cookie").expect("a cookie").to_owned();
        format!("Cookie: {}", cookie.split(';').next().expect("a value"))
    };
    for _ in 0..2 {
        let session = log_in();
        let me = [(); 5].map(|()| stage.got("GET /me", &[&session], "").status);
        assert_eq!(me, [200, 200, 200, 409, 409]);
    }
    assert_eq!(stage.got("GET /me", &[], ""), upstream(401), "no session, no rule");
}

#[test]
fn too_many_requests_are_blocked() {
    let stage = example("blocking.toml");
    let statuses = [(); 8].map(|()| stage.got("GET /items/1", &["User-Agent: eager"], "").status);
    assert_eq!(&statuses[..6], [200, 200, 200, 200, 200, 409], "{statuses:?}");
    let other = stage.ask("GET /items/1", &["User-Agent: calm"], "").expect("an answer");
    assert_eq!(got(Some(&other)), upstream(200), "another client");
}

#[test]
fn an_idempotency_key_is_in_use_and_then_gives_its_answer_again() {
    let stage = example("idempotency-key.toml");
    let key = ["Idempotency-Key: a"];
    let order = r#"{"item_id":1}"#;
    let mut first = stage.proxy.connect();
    super::send(&mut first, "POST /orders?ms=300", &key, order);
    // The upstream has the first when it counts it.
    let running = || stage.ask("GET /stats", &[], "").expect("an answer").text().contains("POST /orders");
    while !running() {}
    assert_eq!(stage.got("POST /orders?ms=300", &key, order), rule(409, "key-in-use"));
    assert_eq!(stage.got("POST /orders", &key, r#"{"item_id":2}"#), rule(422, "key-in-use"));
    let response = super::response(&mut first).expect("an answer");
    assert_eq!(got(Some(&response)), upstream(201));

    let again = stage.ask("POST /orders?ms=300", &key, order).expect("an answer");
    assert_eq!((again.status(), &again.body), (201, &response.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("location"), response.header("location"));
    assert_eq!(stage.got("POST /orders", &key, r#"{"item_id":2}"#), rule(422, "key-in-use"));
    let stats = stage.ask("GET /stats", &[], "").expect("an answer").text();
    assert!(stats.contains("\"POST /orders\":1"), "the upstream heard of it once: {stats}");
    assert_eq!(stage.writes("POST /orders"), 1);
}

#[test]
fn a_key_whose_request_failed_is_free_again() {
    let stage = example("idempotency-key.toml");
    let key = ["Idempotency-Key: a"];
    assert_eq!(stage.got("POST /orders", &key, r#"{"item_id":999}"#), upstream(422));
    assert_eq!(stage.got("POST /orders", &["Idempotency-Key: b"], r#"{"item_id":1}"#), upstream(201));
}

#[test]
fn a_lock_is_its_holders() {
    let stage = example("lock.toml");
    let patch = |agent: &str| stage.got("PATCH /items/1", &[agent], r#"{"name":"x"}"#);
    assert_eq!(patch("User-Agent: a"), upstream(200));
    assert_eq!(patch("User-Agent: b"), rule(409, "locked-by-another"));
    assert_eq!(patch("User-Agent: a"), upstream(200));
    assert_eq!(stage.got("PATCH /items/2", &["User-Agent: b"], r#"{"name":"x"}"#), upstream(200));
    assert_eq!(stage.got("DELETE /items/1", &["User-Agent: b"], ""), upstream(204));
    assert_eq!(patch("User-Agent: b"), upstream(404), "the lock went with the item");
}

#[test]
fn a_body_longer_than_its_limit_is_judged_by_no_rule_that_reads_it() {
    let stage = stage(
        "[[rule]]\nname = \"stale\"\nmethod = \"PUT\"\non = \"stale\"\nversion = \"body:/rev\"\nmissing = 428\n\
         [[rule]]\nname = \"key\"\nmethod = \"POST\"\non = \"key_in_use\"\nper = \"header:x-key\"",
    );
    let long = |fill: &str| format!(r#"{{"item_id":1,"name":"x","rev":1,"note":"{}"}}"#, fill.repeat(70_000));
    let put = stage.got("PUT /items/1", &[], &long("a"));
    assert_eq!(put.by, super::By::Upstream, "its version was not looked for, so it is not missing");
    for fill in ["a", "b"] {
        assert_eq!(stage.got("POST /orders", &["X-Key: 1"], &long(fill)), upstream(201));
    }
    assert_eq!(stage.writes("POST /orders"), 2, "an answer to another payload is not given again");
}
