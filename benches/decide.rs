//! Cost of deciding: time to load rules, and time per request that none of them matches,
//! by number of rules.
//!
//! `cargo bench --bench decide`. Each number is the median of alternating rounds, so that a busy
//! moment of the machine hits every size alike.

#![allow(clippy::disallowed_methods, reason = "a benchmark owns its clock")]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a benchmark that goes wrong may panic")]
#![allow(clippy::print_stdout, reason = "its result")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use fracas::matching::{Match, Methods, PathMatch, PathPattern, PathRegex, Presence, RuleIndex, TextPattern};
use fracas::model::Facts;
use http::{Method, Request, request::Parts};

const SIZES: [usize; 5] = [1, 10, 100, 1_000, 10_000];
const ROUNDS: usize = 41;
const REQUESTS_PER_ROUND: usize = 20_000;
/// CPU time of one whole forwarded request, in nanoseconds, to state costs as a share of it.
const WHOLE_REQUEST: f64 = 10_000.0;

/// A way to write many rules, numbered.
type Family = (&'static str, fn(usize) -> Match);

const FAMILIES: [Family; 6] = [
    ("path   /service-N/items/{id}", |n| path(&format!("/service-{n}/items/{{id}}"))),
    ("path   /files/report-N-*.pdf", |n| path(&format!("/files/report-{n}-*.pdf"))),
    ("regex  /service-N/items/(?<id>[0-9]+)", |n| regex(&format!("/service-{n}/items/(?<id>[0-9]+)"))),
    ("regex  /v[0-9]+/item-N(/.*)?", |n| regex(&format!("/v[0-9]+/item-{n}(/.*)?"))),
    ("regex  (?i)/.*/order-N", |n| regex(&format!("(?i)/.*/order-{n}"))),
    ("header x-tenant = tN, path /items/{id}", |n| Match {
        headers: vec![(
            "x-tenant".parse().expect("a name"),
            Presence::Like(TextPattern::new(&format!("t{n}"))),
        )],
        ..path("/items/{id}")
    }),
];

fn main() {
    let heads: Vec<Parts> = [
        "/",
        "/unknown/items/7",
        "/items/7",
        "/service-1000000/items/7",
        "/service-0/orders/7?page=2",
        "/files/report-final.pdf",
        "/v1/users/42/orders/of-last-year",
        "/a/rather/long/path/with/many/segments/and/no/rule",
    ]
    .map(head)
    .into();
    for (name, write) in FAMILIES {
        println!("{name}");
        let loaded: Vec<(Vec<Match>, RuleIndex, Duration)> = SIZES.map(|size| load(size, write)).into();
        let mut rounds = vec![Vec::new(); SIZES.len()];
        for _ in 0..ROUNDS {
            for ((rules, index, _), times) in loaded.iter().zip(&mut rounds) {
                times.push(round(rules, index, &heads));
            }
        }
        let medians: Vec<f64> = rounds.into_iter().map(median).collect();
        for ((size, median), (_, _, load)) in SIZES.iter().zip(&medians).zip(&loaded) {
            let one = medians[0];
            println!(
                "  {size:>6} rules   load {:>7.1} ms   {median:>7.1} ns a request   {:>5.2} of one rule   {:+.2} % of a forwarded request",
                load.as_secs_f64() * 1e3,
                median / one,
                (median - one) / WHOLE_REQUEST * 100.0,
            );
        }
    }
}

fn load(size: usize, write: fn(usize) -> Match) -> (Vec<Match>, RuleIndex, Duration) {
    let start = Instant::now();
    let rules: Vec<Match> = (0..size).map(write).collect();
    let index = RuleIndex::new(&rules);
    (rules, index, start.elapsed())
}

/// Nanoseconds per request.
fn round(rules: &[Match], index: &RuleIndex, heads: &[Parts]) -> f64 {
    let start = Instant::now();
    for head in heads.iter().cycle().take(REQUESTS_PER_ROUND) {
        let facts = Facts::new(black_box(head), IpAddr::V4(Ipv4Addr::LOCALHOST));
        let matched = index.candidates(&facts).any(|rule| rules[rule as usize].check(&facts).is_ok());
        assert!(!black_box(matched));
    }
    start.elapsed().as_nanos() as f64 / REQUESTS_PER_ROUND as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn head(path: &str) -> Parts {
    let request = Request::builder()
        .method(Method::PUT)
        .uri(path)
        .header("host", "api.example:8080")
        .header("user-agent", "bench/1.0")
        .header("accept", "application/json")
        .header("x-tenant", "nobody")
        .header("content-type", "application/json");
    request.body(()).expect("a valid request").into_parts().0
}

fn path(pattern: &str) -> Match {
    let path = PathMatch::Pattern(PathPattern::parse(pattern).expect("a valid pattern"));
    Match { method: Methods::Only(vec![Method::PUT, Method::DELETE]), path, ..Match::default() }
}

fn regex(expression: &str) -> Match {
    let path = PathMatch::Regex(PathRegex::parse(expression).expect("a valid expression"));
    Match { method: Methods::Only(vec![Method::PUT, Method::DELETE]), path, ..Match::default() }
}
