//! Rules swapped while requests are in flight.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};

use fracas::proxy::Running;
use fracas::rules::{BodyFileError, Rule, read};

use crate::support::proxy;
use crate::support::upstream::Upstream;

const SWAPS: usize = 1_000;
const CLIENTS: usize = 4;
const KEYS: u64 = 40;

const KEEP: &str =
    "[[rule]]\nname = \"keep\"\nheader = { x-kind = \"keep\" }\nfirst = 3\nper = \"header:x-key\"\n";
const ONCE: &str = "[[rule]]\nname = \"once\"\nheader = { x-kind = \"once\" }\nlimit = 50\n";
const ALONE: &str = "[[rule]]\nname = \"alone\"\nheader = { x-kind = \"alone\" }\non = \"overlap\"\nper = \"header:x-client\"\n";
const ALPHA: &str = "[[rule]]\nname = \"alpha\"\nheader = { x-kind = \"alpha\" }\nreply = { status = 423 }\n";
const BETA: &str = "[[rule]]\nname = \"beta\"\nheader = { x-kind = \"alpha\" }\nreply = { status = 423 }\n";
const EXTRA: &str = "[[rule]]\nname = \"extra\"\nheader = { x-kind = \"alpha\" }\nreply = { status = 429 }\n";

/// In order, reordered, renamed, removed, added.
const VERSIONS: [&[&str]; 5] = [
    &[KEEP, ONCE, ALPHA, ALONE],
    &[ALONE, ALPHA, ONCE, KEEP],
    &[ONCE, BETA, KEEP, ALONE],
    &[ALONE, KEEP, ONCE],
    &[EXTRA, ALONE, ONCE, KEEP],
];

/// The rule of each version that responds to a request of the kind `alpha`, and the status.
const ALPHA_MEETS: [(Option<&str>, u16); 5] =
    [(Some("alpha"), 423), (Some("alpha"), 423), (Some("beta"), 423), (None, 204), (Some("extra"), 429)];

fn rules(version: usize) -> Vec<Rule> {
    let text = VERSIONS[version].concat();
    read("rules.toml", &text, &|_| Err(BodyFileError::Missing)).expect("valid rules").config.rules
}

/// The name and the count in `rule="keep", kind=transient, phase=before, n=2`.
fn conflict(by: &str) -> (String, u64) {
    let value = |name| by.split(", ").find_map(|part| part.strip_prefix(name)).expect("a value");
    (value("rule=").trim_matches('"').to_owned(), value("n=").parse().expect("a number"))
}

fn swap(running: &Running, rules: &[Rule]) {
    running.replace_rules(rules.to_vec()).unwrap_or_else(|_| panic!("rules that can be compiled"));
}

#[test]
fn c37_each_response_is_by_rules_that_stood_while_it_was_made_and_rules_that_stay_keep_counts_and_state() {
    let upstream = Upstream::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let proxy = proxy::before(upstream.address)
        .with(|settings| settings.workers = NonZeroUsize::new(2))
        .rules(&VERSIONS[0].concat())
        .start();
    let versions: Vec<Vec<Rule>> = (0..VERSIONS.len()).map(rules).collect();
    // Swaps begun and done: rules between them may respond.
    let (begun, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (next, once) = (AtomicU64::new(0), AtomicU64::new(0));
    let numbers: Mutex<BTreeMap<u64, Vec<u64>>> = Mutex::default();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|client| {
            let (begun, done, next, once, numbers) = (&begun, &done, &next, &once, &numbers);
            let proxy = &proxy;
            scope.spawn(move || {
                let mut socket = proxy.connect();
                while done.load(SeqCst) < SWAPS {
                    let request = next.fetch_add(1, SeqCst);
                    let key = request / 4 % KEYS;
                    let kind = ["keep", "once", "alone", "alpha"][request as usize % 4];
                    let first = done.load(SeqCst);
                    socket.send(format!(
                        "GET / HTTP/1.1\r\nHost: h\r\nX-Kind: {kind}\r\nX-Key: {key}\r\nX-Client: {client}\r\n\r\n"
                    ));
                    let response = socket.response();
                    let last = begun.load(SeqCst);
                    let by = response.header("fracas").map(conflict);
                    let rule = by.as_ref().map(|(rule, _)| &**rule);
                    match kind {
                        "keep" => {
                            assert!(rule.is_none_or(|rule| rule == "keep"), "{by:?}");
                            let n = by.iter().map(|(_, n)| *n);
                            numbers.lock().expect("no panic").entry(key).or_default().extend(n);
                        }
                        "once" => {
                            assert!(rule.is_none_or(|rule| rule == "once"), "{by:?}");
                            once.fetch_add(u64::from(rule.is_some()), SeqCst);
                        }
                        // One client's requests follow each other: each has left when the next comes.
                        "alone" => assert_eq!((response.status(), rule), (204, None)),
                        _ => {
                            let seen = (rule, response.status());
                            let explains = |version: usize| ALPHA_MEETS[version % VERSIONS.len()] == seen;
                            assert!((first..=last).any(explains), "{seen:?} of versions {first} to {last}");
                        }
                    }
                }
            })
        }).collect();
        for version in 1..=SWAPS {
            begun.store(version, SeqCst);
            swap(proxy.running(), &versions[version % versions.len()]);
            done.store(version, SeqCst);
            // Some requests between one swap and the next.
            while next.load(SeqCst) < 4 * version as u64
                && !clients.iter().any(std::thread::ScopedJoinHandle::is_finished)
            {
                std::thread::yield_now();
            }
        }
    });
    let requests = next.load(SeqCst);
    assert!(requests >= 4 * (SWAPS as u64 - 1), "{requests} requests in {SWAPS} swaps: hardly a load");
    let numbers = numbers.into_inner().expect("no panic");
    assert_eq!(numbers.len() as u64, KEYS);
    for (key, mut numbers) in numbers {
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3], "key {key}");
    }
    let once = once.load(SeqCst);
    assert_eq!(once, 50.min(requests / 4), "the limit holds over all swaps");
    proxy.running().drain();
    let summary = proxy.join();
    let of = |name: &str| summary.rules.iter().find(|rule| &*rule.name == name).expect("a rule").clone();
    assert_eq!(of("once").fired, once);
    // Requests in flight when the last one ended were counted as well.
    assert!(of("keep").matched >= requests / 4 - CLIENTS as u64, "{} of {requests}", of("keep").matched);
}

