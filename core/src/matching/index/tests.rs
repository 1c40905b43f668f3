//! The index returns every rule that matches, and few others.

use std::net::IpAddr;

use http::request::Parts;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::super::tests::{head, like, only, pattern, regex};
use super::super::{PathMatch, PathPattern, Presence, TextPattern};
use super::*;

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// The rules that match, by checking each (naive model).
fn linear(rules: &[Match], facts: &Facts<'_>) -> Vec<u32> {
    (0..).zip(rules).filter(|(_, rule)| rule.check(facts).is_ok()).map(|(position, _)| position).collect()
}

/// The rules that match, by the index.
fn indexed(rules: &[Match], index: &RuleIndex, facts: &Facts<'_>) -> Vec<u32> {
    index.candidates(facts).filter(|position| rules[*position as usize].check(facts).is_ok()).collect()
}

const METHODS: [&str; 5] = ["GET", "PUT", "OPTIONS", "CONNECT", "PURGE"];
const HOSTS: [&str; 3] = ["a.test", "B.test", "c.test"];

fn any_of(texts: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(texts)
}

/// Paths of few different segments, so that many fit; literals are long enough to be filed.
fn path_matches() -> impl Strategy<Value = PathMatch> {
    let segments = || any_of(&["items", "orders", "items-7", "{}", "*", "items-*", "*.json", "**", ""]);
    let patterns = || {
        prop::collection::vec(segments(), 1..4).prop_map(|segments| {
            let text = format!("/{}", segments.join("/"));
            let mut letters = 'a'..;
            let named: String = text
                .split_inclusive("{}")
                .map(|piece| piece.replace("{}", &format!("{{{}}}", letters.next().unwrap_or('z'))))
                .collect();
            pattern(&named)
        })
    };
    let pieces = any_of(&[
        "/items",
        "/orders",
        "/(?:items|orders)",
        "/[^/]+",
        "(?:/items)?",
        "(?:/items)+",
        "-7",
        ".json",
        ".*",
        "\\d",
        "(?i:/ITEMS)",
        "(?:/items-7|/orders)",
        "$",
        "|/items",
        "",
        "^",
        "[Ii]tems",
        "(items)",
    ]);
    let regexes = prop::collection::vec(pieces, 0..4).prop_map(|pieces| regex(&pieces.concat()));
    let parsed = |pattern| if let PathMatch::Pattern(pattern) = pattern { Some(pattern) } else { None };
    let lists = prop::collection::vec(patterns(), 1..4)
        .prop_map(move |patterns| PathMatch::one_of(patterns.into_iter().filter_map(parsed).collect()));
    prop_oneof![1 => Just(PathMatch::Any), 6 => patterns(), 3 => lists, 6 => regexes]
}

fn texts(texts: &'static [&'static str]) -> impl Strategy<Value = TextPattern> {
    prop::collection::vec(any_of(texts), 1..3).prop_map(TextPattern::one_of)
}

fn presences() -> impl Strategy<Value = Presence> {
    prop_oneof![
        Just(Presence::Present),
        Just(Presence::Absent),
        texts(&["1", "2", "*", "1*"]).prop_map(Presence::Like),
    ]
}

fn rules() -> impl Strategy<Value = Match> {
    let methods = prop_oneof![
        3 => Just(Methods::Any),
        2 => prop::sample::subsequence(&METHODS[..], 2..4)
            .prop_map(|names| Methods::Only(names.iter().map(|name| name.parse().unwrap()).collect())),
    ];
    let host = texts(&["a.test", "A.TEST", "b.test", "*.test"]);
    let header =
        (any_of(&["x-a", "x-b"]), presences()).prop_map(|(name, presence)| (name.parse().unwrap(), presence));
    (methods, path_matches(), prop::option::weighted(0.3, host), prop::collection::vec(header, 0..2))
        .prop_map(|(method, path, host, headers)| {
            let not = (headers.len() == 1).then(|| Match { path: pattern("/items/7"), ..Match::default() });
            Match { method, path, host, headers, not: not.map(Box::new), ..Match::default() }
        })
}

/// Copies of one rule, so that places get crowded and the index chooses others.
fn rule_sets() -> impl Strategy<Value = Vec<Match>> {
    prop::collection::vec((rules(), prop_oneof![4 => Just(1usize), 1 => Just(9usize)]), 0..16)
        .prop_map(|rules| rules.into_iter().flat_map(|(rule, times)| vec![rule; times]).collect())
}

fn requests() -> impl Strategy<Value = Parts> {
    let segment =
        any_of(&["items", "ITEMS", "items-7", "orders", "7", "a.json", "", "items-7.json", "%69tems"]);
    let paths = prop_oneof![
        20 => prop::collection::vec(segment, 1..4).prop_map(|segments| format!("/{}", segments.join("/"))),
        1 => Just("*".to_owned()),
    ];
    let values = |name: &'static str| {
        prop::collection::vec(any_of(&["1", "2", "12"]), 0..3)
            .prop_map(move |values| values.into_iter().map(|value| (name, value)).collect::<Vec<_>>())
    };
    let methods = prop_oneof![4 => Just("GET"), 1 => any_of(&METHODS)];
    (methods, paths, any_of(&HOSTS), values("x-a"), values("x-b")).prop_map(|(method, path, host, a, b)| {
        let headers = [vec![("host", host)], a, b].concat();
        head(method, &path, &headers)
    })
}

