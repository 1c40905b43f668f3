//! Long JSON, which rules look into: a worker's other clients do not wait for it.

use std::fmt::Write as _;

use super::super::support::proxy;
use super::super::support::upstream::Upstream;

#[test]
fn other_clients_are_served_while_rules_look_into_a_long_body() {
    /// Each inspects the body anew, so that inspection takes longer than the other clients' requests.
    const RULES: usize = 5;
    const OTHERS: usize = 10;
    let mut rules = String::new();
    for at in 0..RULES {
        let _ = writeln!(rules, "[[rule]]\nmethod = \"POST\"\nbody = {{ \"/0/a{at}\" = \"b\" }}");
    }
    let found = "[[rule]]\nmethod = \"POST\"\nbody = { \"/1/c\" = \"d\" }\n";
    let items = "[],".repeat((4 << 20) / 3 - 20);
    for (rules, sees, status) in [(rules.clone(), 1, 200), (format!("{rules}{found}"), 0, 409)] {
        let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let proxy = proxy::before(upstream.address).with(|it| it.body_limit = 64 << 20).rules(&rules).start();
        let body = format!("[[],{{\"c\":\"d\"}},{items}0]");
        let (mut poster, mut other) = (proxy.connect(), proxy.connect());
        let length = body.len();
        poster.send(format!("POST /long HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n"));
        poster.send(&body[..length - 1]);
        let mut ask = || {
            other.send("GET /short HTTP/1.1\r\nHost: h\r\n\r\n");
            assert_eq!(other.response().status(), 200);
        };
        // Until the worker has read all but the last byte.
        (0..OTHERS).for_each(|_| ask());
        poster.send("]");
        // The worker may hear of the first of them before the byte.
        (0..OTHERS).for_each(|_| ask());
        assert!(poster.has_nothing(), "all of them were served before the long one was decided");
        assert_eq!(poster.response().status(), status);
        let posts = upstream.requests().iter().filter(|request| request.start.starts_with("POST")).count();
        assert_eq!(posts, sees);
    }
}
