//! `explain` and the data path decide alike: random rules, random requests, each through both drivers.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use proptest::prelude::*;

use super::walk::Stage;
use crate::engine::{Effects, Judged, Outcome, RuleOutcome, RuleSet, Session, UpstreamResponse};
use crate::model::{BodyFacts, Facts, Moment};
use crate::proxy::StateAccess as Driver;
use crate::rules::{BodyFileError, Rule, Settings, State, read, trigger_examples};
use crate::store::MemoryStore;

const CASES: u32 = 1_000;
const REQUESTS: usize = 50;

/// One rule as text; some combinations are invalid.
fn rule() -> impl Strategy<Value = String> {
    let requests = prop::sample::select(
        &[
            "path = \"/items/{id}\"",
            "method = \"PUT\"\npath = \"/items/*\"",
            "method = [\"POST\", \"DELETE\"]",
            "path = \"/orders/**\"",
            "body = { name = \"lamp\" }",
            "",
        ][..],
    );
    let counted = prop::sample::select(
        &["", "first = 2", "every = 3", "pattern = \"..x\"", "above = \"2/s\"", "rate = 0.5"][..],
    );
    let clear = prop::sample::select(
        &[
            "",
            "",
            "clear = \"refetch\"",
            "clear = \"new_version\"",
            "clear = \"2s\"",
            "clear = 2",
            "clear = \"never\"",
        ][..],
    );
    let phase = prop::sample::select(
        &[
            "",
            "",
            "phase = \"after\"",
            "phase = \"lost\"",
            "phase = \"after\"\nupstream_response = { status = 201 }",
            "phase = \"lost\"\nupstream_response = { status = [200, \"4xx\"] }",
            "phase = \"after\"\nupstream_response = { body = { \"/a\" = 1 } }",
        ][..],
    );
    let replies = prop::sample::select(
        &[
            "",
            "",
            "replies = [{ status = 503 }, { pass = true }, {}]",
            "replies = [{ pass = true, weight = 2 }, { weight = 1, delay = \"1s\" }, { status = 504, weight = 3 }]",
        ][..],
    );
    let state = prop::sample::select(
        &[
            "on = \"stale\"",
            "on = \"stale\"\nmissing = 428",
            "on = \"overlap\"",
            "on = \"duplicate\"\nrelease = { method = \"DELETE\", path = \"/items/{id}\", per = \"path\" }",
            "on = \"locked\"\nlease = \"3s\"",
            "on = \"expired\"\nmax_requests = 3",
            "on = \"expired\"\nmax_age = \"4s\"",
            "on = \"key_in_use\"\nper = \"header:idempotency-key\"",
            "on = \"referenced\"\nby = { method = \"POST\", path = \"/orders/{id}\", per = \"param:id\" }\n\
         release = { method = \"DELETE\", path = \"/orders/{id}\", per = \"param:id\" }\nper = \"param:id\"",
        ][..],
    );
    let trigger = prop_oneof![
        (counted, clear, phase).prop_map(|(counted, clear, phase)| format!("{counted}\n{clear}\n{phase}")),
        state.prop_map(str::to_owned),
    ];
    let per = prop::sample::select(&["", "per = \"path\"", "per = \"client\"", "per = \"rule\""][..]);
    let more = prop::sample::select(&["", "", "limit = 3", "during = { after = \"2s\", for = \"5s\" }"][..]);
    (requests, trigger, per, more, replies).prop_map(|(requests, trigger, per, more, replies)| {
        let per = if trigger.contains("per =") { "" } else { per };
        format!("{requests}\n{trigger}\n{per}\n{more}\n{replies}\n")
    })
}

/// As many of the rules as can stand in one file.
fn rules(texts: &[String]) -> Vec<Rule> {
    let mut file = String::new();
    let mut accepted = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let longer = format!("{file}[[rule]]\nname = \"r{at}\"\n{text}");
        if let Ok(read) = read("rules.toml", &longer, &|_| Err(BodyFileError::Missing)) {
            (file, accepted) = (longer, read.config.rules);
        }
    }
    accepted
}

