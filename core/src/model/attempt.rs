//! One attempt, as the journal keeps it: what the grading needs to know of a request and its answer.
//! Never a body, never a credential: what could be one is a hash with the run's own key.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{GrpcStatus, Kind, MediaType, Phase, Shown, Version};

/// One request from a client, and what became of it. Times are microseconds on the proxy's own
/// monotonic clock. Serialised, it is a line of the journal file; what is absent takes no room there.
/// Its texts are mostly short, and then lie in it: it is made on one thread and forgotten on another, which
/// would cost more than all else about it if they were allocated one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attempt {
    /// Unique in its journal, in the order in which attempts ended.
    pub id: u64,
    /// When the request's head had come.
    pub start: u64,
    /// When the last byte of the answer had gone, or there was none to come.
    pub end: u64,
    /// Which connection of this run. Only a hint: a retry often opens another.
    pub connection: u64,
    /// In which version of HTTP the client asked, and was answered.
    #[serde(skip_serializing_if = "Protocol::is_usual")]
    pub protocol: Protocol,
    /// Who asked, by `client_id`: a hash with the run's key.
    pub client: Fingerprint,
    /// The address and the `User-Agent` that it asked from, hashed together: where `client` goes by a
    /// credential, this stays the same when a new session begins. Absent for requests without a credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<Hint>,
    /// The product that `User-Agent` names, such as `python-httpx/0.28.1` or `Firefox/121.0`: a client's class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<SmolStr>,
    pub method: SmolStr,
    /// The path as rules see it, without the query; one longer than [`Attempt::PATH_BYTES`] is cut, and
    /// ends with `#` and its hash.
    pub path: SmolStr,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Fingerprint>,
    pub sent: Sent,
    pub got: Got,
    /// What a rule did about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict: Option<Conflict>,
}

/// A version of HTTP, as a client speaks it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protocol {
    #[serde(rename = "HTTP/1.0")]
    Http10,
    /// So usual that a line does not say it.
    #[default]
    #[serde(rename = "HTTP/1.1")]
    Http11,
    #[serde(rename = "HTTP/2")]
    Http2,
}

/// What the request carried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sent {
    /// The version the client says its write is based on: `If-Match`, or a field such as CouchDB's `_rev`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The idempotency key, hashed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<Fingerprint>,
    /// A marker that stays the same over all tries of one logical call (`amz-sdk-invocation-id` …), hashed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<Fingerprint>,
    /// The trace that it is a part of (`traceparent`, W3C Trace Context §3.2.2.3), hashed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<Hint>,
    /// Which try of its call the client says this is, from 1 (`amz-sdk-request: attempt=2` …).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub try_number: Option<NonZeroU32>,
    /// What `Authorization` and `Cookie` said, hashed together: whether a try came with a new session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<Fingerprint>,
    /// The body: canonical JSON without the journal's `volatile` fields, or the bytes as they are.
    /// Absent for no body, and for one longer than `body_limit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Fingerprint>,
    /// Bytes of the body.
    pub bytes: u64,
}

/// What the client was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Got {
    /// What the client saw; absent when it got no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What a gRPC service said beside it, in trailers or in the head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc: Option<GrpcStatus>,
    /// What the upstream said; absent when it never saw the request, or never answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<u16>,
    /// Why there is no whole answer: the word of `Fracas: error=…`, or `client` when it left early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Box<str>>,
    /// The versions that the answer showed: `ETag`, and fields that rules name.
    #[serde(rename = "version", skip_serializing_if = "Shown::is_nothing")]
    pub shown: Shown,
    /// `Retry-After`, as a wait counted from the end of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<RetryAfter>,
    /// The media type of the answer that the client got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// Bytes of the body.
    pub bytes: u64,
}

/// A conflict that a rule injected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    pub rule: SmolStr,
    pub kind: Kind,
    pub phase: Phase,
    /// Which of its key's requests this was, from 1.
    pub n: u64,
    /// The rule's key, hashed.
    pub key: Fingerprint,
}

/// How long a client was asked to wait, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    Seconds(u64),
    /// An HTTP-date, which is only good to a second.
    Date(u64),
}

/// A hash with the run's own key, so that it says nothing outside of its journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

/// Half of such a hash: what is the same has the same one, and two that differ share one once in four
/// thousand million. Never 0, so that an absent one takes no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hint(NonZeroU32);

impl Attempt {
    /// Longer paths are cut: what is kept of an attempt is bounded.
    pub const PATH_BYTES: usize = 512;
    /// Longer versions are kept as a hash: what is kept of an attempt is bounded, and no version that a server
    /// makes is longer than a SHA-256 in hexadecimal.
    pub const VERSION_BYTES: usize = 64 + "W/\"\"".len();

