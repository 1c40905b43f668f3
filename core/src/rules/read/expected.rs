//! Expectations in `[expect]` that contradict each other, or that no rule in the file can show.

use std::ops::Range;

use http::header;
use toml::de::DeTable;

use super::Reader;
use super::fields::Fields;
use crate::model::Kind;
use crate::rules::{Code, Diagnostic, Expect, Rule, Settings};

/// Keys about a second try.
const OF_RETRIES: [&str; 8] =
    ["min_gap", "backoff", "jitter", "retry_after", "refetch", "new_version", "same_key", "recovered"];

/// Reports keys of one `expect` that cannot both be met.
pub(super) fn contradictions(reader: &mut Reader, fields: &Fields, expect: &Expect) {
    let asks_more_tries = expect.max_tries.is_some_and(|most| most.get() > 1);
    let (first, title) = if expect.no_retry == Some(true) {
        ("no_retry", "with `no_retry` there is no second try")
    } else if expect.max_tries.is_some_and(|most| most.get() == 1) {
        ("max_tries", "with `max_tries = 1` there is no second try")
    } else {
        return;
    };
    let Some(because) = fields.key_span(first) else { return };
    let of_retries = OF_RETRIES.iter().filter(|name| is_asked(expect, name));
    let tries = ["max_tries"].iter().filter(|_| first == "no_retry" && asks_more_tries);
    for name in tries.chain(of_retries) {
        let Some(span) = fields.key_span(name) else { continue };
        let mistake = Diagnostic::error(Code::NotTogether, title).at(span, "nothing could live up to both");
        reader.report(mistake.also(because.clone(), "because of this"));
    }
}

fn is_asked(expect: &Expect, name: &str) -> bool {
    let flag = match name {
        "min_gap" => return expect.min_gap.is_some(),
        "recovered" => return expect.recovered.is_some_and(|share| share.get() > 0.0),
        "backoff" => expect.backoff,
        "jitter" => expect.jitter,
        "retry_after" => expect.retry_after,
        "refetch" => expect.refetch,
        "new_version" => expect.new_version,
        "same_key" => expect.same_key,
        _ => None,
    };
    flag == Some(true)
}

/// Warns of expectations that no rule can show.
pub(super) fn warn(
    reader: &mut Reader,
    top: &DeTable,
    settings: &Settings,
    rules: &[Rule],
    tables: &[(&DeTable, Range<usize>)],
) {
    let active = || rules.iter().filter(|rule| rule.enabled);
    let mut warn = |table: &DeTable, name: &str, title: String, label: &str| {
        let expect = table.get("expect").and_then(|expect| expect.get_ref().as_table());
        if let Some((key, _)) = expect.and_then(|expect| expect.get_key_value(name)) {
            reader.report(Diagnostic::warning(Code::NoEffect, title).at(key.span(), label));
        }
    };
    let of_versions = [("refetch", settings.expect.refetch), ("new_version", settings.expect.new_version)];
    for (name, _) in of_versions.iter().filter(|(_, asked)| *asked == Some(true)) {
        if !active().any(|rule| rule.kind == Kind::Version) {
            let title = format!("`{name}` is about version conflicts, and no rule plays them");
            warn(top, name, title, "is never seen");
        }
    }
    if settings.expect.retry_after == Some(true) && !active().any(sends_retry_after) {
        let title = "no rule sends `Retry-After`: it is only seen where the upstream does".to_owned();
        warn(top, "retry_after", title, "give a rule `reply.retry_after`");
    }
    for (rule, (table, _)) in rules.iter().zip(tables).filter(|(rule, _)| rule.enabled) {
        let expect = &rule.expect;
        for (name, asked) in [("refetch", expect.refetch), ("new_version", expect.new_version)] {
            if asked == Some(true) && rule.kind != Kind::Version {
                let title =
                    format!("`{name}` is about version conflicts, and this rule plays \"{}\"", rule.kind);
                warn(table, name, title, "is never seen here");
            }
        }
        if expect.retry_after == Some(true) && !sends_retry_after(rule) {
            let title = "this rule sends no `Retry-After`".to_owned();
            warn(table, "retry_after", title, "give it `reply.retry_after`");
        }
        // Waits that the response asked for say nothing about the client's own.
        for (name, asked) in [("backoff", expect.backoff), ("jitter", expect.jitter)] {
            if asked == Some(true) && sends_retry_after(rule) {
                let title = format!(
                    "`{name}` is about waits that the client chooses, and this rule sends `Retry-After`"
                );
                warn(table, name, title, "is never seen here");
            }
        }
    }
}

fn sends_retry_after(rule: &Rule) -> bool {
    rule.responses().any(|reply| {
        reply.retry_after.is_some() || reply.headers.iter().any(|(name, _)| *name == header::RETRY_AFTER)
    })
}
