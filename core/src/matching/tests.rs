//! Requests that match, and the mismatches reported for those that do not.

use std::net::IpAddr;

use bytes::Bytes;
use http::{Method, Request, request::Parts};

use super::*;
use crate::model::{BodyFacts, FormFields, Json, JsonValues};

/// A request without a body, as arrived.
pub(super) fn head(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

pub(super) fn pattern(text: &str) -> PathMatch {
    PathMatch::Pattern(PathPattern::parse(text).unwrap())
}

pub(super) fn regex(text: &str) -> PathMatch {
    PathMatch::Regex(PathRegex::parse(text).unwrap())
}

pub(super) fn like(text: &str) -> Presence {
    Presence::Like(TextPattern::new(text))
}

fn any_of(texts: &[&'static str]) -> Presence {
    Presence::Like(TextPattern::one_of(texts.iter().copied()))
}

fn one_of(texts: &[&str]) -> PathMatch {
    PathMatch::one_of(texts.iter().map(|text| PathPattern::parse(text).unwrap()).collect())
}

pub(super) fn only(method: Method) -> Methods {
    Methods::Only(vec![method])
}

fn header(name: &'static str, presence: Presence) -> Match {
    Match { headers: vec![(HeaderName::from_static(name), presence)], ..Match::default() }
}

fn query(name: &str, presence: Presence) -> Match {
    Match { queries: vec![(name.into(), presence)], ..Match::default() }
}

fn cookie(name: &str, presence: Presence) -> Match {
    Match { cookies: vec![(name.into(), presence)], ..Match::default() }
}

fn body(pointer: &str, condition: BodyCondition) -> Match {
    Match { body: vec![(pointer.into(), condition)], ..Match::default() }
}

fn number(number: u32) -> BodyCondition {
    BodyCondition::OneOf(vec![BodyValue::Number(number.into())])
}

fn form(name: &str, presence: Presence) -> Match {
    Match { form: vec![(name.into(), presence)], ..Match::default() }
}

fn not(inner: Match) -> Match {
    Match { not: Some(Box::new(inner)), ..Match::default() }
}

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7));

fn verdict(rule: &Match, facts: &Facts<'_>) -> String {
    match rule.check(facts) {
        Ok(_) => "matches".to_owned(),
        Err(mismatch) => mismatch.to_string(),
    }
}

/// Each rule against `PUT http://Api.example:80/items/7?page=1&q=a+b&page=2&token=t`.
#[test]
fn mismatches_say_what_does_not_hold() {
    let head = head(
        "PUT",
        "/items/7?page=1&q=a+b&page=2&api_token=t",
        &[
            ("host", "Api.example:80"),
            ("x-a", "1"),
            ("x-a", "2"),
            ("x-tab", "a\tb"),
            ("x-empty", ""),
            ("authorization", "Bearer secret"),
            ("x-api-key", "secret"),
            ("cookie", "session=secret; theme=dark"),
        ],
    );
    let long = "p".repeat(100);
    let host = |text: &str| Match { host: Some(TextPattern::new(text)), ..Match::default() };
    let path = |path: PathMatch| Match { path, ..Match::default() };
    let method = |methods: &[Method]| Match { method: Methods::Only(methods.to_vec()), ..Match::default() };
    let client = |networks: &[&str]| Match {
        client: networks.iter().map(|network| network.parse().unwrap()).collect(),
        ..Match::default()
    };
    for (rule, expected) in [
        (Match::default(), "matches"),
        (method(&[Method::PUT]), "matches"),
        (method(&[Method::POST]), "method is PUT, the rule wants POST"),
        (method(&[Method::POST, Method::PATCH]), "method is PUT, the rule wants POST or PATCH"),
        (path(pattern("/items/{id}")), "matches"),
        (path(pattern("/orders")), "path /items/7 is not /orders"),
        (path(pattern("/orders/{id}")), "path /items/7 does not fit /orders/{id}"),
        (path(regex("/items/[a-z]+")), "path /items/7 does not fit /items/[a-z]+"),
        (path(one_of(&["/orders", "/items/{id}"])), "matches"),
        (path(one_of(&["/orders", "/a/{id}"])), "path /items/7 does not fit /orders or /a/{id}"),
        (host("api.EXAMPLE"), "matches"),
        (host("*.example"), "matches"),
        (host("*.test"), "host is Api.example, the rule wants *.test"),
        (header("x-a", Presence::Present), "matches"),
        (header("x-a", like("2")), "matches"),
        (header("x-a", like("3*")), "header x-a is 1, the rule wants 3*"),
        (header("x-a", Presence::Absent), "header x-a is there, the rule wants it absent"),
        (header("x-b", Presence::Absent), "matches"),
        (header("x-b", Presence::Present), "no header x-b"),
        (header("x-b", like("*")), "no header x-b"),
        (header("x-tab", like("a b")), "header x-tab is a\\tb, the rule wants a b"),
        (header("x-empty", like("a")), "header x-empty is \"\", the rule wants a"),
        (header("authorization", like("Basic *")), "header authorization is not what the rule wants"),
        (header("x-api-key", like("other")), "header x-api-key is not what the rule wants"),
        (header("cookie", like("a=b")), "header cookie is not what the rule wants"),
        (header("x-a", any_of(&["3", "2*"])), "matches"),
        (header("x-a", any_of(&["3", "4*", "5"])), "header x-a is 1, the rule wants 3, 4* or 5"),
        (query("page", like("2")), "matches"),
        (query("q", like("a b")), "matches"),
        (query("q", like("a+b")), "query q is a b, the rule wants a+b"),
        (query("x", Presence::Present), "no query x"),
        (query("page", Presence::Absent), "query page is there, the rule wants it absent"),
        (query("api_token", like("u")), "query api_token is not what the rule wants"),
        (cookie("theme", like("d*k")), "matches"),
        (cookie("session", like("other")), "cookie session is not what the rule wants"),
        (cookie("lang", like("en")), "no cookie lang"),
        (client(&["10.0.0.0/8"]), "matches"),
        (client(&["::1", "192.168.0.0/16"]), "client is 10.0.0.7, the rule wants ::1 or 192.168.0.0/16"),
        (not(method(&[Method::PUT])), "all that `not` asks holds"),
        (not(method(&[Method::GET])), "matches"),
        (not(Match { path: pattern("/items/*"), ..method(&[Method::GET]) }), "matches"),
        (not(not(method(&[Method::PUT]))), "matches"),
    ] {
        assert_eq!(verdict(&rule, &Facts::new(&head, ADDRESS)), expected, "{rule:?}");
    }
    let head = self::head("GET", &format!("/{long}"), &[]);
    let expected = format!("path /{}… is not /x", &long[..79]);
    assert_eq!(verdict(&path(pattern("/x")), &Facts::new(&head, ADDRESS)), expected);
}

