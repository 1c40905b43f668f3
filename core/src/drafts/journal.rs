//! A journal of fracas: what the upstream said to the requests that reached it.

use serde_json::Value as Json;

use super::har::{Record, SeenRequest};
use super::{DraftError, Service};

/// Whether a text is a journal: so its first line begins.
pub(super) fn is_journal(text: &str) -> bool {
    text.starts_with("{\"fracas\":")
}

/// Reads a journal; lines that are no requests are passed over, as is a last line that is cut.
pub(super) fn read(text: &str) -> Result<Service, DraftError> {
    let mut record = Record::default();
    for (at, line) in text.lines().enumerate() {
        let Ok(line) = serde_json::from_str::<Json>(line) else { continue };
        let text = |name: &str| line.get(name).and_then(Json::as_str);
        let (Some(method), Some(path)) = (text("method"), text("path")) else { continue };
        let upstream = line.pointer("/got/upstream").and_then(Json::as_u64);
        record.see(SeenRequest {
            method,
            path,
            status: upstream.and_then(|status| u16::try_from(status).ok()),
            words: "",
            has_if_match: line.pointer("/sent/version").is_some(),
            key_header: line.pointer("/sent/idempotency_key").map(|_| "idempotency-key".to_owned()),
            retry_after: None,
            origin: format!("line {}", at + 1),
        });
    }
    Ok(record.service("a journal"))
}
