//! The journal's facts from a request's head: versions, idempotency keys, and the marks by which clients
//! themselves tell tries of one call from other calls.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;

use http::request::Parts;
use http::{HeaderValue, header};
use smol_str::SmolStr;

use super::agent::LatestAgent;
use super::plan::CapturePolicy;
use crate::model::{Attempt, Facts, RunKey, ShortFingerprint, Version, VersionPlace};

/// Notes the facts of the head, the body apart, and the client's class.
pub fn of_head(head: &Parts, plan: &CapturePolicy, latest: &mut LatestAgent, attempt: &mut Attempt) {
    let Attempt { sent, agent, .. } = attempt;
    let mut since = None;
    let mut credentials: Option<Vec<&[u8]>> = None;
    for (name, value) in &head.headers {
        // One look at each header: most requests have none of these.
        match name.as_str() {
            "user-agent" => *agent = latest.class(value),
            "authorization" | "cookie" => {
                credentials.get_or_insert_default().push(value.as_bytes());
            }
            "if-match" => {
                keep(&mut sent.version, || {
                    Some(Version::new(VersionPlace::Tag, text(value.as_bytes(), plan.key)?))
                });
            }
            "if-unmodified-since" => since = Some(value),
            // The draft of the IETF's httpapi group; OASIS Repeatable Requests 1.0 §4.1.
            "idempotency-key" | "x-idempotency-key" | "repeatability-request-id" => {
                keep(&mut sent.idempotency_key, || Some(plan.key.hash(value.as_bytes())));
            }
            // The AWS SDKs, and azure-core, which sets it before its retry policy.
            "amz-sdk-invocation-id" | "x-ms-client-request-id" => {
                keep(&mut sent.operation, || Some(plan.key.hash(value.as_bytes())));
            }
            "traceparent" => keep(&mut sent.trace, || Some(plan.key.hash(trace(value)?).into())),
            "amz-sdk-request" => keep(&mut sent.try_number, || number(after(value, "attempt=")?)),
            "x-goog-api-client" => {
                keep(&mut sent.operation, || {
                    Some(plan.key.hash(word(after(value, "gccl-invocation-id/")?).as_bytes()))
                });
                keep(&mut sent.try_number, || number(after(value, "gccl-attempt-count/")?));
            }
            // Both count the tries before this one.
            "x-stainless-retry-count" | "grpc-previous-rpc-attempts" => {
                keep(&mut sent.try_number, || NonZeroU32::MIN.checked_add(number(value.to_str().ok()?)?));
            }
            _ => {}
        }
    }
    if !plan.idempotency_headers.is_empty() {
        let named = plan.idempotency_headers.iter().find_map(|name| head.headers.get(name));
        keep(&mut sent.idempotency_key, || Some(plan.key.hash(named?.as_bytes())));
    }
    sent.credential = credentials.map(|credentials| plan.key.hash_pieces(credentials));
    keep(&mut sent.version, || Some(Version::new(VersionPlace::Date, text(since?.as_bytes(), plan.key)?)));
    if sent.version.is_none() && head.uri.query().is_some() {
        sent.version = in_query(head, plan.key);
    }
}

/// The request's origin, regardless of its credential.
pub fn peer(head: &Parts, address: IpAddr, key: RunKey) -> ShortFingerprint {
    let agent = head.headers.get(header::USER_AGENT).map_or(&[][..], HeaderValue::as_bytes);
    key.hash_pieces([address.to_string().as_bytes(), b" ", agent]).into()
}

/// The trace's id: the second field, not all zeros (W3C Trace Context §3.2.2.3).
fn trace(value: &HeaderValue) -> Option<&[u8]> {
    let id = value.as_bytes().split(|byte| *byte == b'-').nth(1)?;
    let is_id = id.len() == 32 && id.iter().all(u8::is_ascii_hexdigit) && id.iter().any(|byte| *byte != b'0');
    is_id.then_some(id)
}