#[test]
fn bodies_are_compared_once_they_are_known() {
    let unread = || BodyFacts::Unread;
    let too_long = || BodyFacts::TooLong;
    let text = |text: &'static str| move || BodyFacts::read(Bytes::from_static(text.as_bytes()));
    type Body = Box<dyn Fn() -> BodyFacts>;
    let a = || body("/a", number(1));
    let post = |inner: Match| Match { method: only(Method::POST), ..inner };
    let long = || BodyFacts::read(Bytes::from(vec![b' '; Json::MOST + 1]));
    let cases: [(Match, Body, &str, &str); 19] = [
        (a(), Box::new(text("{\"a\": 1.0}")), "matches", "matches"),
        (a(), Box::new(text("{\"a\": 2}")), "matches", "body at /a is not 1"),
        (a(), Box::new(text("{}")), "matches", "body has nothing at /a"),
        (a(), Box::new(text("a=1")), "matches", "body is not JSON"),
        (a(), Box::new(text("")), "matches", "body is not JSON"),
        (a(), Box::new(unread), "matches", "body was not read"),
        (a(), Box::new(too_long), "matches", "body is longer than body_limit"),
        (a(), Box::new(long), "matches", "body is longer than 4 MiB, the most of JSON that is looked at"),
        (body("", number(1)), Box::new(text("[2]")), "matches", "body is not 1"),
        (
            post(a()),
            Box::new(unread),
            "method is PUT, the rule wants POST",
            "method is PUT, the rule wants POST",
        ),
        (not(a()), Box::new(text("{\"a\": 1}")), "matches", "all that `not` asks holds"),
        (not(a()), Box::new(text("{\"a\": 2}")), "matches", "matches"),
        (not(a()), Box::new(text("a=1")), "matches", "matches"),
        (not(a()), Box::new(unread), "matches", "body was not read"),
        (not(a()), Box::new(too_long), "matches", "body is longer than body_limit"),
        (
            not(a()),
            Box::new(long),
            "matches",
            "body is longer than 4 MiB, the most of JSON that is looked at",
        ),
        (not(post(a())), Box::new(too_long), "matches", "matches"),
        (not(not(a())), Box::new(too_long), "matches", "body is longer than body_limit"),
        (not(not(a())), Box::new(text("{\"a\": 1}")), "matches", "matches"),
    ];
    let head = head("PUT", "/", &[]);
    for (rule, body, of_head, of_all) in cases {
        let mut facts = Facts::new(&head, ADDRESS);
        facts.body = body();
        let seen =
            rule.check_head(&facts).map_or_else(|mismatch| mismatch.to_string(), |_| "matches".to_owned());
        assert_eq!(seen, of_head, "{rule:?}");
        assert_eq!(verdict(&rule, &facts), of_all, "{rule:?}");
        assert!(rule.reads_body());
    }
}

