//! One attempt, as the journal keeps it: the facts about a request and its response that grading needs.
//! Never a body, never a credential: values that could be credentials are hashed with the run's key.

use std::num::{NonZeroU8, NonZeroU32};

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{ErrorWord, GrpcStatus, InjectedFault, Kind, MediaType, Phase, ShownVersions, Version};

/// One request from a client, and its outcome. Times are microseconds on the proxy's own
/// monotonic clock. Serialised, it is a line of the journal file, without absent fields.
/// Short texts are stored inline: an attempt is made on one thread and dropped on another, so an allocation
/// for each text would cost more than everything else about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attempt {
    /// Unique in its journal, in the order in which attempts ended.
    pub id: u64,
    /// Time at which the request's head was complete.
    pub start: u64,
    /// Time at which the last byte of the response was sent, or at which it was certain that none would be.
    pub end: u64,
    /// The connection within this run. Only a hint: a retry often opens another.
    pub connection: u64,
    /// The HTTP version of the request and its response.
    #[serde(skip_serializing_if = "HttpVersion::is_usual")]
    pub protocol: HttpVersion,
    /// The client id: a hash with the run's key.
    pub client: Fingerprint,
    /// The client's address and `User-Agent`, hashed together: where `client` depends on a
    /// credential, this hash outlives a session. Absent for requests without a credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<ShortFingerprint>,
    /// The product that `User-Agent` names, such as `python-httpx/0.28.1` or `Firefox/121.0`: a client's class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<SmolStr>,
    pub method: SmolStr,
    /// The path as rules see it, without the query; one longer than [`Attempt::PATH_BYTES`] is cut, and
    /// ends with `#` and its hash.
    pub path: SmolStr,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Fingerprint>,
    pub sent: RequestRecord,
    pub got: ResponseRecord,
    /// The conflict that a rule injected, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict: Option<InjectedConflict>,
    /// The faults that a rule gave the response on its way, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Box<InjectedFault>>,
}

/// A version of HTTP, as a client speaks it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HttpVersion {
    #[serde(rename = "HTTP/1.0")]
    Http10,
    /// The default, which a line leaves out.
    #[default]
    #[serde(rename = "HTTP/1.1")]
    Http11,
    #[serde(rename = "HTTP/2")]
    Http2,
}

/// The facts of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestRecord {
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
    pub trace: Option<ShortFingerprint>,
    /// Number of the try within its call, from 1, as the client states it (`amz-sdk-request: attempt=2` …).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub try_number: Option<NonZeroU32>,
    /// `Authorization` and `Cookie`, hashed together: shows whether a try came with a new session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<Fingerprint>,
    /// The body: canonical JSON without the journal's `volatile` fields, or the bytes as they are.
    /// Absent for no body, and for one longer than `body_limit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Fingerprint>,
    /// Bytes of the body.
    pub bytes: u64,
}

/// The facts of the response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseRecord {
    /// Status that the client got; absent when it got no response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// gRPC status beside it, from the trailers or the head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc: Option<GrpcStatus>,
    /// The upstream's status; absent when it never saw the request, or never responded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<u16>,
    /// Which of the rule's `replies` it is, from 1; absent where the rule has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<NonZeroU8>,
    /// Reason why the response is incomplete: the word of `Fracas: error=…`, or `client` when it left early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorWord>,
    /// The versions in the response: `ETag`, and fields that rules name.
    #[serde(rename = "version", skip_serializing_if = "ShownVersions::is_nothing")]
    pub shown: ShownVersions,
    /// `Retry-After`, as a wait counted from the end of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<AskedWait>,
    /// The media type of the response that the client got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// Bytes of the body.
    pub bytes: u64,
    /// Whether the body held the upstream's own origin: a client that goes there leaves the proxy.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub names_upstream: bool,
}

/// A conflict that a rule injected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InjectedConflict {
    pub rule: SmolStr,
    pub kind: Kind,
    pub phase: Phase,
    /// Number of the request within its key, from 1.
    pub n: u64,
    /// The rule's key, hashed.
    pub key: Fingerprint,
}

/// The wait that a response asked for, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedWait {
    Seconds(u64),
    /// An HTTP-date, which is only good to a second.
    Date(u64),
}

/// A hash with the run's own key, so that it says nothing outside of its journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

/// Half of such a hash: equal values have equal hashes, and two different values share one with a chance
/// of 2⁻³². Never 0, so that an absent one takes no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShortFingerprint(NonZeroU32);

impl Attempt {
    /// Maximum length of a path in bytes; longer paths are cut.
    pub const PATH_BYTES: usize = 512;
    /// Maximum length of a version in bytes, a SHA-256 in hexadecimal: servers make no longer ones. Longer
    /// versions are kept as a hash.
    pub const VERSION_BYTES: usize = 64;

