//! The rule that responds, when there are many: the first in file order, as if each were looked at.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use fracas::model::{Dice, Facts, KeyHash};
use fracas::rules::BodyFileError;

use super::super::support::message::Message;
use super::super::support::proxy;
use super::super::support::upstream::Upstream;

const RULES: u64 = 10_000;
const REQUESTS: u64 = 600;

const METHODS: [&str; 4] = ["GET", "PUT", "POST", "PURGE"];
const HOSTS: [&str; 4] = ["a.test", "b.test", "c.test", "d.test"];
const TENANTS: [&str; 4] = ["one", "two", "three", "four"];

/// Choices that are the same in every run.
struct Chooser(Dice, u64);

impl Chooser {
    fn below(&mut self, bound: u64) -> u64 {
        self.1 += 1;
        self.0.draw(KeyHash(0), self.1) % bound
    }

    fn one<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len() as u64) as usize]
    }

    /// Most rules are about a path of their own, as in a real file; some about many.
    fn rule(&mut self, number: u64) -> String {
        let n = self.below(400);
        let path = match self.below(20) {
            0 => format!("path = \"/s{n}/**\""),
            1 => format!("path = \"/**/item-{n}\""),
            2 => format!("path = \"/*/items/{{id}}/part-{n}*\""),
            3 if number.is_multiple_of(8) => format!("path_regex = \"/s{n}/items/[0-9]+\""),
            _ => format!("path = \"/s{n}/items/{{id}}\""),
        };
        let mut rule = format!("[[rule]]\nname = \"r{number}\"\n{path}\n");
        if self.below(4) > 0 {
            let _ = writeln!(rule, "method = \"{}\"", self.one(&METHODS));
        }
        if self.below(2) == 0 {
            let _ = writeln!(rule, "host = \"{}\"", self.one(&HOSTS));
        }
        if self.below(2) == 0 {
            let _ = writeln!(rule, "header = {{ x-tenant = \"{}\" }}", self.one(&TENANTS));
        }
        rule
    }

    fn request(&mut self) -> String {
        // Numbers beyond those of the rules, too.
        let (n, m) = (self.below(500), self.below(500));
        let path = match self.below(5) {
            0 => format!("/s{n}/a/b"),
            1 => format!("/x/y/item-{n}"),
            2 => format!("/x/items/{m}/part-{n}"),
            _ => format!("/s{n}/items/{m}"),
        };
        let (method, host, tenant) = (self.one(&METHODS), self.one(&HOSTS), self.one(&TENANTS));
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nX-Tenant: {tenant}\r\n\r\n")
    }
}

/// The request's head as the rules see it.
fn head(request: &str) -> http::request::Parts {
    let message = Message::parse_head(request.trim_end());
    let mut parts = message.start.split(' ');
    let mut head =
        http::Request::builder().method(parts.next().expect("a method")).uri(parts.next().expect("a target"));
    for (name, value) in &message.headers {
        head = head.header(name, value);
    }
    head.body(()).expect("a request").into_parts().0
}

#[test]
fn c43_of_10_000_rules_the_first_that_matches_answers() {
    let mut chooser = Chooser(Dice::new(1, "c43"), 0);
    let text: String = (0..RULES).map(|number| chooser.rule(number)).collect();
    let accepted = fracas::rules::read("rules.toml", &text, &|_| Err(BodyFileError::Missing));
    let rules = accepted.unwrap_or_else(|mistakes| panic!("{mistakes}")).config.rules;
    assert_eq!(rules.len() as u64, RULES);

    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let proxy = rules.iter().cloned().fold(proxy::before(upstream.address), proxy::Setup::rule).start();
    let mut client = proxy.connect();
    let (mut refused, mut late) = (0, 0);
    for _ in 0..REQUESTS {
        let request = chooser.request();
        let head = head(&request);
        let facts = Facts::new(&head, IpAddr::V4(Ipv4Addr::LOCALHOST));
        let first = rules.iter().position(|rule| rule.requests.check(&facts).is_ok());
        client.send(&request);
        let response = client.response();
        let marker = response.header("fracas").and_then(|marker| marker.split(',').next());
        let expected = first.map(|at| format!("rule=\"{}\"", rules[at].name));
        assert_eq!(marker, expected.as_deref(), "{request}");
        assert_eq!(response.status(), if first.is_some() { 409 } else { 200 }, "{request}");
        refused += u64::from(first.is_some());
        late += u64::from(first.is_some_and(|at| at as u64 > RULES / 2));
    }
    // The test would be vacuous if all matched, or if all matched early.
    assert!(refused > REQUESTS / 4 && refused < REQUESTS && late > 0, "{refused} refused, {late} late");
}