#[derive(Clone, Copy, Debug)]
struct Ask {
    method: usize,
    path: usize,
    client: usize,
    version: usize,
    body: usize,
    seconds: u64,
}

fn ask() -> impl Strategy<Value = Ask> {
    (0..5usize, 0..4usize, 0..2usize, 0..3usize, 0..3usize, 0..3u64).prop_map(
        |(method, path, client, version, body, seconds)| Ask { method, path, client, version, body, seconds },
    )
}

impl Ask {
    fn head(self) -> http::request::Parts {
        let method =
            [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::PUT][self.method].clone();
        let path = ["/items/1", "/items/2", "/orders/1", "/orders/2"][self.path];
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("authorization", ["ann", "bob"][self.client]);
        request = request.header("idempotency-key", self.version.to_string());
        if self.version > 0 {
            request = request.header("if-match", format!("\"{}\"", self.version));
        }
        request.body(()).expect("a request").into_parts().0
    }

    fn body(self) -> Bytes {
        Bytes::from_static([&b""[..], b"{\"name\":\"lamp\"}", b"{\"name\":\"desk\"}"][self.body])
    }
}

/// The data path's driver, with an upstream that accepts everything.
struct Path {
    rules: RuleSet,
    driver: Arc<Driver<MemoryStore>>,
    settings: Settings,
}

impl Path {
    fn pass(&self, ask: Ask, now: Moment, ticket: u64) -> Vec<Judged> {
        let head = ask.head();
        let mut facts = Facts::new(&head, IpAddr::V4(Ipv4Addr::LOCALHOST));
        let mut effects = Effects::default();
        let mut judged = Vec::new();
        let identity = &self.settings.client_id;
        let mut session = Session::new(&self.rules, identity, &mut facts, &mut effects, now, ticket);
        // Unread until a rule needs it, as in the proxy.
        let look = async || Ok::<_, Infallible>((BodyFacts::read(ask.body()), now));
        let Ok(decision) = at_once(self.driver.decide(&mut session, look, |said| judged.push(said)));
        if matches!(decision, crate::engine::Decision::Forward) {
            let status = if head.method == Method::POST { StatusCode::CREATED } else { StatusCode::OK };
            let headers = HeaderMap::new();
            let is_overridden = self.respond(&mut facts, &mut effects, status, now, &mut judged);
            effects.on_response(&Outcome { status, headers: &headers, body: None }, 0, is_overridden);
            at_once(self.driver.settle(&mut effects, &mut None, || now));
            effects.on_body_end(Some(Bytes::new()));
        } else {
            effects.on_failure();
        }
        self.driver.settle_in_passing(
            effects,
            None,
            move || now,
            |_| panic!("the memory store lets nothing wait"),
        );
        judged
    }
}

impl Path {
    /// As the proxy after the upstream's response.
    fn respond(
        &self,
        facts: &mut Facts<'_>,
        effects: &mut Effects,
        status: StatusCode,
        now: Moment,
        judged: &mut Vec<Judged>,
    ) -> bool {
        if !effects.awaits_response() {
            return false;
        }
        let headers = HeaderMap::new();
        let mut response = UpstreamResponse { status, headers: &headers, body: BodyFacts::Unread };
        let identity = &self.settings.client_id;
        let mut session = Session::after(&self.rules, identity, facts, effects, now, &mut response);
        let look = async || Ok::<_, Infallible>((BodyFacts::read(Bytes::new()), now));
        let heard = |said: Judged| {
            judged.retain(|before| before.position != said.position);
            judged.push(said);
        };
        let Ok(decision) = at_once(self.driver.decide(&mut session, look, heard));
        judged.sort_by_key(|said| said.position);
        matches!(decision, crate::engine::Decision::Refuse(_))
    }
}

/// The memory store replies at once: nothing yields.
fn at_once<F: Future>(future: F) -> F::Output {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the memory store lets nothing wait"),
    }
}

fn store() -> MemoryStore {
    MemoryStore::new(NonZeroUsize::MIN.saturating_add(9_999), Duration::from_secs(3_600))
}

