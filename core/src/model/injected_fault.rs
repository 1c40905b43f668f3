//! Responses that are incomplete or had faults on their way, as the journal keeps it.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{Fingerprint, ShownVersions};

/// Faults of a response that a rule let pass. The client got the upstream's response, or a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InjectedFault {
    pub rule: SmolStr,
    /// Number of the request within its key, from 1.
    pub n: u64,
    /// The rule's key, hashed.
    pub key: Fingerprint,
    /// The wait before the head, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delay: u64,
    /// Whether the body was cut.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// The versions in the head of a cut response: they were not shown, as the client has not read the resource.
    #[serde(default, skip_serializing_if = "ShownVersions::is_nothing")]
    pub version: ShownVersions,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Why a response is incomplete, in a word. Few attempts have one, so that it takes a single pointer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ErrorWord(Box<Box<str>>);

impl ErrorWord {
    /// The client left before the end.
    pub const CLIENT: &'static str = "client";
    /// A rule cut the response.
    pub const CUT: &'static str = "cut";
}

impl From<&str> for ErrorWord {
    fn from(word: &str) -> ErrorWord {
        ErrorWord(Box::new(word.into()))
    }
}

impl std::ops::Deref for ErrorWord {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ErrorWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&**self, f)
    }
}
