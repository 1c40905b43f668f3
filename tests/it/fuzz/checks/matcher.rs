//! The index finds the rules that looking at each would find, in the same order.

use std::net::{IpAddr, Ipv4Addr};

use fracas::matching::{Match, Methods, PathMatch, PathPattern, PathRegex, Presence, RuleIndex, TextPattern};
use fracas::model::Facts;
use http::request::Parts;

use super::choices::Choices;

const METHODS: [&str; 4] = ["GET", "PUT", "OPTIONS", "PURGE"];
const HOSTS: [&str; 4] = ["a.test", "B.test", "*.test", "a*t"];
const SEGMENTS: [&str; 11] =
    ["", "items", "ITEMS", "items-7", "orders", "7", "a.json", "%69tems", "%2F", "..", "a;b"];
const PATTERNS: [&str; 9] = ["", "items", "{}", "*", "**", "items-*", "*.json", "orders", "*a*"];
const PIECES: [&str; 14] = [
    "/items",
    "/orders",
    "/[^/]+",
    "(?:/items)?",
    "(?:/items|/orders)",
    "-7",
    "\\.json",
    ".*",
    "\\d",
    "(?i:/ITEMS)",
    "|/items",
    "[Ii]tems",
    "(items)+",
    "",
];

pub fn check(data: &[u8]) {
    let mut choices = Choices(data);
    let rules: Vec<Match> = (0..=choices.below(12)).filter_map(|_| rule(&mut choices)).collect();
    let index = RuleIndex::new(&rules);
    for _ in 0..4 {
        let Some(head) = request(&mut choices) else { continue };
        let facts = Facts::new(&head, IpAddr::V4(Ipv4Addr::LOCALHOST));
        let fits = |position: &u32| rules[*position as usize].check(&facts).is_ok();
        let indexed: Vec<u32> = index.candidates(&facts).filter(fits).collect();
        let linear: Vec<u32> = (0..rules.len() as u32).filter(fits).collect();
        assert_eq!(indexed, linear, "{head:?} by {rules:#?}");
    }
}

fn rule(choices: &mut Choices<'_>) -> Option<Match> {
    let segments = 1 + choices.below(4);
    let path = match choices.below(4) {
        0 => PathMatch::Any,
        1 => {
            let text: String = (0..segments).map(|_| choices.one(&PIECES)).collect();
            PathMatch::Regex(PathRegex::parse(&text).ok()?)
        }
        _ => {
            let pattern = |choices: &mut Choices<'_>| {
                let text: String = (0..segments)
                    .map(|at| format!("/{}", choices.one(&PATTERNS).replace("{}", &format!("{{p{at}}}"))))
                    .collect();
                PathPattern::parse(&text).ok()
            };
            let first = pattern(choices)?;
            let mut patterns = vec![first];
            if choices.below(3) == 0 {
                patterns.push(pattern(choices)?);
            }
            PathMatch::one_of(patterns)
        }
    };
    let method = match choices.below(3) {
        0 => Methods::Any,
        _ => {
            Methods::Only((0..=choices.below(2)).filter_map(|_| choices.one(&METHODS).parse().ok()).collect())
        }
    };
    let host = (choices.below(3) == 0).then(|| TextPattern::new(choices.one(&HOSTS)));
    let mut presence = || match choices.below(3) {
        0 => Presence::Present,
        1 => Presence::Absent,
        _ => Presence::Like(TextPattern::new(choices.one(&["1", "2", "*", "1*"]))),
    };
    let headers = match presence() {
        Presence::Present => Vec::new(),
        like => vec![("x-a".parse().ok()?, like), ("x-b".parse().ok()?, presence())],
    };
    let not = match choices.below(4) {
        0 if !choices.is_over() => rule(choices).map(Box::new),
        _ => None,
    };
    Some(Match { method, path, host, headers, not, ..Match::default() })
}

fn request(choices: &mut Choices<'_>) -> Option<Parts> {
    let segments = 1 + choices.below(4);
    let path: String = (0..segments).map(|_| format!("/{}", choices.one(&SEGMENTS))).collect();
    let mut head = http::Request::builder()
        .method(choices.one(&METHODS))
        .uri(path)
        .header("host", choices.one(&["a.test", "b.test:80", "c.test"]));
    for name in ["x-a", "x-b"] {
        if choices.below(2) == 0 {
            head = head.header(name, choices.one(&["1", "2", "12", ""]));
        }
    }
    Some(head.body(()).ok()?.into_parts().0)
}