#[test]
fn explain_says_what_the_data_path_does() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(CASES)
    });
    let conflicts = std::cell::Cell::new([0u64; 4]);
    let case = (prop::collection::vec(rule(), 1..7), prop::collection::vec(ask(), REQUESTS));
    let ran = runner.run(&case, |(texts, asks)| {
        let rules = rules(&texts);
        let compiled = || RuleSet::new(rules.clone(), 7, true).expect("replies");
        let settings = Settings::default();
        let explained = compiled();
        let stage = Stage { rules: &explained, settings: &settings, store: store() };
        let driver = Arc::new(Driver::new(store()));
        let path = Path { rules: compiled(), driver, settings: settings.clone() };
        let mut now = Moment(1);
        for (ticket, ask) in (1..).zip(asks) {
            now = now + Duration::from_secs(ask.seconds);
            let head = ask.head();
            let mut facts = Facts::new(&head, IpAddr::V4(Ipv4Addr::LOCALHOST));
            facts.body = BodyFacts::read(ask.body());
            let said = stage.pass(&mut facts, now, ticket);
            let done = path.pass(ask, now, ticket);
            let mut seen = conflicts.get();
            for judged in &said {
                seen[match judged.word {
                    RuleOutcome::Conflicts { tries: 1, .. } => 0,
                    RuleOutcome::Conflicts { .. } | RuleOutcome::Clears => 1,
                    RuleOutcome::Admits | RuleOutcome::Replays => 2,
                    _ => 3,
                }] += 1;
            }
            conflicts.set(seen);
            prop_assert_eq!(said, done, "{:?} of {:?}", ask, texts);
        }
        let fired = |rules: &RuleSet| -> Vec<(u64, u64, Vec<u64>)> {
            let counts = rules.iter().map(|active| &active.counters);
            counts.map(|counts| (counts.matched(), counts.fired(), counts.by_reply())).collect()
        };
        prop_assert_eq!(fired(&explained), fired(&path.rules));
        prop_assert_eq!(stage.store.keys(), path.driver.store.keys());
        Ok(())
    });
    ran.unwrap_or_else(|wrong| panic!("{wrong}"));
    // The test is not vacuous: there were many of each sort.
    assert!(conflicts.get().iter().all(|seen| *seen > 500), "{:?}", conflicts.get());
}

#[test]
fn explain_says_every_trigger_in_its_own_words() {
    for (word, lines) in trigger_examples() {
        let text = explained(&[lines]);
        let row = text.lines().nth(1).unwrap_or_default();
        assert!(
            row.contains(&format!("matches; {word} ")) || row.contains(&format!("matches; {word}:")),
            "{text}"
        );
        if State::WORDS.contains(&word) {
            assert!(row.contains("; conflicts "), "{text}");
        }
    }
}

#[test]
fn a_rule_about_responses_is_no_rule_behind_another_one() {
    let answers = "first = 1";
    let unlike = "phase = \"after\"\nupstream_response = { status = 423 }";
    let alone = explained(&[unlike]);
    assert!(alone.contains("is like `upstream_response`") && alone.contains(": passes\n"), "{alone}");
    assert!(!alone.contains("an earlier rule"), "{alone}");
    let behind = explained(&[answers, unlike]);
    assert!(behind.contains("matches, but an earlier rule answers"), "{behind}");
}

/// The table for one PUT under rules with these lines.
fn explained(lines: &[&str]) -> String {
    let lines: Vec<String> = lines.iter().map(|lines| format!("{lines}\n")).collect();
    let rules = RuleSet::new(rules(&lines), 7, true).expect("replies");
    let head = http::Request::put("/items/7")
        .header("idempotency-key", "k")
        .body(())
        .map(|request| request.into_parts().0)
        .expect("a request");
    let mut facts = Facts::new(&head, IpAddr::V4(Ipv4Addr::LOCALHOST));
    let walked = super::walk::walk(&rules, &mut facts, &Settings::default(), 1);
    super::words::table(&rules, &walked, usize::MAX)
}
