//! The texts of replies, and that requests cannot change their meaning.

mod hostile;
mod styles;
mod waiting;

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use jiff::Timestamp;

use super::{CompiledReply, PathCaptures, ReplyContext};
use crate::matching::Match;
use crate::model::{BodyFacts, Captures, ClientIdSources, Dice, Facts, Key, KeyHash, KeyPart, Kind};
use crate::rules::{
    Expect, ReplyBody, ReplySettings, ReplyStyle, RetryAfterSetting, Rule, Schedule, State, Trigger,
    WaitLength,
};

fn rule(kind: Kind, body: ReplyBody) -> Rule {
    Rule {
        name: "flaky-writes".into(),
        requests: Match::default(),
        trigger: Schedule::Always.into(),
        per: Key::RULE,
        version: None,
        read: None,
        upstream_response: None,
        replies: None,
        kind,
        reply: ReplySettings {
            status: StatusCode::CONFLICT,
            body,
            headers: Vec::new(),
            retry_after: None,
            retry_after_jitter: Duration::ZERO,
            delay: Duration::ZERO,
        },
        pass: None,
        during: None,
        limit: None,
        enabled: true,
        expect: Expect::default(),
        span: 0..0,
    }
}

fn text(text: &str, style: ReplyStyle) -> ReplyBody {
    ReplyBody::Text { text: text.into(), style }
}

fn head(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).expect("a valid request").into_parts().0
}

/// A request and the facts that the judgement has of it.
struct Asked<'a> {
    head: &'a Parts,
    body: &'a str,
    captures: Captures<'a>,
    n: u64,
    status: Option<StatusCode>,
    remaining: Option<Duration>,
    version_current: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn new(head: &'a Parts) -> Asked<'a> {
        Asked {
            head,
            body: "",
            captures: Captures::default(),
            n: 17,
            status: None,
            remaining: None,
            version_current: None,
        }
    }

    fn by(&self, reply: &CompiledReply) -> Response<Bytes> {
        let mut facts = facts(self.head);
        if !self.body.is_empty() {
            facts.body = BodyFacts::read(Bytes::copy_from_slice(self.body.as_bytes()));
        }
        self.with(&facts, reply)
    }

    fn with(&self, facts: &Facts<'_>, reply: &CompiledReply) -> Response<Bytes> {
        reply.render(&ReplyContext {
            facts,
            captures: PathCaptures::Known(&self.captures),
            identity: &ClientIdSources(Vec::new()),
            dice: Dice::new(1, "flaky-writes"),
            key: KeyHash(5),
            n: self.n,
            now: "2026-01-31T23:59:58.5Z".parse::<Timestamp>().expect("a time"),
            remaining: self.remaining,
            status: self.status,
            version_sent: None,
            version_current: self.version_current,
            current: None,
        })
    }
}

fn seconds(length: Duration) -> RetryAfterSetting {
    RetryAfterSetting::Seconds(WaitLength::Fixed(length))
}

/// The facts of a request without its body.
fn facts(head: &Parts) -> Facts<'_> {
    Facts::new(head, IpAddr::from([127, 0, 0, 1]))
}

/// The response as it would look on the wire.
fn wire(response: &Response<Bytes>) -> String {
    let mut wire = format!("{}\n", response.status());
    for (name, value) in response.headers() {
        wire.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    }
    wire.push('\n');
    wire.push_str(&String::from_utf8_lossy(response.body()));
    wire
}

fn body(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).expect("UTF-8")
}

fn compiled(rule: &Rule) -> CompiledReply {
    CompiledReply::with_params(rule, &["id"], true).expect("no mistakes")
}

