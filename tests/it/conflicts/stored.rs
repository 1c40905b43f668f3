//! Stored responses of `on = "key_in_use"` are for the client that they were given to.

use crate::support::proxy;
use crate::support::upstream::Upstream;

const OK: &str = "HTTP/1.1 201 Created\r\nSet-Cookie: session=secret\r\nContent-Length: 4\r\n\r\ncard";

fn pay(client: &str) -> String {
    format!(
        "POST /pay HTTP/1.1\r\nHost: h\r\nIdempotency-Key: k1\r\nAuthorization: Bearer {client}\r\n\
         Content-Length: 2\r\n\r\n{{}}"
    )
}

#[test]
fn another_client_with_the_same_key_and_payload_has_a_key_of_its_own() {
    let upstream = Upstream::answering(OK);
    let rules = "[[rule]]\nmethod = \"POST\"\non = \"key_in_use\"\n";
    let proxy = proxy::before(upstream.address).rules(rules).start();
    for (client, is_replay, seen) in
        [("alice", false, 1), ("alice", true, 1), ("bob", false, 2), ("bob", true, 2)]
    {
        let response = proxy.ask(pay(client));
        assert_eq!(response.header("idempotent-replayed").is_some(), is_replay, "{client}");
        assert_eq!((response.status(), response.text()), (201, "card".to_owned()), "{client}");
        assert_eq!(upstream.requests().len(), seen, "{client}");
    }
}

#[test]
fn a_stored_session_is_given_to_no_other_connection() {
    let upstream = Upstream::answering(OK);
    let rules = "[[rule]]\nmethod = \"POST\"\non = \"key_in_use\"\nper = \"header:idempotency-key\"\n";
    let proxy = proxy::before(upstream.address).rules(rules).start();
    let mut own = proxy.connect();
    for is_replay in [false, true] {
        own.send(pay("alice"));
        let response = own.response();
        assert_eq!(response.header("idempotent-replayed").is_some(), is_replay);
        assert_eq!(response.header("set-cookie"), Some("session=secret"));
    }
    let other = proxy.ask(pay("bob"));
    assert_eq!((other.header("idempotent-replayed"), other.header("set-cookie")), (Some("true"), None));
    assert_eq!(other.text(), "card", "the rule's `per` asks for it");
}