/// Version fields that well-known APIs have in queries: CouchDB, Elasticsearch, Kubernetes.
fn in_query(head: &Parts, key: RunKey) -> Option<Version> {
    const KNOWN: [(&str, &str); 3] = [
        ("rev", "query:rev"),
        ("if_seq_no", "query:if_seq_no"),
        ("resourceVersion", "query:resourceVersion"),
    ];
    let address = std::net::IpAddr::from([0, 0, 0, 0]);
    let facts = Facts::new(head, address);
    let (place, found) =
        KNOWN.iter().find_map(|(name, place)| Some((*place, facts.queries(name).next()?)))?;
    Some(Version::new(VersionPlace::Field(SmolStr::new_static(place)), text(found.as_bytes(), key)?))
}

/// A version as it is, or as a hash where it does not look like one: it may be anything that a client put in
/// its place, a secret too. `None` for an empty one.
pub fn text(value: &[u8], key: RunKey) -> Option<SmolStr> {
    let value = value.trim_ascii();
    match std::str::from_utf8(value) {
        _ if value.is_empty() => None,
        Ok(text) if looks_like_a_version(text) => Some(text.into()),
        _ => Some(format!("#{}", key.hash(value)).into()),
    }
}

/// Whether it is a token (RFC 9110 §5.6.2), or in the letters of base64 or of a time, as entity tags and numbers
/// of revisions are; or an HTTP-date.
fn looks_like_a_version(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~/=:".contains(&byte);
    let tag = text.strip_prefix("W/").unwrap_or(text);
    let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
    inner.len() <= Attempt::VERSION_BYTES && inner.bytes().all(is_letter)
        || httpdate::parse_http_date(text).is_ok()
}

fn keep<T>(place: &mut Option<T>, found: impl FnOnce() -> Option<T>) {
    if place.is_none() {
        *place = found();
    }
}

fn after<'v>(value: &'v HeaderValue, start: &str) -> Option<&'v str> {
    let (value, start) = (value.as_bytes(), start.as_bytes());
    let rest = value.get(memchr::memmem::find(value, start)? + start.len()..)?;
    rest.utf8_chunks().next().map(|chunk| chunk.valid())
}

/// Up to the first space.
fn word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

