//! `clear`: when a conflict that was opened for a key and a client ends.

use http::header;

use super::state::scalar;
use crate::model::{Facts, KeyHash};
use crate::rules::{Clear, Rule, VersionAt};

impl Clear {
    /// Whether reading can clear the conflict.
    pub fn is_by_reading(self) -> bool {
        matches!(self, Clear::Refetch | Clear::NewVersion)
    }
}

impl Rule {
    /// The key of an open conflict, for a request whose key is `key`; `None` where that is needed and missing.
    /// A GET clears conflicts about the resource that it reads, so the path is the key. Under `read`,
    /// many resources may have one path: then the rule's own key decides, or the client
    /// alone where reads do not name the key. All other conflicts go by the rule's own key.
    pub fn opened_under(&self, facts: &Facts<'_>, key: Option<KeyHash>, client: KeyHash) -> Option<KeyHash> {
        let client = &client.0.to_le_bytes()[..];
        let is_by_reading = self.clear().is_some_and(Clear::is_by_reading);
        match &self.read {
            None if is_by_reading => Some(KeyHash::of([facts.path.as_bytes(), client])),
            Some(read) if is_by_reading && !read.names_key => Some(KeyHash::of([client])),
            _ => key.map(|key| KeyHash::of([&key.0.to_le_bytes()[..], client])),
        }
    }
}

/// The version that a request is based on, to be compared with that of the next
/// request: the field that the rule names, or else `If-Match`, and the version fields that well-known APIs have
/// in bodies and queries. `If-Match: *` says nothing.
pub fn validator(facts: &Facts<'_>, named: Option<&VersionAt>) -> Option<KeyHash> {
    if let Some(version) = named.and_then(|at| at.in_request(facts)) {
        return Some(KeyHash::of([version.as_bytes()]));
    }
    for name in [header::IF_MATCH, header::IF_UNMODIFIED_SINCE] {
        let mut lines = facts.headers.get_all(&name).iter().map(http::HeaderValue::as_bytes).peekable();
        if lines.peek().is_some() {
            return (facts.header(&name) != Some(b"*")).then(|| KeyHash::of(lines));
        }
    }
    let in_query =
        ["rev", "if_seq_no", "resourceVersion"].into_iter().find_map(|name| facts.queries(name).next());
    if let Some(version) = in_query {
        return Some(KeyHash::of([version.as_bytes()]));
    }
    let json = facts.body.json()?;
    ["/_rev", "/metadata/resourceVersion", "/sha", "/etag", "/version"]
        .into_iter()
        .find_map(|pointer| json.pointer(pointer).and_then(|found| scalar(&found)))
        .map(|version| KeyHash::of([version.as_bytes()]))
}