    /// Whether the request may change something: neither of a safe method (RFC 9110 §9.2.1 and the IANA
    /// registry), nor one that a rule's `read` calls a reading, for any method.
    pub fn is_write(&self) -> bool {
        let is_safe = matches!(
            &*self.method,
            "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PROPFIND" | "QUERY" | "REPORT" | "SEARCH"
        );
        !is_safe && self.got.shown.readings().is_empty()
    }

    /// The response breaks off, for this reason: of one that a rule cuts, the client has not read what its head shows.
    pub fn cut_if(&mut self, word: &str) {
        if let Some(fault) = &mut self.fault
            && word == ErrorWord::CUT
        {
            fault.cut = true;
            fault.version = self.got.shown.take_versions();
        }
    }

    /// Whether a rule cut the response.
    pub fn is_cut(&self) -> bool {
        self.fault.as_ref().is_some_and(|fault| fault.cut)
    }

    /// The status of a refusal that is the upstream's own, not a rule's; a gRPC status as HTTP's equivalent.
    pub fn upstream_refusal(&self) -> Option<u16> {
        let status = self.got.outcome().filter(|status| *status >= 400)?;
        (self.conflict.is_none() && self.got.upstream == self.got.status).then_some(status)
    }

    /// Whether the upstream itself reported a conflict (RFC 9110 §15.5.10 and §15.5.13, RFC 4918 §11.3,
    /// RFC 6585 §3; Azure's 449).
    pub fn is_upstream_conflict(&self) -> bool {
        matches!(self.upstream_refusal(), Some(409 | 412 | 423 | 428 | 449))
    }

    /// Whether the upstream gave no response at all. A client that left early, or a rule, is no failure of it.
    pub fn is_unanswered(&self) -> bool {
        let is_failed = self.got.error.as_deref().is_some_and(|error| error != "client");
        is_failed && self.got.upstream.is_none() && self.conflict.is_none()
    }

    /// Whether a rule refused it with a status below 400, as bulk endpoints and GraphQL do: the status alone is that
    /// of a success, and the body says which parts failed.
    pub fn is_refused_in_part(&self) -> bool {
        self.conflict.is_some() && matches!(self.got.outcome(), Some(200..=399))
    }

    /// Whether the upstream accepted the request, independently of the client's response.
    pub fn is_applied(&self) -> bool {
        // A response that a rule made in the upstream's place is no refusal of the upstream's.
        let is_refused = self.conflict.is_none() && self.got.grpc.is_some_and(|status| !status.is_ok());
        !is_refused && self.got.upstream.is_some_and(|status| (200..300).contains(&status))
    }
}

impl ResponseRecord {
    /// The effective status of the client's response: where a gRPC service refuses, the HTTP status
    /// equivalent to its refusal instead of 200.
    pub fn outcome(&self) -> Option<u16> {
        match self.grpc {
            Some(grpc) if !grpc.is_ok() && matches!(self.status, Some(200..=299)) => Some(grpc.http()),
            _ => self.status,
        }
    }
}

impl HttpVersion {
    fn is_usual(&self) -> bool {
        *self == HttpVersion::default()
    }
}

impl ResponseRecord {
    /// The wait that it asks for, in microseconds; 0 where it asks for none.
    pub fn asked_micros(&self) -> u64 {
        self.retry_after.map_or(0, AskedWait::millis).saturating_mul(1_000)
    }
}

impl AskedWait {
    /// The wait, in milliseconds.
    pub fn millis(self) -> u64 {
        let (AskedWait::Seconds(millis) | AskedWait::Date(millis)) = self;
        millis
    }
}

impl ShortFingerprint {
    pub fn number(self) -> u32 {
        self.0.get()
    }
}

impl From<Fingerprint> for ShortFingerprint {
    fn from(fingerprint: Fingerprint) -> ShortFingerprint {
        ShortFingerprint(NonZeroU32::new(fingerprint.0 as u32).unwrap_or(NonZeroU32::MIN))
    }
}

impl Serialize for ShortFingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:08x}", self.0))
    }
}

impl<'de> Deserialize<'de> for ShortFingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<ShortFingerprint, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let number = u32::from_str_radix(&text, 16).map_err(serde::de::Error::custom)?;
        NonZeroU32::new(number)
            .map(ShortFingerprint)
            .ok_or_else(|| serde::de::Error::custom("a hint is not 0"))
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
            protocol: HttpVersion::Http2,
            client: Fingerprint(u64::MAX),
            peer: Some(Fingerprint(7).into()),
            method: "PUT".into(),
            path: "/items/7".into(),
            got: ResponseRecord {
                status: Some(409),
                retry_after: Some(AskedWait::Seconds(2_000)),
                ..ResponseRecord::default()
            },
            conflict: Some(InjectedConflict {
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
