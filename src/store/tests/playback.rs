//! Plays requests, written as lines of text, against one rule: through the data path's driver, with the memory
//! store and with a store that delays every reply. Both must give the same verdicts.
//!
//! ```text
//! A PUT /items/1 if-match:"1" {"name":"lamp"} -> 200 etag:"2"    | pass
//! ```
//!
//! Client, method, target; headers and a body, if any; after the arrow the upstream's response,
//! and after the bar the rule's verdict. `1: A PUT …` without an arrow stays in flight until
//! `1 -> …`. Further outcomes: `gone` (the client leaves, or another rule responds), `reset` (the
//! upstream fails), `200 gone` (the client leaves while it reads), `200 long` (a response too long to
//! keep). `+10s` advances the clock. `~` stands for a space in a header.

use std::cell::Cell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};

use super::slow::{SlowStore, run};
use super::*;
use crate::engine::{Conflict, Decision, Outcome, RuleOutcome, RuleSet, Session, UpstreamResponse};
use crate::matching::{Match, Methods, PathMatch, PathPattern};
use crate::model::{BodyFacts, ClientIdSource, ClientIdSources, Facts, Key, KeyPart, Kind};
use crate::proxy::StateAccess as Driver;
use crate::rules::{
    Clear, CountedTrigger, Expect, ReplyBody, ReplySettings, ReplyStyle, Rule, RulePhase, Schedule, Selector,
    State, Trigger,
};

/// The same requests with both stores.
pub struct Playback {
    prompt: Stage<MemoryStore>,
    slow: Stage<SlowStore>,
}

/// One rule, its state, and the requests in flight.
struct Stage<S> {
    rules: RuleSet,
    driver: Arc<Driver<S>>,
    now: Rc<Cell<Moment>>,
    identity: ClientIdSources,
    tickets: u64,
    running: HashMap<String, (Effects, Parts)>,
}

impl Playback {
    pub fn new(rule: Rule) -> Playback {
        Playback {
            prompt: Stage::new(rule.clone(), store(10_000, HOUR)),
            slow: Stage::new(rule, SlowStore::new(store(10_000, HOUR))),
        }
    }

    /// Plays every line; each verdict must be the one behind the bar.
    pub fn play(&mut self, trace: &str) {
        for line in trace.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (line, expected) = line.split_once(" | ").unwrap_or((line, ""));
            let said = self.step(line.trim()).unwrap_or_default();
            assert_eq!(said, expected.trim(), "{line}\nin\n{trace}");
        }
    }

    /// Plays one line; returns the rule's verdict if the line begins a request.
    pub fn step(&mut self, line: &str) -> Option<String> {
        let said = self.prompt.step(line);
        assert_eq!(self.slow.step(line), said, "{line}: a store that lets replies wait");
        assert_eq!(self.slow.driver.store.memory.keys(), self.store().keys(), "{line}");
        said
    }

    pub fn store(&self) -> &MemoryStore {
        &self.prompt.driver.store
    }

    pub fn now(&self) -> Moment {
        self.prompt.now.get()
    }
}