#[test]
fn preflights_pass_unless_the_rule_names_them() {
    let head = head("OPTIONS", "/items", &[]);
    let facts = Facts::new(&head, ADDRESS);
    let items = || Match { path: pattern("/items"), ..Match::default() };
    let options = Match { method: only(Method::OPTIONS), ..Match::default() };
    let outside = "method is OPTIONS, which only a rule that names it wants";
    assert_eq!(verdict(&items(), &facts), outside);
    assert_eq!(verdict(&options, &facts), "matches");
    // Inside `not`, no method given is any method.
    let excluded = Match { not: Some(Box::new(items())), ..options };
    assert_eq!(verdict(&excluded, &facts), "all that `not` asks holds");
}

#[test]
fn captures_come_from_the_normalised_path() {
    let head = head("GET", "/%69tems/%41%2F", &[]);
    let facts = Facts::new(&head, ADDRESS);
    let rule = Match { path: pattern("/it%65ms/{id}"), ..Match::default() };
    assert_eq!(rule.check(&facts).unwrap().get("id"), Some("A%2F"));
    assert_eq!(rule.path.names(), ["id"]);
}

#[test]
fn of_a_list_the_first_path_that_fits_captures() {
    let path = one_of(&["/items/{id}/{part}", "/{kind}/{id}/parts", "/{kind}/{id}/{other}"]);
    for (text, captured) in [
        ("/items/7/parts", &[("id", "7"), ("part", "parts")][..]),
        ("/orders/7/parts", &[("kind", "orders"), ("id", "7")]),
        ("/orders/7/x", &[("kind", "orders"), ("id", "7"), ("other", "x")]),
    ] {
        assert_eq!(path.captures(text).unwrap().0, captured, "{text}");
    }
    assert_eq!(path.captures("/items"), None);
    assert_eq!(path.names(), ["id"], "those that all of them have");
}

#[test]
fn bodies_are_read_by_their_media_types() {
    const FORM: &str = "application/x-www-form-urlencoded";
    const LINES: &str = "application/x-ndjson";
    let text = |texts: &[&'static str]| Match {
        text: Some(TextPattern::one_of(texts.iter().copied())),
        ..Match::default()
    };
    let one_of = |texts: &[&'static str]| {
        BodyCondition::OneOf(texts.iter().map(|text| BodyValue::Like(TextPattern::new(text))).collect())
    };
    let both = |number: u32| Match {
        body: vec![("/a".into(), self::number(number)), ("/b".into(), BodyCondition::Present)],
        ..Match::default()
    };
    let long_form = "a".repeat(FormFields::MOST + 1);
    let long_lines = "{\"a\":1}\n".repeat(JsonValues::MOST_LINES / 8 + 1);
    for (media, body_text, rule, expected) in [
        (FORM, "grant_type=password&a=1", form("grant_type", like("pass*")), "matches"),
        (
            FORM,
            "grant_type=code",
            form("grant_type", any_of(&["password", "x"])),
            "form field grant_type is not password or x",
        ),
        (
            FORM,
            "password=hunter2",
            form("password", like("x")),
            "form field password is not what the rule wants",
        ),
        (FORM, "a=1", form("b", Presence::Present), "no form field b"),
        (FORM, "a=1", form("a", Presence::Absent), "form field a is there, the rule wants it absent"),
        (
            FORM,
            &long_form,
            form("b", Presence::Absent),
            "body is longer than 4 MiB, the most of a form that is looked at",
        ),
        ("text/plain", "a=1", form("a", Presence::Present), "body is not a form"),
        (FORM, "a=1", body("/a", number(1)), "body is not JSON"),
        (LINES, "{\"a\":1}\n{\"a\":2,\"b\":1}\n", both(2), "matches"),
        (LINES, "{\"a\":1}\n{\"a\":2,\"b\":1}\n", both(1), "no line of the body has all that `body` asks"),
        (LINES, &long_lines, both(1), "body is longer than 256 KiB, the most of NDJSON that is looked at"),
        ("text/plain", "{\"a\":1}\n{\"a\":2}\n", both(2), "body is not JSON"),
        ("text/xml", "<a>is locked</a>", text(&["*busy*", "*locked*"]), "matches"),
        ("text/xml", "<a/>", text(&["*busy*", "*locked*"]), "body is not like *busy* or *locked*"),
        ("", "{\"a\":\"paid\"}", body("/a", one_of(&["open", "p*d"])), "matches"),
        (
            "",
            "{\"a\":\"new\"}",
            body("/a", one_of(&["open", "p*d"])),
            "body at /a is not \"open\" or \"p*d\"",
        ),
        (
            "",
            "{\"a\":null}",
            body("/a", BodyCondition::Absent),
            "body at /a is there, the rule wants it absent",
        ),
        ("", "[]", body("/a", BodyCondition::Absent), "matches"),
        ("", "x", body("/a", BodyCondition::Absent), "body is not JSON"),
    ] {
        let headers = [("content-type", media)];
        let head = head("POST", "/", if media.is_empty() { &[] } else { &headers });
        let mut facts = Facts::new(&head, ADDRESS);
        facts.body = BodyFacts::read(Bytes::copy_from_slice(body_text.as_bytes()));
        assert_eq!(verdict(&rule, &facts), expected, "{media} {rule:?}");
        assert!(rule.reads_body());
    }
}
