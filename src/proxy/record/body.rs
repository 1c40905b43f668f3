//! A request's body as the journal keeps it: its length, and a hash that is the same for the same body of
//! another try. No more of it is held than `body_limit`, and nothing once it is over.

use bytes::BytesMut;
use smol_str::SmolStr;

use super::plan::CapturePolicy;
use super::sent::text;
use super::versions::Fitting;
use crate::engine::scalar;
use crate::model::{Json, RequestRecord, Version, VersionPlace};

/// Bytes of a body so far: in one piece, as a body that comes byte by byte would take as many times the
/// memory.
#[derive(Default)]
pub struct SentBody {
    bytes: BytesMut,
    is_too_long: bool,
}

impl SentBody {
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
pub struct GotBody(BytesMut);

impl GotBody {
    /// Some more of it goes to the client; whether there is use in looking further.
    pub fn see(&mut self, data: &[u8], limit: u64) -> bool {
        let is_short = (self.0.len() + data.len()) as u64 <= limit;
        if is_short {
            self.0.extend_from_slice(data);
        }
        is_short
    }

    /// All of it, if it is JSON.
    pub fn json(&mut self) -> Option<Json> {
        let bytes = std::mem::take(&mut self.0).freeze();
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
        let rules = RuleSet::new(Vec::new(), 1, true).expect("no rules");
        let settings = Settings { body_limit: 40, ..Settings::default() };
        let mut plan = CapturePolicy::new(&settings, &rules, RunKey::new([3; 16]));
        plan.volatile = ["/at", "/list/0", "/a~1b"].map(Box::from).into();
        let (mut body, mut sent) = (SentBody::default(), RequestRecord::default());
        for piece in pieces {
            body.see(piece.as_bytes(), &mut sent, plan.body_limit);
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
}