impl<S: Store + 'static> Stage<S> {
    fn new(rule: Rule, store: S) -> Stage<S> {
        Stage {
            rules: RuleSet::new(vec![rule], 1, false)
                .unwrap_or_else(|_| panic!("a reply that is no mistake")),
            driver: Arc::new(Driver::new(store)),
            now: Rc::new(Cell::new(Moment(1))),
            identity: ClientIdSources(vec![ClientIdSource::Header(HeaderName::from_static("x-client"))]),
            tickets: 0,
            running: HashMap::new(),
        }
    }

    fn step(&mut self, line: &str) -> Option<String> {
        if let Some(seconds) = line.strip_prefix('+') {
            let seconds = seconds.trim_end_matches('s').parse().expect("seconds");
            self.now.set(self.now.get() + Duration::from_secs(seconds));
            return None;
        }
        // No two events have the same time.
        self.now.set(self.now.get() + Duration::from_nanos(1));
        let (request, outcome) = match line.split_once("->") {
            Some((request, outcome)) => (request.trim(), Some(outcome.trim())),
            None => (line, None),
        };
        if !request.contains(' ') {
            let effects = self.running.remove(request).expect("a request in flight");
            self.end(effects, outcome.expect("an outcome"));
            return None;
        }
        let (label, request) = request.split_once(": ").unwrap_or(("", request));
        let (said, effects) = self.begin(request);
        match (effects, outcome) {
            (Some(effects), Some(outcome)) => self.end(effects, outcome),
            (Some(effects), None) => {
                assert!(!label.is_empty(), "{line}: {said}, and needs an outcome or a label");
                self.running.insert(label.into(), effects);
            }
            (None, outcome) => assert_eq!(outcome, None, "{line}: never reaches the upstream ({said})"),
        }
        Some(said)
    }

    /// The rule's verdict, and the request's effects if it reaches the upstream.
    fn begin(&mut self, line: &str) -> (String, Option<(Effects, Parts)>) {
        let (line, body) = line.split_once(" {").map_or((line, None), |(line, body)| (line, Some(body)));
        let mut words = line.split_whitespace();
        let (client, method, target) = (
            words.next().expect("a client"),
            words.next().expect("a method"),
            words.next().expect("a target"),
        );
        let method: Method = method.parse().expect("a method");
        let mut head = Request::builder().method(method).uri(target).header("x-client", client);
        for (name, value) in words.map(header) {
            head = head.header(name, value);
        }
        let head = head.body(()).expect("a valid request").into_parts().0;
        let mut facts = Facts::new(&head, IpAddr::V4(Ipv4Addr::LOCALHOST));
        let body = body.map_or(Bytes::new(), |body| Bytes::from(format!("{{{body}")));

        let mut effects = Effects::default();
        self.tickets += 1;
        let now = self.now.get();
        let mut session =
            Session::new(&self.rules, &self.identity, &mut facts, &mut effects, now, self.tickets);
        let mut word = None;
        let look = async || Ok::<_, Infallible>((BodyFacts::read(body.clone()), now));
        let Ok(decision) = run(self.driver.decide(&mut session, look, |judged| word = Some(judged.word)));
        let clear = self.rules.get(0).and_then(|active| active.rule.clear());
        let said = match (&decision, word) {
            (Decision::Refuse(conflict), _) => describe(conflict, clear),
            (Decision::Replay(replay), _) => {
                format!("replay {}", String::from_utf8_lossy(&replay.response.body))
            }
            (_, None) => String::new(),
            (_, Some(RuleOutcome::Passes)) => "pass".into(),
            (_, Some(RuleOutcome::Clears)) => "cleared".into(),
            (_, Some(RuleOutcome::Admits)) => "admit".into(),
            (_, Some(other)) => session.pending().map_or(format!("{other:?}"), |it| describe(it, clear)),
        };
        if matches!(decision, Decision::Forward) {
            return (said, Some((effects, head)));
        }
        self.settle(effects, Effects::on_failure);
        (said, None)
    }

    fn end(&mut self, (mut effects, head): (Effects, Parts), outcome: &str) {
        let (line, json) =
            outcome.split_once(" {").map_or((outcome, None), |(line, json)| (line, Some(json)));
        let body = Bytes::from(json.map(|json| format!("{{{json}")).unwrap_or_default());
        let mut words = line.split_whitespace();
        let status = words.next().expect("an outcome").parse::<StatusCode>().ok();
        let (mut headers, mut is_kept, mut is_read) = (HeaderMap::new(), true, true);
        for word in words {
            match word {
                "long" => is_kept = false,
                "gone" => is_read = false,
                _ => {
                    let (name, value) = header(word);
                    headers.insert(name, value);
                }
            }
        }
        if let Some(status) = status {
            let is_overridden = self.respond(&head, &mut effects, status, &headers);
            effects.on_response(&Outcome { status, headers: &headers, body: None }, 0, is_overridden);
            let now = Rc::clone(&self.now);
            run(self.driver.settle(&mut effects, &mut None, || now.get()));
        }
        match status {
            Some(_) if is_read => {
                self.settle(effects, |effects| effects.on_body_end(is_kept.then_some(body)));
            }
            _ => self.settle(effects, Effects::on_failure),
        }
    }

    /// Whether a rule overrides the upstream's response.
    fn respond(&self, head: &Parts, effects: &mut Effects, status: StatusCode, headers: &HeaderMap) -> bool {
        if !effects.awaits_response() {
            return false;
        }
        let mut facts = Facts::new(head, IpAddr::V4(Ipv4Addr::LOCALHOST));
        let mut response = UpstreamResponse { status, headers, body: BodyFacts::Unread };
        let now = self.now.get();
        let mut session =
            Session::after(&self.rules, &self.identity, &mut facts, effects, now, &mut response);
        let look = async || Ok::<_, Infallible>((BodyFacts::read(Bytes::new()), now));
        let Ok(decision) = run(self.driver.decide(&mut session, look, |_| {}));
        matches!(decision, Decision::Refuse(_))
    }

    /// Ends a request without awaiting the store, as a drop does.
    fn settle(&self, mut effects: Effects, end: impl FnOnce(&mut Effects)) {
        end(&mut effects);
        let now = Rc::clone(&self.now);
        self.driver.settle_in_passing(effects, None, move || now.get(), run);
    }
}

