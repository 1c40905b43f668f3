//! `clear`: when a conflict that was opened for a key and a client ends.

use http::header;

use super::state::scalar;
use crate::rules::Clear;
use crate::words::{Facts, KeyHash};

impl Clear {
    /// What an open conflict is kept under. What a read clears is about the resource that is read,
    /// so its path is the key; everything else goes by the rule's own key.
    pub fn key(self, facts: &Facts<'_>, key: KeyHash, client: KeyHash) -> KeyHash {
        self.by_reading(facts, client)
            .unwrap_or_else(|| KeyHash::of([&key.0.to_le_bytes()[..], &client.0.to_le_bytes()[..]]))
    }

    /// As [`Clear::key`], if reading can clear the conflict.
    pub fn by_reading(self, facts: &Facts<'_>, client: KeyHash) -> Option<KeyHash> {
        let is_by_reading = matches!(self, Clear::Refetch | Clear::NewVersion);
        is_by_reading.then(|| KeyHash::of([facts.path.as_bytes(), &client.0.to_le_bytes()[..]]))
    }
}

/// What a request says about the version it is based on, to be compared with what it says next
/// time: `If-Match`, and the version fields that well-known APIs have in bodies and queries.
/// `If-Match: *` says nothing.
pub fn validator(facts: &Facts<'_>) -> Option<KeyHash> {
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
        .find_map(|pointer| json.pointer(pointer).and_then(scalar))
        .map(|version| KeyHash::of([version.as_bytes()]))
}
