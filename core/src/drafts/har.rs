//! HAR 1.2: requests that a browser or a proxy recorded.

use std::collections::HashMap;

use http::Method;
use serde_json::Value as Json;

use super::operation::{CONFLICTS, DescribedOperation, Refusal, is_key_header};
use super::{DraftError, MOST_DRAFTS, Service, path};

/// Reads a record. Requests of one method whose paths differ in ids alone are one operation.
pub(super) fn read(tree: &Json) -> Result<Service, DraftError> {
    let mut record = Record::default();
    let entries = tree.pointer("/log/entries").and_then(Json::as_array).into_iter().flatten();
    for (at, entry) in entries.enumerate() {
        record.entry(at + 1, entry);
    }
    Ok(record.service("a HAR"))
}

/// Operations that were seen.
#[derive(Default)]
pub(super) struct Record {
    operations: Vec<DescribedOperation>,
    known: HashMap<(Method, String), usize>,
    /// Paths that were read.
    read: std::collections::HashSet<String>,
    url: Option<String>,
}

impl Record {
    fn entry(&mut self, number: usize, entry: &Json) {
        let text = |pointer: &str| entry.pointer(pointer).and_then(Json::as_str);
        let (Some(method), Some(url)) = (text("/request/method"), text("/request/url")) else { return };
        let Some((origin, path)) = split(url) else { return };
        self.url.get_or_insert_with(|| origin.to_owned());
        let status = entry.pointer("/response/status").and_then(Json::as_u64);
        let seen = SeenRequest {
            method,
            path,
            status: status.and_then(|status| u16::try_from(status).ok()),
            words: text("/response/content/text").unwrap_or_default(),
            has_if_match: header(entry, "/request/headers", |name| name.eq_ignore_ascii_case("if-match"))
                .is_some(),
            key_header: header(entry, "/request/headers", is_key_header)
                .map(|(name, _)| name.to_ascii_lowercase()),
            retry_after: header(entry, "/response/headers", |name| name.eq_ignore_ascii_case("retry-after"))
                .and_then(|(_, value)| value.parse().ok()),
            origin: format!("entry {number}"),
        };
        self.see(seen);
    }

    /// Adds one request.
    pub fn see(&mut self, seen: SeenRequest<'_>) {
        let Ok(method) = Method::from_bytes(seen.method.as_bytes()) else { return };
        let Some(pattern) = path::of_request(seen.path) else { return };
        let is_success = seen.status.is_some_and(|status| (200..300).contains(&status));
        if method == Method::GET && is_success && self.read.len() < MOST_DRAFTS {
            self.read.insert(pattern.clone());
        }
        let conflict = seen.status.filter(|status| CONFLICTS.contains(status));
        let new = DescribedOperation::new(method.clone(), pattern.clone(), seen.origin.clone());
        if !new.is_write() && conflict.is_none() {
            return;
        }
        let operations = &mut self.operations;
        let at = *self.known.entry((method, pattern)).or_insert_with(|| {
            operations.push(new);
            operations.len() - 1
        });
        let Some(operation) = operations.get_mut(at) else { return };
        if seen.has_if_match {
            operation.version = Some("header:if-match".to_owned());
        }
        operation.key_header = operation.key_header.take().or(seen.key_header);
        if let Some(status) = conflict {
            operation.refusals.entry(status).or_insert_with(|| Refusal {
                words: seen.words.chars().take(1_000).collect(),
                is_description: false,
                origin: match operation.origin == seen.origin {
                    true => format!("its response {status}"),
                    false => format!("the response {status} in {}", seen.origin),
                },
                retry_after: seen.retry_after,
            });
        }
    }

    pub fn service(self, kind: &'static str) -> Service {
        let Record { mut operations, read, url, .. } = self;
        for operation in &mut operations {
            operation.is_readable = read.contains(&operation.path);
        }
        Service { kind, title: None, url, operations, left_out: 0 }
    }
}

/// One request that was seen.
pub(super) struct SeenRequest<'s> {
    pub method: &'s str,
    pub path: &'s str,
    pub status: Option<u16>,
    /// The response's own words.
    pub words: &'s str,
    pub has_if_match: bool,
    pub key_header: Option<String>,
    pub retry_after: Option<u64>,
    pub origin: String,
}

/// The origin of a URL and its path.
fn split(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let path = rest.get(end..).filter(|path| path.starts_with('/')).unwrap_or("/");
    let origin = url.get(..scheme.len() + 3 + end)?;
    (scheme == "http" || scheme == "https").then_some((origin, path))
}

fn header<'j>(entry: &'j Json, list: &str, is: impl Fn(&str) -> bool) -> Option<(&'j str, &'j str)> {
    let headers = entry.pointer(list).and_then(Json::as_array)?;
    headers.iter().find_map(|header| {
        let name = header.get("name").and_then(Json::as_str).filter(|name| is(name))?;
        Some((name, header.get("value").and_then(Json::as_str).unwrap_or_default()))
    })
}
