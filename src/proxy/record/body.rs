//! A request's body as the journal keeps it: its length, and a hash that is the same for the same body of
//! another try. No more of it is held than `body_limit`, and nothing once it is over. Compressed bodies are decoded, to
//! no more than that: a version is seen in them, and the same text compressed anew is the same body.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use smol_str::SmolStr;

use super::plan::CapturePolicy;
use super::sent::text;
use super::versions::Fitting;
use crate::content_coding::{ContentCodings, UndecodableBody, decode};
use crate::engine::scalar;
use crate::model::{Json, RequestRecord, Version, VersionPlace};

/// Bytes of a body so far: in one piece, as a body that comes byte by byte would take as many times the
/// memory.
#[derive(Default)]
pub struct SentBody {
    bytes: BytesMut,
    is_too_long: bool,
    codings: Codings,
}

/// The codings of a body; one that is not decoded here is read by its bytes.
#[derive(Default)]
struct Codings(ContentCodings);

impl Codings {
    fn of(headers: &HeaderMap) -> Codings {
        Codings(ContentCodings::of(headers).unwrap_or_default())
    }

    /// The plain body; the bytes as they came where they are in no such coding.
    fn decode(&self, body: Bytes, limit: u64) -> Option<Bytes> {
        match decode(&self.0, &body, limit) {
            Ok(plain) => Some(plain),
            // Tries that differ in their compression alone would differ in their bytes.
            Err(UndecodableBody::TooLong | UndecodableBody::Bomb) => None,
            Err(_) => Some(body),
        }
    }
}

impl SentBody {
    /// The body of a request with this header.
    pub fn of(headers: &HeaderMap) -> SentBody {
        SentBody { codings: Codings::of(headers), ..SentBody::default() }
    }

    /// Some more of it has come.
    pub fn see(&mut self, data: &[u8], sent: &mut RequestRecord, limit: u64) {
        sent.bytes += data.len() as u64;
        if sent.bytes > limit {
            self.bytes = BytesMut::new();
            self.is_too_long = true;
        } else {
            self.bytes.extend_from_slice(data);
        }
    }

    /// All of it has come.
    pub fn finish(&mut self, sent: &mut RequestRecord, fitting: &mut Fitting, plan: &CapturePolicy) {
        let bytes = std::mem::take(&mut self.bytes).freeze();
        if self.is_too_long || bytes.is_empty() {
            return;
        }
        let Some(bytes) = self.codings.decode(bytes, plan.body_limit) else { return };
        if !is_structured(&bytes) {
            sent.body = Some(plan.key.hash(&bytes));
            return;
        }
        // The members left out of the hash may be anywhere in it: no hash is better than one that may differ where
        // the call is the same.
        if bytes.len() > Json::QUICK {
            return;
        }
        let Some(json) = Json::read(&bytes) else {
            sent.body = Some(plan.key.hash(&bytes));
            return;
        };
        if let Some(named) = plan.versions.in_body(fitting, &json, plan.key) {
            sent.version = Some(named);
        } else if sent.version.is_none() {
            sent.version = VERSIONS.iter().find_map(|(pointer, place)| {
                let found = text(scalar(&*json.pointer(pointer)?)?.as_bytes(), plan.key)?;
                Some(Version::new(VersionPlace::Field(SmolStr::new_static(place)), found))
            });
        }
        sent.body = plan.key.hash_json(&json, &plan.volatile).or_else(|| Some(plan.key.hash(&bytes)));
    }
}

/// Version fields that well-known APIs have in bodies: CouchDB, Kubernetes, GitHub.
const VERSIONS: [(&str, &str); 3] = [
    ("/_rev", "body:/_rev"),
    ("/metadata/resourceVersion", "body:/metadata/resourceVersion"),
    ("/sha", "body:/sha"),
];

/// Bytes of a response's body, where it may show a version.
#[derive(Default)]
pub struct GotBody {
    bytes: BytesMut,
    codings: Codings,
}

impl GotBody {
    /// The body of a response with this header.
    pub fn of(headers: &HeaderMap) -> GotBody {
        GotBody { codings: Codings::of(headers), ..GotBody::default() }
    }

    /// Some more of it goes to the client; whether there is use in looking further.
    pub fn see(&mut self, data: &[u8], limit: u64) -> bool {
        let is_short = (self.bytes.len() + data.len()) as u64 <= limit;
        if is_short {
            self.bytes.extend_from_slice(data);
        }
        is_short
    }

    /// All of it, if it is JSON in the coding that its header names: a client reads no other.
    pub fn json(&mut self, limit: u64) -> Option<Json> {
        let bytes = decode(&self.codings.0, &std::mem::take(&mut self.bytes).freeze(), limit).ok()?;
        if is_structured(&bytes) { Json::read_quickly(&bytes) } else { None }
    }
}

