//! Tracking state does not change traffic: while no rule fires, the upstream gets the same bytes with state
//! tracked as without.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use crate::support::proxy::{self, TestProxy};
use crate::support::upstream::Upstream;

/// Every sort of state is tracked, and nothing that the test sends can conflict.
const TRACKING: &str = r#"
    [[rule]]
    on = "stale"
    per = ["path", "header:x-number"]
    [[rule]]
    on = "stale"
    version = "body:/rev"
    per = ["path", "header:x-number"]
    [[rule]]
    on = "overlap"
    [[rule]]
    on = "duplicate"
    per = "header:x-number"
    [[rule]]
    on = "referenced"
    per = "header:x-never"
    by = { path = "/**", per = "body:/name" }
    release = { path = "/**", per = "path" }
    [[rule]]
    on = "expired"
    max_requests = 1000000
    [[rule]]
    on = "key_in_use"
    per = "header:x-number"
    [[rule]]
    on = "locked"
    [[rule]]
    limit = 1
    first = 1
    per = "header:x-never"
    clear = "refetch"
"#;

/// An upstream that records its requests, byte for byte, and a proxy before it.
fn recorded(rules: &str) -> (TestProxy, Arc<Mutex<Vec<u8>>>, Upstream) {
    let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
    let recorder = Arc::clone(&bytes);
    let upstream = Upstream::playing(move |talk| {
        while let Some(head) = talk.socket.head() {
            let mut message = crate::support::message::Message::parse_head(&head);
            talk.socket.request_body(&mut message);
            let mut recorder = recorder.lock().expect("no panic");
            recorder.extend_from_slice(head.as_bytes());
            recorder.extend_from_slice(format!("{:?}", message.chunks).as_bytes());
            recorder.extend_from_slice(&message.body);
            let response = "{\"rev\":1,\"name\":\"a\"}";
            let length = response.len();
            talk.socket.send(format!(
                "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{response}"
            ));
        }
    });
    // Both stand in for the same upstream; their ports would tell them apart.
    let proxy = proxy::before(upstream.address)
        .with(|settings| {
            settings.host = fracas::rules::HostHeader::Client;
            // Each proxy has a name of its own there.
            settings.via = false;
        })
        .rules(rules)
        .start();
    (proxy, bytes, upstream)
}

#[test]
fn the_upstream_gets_the_same_bytes_with_state_tracked_and_without() {
    let (tracked, with, _upstream) = recorded(TRACKING);
    let (plain, without, _other) = recorded("");
    let number = std::cell::Cell::new(0);
    let request = (
        prop::sample::select(vec!["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
        "/[a-z]{1,3}(/[a-zA-Z0-9%~.-]{0,4}){0,3}",
        proptest::option::of("[a-z]=[a-z0-9%+]{0,4}"),
        prop::collection::vec(("x-[a-z]{1,5}", "[ -~]{0,12}"), 0..4),
        prop::collection::vec("[ -~]{1,40}", 0..3),
        any::<bool>(),
    );
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(200));
    runner
        .run(&request, |(method, path, query, headers, pieces, is_chunked)| {
            number.set(number.get() + 1);
            let mut text = format!("{method} {path}");
            if let Some(query) = query {
                text += &format!("?{query}");
            }
            text += &format!(" HTTP/1.1\r\nHost: h\r\nX-Number: {}\r\n", number.get());
            for (name, value) in headers {
                text += &format!("{name}: {}\r\n", value.trim());
            }
            if is_chunked && !pieces.is_empty() {
                text += "Transfer-Encoding: chunked\r\n\r\n";
                for piece in &pieces {
                    text += &format!("{:x}\r\n{piece}\r\n", piece.len());
                }
                text += "0\r\n\r\n";
            } else {
                text += &format!("Content-Length: {}\r\n\r\n{}", pieces.concat().len(), pieces.concat());
            }
            let answers = [&tracked, &plain].map(|proxy| proxy.ask(&text));
            prop_assert_eq!(answers[0].status(), 200, "{:?}", answers[0].header("fracas"));
            prop_assert_eq!(answers[1].status(), 200);
            let (with, without) = (with.lock().expect("no panic"), without.lock().expect("no panic"));
            prop_assert_eq!(String::from_utf8_lossy(&with), String::from_utf8_lossy(&without));
            Ok(())
        })
        .expect("the same bytes");
    assert!(tracked.running().summary().rules.iter().filter(|rule| rule.matched > 0).count() >= 6);
}