#[test]
fn every_placeholder_becomes_its_value() {
    let head = head("PUT", "/items/7?a=1", &[("host", "api.example:81"), ("if-match", "\"3\"")]);
    let asked =
        Asked { captures: Captures(vec![("id", "7")]), version_current: Some("4"), ..Asked::new(&head) };
    for (text_of_rule, written) in [
        ("{method} {path} {query} {host}", "PUT /items/7 a=1 api.example"),
        ("{param.id} {header.if-match} [{header.x-none}]", "7 \"3\" []"),
        ("{rule} {kind} {phase} {n} {status}", "flaky-writes version before 17 409"),
        ("{key} {version.sent} {version.current}", "7 \"3\" 4"),
        ("{now} {now.http} {unix}", "2026-01-31T23:59:58.500Z Sat, 31 Jan 2026 23:59:58 GMT 1769903998"),
        ("{retry_after}", "2"),
        ("{hex:4} {hex:8} {uuid}", "77c0 77c0aefd 38e13761-70df-4b00-98ee-1d92df4ec218"),
        ("{{path}} {} { {{{n}}}", "{path} {} { {17}"),
    ] {
        let mut rule = rule(Kind::Version, text(text_of_rule, ReplyStyle::Text));
        rule.per = Key(vec![KeyPart::Param("id".into())]);
        rule.reply.retry_after = Some(seconds(Duration::from_millis(1_001)));
        assert_eq!(body(&asked.by(&compiled(&rule))), written, "{text_of_rule}");
    }
}

#[test]
fn mistakes_of_every_text_are_found_at_load() {
    for text_of_rule in ["{methd}", "{param.id}", "{body.x}", "{retry_after}", "{s3.key}", "{reason}"] {
        let rule = rule(Kind::Transient, text(text_of_rule, ReplyStyle::S3));
        let mistakes = CompiledReply::new(&rule, true).err().unwrap_or_default();
        assert_eq!(mistakes.len(), 1, "{text_of_rule}");
        assert_eq!(mistakes[0].at, 0..text_of_rule.len());
    }
    let mut rule = rule(Kind::Transient, ReplyBody::Style(ReplyStyle::Problem));
    rule.reply.headers = vec![(HeaderName::from_static("x"), HeaderValue::from_static("{methd}"))];
    assert!(CompiledReply::new(&rule, true).is_err());
}

#[test]
fn a_value_outside_a_json_string_gets_its_own_quotes() {
    let head = head("PUT", "/items/7", &[("x-evil", "1,\"admin\":true")]);
    let source = r#"{"n":{n},"path":{path},"evil":{header.x-evil},"none":{header.x-none},"in":"a\"{path}","k":{kind}}"#;
    let reply = compiled(&rule(Kind::Lock, text(source, ReplyStyle::Json)));
    let response = Asked::new(&head).by(&reply);
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(response.body()).expect("JSON"),
        serde_json::json!({
            "n": 17, "path": "/items/7", "evil": "1,\"admin\":true", "none": null, "in": "a\"/items/7", "k": "lock",
        })
    );
}

#[test]
fn the_rules_own_headers_go_over_those_of_the_style() {
    let head = head("PUT", "/items/7", &[("x-evil", "a\tb")]);
    let mut rule = rule(Kind::Version, ReplyBody::Style(ReplyStyle::Json));
    let header = |name, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
    rule.reply.headers = vec![
        header("cache-control", "no-cache"),
        header("set-cookie", "a={n}"),
        header("set-cookie", "b=2"),
        header("x-path", "{path} {header.x-evil}"),
        header("content-length", "1"),
    ];
    let response = Asked::new(&head).by(&compiled(&rule));
    let seen: Vec<_> = response.headers().iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
    assert_eq!(
        seen,
        [
            "content-type: \"application/json\"",
            "cache-control: \"no-cache\"",
            "set-cookie: \"a=17\"",
            "set-cookie: \"b=2\"",
            "x-path: \"/items/7 ab\"",
            "content-length: \"199\"",
            "fracas: \"rule=\\\"flaky-writes\\\", kind=version, phase=before, n=17\"",
        ]
    );
    assert_eq!(response.body().len(), 199);
}