#[test]
fn a_request_leaves_the_rule_that_it_entered() {
    // The upstream responds on a signal.
    let open = Arc::new((Mutex::new(0usize), Condvar::new()));
    let gate = Arc::clone(&open);
    let (arrive, arrived) = std::sync::mpsc::channel();
    let upstream = Upstream::playing(move |talk| {
        while let Some(request) = talk.request() {
            let place: usize = request.target().trim_start_matches("/items/1?").parse().expect("a number");
            arrive.send(place).expect("a test");
            let guard = gate.0.lock().expect("no panic");
            drop(gate.1.wait_while(guard, |open| *open < place).expect("no panic"));
            talk.socket.send("HTTP/1.1 204 No Content\r\n\r\n");
        }
    });
    let let_go = |number| {
        *open.0.lock().expect("no panic") = number;
        open.1.notify_all();
    };
    let rule = |name: &str| {
        format!("[[rule]]\nname = \"{name}\"\nmethod = \"PUT\"\npath = \"/items/1\"\non = \"overlap\"\n")
    };
    let parsed = |text: &str| {
        read("rules.toml", text, &|_| Err(BodyFileError::Missing)).expect("valid rules").config.rules
    };
    let proxy = proxy::before(upstream.address).rules(&rule("old")).start();
    let put = |number: usize| {
        let mut socket = proxy.connect();
        socket.send(format!("PUT /items/1?{number} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"));
        socket
    };
    let refused_by = |mut socket: crate::support::socket::Socket| {
        let response = socket.response();
        (response.status(), response.header("fracas").map(|by| conflict(by).0))
    };
    let mut first = put(1);
    assert_eq!(arrived.recv().expect("a request"), 1);
    assert_eq!(refused_by(put(9)), (409, Some("old".to_owned())));
    // Another rule stands in the same position; the first request is not in its state.
    proxy.running().replace_rules(parsed(&rule("new"))).unwrap_or_else(|_| panic!("rules"));
    let mut second = put(2);
    assert_eq!(arrived.recv().expect("a request"), 2);
    assert_eq!(refused_by(put(9)), (409, Some("new".to_owned())));
    // It leaves the rule that it entered, and no other.
    let_go(1);
    assert_eq!(first.response().status(), 204);
    assert_eq!(refused_by(put(9)), (409, Some("new".to_owned())));
    // And the rule that comes back in another position finds that it has left.
    let both = format!("{}{}", rule("new").replace("PUT", "POST"), rule("old"));
    proxy.running().replace_rules(parsed(&both)).unwrap_or_else(|_| panic!("rules"));
    let mut third = put(2);
    assert_eq!(arrived.recv().expect("a request"), 2);
    let_go(2);
    assert_eq!((second.response().status(), third.response().status()), (204, 204));
}
