//! What a service does with one method on one path.

use std::collections::BTreeMap;

use http::Method;

use crate::model::Kind;

/// Requests of one method and one path, and what is known of their responses.
#[derive(Clone, Debug)]
pub(super) struct DescribedOperation {
    pub method: Method,
    /// A path pattern.
    pub path: String,
    /// Its own name, if it has one.
    pub id: Option<String>,
    /// Where it comes from, for a comment: `operationId createOrder`, `entry 3`.
    pub origin: String,
    /// Refusals by status, with what is said of each.
    pub refusals: BTreeMap<u16, Refusal>,
    /// Where its requests carry a version, as `version` says it; `header:if-match` is the usual one.
    pub version: Option<String>,
    /// The header of its idempotency key.
    pub key_header: Option<String>,
    /// Whether its path can be read.
    pub is_readable: bool,
}

/// A response that refuses.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusal {
    /// In the words of the source, to tell kinds by.
    pub words: String,
    /// Whether the words are a description, and no response, which may hold secrets.
    pub is_description: bool,
    /// Where it comes from, for a comment.
    pub origin: String,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u64>,
}

/// Statuses that are conflicts.
pub(super) const CONFLICTS: [u16; 5] = [409, 412, 423, 428, 429];

impl DescribedOperation {
    pub fn new(method: Method, path: String, origin: String) -> DescribedOperation {
        DescribedOperation {
            method,
            path,
            id: None,
            origin,
            refusals: BTreeMap::new(),
            version: None,
            key_header: None,
            is_readable: false,
        }
    }

    pub fn is_write(&self) -> bool {
        matches!(self.method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE)
    }

    /// Whether a rule could be about it.
    pub fn is_of_interest(&self) -> bool {
        self.is_write() || !self.refusals.is_empty()
    }

    /// The kind of conflict that a refusal is.
    pub fn kind(&self, status: u16, refusal: &Refusal) -> Kind {
        let words = refusal.words.to_ascii_lowercase();
        let says = |any: &[&str]| any.iter().any(|word| words.contains(word));
        match status {
            412 | 428 if self.is_write() => Kind::Version,
            423 => Kind::Lock,
            429 => Kind::Blocked,
            _ if self.key_header.is_some() && says(&["idempoten"]) => Kind::Idempotency,
            _ if says(&[
                "already exist",
                "duplicate",
                "not unique",
                "already in use",
                "already been taken",
            ]) =>
            {
                Kind::Duplicate
            }
            _ if says(&["locked", "lock is held", "being locked"]) => Kind::Lock,
            _ if says(&["referenced", "in use", "depends on", "not empty", "has children", "still has"]) => {
                Kind::Referenced
            }
            _ if self.version.is_some() && self.is_write()
                || self.is_write()
                    && says(&["version", "etag", "modified", "stale", "does not match", "out of date"]) =>
            {
                Kind::Version
            }
            _ => Kind::Transient,
        }
    }
}

/// Names of query parameters and body fields in which APIs carry the version that a write is based on.
pub(super) const VERSION_NAMES: [&str; 14] = [
    "version",
    "rev",
    "_rev",
    "revision",
    "etag",
    "_etag",
    "resourceVersion",
    "resource_version",
    "lock_version",
    "lockVersion",
    "lockToken",
    "ifGenerationMatch",
    "if_seq_no",
    "ifMetagenerationMatch",
];

/// Headers of idempotency keys.
pub(super) fn is_key_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(&*name, "idempotency-key" | "x-idempotency-key" | "x-request-key" | "paypal-request-id")
}