proptest! {
    #[test]
    fn it_finds_what_the_plain_way_finds(
        rules in rule_sets(),
        requests in prop::collection::vec(requests(), 1..8),
    ) {
        let index = RuleIndex::new(&rules);
        for head in &requests {
            let facts = Facts::new(head, ADDRESS);
            let candidates: Vec<u32> = index.candidates(&facts).collect();
            prop_assert!(candidates.is_sorted_by(|a, b| a < b));
            prop_assert_eq!(indexed(&rules, &index, &facts), linear(&rules, &facts));
        }
    }
}

/// The property above would be vacuous if hardly any request matched, or if all rules were filed
/// in the same kind of place.
#[test]
fn the_cases_tried_match_often_and_are_filed_everywhere() {
    let mut runner = TestRunner::deterministic();
    let [mut cases, mut matching, mut spared] = [0; 3];
    let mut places = [0; 3];
    for _ in 0..200 {
        let rules = rule_sets().new_tree(&mut runner).unwrap().current();
        let head = requests().new_tree(&mut runner).unwrap().current();
        let facts = Facts::new(&head, ADDRESS);
        cases += 1;
        matching += usize::from(!linear(&rules, &facts).is_empty());
        spared += usize::from(RuleIndex::new(&rules).candidates(&facts).count() < rules.len());
        for (.., place) in places::choose(&rules.iter().collect::<Vec<_>>()) {
            places[match place {
                IndexSlot::Segments => 0,
                IndexSlot::Literals(_) => 1,
                IndexSlot::Value(..) => 2,
            }] += 1;
        }
    }
    assert!(matching * 4 > cases, "{matching} of {cases} match");
    assert!(spared * 2 > cases, "{spared} of {cases} spared");
    assert!(places.iter().all(|count| *count > 100), "{places:?}");
}

/// The number of rules checked does not grow with the number of rules.
#[test]
fn few_of_ten_thousand_rules_are_candidates() {
    let path = |path| Match { path, ..Match::default() };
    let one_of = |texts: &[String]| {
        PathMatch::one_of(texts.iter().map(|text| PathPattern::parse(text).unwrap()).collect())
    };
    let with_host =
        |host: String| Match { host: Some(TextPattern::new(&host)), ..path(pattern("/items/{id}")) };
    let with_header = |value: String| Match {
        headers: vec![("x-tenant".parse().unwrap(), like(&value))],
        ..path(PathMatch::Any)
    };
    type Family<'f> = (&'f str, &'f dyn Fn(usize) -> Match, &'f str);
    let families: [Family; 12] = [
        ("own first segment", &|n| path(pattern(&format!("/s{n}/{{id}}"))), "/s77/7"),
        ("own later segment", &|n| path(pattern(&format!("/{{user}}/items/{n}"))), "/u/items/77"),
        ("own piece of a segment", &|n| path(pattern(&format!("/files/report-{n}-*"))), "/files/report-77-x"),
        ("own segment somewhere", &|n| path(pattern(&format!("/**/item-{n}"))), "/a/b/item-77"),
        ("own path in a list", &|n| path(one_of(&["/health".to_owned(), format!("/s{n}/{{id}}")])), "/s77/7"),
        (
            "own header in a list",
            &|n| Match {
                headers: vec![(
                    "x-tenant".parse().unwrap(),
                    Presence::Like(TextPattern::one_of([format!("t{n}").as_str(), &format!("u{n}")])),
                )],
                ..path(pattern("/items/{id}"))
            },
            "/items/7",
        ),
        ("own host", &|n| with_host(format!("h{n}.test")), "http://H77.test/items/7"),
        ("own header", &|n| with_header(format!("t{n}")), "/items/7"),
        ("expression, own first segment", &|n| path(regex(&format!("/s{n}/\\d+"))), "/s77/7"),
        ("expression, own later segment", &|n| path(regex(&format!("/[a-z]+/s{n}(/.*)?"))), "/u/s77/x"),
        ("expression, own literal", &|n| path(regex(&format!("(?i).*/item-{n}"))), "/a/ITEM-77"),
        ("expression, own alternatives", &|n| path(regex(&format!(".*/(cat-{n}|dog-{n})"))), "/a/dog-77"),
    ];
    for (name, write, hit) in families {
        // Compiling 10,000 expressions takes too long without optimisation.
        let count = if name.starts_with("expression") { 500 } else { 10_000 };
        let rules: Vec<Match> = (0..count).map(write).collect();
        let index = RuleIndex::new(&rules);
        let miss = head("GET", "/unknown/thing/1000000", &[("host", "other.test"), ("x-tenant", "nobody")]);
        assert_eq!(index.candidates(&Facts::new(&miss, ADDRESS)).count(), 0, "{name}");
        let hit = head("GET", hit, &[("x-tenant", "t77")]);
        let candidates: Vec<u32> = index.candidates(&Facts::new(&hit, ADDRESS)).collect();
        assert!(candidates.contains(&77) && candidates.len() < 4, "{name}: {candidates:?}");
    }
}

#[test]
fn methods_are_told_apart() {
    let items = |method| Match { method, path: pattern("/items"), ..Match::default() };
    let rules: Vec<Match> = METHODS.iter().map(|name| items(only(name.parse().unwrap()))).collect();
    let index = RuleIndex::new(rules.iter().chain([&items(Methods::Any)]));
    for (method, expected) in [
        ("GET", &[0, 5][..]),
        ("PUT", &[1, 5]),
        ("OPTIONS", &[2]),
        ("CONNECT", &[3]),
        ("PURGE", &[4, 5]),
        // Unknown methods share a bit: the rule itself tells them apart.
        ("MOVE", &[4, 5]),
    ] {
        let head = head(method, "/items", &[]);
        let found: Vec<u32> = index.candidates(&Facts::new(&head, ADDRESS)).collect();
        assert_eq!(found, expected, "{method}");
    }
}