#[test]
fn a_text_is_called_what_it_looks_like_unless_its_style_says() {
    use ReplyStyle::{Github, Json, Problem};
    for (text_of_rule, style, content_type) in [
        (r#"{"error":"Username already exists."}"#, Problem, "application/json"),
        (r#"{"type":"about:blank","title":"Conflict"}"#, Problem, "application/problem+json"),
        ("{path} is busy", Problem, "text/plain; charset=utf-8"),
        ("busy", Problem, "text/plain; charset=utf-8"),
        ("<?xml version=\"1.0\"?><E/>", Problem, "application/xml"),
        ("<p>busy", Problem, "text/html; charset=utf-8"),
        ("busy", Json, "application/json"),
        ("{}", Github, "application/json; charset=utf-8"),
    ] {
        let head = head("GET", "/", &[]);
        let response = Asked::new(&head).by(&compiled(&rule(Kind::Transient, text(text_of_rule, style))));
        assert_eq!(response.headers()["content-type"], content_type, "{text_of_rule}");
    }
}

#[test]
fn what_is_the_same_every_time_is_written_once() {
    let first = head("PUT", "/items/7", &[]);
    let second = head("POST", "/orders", &[]);
    for (kind, body, kept) in [
        (Kind::Transient, ReplyBody::Style(ReplyStyle::Json), true),
        (Kind::Version, ReplyBody::Style(ReplyStyle::Couchdb), true),
        (Kind::Version, text(r#"{"rule":"{rule}","wait":{retry_after}}"#, ReplyStyle::Json), true),
        (Kind::Version, text("{path}", ReplyStyle::Json), false),
        (Kind::Version, ReplyBody::Style(ReplyStyle::Problem), false),
    ] {
        let mut rule = rule(kind, body);
        rule.reply.retry_after = Some(seconds(Duration::from_secs(1)));
        let reply = compiled(&rule);
        let (one, other) = (Asked::new(&first).by(&reply), Asked::new(&second).by(&reply));
        // The same bytes in memory, not equal ones.
        assert_eq!(one.body().as_ptr() == other.body().as_ptr(), kept, "{:?}", rule.reply.body);
    }
}

#[test]
fn a_trigger_may_ask_for_its_second_status() {
    let head = head("PUT", "/items/7", &[]);
    let mut stale = rule(Kind::Version, ReplyBody::Style(ReplyStyle::Problem));
    stale.trigger = Trigger::On(Box::new(State::Stale { missing: Some(StatusCode::PRECONDITION_REQUIRED) }));
    let reply = compiled(&stale);
    for (asked, status, title) in [
        (None, 409, "Conflict"),
        (Some(StatusCode::PRECONDITION_REQUIRED), 428, "Precondition Required"),
        // A status that the trigger does not name: the reply's own, in the head as in the body.
        (Some(StatusCode::IM_A_TEAPOT), 409, "Conflict"),
    ] {
        let response = Asked { status: asked, ..Asked::new(&head) }.by(&reply);
        let body: serde_json::Value = serde_json::from_slice(response.body()).expect("JSON");
        assert_eq!(
            (response.status().as_u16(), &body["status"], &body["title"]),
            (status, &status.into(), &title.into())
        );
    }
}

#[test]
fn a_status_without_a_body_gets_none() {
    let head = head("PUT", "/items/7", &[]);
    let mut rule = rule(Kind::Version, ReplyBody::Style(ReplyStyle::Json));
    rule.reply.status = StatusCode::NO_CONTENT;
    let response = Asked::new(&head).by(&compiled(&rule));
    assert!(response.body().is_empty());
    assert!(!response.headers().contains_key("content-length"));
}

#[test]
fn an_unmarked_answer_does_not_say_who_made_it() {
    let head = head("PUT", "/items/7", &[]);
    let rule = rule(Kind::Version, ReplyBody::Style(ReplyStyle::Json));
    let reply = CompiledReply::new(&rule, false).expect("no mistakes");
    assert!(!Asked::new(&head).by(&reply).headers().contains_key("fracas"));
}

#[test]
fn identifiers_follow_from_the_seed_and_differ_from_answer_to_answer() {
    let head = head("PUT", "/items/7", &[]);
    let reply = compiled(&rule(Kind::Transient, text("{uuid} {hex:32}", ReplyStyle::Text)));
    let response = |n| body(&Asked { n, ..Asked::new(&head) }.by(&reply)).to_owned();
    assert_eq!(response(1), response(1));
    assert_ne!(response(1), response(2));
    let twice = compiled(&rule(Kind::Transient, text("{uuid}|{uuid}", ReplyStyle::Text)));
    let response = Asked::new(&head).by(&twice);
    let (one, other) = body(&response).split_once('|').expect("two");
    assert_eq!(one, other);
}
