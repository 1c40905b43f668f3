//! A panic in the middle of a request, which no input is known to cause. Here the subscriber of the log
//! panics, on a line about one path.

use std::sync::Once;

use fracas::matching::Match;
use fracas::rules::Schedule;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::super::support::proxy::{self, conflict};
use super::super::support::upstream::Upstream;

/// The path of this test's requests alone.
const PATH: &str = "/panic-on-purpose";

/// Panics at a conflict about [`PATH`].
struct Panicking;

impl Subscriber for Panicking {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "fracas::conflict" && *metadata.level() == Level::INFO
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut PathVisitor);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct PathVisitor;

impl Visit for PathVisitor {
    fn record_str(&mut self, field: &Field, value: &str) {
        assert!(field.name() != "path" || value != PATH, "on purpose");
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

#[test]
fn c38_a_panic_in_a_handler_ends_its_own_connection_alone() {
    // For the whole process, as the workers have threads of their own; it bothers no other test.
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Panicking).expect("no other one"));

    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let path = fracas::matching::PathPattern::parse("/panic-*").expect("a pattern");
    let requests = Match { path: fracas::matching::PathMatch::Pattern(path), ..Match::default() };
    let proxy = proxy::before(upstream.address).rule(conflict(requests, Schedule::Always)).start();
    let mut bystander = proxy.connect();
    let mut ask = |path: &str| {
        bystander.send(format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"));
        bystander.response().status()
    };
    assert_eq!((ask("/"), ask("/panic-not")), (200, 409));
    for _ in 0..3 {
        let mut victim = proxy.connect();
        victim.send(format!("GET {PATH} HTTP/1.1\r\nHost: h\r\n\r\n"));
        victim.ended();
        assert_eq!((ask("/"), ask("/panic-not")), (200, 409));
    }
    drop(bystander);
    proxy.running().drain();
    let summary = proxy.join();
    assert_eq!((summary.panics, summary.requests), (3, 2 + 3 + 6));
}