    /// Whether the request may change something: neither of a safe method (RFC 9110 §9.2.1 and the IANA
    /// registry), nor one that a rule's `read` calls a reading, whatever its method.
    pub fn is_write(&self) -> bool {
        let is_safe = matches!(
            &*self.method,
            "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PROPFIND" | "QUERY" | "REPORT" | "SEARCH"
        );
        !is_safe && self.got.shown.readings().is_empty()
    }

    /// The status of a refusal that is the upstream's own, and no rule's: as a gRPC service means it.
    pub fn upstream_refusal(&self) -> Option<u16> {
        let status = self.got.outcome().filter(|status| *status >= 400)?;
        (self.conflict.is_none() && self.got.upstream == self.got.status).then_some(status)
    }

    /// Whether the upstream itself said that there is a conflict (RFC 9110 §15.5.10 and §15.5.13, RFC 4918 §11.3,
    /// RFC 6585 §3; Azure's 449).
    pub fn is_upstream_conflict(&self) -> bool {
        matches!(self.upstream_refusal(), Some(409 | 412 | 423 | 428 | 449))
    }

    /// Whether a rule refused it with a 2xx, as bulk endpoints and GraphQL do: the answer as a whole is
    /// fine, and its body says which parts are not.
    pub fn is_refused_in_part(&self) -> bool {
        self.conflict.is_some() && matches!(self.got.outcome(), Some(200..=299))
    }

    /// Whether the upstream accepted the request, whatever the client was told.
    pub fn is_applied(&self) -> bool {
        // What a rule said in the upstream's place is no refusal of the upstream's.
        let is_refused = self.conflict.is_none() && self.got.grpc.is_some_and(|status| !status.is_ok());
        !is_refused && self.got.upstream.is_some_and(|status| (200..300).contains(&status))
    }
}

impl Got {
    /// The status that says what the client was told: where a gRPC service refuses, what HTTP would have
    /// said instead of its 200.
    pub fn outcome(&self) -> Option<u16> {
        match self.grpc {
            Some(grpc) if !grpc.is_ok() && matches!(self.status, Some(200..=299)) => Some(grpc.http()),
            _ => self.status,
        }
    }
}

impl Protocol {
    fn is_usual(&self) -> bool {
        *self == Protocol::default()
    }
}

impl RetryAfter {
    /// The wait, in milliseconds.
    pub fn millis(self) -> u64 {
        let (RetryAfter::Seconds(millis) | RetryAfter::Date(millis)) = self;
        millis
    }
}

impl Hint {
    pub fn number(self) -> u32 {
        self.0.get()
    }
}

impl From<Fingerprint> for Hint {
    fn from(fingerprint: Fingerprint) -> Hint {
        Hint(NonZeroU32::new(fingerprint.0 as u32).unwrap_or(NonZeroU32::MIN))
    }
}

impl Serialize for Hint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:08x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Hint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Hint, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let number = u32::from_str_radix(&text, 16).map_err(serde::de::Error::custom)?;
        NonZeroU32::new(number).map(Hint).ok_or_else(|| serde::de::Error::custom("a hint is not 0"))
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Fingerprint, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map(Fingerprint).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_attempt_takes_384_bytes_as_the_allocator_counts() {
        // A journal keeps 100,000 of them. The next larger size that mimalloc has is 448.
        let counts = 2 * size_of::<usize>();
        assert!(size_of::<Attempt>() + counts <= 384, "{}", size_of::<Attempt>());
    }

    #[test]
    fn a_line_of_the_journal_reads_back_as_it_was_and_what_is_absent_takes_no_room() {
        let attempt = Attempt {
            id: 7,
            start: 1,
            end: 2_000,
            protocol: Protocol::Http2,
            client: Fingerprint(u64::MAX),
            peer: Some(Fingerprint(7).into()),
            method: "PUT".into(),
            path: "/items/7".into(),
            got: Got { status: Some(409), retry_after: Some(RetryAfter::Seconds(2_000)), ..Got::default() },
            conflict: Some(Conflict {
                rule: "somebody-else-won".into(),
                kind: Kind::Version,
                phase: Phase::Before,
                n: 1,
                key: Fingerprint(9),
            }),
            ..Attempt::default()
        };
        let line = serde_json::to_string(&attempt).expect("an attempt can be written");
        assert!(
            !line.contains("null")
                && line.contains(r#""protocol":"HTTP/2""#)
                && line.contains(r#""client":"ffffffffffffffff""#),
            "{line}"
        );
        assert_eq!(serde_json::from_str::<Attempt>(&line).expect("a line"), attempt);
        assert!(
            !serde_json::to_string(&Attempt::default()).expect("a line").contains("HTTP"),
            "no room for 1.1"
        );
    }
}
