//! Many writers on one key: one at a time reaches the upstream, and all others get a conflict.

#![allow(clippy::disallowed_methods, reason = "what is shown is when things happened")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::proxy;
use crate::support::upstream::Upstream;

const WRITERS: usize = 50;
const TRIES: usize = 20;

/// Begin and end, by this process's clock.
type Span = (Instant, Instant);

fn overlap(a: &Span, b: &Span) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

#[test]
fn one_writer_at_a_time_reaches_the_upstream_and_no_other_is_refused_for_nothing() {
    let recorded: Arc<Mutex<Vec<Span>>> = Arc::default();
    let recorder = Arc::clone(&recorded);
    let upstream = Upstream::playing(move |talk| {
        while talk.request().is_some() {
            let arrived = Instant::now();
            // Long enough that an overlap would show, without a sleep: other threads get the core.
            for _ in 0..20 {
                std::thread::yield_now();
            }
            recorder.lock().expect("no panic").push((arrived, Instant::now()));
            talk.socket.send("HTTP/1.1 204 No Content\r\n\r\n");
        }
    });
    let hold = Duration::from_millis(20);
    let rules = "[[rule]]\nname = \"one\"\nmethod = \"PUT\"\non = \"overlap\"\nhold = \"20ms\"";
    let proxy = proxy::before(upstream.address)
        .with(|settings| settings.workers = std::num::NonZeroUsize::new(2))
        .rules(rules)
        .start();

    let spans: Vec<(u16, Span)> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut socket = proxy.connect();
                    let write = |_| {
                        let began = Instant::now();
                        socket.send("PUT /items/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
                        let status = socket.response().status();
                        (status, (began, Instant::now()))
                    };
                    (0..TRIES).map(write).collect::<Vec<_>>()
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().expect("a writer")).collect()
    });

    let mut applied = recorded.lock().expect("no panic").clone();
    applied.sort();
    assert!(applied.windows(2).all(|two| two[0].1 <= two[1].0), "two were in the upstream at once");
    let won: Vec<Span> = spans.iter().filter(|(status, _)| *status == 204).map(|(_, span)| *span).collect();
    let refused: Vec<Span> =
        spans.iter().filter(|(status, _)| *status == 409).map(|(_, span)| *span).collect();
    assert_eq!((won.len(), won.len() + refused.len()), (applied.len(), WRITERS * TRIES));
    assert!(
        !won.is_empty() && refused.len() > won.len(),
        "{} won, {} were refused",
        won.len(),
        refused.len()
    );

    // Each winner's time in the proxy: from before the upstream had it to the end of the hold.
    let in_flight: Vec<Span> = won
        .iter()
        .filter_map(|span| {
            let (_, left) = applied.iter().find(|applied| overlap(span, applied))?;
            Some((span.0, span.1.max(*left + hold)))
        })
        .collect();
    assert_eq!(in_flight.len(), won.len());
    for span in &refused {
        assert!(in_flight.iter().any(|winner| overlap(span, winner)), "refused for nothing");
    }
}

#[test]
fn a_request_is_in_flight_until_its_answer_has_passed() {
    let (go_on, told) = std::sync::mpsc::channel::<()>();
    let told = Mutex::new(told);
    let upstream = Upstream::playing(move |talk| {
        while let Some(request) = talk.request() {
            talk.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
            if request.header("slow").is_some() {
                told.lock().expect("no panic").recv().expect("an order");
            }
            talk.socket.send("half");
        }
    });
    let proxy = proxy::before(upstream.address).rules("[[rule]]\non = \"overlap\"").start();
    let mut slow = proxy.connect();
    slow.send("PUT /items/1 HTTP/1.1\r\nHost: h\r\nSlow: yes\r\nContent-Length: 0\r\n\r\n");
    let head = slow.head().expect("a head");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(slow.exactly(4), b"half");
    let other = "PUT /items/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(proxy.ask(other).status(), 409);
    go_on.send(()).expect("the upstream waits");
    assert_eq!(slow.exactly(4), b"half");
    assert_eq!(proxy.ask(other).status(), 200);
}