/// The digits that `text` begins with.
fn number<N: FromStr>(text: &str) -> Option<N> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::RuleSet;
    use crate::model::RequestRecord;
    use crate::rules::{BodyFileError, Settings, read};

    const KEY: RunKey = RunKey::new([3; 16]);

    fn plan(rules: &str) -> CapturePolicy {
        let accepted = read("rules.toml", rules, &|_| Err(BodyFileError::Missing)).expect("valid rules");
        let rules = RuleSet::new(accepted.config.rules, 1, true).expect("replies");
        CapturePolicy::new(&Settings::default(), &rules, KEY)
    }

    fn sent(plan: &CapturePolicy, uri: &str, headers: &[(&str, &str)]) -> (RequestRecord, Option<SmolStr>) {
        let mut request = http::Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut attempt = Attempt::default();
        let head = request.body(()).expect("a request").into_parts().0;
        of_head(&head, plan, &mut LatestAgent::default(), &mut attempt);
        (attempt.sent, attempt.agent)
    }

    #[test]
    fn what_does_not_look_like_a_version_is_kept_as_a_hash() {
        let hash = format!("\"{}\"", "0123456789abcdef".repeat(4));
        let kept =
            ["3", "\"3\"", "W/\"3\"", "2-7051cbe5c8faecd085a3fa619e6e6337", "*", "AAAAAAAAB9E=", &hash];
        let date = "Sat, 29 Oct 1994 19:43:31 GMT";
        for text in kept.iter().copied().chain([date, "\"2026-11-28T10:00:00.5Z\"", "\"a/b+c==\""]) {
            assert_eq!(super::text(text.as_bytes(), KEY).as_deref(), Some(text));
        }
        let long = "x".repeat(65);
        let quoted = format!("W/\"{long}\"");
        let others: [&[u8]; 8] = [
            b"\"a b\"",
            b"{\"password\":1}",
            b"a@b.test",
            b"<b>",
            b"\"caf\xe9\"",
            "\"caf\u{e9}\"".as_bytes(),
            long.as_bytes(),
            quoted.as_bytes(),
        ];
        for bytes in others {
            let text = super::text(bytes, KEY).expect("a hash");
            assert!(text.starts_with('#') && text.len() == 17, "{text}");
            assert_eq!(super::text(bytes, KEY), Some(text), "the same version is the same hash");
        }
        assert_eq!(super::text(b" ", KEY), None);
    }

    #[test]
    fn clients_say_which_call_and_which_try_it_is() {
        let plan = plan("");
        let hash = |text: &str| Some(KEY.hash(text.as_bytes()));
        for (headers, operation, try_number) in [
            (
                &[("amz-sdk-invocation-id", "6f-1"), ("amz-sdk-request", "attempt=2; max=3")][..],
                hash("6f-1"),
                Some(2),
            ),
            (
                &[("x-goog-api-client", "gl-python/3.12 gccl-invocation-id/6f-1 gccl-attempt-count/3")],
                hash("6f-1"),
                Some(3),
            ),
            (&[("x-stainless-retry-count", "0")], None, Some(1)),
            (&[("grpc-previous-rpc-attempts", "2")], None, Some(3)),
            (&[("x-ms-client-request-id", "6f-1")], hash("6f-1"), None),
            (&[("amz-sdk-request", "attempt=many")], None, None),
            (&[("x-stainless-retry-count", "4294967295")], None, None),
        ] {
            let (sent, _) = sent(&plan, "/", headers);
            let try_number = try_number.and_then(NonZeroU32::new);
            assert_eq!((sent.operation, sent.try_number), (operation, try_number), "{headers:?}");
        }
        let trace = |parent: &str| sent(&plan, "/", &[("traceparent", parent)]).0.trace;
        let (id, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        assert_eq!(trace(&format!("00-{id}-{span}-01")), hash(id).map(Into::into));
        assert_eq!(trace(&format!("00-{id}-{span}-01")), trace(&format!("00-{id}-b7ad6b7169203331-00")));
        for not_one in ["", "00", "00-0-0-00", &format!("00-{}-{span}-01", "0".repeat(32))] {
            assert_eq!(trace(not_one), None, "{not_one}");
        }
        let (keyed, _) = sent(&plan, "/", &[("idempotency-key", "k-1")]);
        assert_eq!((keyed.idempotency_key, keyed.credential), (hash("k-1"), None));
        let session = |session: &str| sent(&plan, "/", &[("cookie", session)]).0.credential.expect("a hash");
        assert!(session("s=1") == session("s=1") && session("s=1") != session("s=2"));
    }

    #[test]
    fn the_version_is_where_the_world_has_it() {
        let plain = plan("");
        let long = "x".repeat(200);
        for (plan, uri, headers, version) in [
            (&plain, "/", &[("if-match", "\"3\"")][..], Some("\"3\"")),
            (&plain, "/", &[("if-match", "*")], Some("*")),
            (&plain, "/?rev=1-a%62", &[], Some("1-ab")),
            (&plain, "/?rev=1", &[("if-match", "\"3\"")], Some("\"3\"")),
            (&plain, "/?if_seq_no=5", &[], Some("5")),
            (&plain, "/", &[("x-rev", "3")], None),
            (
                &plain,
                "/",
                &[("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT")],
                Some("Sun, 06 Nov 1994 08:49:37 GMT"),
            ),
        ] {
            assert_eq!(sent(plan, uri, headers).0.version.as_deref(), version, "{uri} {headers:?}");
        }
        let hashed = sent(&plain, "/", &[("if-match", &long)]).0.version.expect("a hash");
        assert!(hashed.len() == 17 && hashed.starts_with('#'), "{}", &*hashed);
    }
}
