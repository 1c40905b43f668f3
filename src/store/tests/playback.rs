//! Plays requests, written as lines of text, against one rule and the memory store, composed as the
//! data path composes them.
//!
//! ```text
//! A PUT /items/1 if-match:"1" {"name":"lamp"} -> 200 etag:"2"    | pass
//! ```
//!
//! Client, method, target; headers and a body, if any; behind the arrow what the upstream answers,
//! and behind the bar what the rule says. `1: A PUT …` without an arrow stays in flight until
//! `1 -> …`. Further outcomes: `gone` (the client leaves, or another rule answers), `reset` (the
//! upstream fails), `200 gone` (the client leaves while it reads), `200 long` (an answer too long to
//! keep). `+10s` lets time pass. `~` stands for a space in a header.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};

use super::*;
use crate::engine::{Lessons, Outcome, RuleSet, StoredAnswer};
use crate::matching::{Match, Methods, PathMatch, PathPattern};
use crate::model::{BodyFacts, Facts, Identity, IdentitySource, Json, Key, KeyPart, Kind, Phase};
use crate::proxy::{Asked, Claim, Tally, Verdict, judge};
use crate::rules::{
    Clear, Counted, Expect, Reply, ReplyBody, ReplyStyle, Rule, RulePhase, Schedule, Selector, State, Trigger,
};

/// One rule, its state, and the requests in flight.
pub struct Playback {
    rules: RuleSet,
    pub store: Store,
    pub now: Moment,
    tally: Tally,
    identity: Identity,
    running: HashMap<String, Passage>,
}

/// What a request in flight owes.
struct Passage {
    entered: Option<Entered>,
    lessons: Lessons,
    claim: Option<Claim>,
}

struct Entered {
    place: Place,
    ticket: u64,
    payload: Option<KeyHash>,
}

impl Playback {
    pub fn new(rule: Rule) -> Playback {
        Playback {
            rules: RuleSet::new(vec![rule], 1, false)
                .unwrap_or_else(|_| panic!("a reply that is no mistake")),
            store: store(10_000, HOUR),
            now: Moment(1),
            tally: Tally::default(),
            identity: Identity(vec![IdentitySource::Header(HeaderName::from_static("x-client"))]),
            running: HashMap::new(),
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

    /// Plays one line; the rule's word, if it is about a request.
    pub fn step(&mut self, line: &str) -> Option<String> {
        if let Some(seconds) = line.strip_prefix('+') {
            let seconds = seconds.trim_end_matches('s').parse().expect("seconds");
            self.now = self.now + Duration::from_secs(seconds);
            return None;
        }
        // Between two events there is always some time.
        self.now = self.now + Duration::from_nanos(1);
        let (request, outcome) = match line.split_once("->") {
            Some((request, outcome)) => (request.trim(), Some(outcome.trim())),
            None => (line, None),
        };
        if !request.contains(' ') {
            let passage = self.running.remove(request).expect("a request in flight");
            self.end(passage, outcome.expect("an outcome"));
            return None;
        }
        let (label, request) = request.split_once(": ").unwrap_or(("", request));
        let (said, passage) = self.begin(request);
        match (passage, outcome) {
            (Some(passage), Some(outcome)) => self.end(passage, outcome),
            (Some(passage), None) => {
                assert!(!label.is_empty(), "{line}: {said}, and needs an outcome or a label");
                self.running.insert(label.into(), passage);
            }
            (None, outcome) => assert_eq!(outcome, None, "{line}: never reaches the upstream ({said})"),
        }
        Some(said)
    }

    fn begin(&mut self, line: &str) -> (String, Option<Passage>) {
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
        facts.body = BodyFacts::read(body);

        let active = self.rules.get(0).expect("one rule");
        let client = facts.client(&self.identity);
        let mut passage = Passage { entered: None, lessons: Vec::new(), claim: None };
        let said = match active.concern(&facts, &self.identity) {
            Err(_) => String::new(),
            Ok(concern) => {
                let asked = Asked { facts: &facts, key: concern.key, client, now: self.now };
                match judge(&self.store, 0, active, &asked).verdict {
                    Verdict::Pass => "pass".into(),
                    Verdict::Cleared => "cleared".into(),
                    Verdict::Admit(entrance) => {
                        let (place, ticket, payload) = (entrance.place, entrance.ticket, entrance.payload);
                        passage.entered = Some(Entered { place, ticket, payload });
                        "admit".into()
                    }
                    Verdict::Replay(answer) => {
                        return (format!("replay {}", String::from_utf8_lossy(&answer.body)), None);
                    }
                    Verdict::Conflict(claim) => {
                        let said = describe(&claim, active.rule.clear());
                        if active.rule.phase() == Phase::Before {
                            claim.play(&self.store, &self.tally, None, self.now);
                            return (said, None);
                        }
                        passage.claim = Some(claim);
                        said
                    }
                }
            }
        };
        passage.lessons = self.rules.learners().lessons(&self.rules, &facts, &self.identity, self.now);
        (said, Some(passage))
    }

    fn end(&mut self, passage: Passage, outcome: &str) {
        let (line, json) =
            outcome.split_once(" {").map_or((outcome, None), |(line, json)| (line, Some(json)));
        let body = json.map(|json| format!("{{{json}")).unwrap_or_default();
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
        let Passage { entered, lessons, claim } = passage;
        let json = Json::read(&body.clone().into());
        let json = json.as_ref().filter(|_| is_kept && is_read);
        if let Some(status) = status {
            let outcome = Outcome { status, headers: &headers, body: json };
            let rule = &self.rules.get(0).expect("one rule").rule;
            for told in lessons.iter().flat_map(|lesson| lesson.tell(rule, &outcome)) {
                self.store.learn(told, self.now);
            }
        }
        let accepted = status.filter(StatusCode::is_success);
        if let (Some(claim), Some(_)) = (claim, accepted) {
            claim.play(&self.store, &self.tally, None, self.now);
        }
        let Some(Entered { place, ticket, payload }) = entered else { return };
        let tell = match (payload, accepted) {
            (Some(payload), Some(status)) => {
                let body = Bytes::from(body);
                let answer = (is_kept && is_read)
                    .then(|| Arc::new(StoredAnswer { connection: 0, status, headers, body }));
                Tell::Finish { ticket, payload, answer }
            }
            _ => Tell::Leave { ticket },
        };
        self.store.tell(place, tell, self.now);
    }
}

fn header(word: &str) -> (HeaderName, HeaderValue) {
    let (name, value) = word.split_once(':').expect("name:value");
    (name.parse().expect("a name"), value.replace('~', " ").parse().expect("a value"))
}

fn describe(claim: &Claim, clear: Option<Clear>) -> String {
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

/// A rule about `methods` (none: any) of `path`, with state kept per `per`.
pub fn rule(methods: &[&str], path: &str, trigger: impl Into<Trigger>, per: &str) -> Rule {
    let reply = Reply {
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
        kind: Kind::Transient,
        reply,
        during: None,
        limit: None,
        enabled: true,
        expect: Expect::default(),
        span: 0..0,
    }
}

/// Conflicts by `schedule` that end as `clear` says.
pub fn clearing(schedule: Schedule, phase: RulePhase, clear: Clear) -> Trigger {
    Trigger::Counted(Counted { schedule, phase, clear: Some(clear) })
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
