//! Rules whose own conditions leave them no request, or no conflict.

use std::collections::HashSet;
use std::ops::Range;

use http::Method;
use toml::Spanned;
use toml::de::DeTable;

use super::Reader;
use crate::matching::{Match, Methods};
use crate::model::{ClientIdSource, ClientIdSources, KeyPart};
use crate::rules::{Code, Diagnostic, Rule, State, Trigger};

/// Methods whose requests have no content: clients and servers give it no meaning (RFC 9110, §9.3.1, §9.3.2, §9.3.6 and
/// §9.3.8).
const WITHOUT_BODY: [Method; 4] = [Method::GET, Method::HEAD, Method::CONNECT, Method::TRACE];

/// Warns of rules that read a body which no request has, and of locks that no other client can meet. Rules at the
/// positions of `unsound` have mistakes, and are left out.
pub(super) fn warn(
    reader: &mut Reader,
    client_id: &ClientIdSources,
    rules: &[Rule],
    tables: &[(&DeTable, Range<usize>)],
    unsound: &HashSet<usize>,
) {
    for (at, (rule, (table, _))) in rules.iter().zip(tables).enumerate() {
        if !rule.enabled || unsound.contains(&at) {
            continue;
        }
        let found =
            [body_without_method(rule, table), two_formats(rule, table), own_lock(client_id, rule, table)];
        for warning in found.into_iter().flatten() {
            reader.report(warning);
        }
    }
}

/// A condition on the body of requests that have none.
fn body_without_method(rule: &Rule, table: &DeTable) -> Option<Diagnostic> {
    let Methods::Only(methods) = &rule.requests.method else { return None };
    if methods.is_empty() || !methods.iter().all(|method| WITHOUT_BODY.contains(method)) {
        return None;
    }
    let name = conditions_on_bodies(&rule.requests).next()?;
    let title = format!("`{name}` looks at bodies, and {} requests have none", rule.requests.method);
    let mut warning = Diagnostic::warning(Code::NeverMatches, title)
        .at(span(table, name)?, "hardly any request has this")
        .help("name a method with a body, such as `method = \"POST\"`; where clients do send one, this is right");
    if let Some(method) = span(table, "method") {
        warning = warning.also(method, "these methods");
    }
    Some(warning)
}

/// The conditions that a request's body has to meet.
fn conditions_on_bodies(requests: &Match) -> impl Iterator<Item = &'static str> {
    let given = [
        ("body", !requests.body.is_empty()),
        ("form", !requests.form.is_empty()),
        ("text", requests.text.is_some()),
    ];
    given.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name)
}

/// A body that would have to be JSON and a form at once.
fn two_formats(rule: &Rule, table: &DeTable) -> Option<Diagnostic> {
    if rule.requests.body.is_empty() || rule.requests.form.is_empty() {
        return None;
    }
    Some(
        Diagnostic::warning(Code::NeverMatches, "no body is JSON and a form at once")
            .at(span(table, "form")?, "for forms")
            .also(span(table, "body")?, "for JSON")
            .help("write two rules, one with `body` and one with `form`"),
    )
}

/// A lock whose key tells the clients apart: whoever has the key is the client that holds the lock.
fn own_lock(client_id: &ClientIdSources, rule: &Rule, table: &DeTable) -> Option<Diagnostic> {
    let Trigger::On(state) = &rule.trigger else { return None };
    let State::Locked { .. } = &**state else { return None };
    let per = span(table, "per")?;
    if rule.per.0.contains(&KeyPart::Client) {
        let title = "each client has a lock of its own, so none meets another client's";
        let help = "leave `client` out of `per`: a lock knows its client by itself";
        return Some(
            Diagnostic::warning(Code::NeverMatches, title).at(per, "a key for each client").help(help),
        );
    }
    let source =
        client_id.0.iter().position(|source| rule.per.0.iter().any(|part| is_the_same(part, source)));
    let part = rule.per.0.iter().find(|part| client_id.0.iter().any(|source| is_the_same(part, source)))?;
    // A client is known by the first source that its request has.
    let title = match source {
        Some(0) => format!("clients with the same `{part}` are one client, which never meets its own lock"),
        _ => format!("clients with the same `{part}` are mostly one client, which never meets its own lock"),
    };
    Some(
        Diagnostic::warning(Code::NeverMatches, title)
            .at(per, "this is part of `client_id`")
            .help("name in `client_id` what tells the clients apart: `client_id = [\"header:x-client\"]`"),
    )
}

fn is_the_same(part: &KeyPart, source: &ClientIdSource) -> bool {
    match (part, source) {
        (KeyPart::Header(name), ClientIdSource::Header(source)) => name == source,
        (KeyPart::Cookie(name), ClientIdSource::Cookie(source)) => name == source,
        _ => false,
    }
}

fn span(table: &DeTable, name: &str) -> Option<Range<usize>> {
    table.get(name).map(Spanned::span)
}
