//! Rules swapped while requests are in flight.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, channel};
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
    parsed(&VERSIONS[version].concat())
}

fn parsed(text: &str) -> Vec<Rule> {
    read("rules.toml", text, &|_| Err(BodyFileError::Missing)).expect("valid rules").config.rules
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

/// The requests that an upstream has, each with a number as its query, and the last number that it may respond to.
struct Gate {
    open: Arc<(Mutex<usize>, Condvar)>,
    arrived: Receiver<usize>,
}

impl Gate {
    fn arrived(&self) -> usize {
        self.arrived.recv().expect("a request")
    }

    fn let_go(&self, number: usize) {
        *self.open.0.lock().expect("no panic") = number;
        self.open.1.notify_all();
    }
}

/// An upstream that responds on a signal.
fn gated() -> (Upstream, Gate) {
    let open = Arc::new((Mutex::new(0), Condvar::new()));
    let gate = Arc::clone(&open);
    let (arrive, arrived) = channel();
    let upstream = Upstream::playing(move |talk| {
        while let Some(request) = talk.request() {
            let place = request.target().rsplit('?').next().and_then(|place| place.parse().ok());
            let place: usize = place.expect("a number");
            arrive.send(place).expect("a test");
            let guard = gate.0.lock().expect("no panic");
            drop(gate.1.wait_while(guard, |open| *open < place).expect("no panic"));
            talk.socket.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{place}"));
        }
    });
    (upstream, Gate { open, arrived })
}

#[test]
fn a_request_leaves_the_rule_that_it_entered() {
    let (upstream, gate) = gated();
    let rule = |name: &str| {
        format!("[[rule]]\nname = \"{name}\"\nmethod = \"PUT\"\npath = \"/items/1\"\non = \"overlap\"\n")
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
    assert_eq!(gate.arrived(), 1);
    assert_eq!(refused_by(put(9)), (409, Some("old".to_owned())));
    // Another rule stands in the same position; the first request is not in its state.
    swap(proxy.running(), &parsed(&rule("new")));
    let mut second = put(2);
    assert_eq!(gate.arrived(), 2);
    assert_eq!(refused_by(put(9)), (409, Some("new".to_owned())));
    // It leaves the rule that it entered, and no other.
    gate.let_go(1);
    assert_eq!(first.response().status(), 200);
    assert_eq!(refused_by(put(9)), (409, Some("new".to_owned())));
    // And the rule that comes back in another position finds that it has left.
    let both = format!("{}{}", rule("new").replace("PUT", "POST"), rule("old"));
    swap(proxy.running(), &parsed(&both));
    let mut third = put(2);
    assert_eq!(gate.arrived(), 2);
    gate.let_go(2);
    assert_eq!((second.response().status(), third.response().status()), (200, 200));
}

/// Sends a request; gives the status, the rule that refused, and the body.
fn ask(proxy: &proxy::TestProxy, head: &str) -> (u16, Option<String>, String) {
    let mut socket = proxy.connect();
    socket.send(format!("{head} HTTP/1.1\r\nHost: h\r\nIdempotency-Key: k\r\nContent-Length: 0\r\n\r\n"));
    let response = socket.response();
    let by = response.header("fracas").map(|by| conflict(by).0);
    let body = if by.is_some() { String::new() } else { response.text() };
    (response.status(), by, body)
}

#[test]
fn an_open_conflict_is_cleared_for_the_rule_that_opened_it_alone() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
    let rule = |name: &str, keys: &str| {
        format!("[[rule]]\nname = \"{name}\"\npath = \"/a\"\nfirst = 1\nclear = \"refetch\"\n{keys}\n")
    };
    let old = rule("old", "");
    let proxy = proxy::before(upstream.address).rules(&old).start();
    let refused = |status, rule: &str| (status, Some(rule.to_owned()), String::new());
    let passed = || (200, None, "1".to_owned());
    assert_eq!(ask(&proxy, "PUT /a"), refused(409, "old"));
    // Another response and another position; the meaning is the same, and the conflict is open.
    let moved = format!("{}{}", rule("new", "").replace("/a", "/b"), rule("old", "reply = { status = 423 }"));
    swap(proxy.running(), &parsed(&moved));
    assert_eq!(ask(&proxy, "PUT /a"), refused(423, "old"));
    assert_eq!(proxy.running().summary().rules[1].fired, 2);
    // Under another name, and under the same name with another meaning, it is not.
    for other in [rule("other", ""), rule("old", "limit = 9")] {
        swap(proxy.running(), &parsed(&other));
        let name = if other.contains("other") { "other" } else { "old" };
        assert_eq!(ask(&proxy, "PUT /a"), refused(409, name));
        assert_eq!(ask(&proxy, "GET /a"), passed());
        assert_eq!(ask(&proxy, "PUT /a"), passed());
    }
    // Those reads were none for the rule that comes back.
    swap(proxy.running(), &parsed(&old));
    assert_eq!(ask(&proxy, "PUT /a"), refused(409, "old"));
    assert_eq!(ask(&proxy, "GET /a"), passed());
    assert_eq!(ask(&proxy, "PUT /a"), passed());
}

#[test]
fn a_stored_response_is_given_again_by_the_rule_that_stored_it_alone() {
    let (upstream, gate) = gated();
    let rule = |name: &str, keys: &str| {
        format!("[[rule]]\nname = \"{name}\"\nmethod = \"POST\"\non = \"key_in_use\"\n{keys}\n")
    };
    let proxy = proxy::before(upstream.address).rules(&rule("old", "")).start();
    let passed = |body: usize| (200, None, body.to_string());
    let mut first = proxy.connect();
    first.send("POST /a?1 HTTP/1.1\r\nHost: h\r\nIdempotency-Key: k\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(gate.arrived(), 1);
    // The request in flight stores its response for the rule that it entered.
    swap(proxy.running(), &parsed(&rule("old", "mismatch = 400")));
    gate.let_go(2);
    assert_eq!(first.response().text(), "1");
    assert_eq!(ask(&proxy, "POST /a?2"), passed(2));
    assert_eq!(gate.arrived(), 2);
    assert_eq!(ask(&proxy, "POST /a?1"), (400, Some("old".to_owned()), String::new()));
    swap(proxy.running(), &parsed(&rule("new", "")));
    assert_eq!(ask(&proxy, "POST /a?1"), passed(1));
    assert_eq!(gate.arrived(), 1);
    swap(proxy.running(), &parsed(&rule("old", "reply = { status = 423 }")));
    assert_eq!(ask(&proxy, "POST /a?1"), passed(1));
    assert_eq!(ask(&proxy, "POST /a?2").0, 422);
    assert!(gate.arrived.try_recv().is_err(), "the response was stored before the swaps");
}

#[test]
fn a_response_is_lost_by_the_rules_of_its_request() {
    let (upstream, gate) = gated();
    let lost = "[[rule]]\nname = \"lost\"\nphase = \"lost\"\n";
    let proxy = proxy::before(upstream.address).rules(lost).start();
    let get = |number: usize| {
        let mut socket = proxy.connect();
        socket.send(format!("GET /a?{number} HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert_eq!(gate.arrived(), number);
        socket
    };
    let mut first = get(1);
    swap(proxy.running(), &[]);
    let mut second = get(2);
    swap(proxy.running(), &parsed(lost));
    let mut third = get(3);
    swap(proxy.running(), &[]);
    gate.let_go(3);
    first.ended();
    assert_eq!(second.response().text(), "2");
    third.ended();
}