fn header(word: &str) -> (HeaderName, HeaderValue) {
    let (name, value) = word.split_once(':').expect("name:value");
    (name.parse().expect("a name"), value.replace('~', " ").parse().expect("a value"))
}

fn describe(claim: &Conflict, clear: Option<Clear>) -> String {
    let mut said = String::from("conflict");
    if let Some(status) = claim.status {
        said += &format!(" {}", status.as_str());
    }
    if let Some(sent) = &claim.versions.sent {
        said += &format!(" {sent} not {}", claim.versions.current.as_deref().unwrap_or("?"));
    }
    if clear.is_some() {
        said += &format!(" {}", claim.tries);
    }
    said
}

/// A rule on `methods` (empty: any) of `path`, with state per `per`.
pub fn rule(methods: &[&str], path: &str, trigger: impl Into<Trigger>, per: &str) -> Rule {
    let reply = ReplySettings {
        status: StatusCode::CONFLICT,
        body: ReplyBody::Style(ReplyStyle::Problem),
        headers: Vec::new(),
        retry_after: None,
        retry_after_jitter: Duration::ZERO,
        delay: Duration::ZERO,
    };
    Rule {
        name: "rule".into(),
        requests: requests(methods, path),
        trigger: trigger.into(),
        per: key(per),
        version: None,
        read: None,
        upstream_response: None,
        replies: None,
        kind: Kind::Transient,
        reply,
        pass: None,
        during: None,
        limit: None,
        enabled: true,
        expect: Expect::default(),
        span: 0..0,
    }
}

/// A rule with `schedule`, whose conflicts end by `clear`.
pub fn clearing(schedule: Schedule, phase: RulePhase, clear: Clear) -> Trigger {
    Trigger::Counted(CountedTrigger { schedule, phase, clear: Some(clear) })
}

pub fn on(state: State) -> Trigger {
    Trigger::On(Box::new(state))
}

pub fn selector(methods: &[&str], path: &str, per: &str) -> Selector {
    Selector { requests: requests(methods, path), per: key(per) }
}

fn requests(methods: &[&str], path: &str) -> Match {
    let only = || methods.iter().map(|method| method.parse().expect("a method")).collect();
    Match {
        method: if methods.is_empty() { Methods::Any } else { Methods::Only(only()) },
        path: PathMatch::Pattern(PathPattern::parse(path).expect("a pattern")),
        ..Match::default()
    }
}

fn key(text: &str) -> Key {
    let part = |text: &str| match text.split_once(':') {
        None if text == "path" => KeyPart::Path,
        None if text == "client" => KeyPart::Client,
        Some(("header", name)) => KeyPart::Header(name.parse().expect("a name")),
        Some(("param", name)) => KeyPart::Param(name.into()),
        Some(("query", name)) => KeyPart::Query(name.into()),
        Some(("body", pointer)) => KeyPart::Body(pointer.into()),
        _ => panic!("{text} is no key"),
    };
    Key(text.split(' ').filter(|text| !text.is_empty() && *text != "rule").map(part).collect())
}