/// Whether the body may be an object or an array; other JSON is identified by its bytes.
fn is_structured(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::RuleSet;
    use crate::model::RunKey;
    use crate::rules::Settings;

    fn sent(pieces: &[&str]) -> RequestRecord {
        let pieces: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
        sent_in("", &pieces)
    }

    fn sent_in(coding: &str, pieces: &[&[u8]]) -> RequestRecord {
        let rules = RuleSet::new(Vec::new(), 1, true).expect("no rules");
        let settings = Settings { body_limit: 60, ..Settings::default() };
        let mut plan = CapturePolicy::new(&settings, &rules, RunKey::new([3; 16]));
        plan.volatile = ["/at", "/list/0", "/a~1b"].map(Box::from).into();
        let mut headers = HeaderMap::new();
        headers.insert("content-encoding", coding.parse().expect("a value"));
        let (mut body, mut sent) = (SentBody::of(&headers), RequestRecord::default());
        for piece in pieces {
            body.see(piece, &mut sent, plan.body_limit);
        }
        body.finish(&mut sent, &mut Fitting::default(), &plan);
        sent
    }

    #[test]
    fn the_same_body_has_the_same_hash() {
        for (one, other, is_same) in [
            (&[r#"{"a":1,"b":2}"#][..], &[r#"{"b": 2, "a": 1}"#][..], true),
            (&[r#"{"a":1,"b":2}"#], &[r#"{"a":1,"#, "", r#""b":2}"#], true),
            (&[r#"{"a":1}"#], &[r#"{"a":2}"#], false),
            (&[r#"{"a":1,"at":5}"#], &[r#"{"a":1,"at":6}"#], true),
            (&[r#"{"a":1,"at":5}"#], &[r#"{"a":1}"#], true),
            (&[r#"{"list":[5,1]}"#], &[r#"{"list":[6,1]}"#], true),
            (&[r#"{"list":[5,1]}"#], &[r#"{"list":[1]}"#], false),
            (&[r#"{"a/b":1}"#], &["{}"], true),
            (&["a=1&b=2"], &["a=1&", "b=2"], true),
            (&["a=1&b=2"], &["b=2&a=1"], false),
            (&["{not json"], &["{not  json"], false),
        ] {
            let (one_hash, other_hash) = (sent(one).body, sent(other).body);
            assert!(one_hash.is_some() && other_hash.is_some());
            assert_eq!(one_hash == other_hash, is_same, "{one:?} {other:?}");
        }
    }

    #[test]
    fn no_body_and_a_long_one_have_no_hash() {
        assert_eq!(sent(&[]), RequestRecord::default());
        assert_eq!(sent(&[""]), RequestRecord::default());
        let long = "x".repeat(30);
        assert_eq!(sent(&[&long, &long, &long]), RequestRecord { bytes: 90, ..RequestRecord::default() });
    }

    #[test]
    fn versions_are_found_where_well_known_apis_have_them() {
        for (body, version) in [
            (r#"{"_rev":"1-a"}"#, Some("1-a")),
            (r#"{"metadata":{"resourceVersion":"7"}}"#, Some("7")),
            (r#"{"sha":"0f"}"#, Some("0f")),
            (r#"{"version":7}"#, None),
        ] {
            assert_eq!(sent(&[body]).version.as_deref(), version, "{body}");
        }
    }

    fn gzip(text: &str, level: u32) -> Vec<u8> {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(level));
        encoder.write_all(text.as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn a_compressed_body_is_read_as_its_text() {
        let text = r#"{"_rev":"1-a","b":2}"#;
        let plain = sent(&[text]);
        for level in [0, 9] {
            let packed = gzip(text, level);
            let (first, last) = packed.split_at(7);
            let packed_sent = sent_in("gzip", &[first, last]);
            assert_eq!(packed_sent.version.as_deref(), Some("1-a"));
            assert_eq!((packed_sent.body, packed_sent.bytes), (plain.body, packed.len() as u64));
            assert_eq!(sent_in("identity, x-gzip", &[&packed]).body, plain.body);
            // Of a coding that is not known, the bytes are the body.
            let unknown = sent_in("compress", &[&packed]);
            assert!(unknown.body.is_some() && unknown.body != plain.body && unknown.version.is_none());
        }
        let broken = sent_in("gzip", &[text.as_bytes()]);
        assert_eq!(broken.body, plain.body, "no gzip at all: it is read as it came");
        let long = gzip(&format!(r#"{{"_rev":"1-a","b":"{}"}}"#, "x".repeat(500)), 9);
        let long = sent_in("gzip", &[&long]);
        assert_eq!((long.version, long.body), (None, None), "decoded it is longer than the limit");
    }

    #[test]
    fn a_compressed_response_is_read_as_its_text() {
        let mut headers = HeaderMap::new();
        headers.insert("content-encoding", "gzip".parse().expect("a value"));
        let mut body = GotBody::of(&headers);
        assert!(body.see(&gzip(r#"{"rev":7}"#, 9), 100));
        let json = body.json(100).expect("JSON");
        assert!(json.pointer("/rev").is_some());
        let mut body = GotBody::of(&headers);
        assert!(body.see(&gzip(r#"{"rev":7}"#, 9), 100));
        assert!(body.json(5).is_none(), "decoded it is longer than the limit");
    }
}
