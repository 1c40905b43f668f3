//! The media type of a body, without its parameters.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A media type such as `application/json`: an index into `MediaType::KNOWN`, which keeps an
/// attempt small. Other types count as unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType(u8);

impl MediaType {
    const KNOWN: [&'static str; 40] = [
        "application/atom+xml",
        "application/geo+json",
        "application/gzip",
        "application/grpc",
        "application/grpc+proto",
        "application/grpc-web",
        "application/hal+json",
        "application/javascript",
        "application/json",
        "application/json-patch+json",
        "application/ld+json",
        "application/merge-patch+json",
        "application/msgpack",
        "application/octet-stream",
        "application/pdf",
        "application/problem+json",
        "application/problem+xml",
        "application/protobuf",
        "application/scim+json",
        "application/soap+xml",
        "application/vnd.api+json",
        "application/vnd.elasticsearch+json",
        "application/vnd.github+json",
        "application/x-ndjson",
        "application/x-www-form-urlencoded",
        "application/xml",
        "application/zip",
        "audio/mpeg",
        "font/woff2",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/svg+xml",
        "image/webp",
        "multipart/form-data",
        "text/css",
        "text/event-stream",
        "text/html",
        "text/plain",
        "text/xml",
    ];

    /// Parses a `Content-Type` (RFC 9110 §8.3.1); `None` for an unknown type.
    pub fn of(content_type: &[u8]) -> Option<MediaType> {
        let mut known = MediaType::KNOWN.iter().map(|known| known.as_bytes());
        // Most are written exactly so, which is found out sooner.
        let as_written = known.clone().position(|known| known == content_type);
        let at = as_written.or_else(|| {
            let text = content_type.split(|byte| *byte == b';').next()?.trim_ascii();
            known.position(|known| known.eq_ignore_ascii_case(text))
        })?;
        u8::try_from(at).ok().map(MediaType)
    }

    /// `application/json`.
    pub fn as_str(self) -> &'static str {
        MediaType::KNOWN.get(usize::from(self.0)).copied().unwrap_or_default()
    }
}

impl Serialize for MediaType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for MediaType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MediaType, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        MediaType::of(text.as_bytes()).ok_or_else(|| serde::de::Error::custom("no media type"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_case_are_left_out_and_what_is_not_known_is_none() {
        for (header, read) in [
            ("application/json", Some("application/json")),
            ("Application/JSON; charset=utf-8", Some("application/json")),
            ("text/html ;charset=utf-8", Some("text/html")),
            (" text/xml", Some("text/xml")),
            ("application/x-own", None),
            ("json", None),
            ("", None),
            ("a/<script>", None),
        ] {
            let found = MediaType::of(header.as_bytes());
            assert_eq!(found.map(MediaType::as_str), read, "{header}");
            let line = serde_json::to_string(&found).expect("JSON");
            assert_eq!(serde_json::from_str::<Option<MediaType>>(&line).expect("read back"), found);
        }
        assert_eq!(MediaType::of(b"text/\xff"), None);
    }
}
