//! The JSON values of a body: one, or one for each line of NDJSON.

use bytes::Bytes;
use http::HeaderMap;

use super::Json;
use super::content_type::ContentType;

/// The values of a body.
pub enum JsonValues<'r> {
    /// It is no JSON.
    None,
    One(&'r Json),
    /// Lines, each to be read when it is looked at: many trees at once would take up to a hundred times their bytes.
    Lines(Bytes),
    /// Lines that are too long to be read anew by each rule.
    TooLong,
}

impl JsonValues<'_> {
    /// Maximum length in bytes of lines that are looked at.
    pub const MOST_LINES: usize = Json::QUICK;

    /// The lines of a body that is not one JSON value. Bulk endpoints take them as `application/json`, too.
    pub(super) fn of_lines(headers: &HeaderMap, bytes: &Bytes) -> JsonValues<'static> {
        let is_typed = ContentType::of(headers).is_none_or(|media| media.is_json_lines() || media.is_json());
        let begins = |line: &[u8]| {
            matches!(
                line.trim_ascii_start().first(),
                Some(&(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | RECORD))
            )
        };
        let has_lines = memchr::memchr2(b'\n', RECORD, bytes.trim_ascii()).is_some();
        match is_typed && has_lines && begins(bytes) {
            true if bytes.len() > JsonValues::MOST_LINES => JsonValues::TooLong,
            true => JsonValues::Lines(bytes.clone()),
            false => JsonValues::None,
        }
    }

    /// The first of what `look` finds in the values.
    pub fn find<T>(&self, mut look: impl FnMut(&Json) -> Option<T>) -> Option<T> {
        match self {
            JsonValues::None | JsonValues::TooLong => None,
            JsonValues::One(json) => look(json),
            JsonValues::Lines(bytes) => {
                let lines = bytes.split(|byte| matches!(*byte, b'\n' | RECORD)).map(<[u8]>::trim_ascii);
                let values = lines.filter(|line| !line.is_empty());
                values.filter_map(|line| Json::read(&bytes.slice_ref(line))).find_map(|json| look(&json))
            }
        }
    }
}

/// Separator of records (RFC 7464 §2.2).
const RECORD: u8 = 0x1e;

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::CONTENT_TYPE;

    use super::*;

    #[test]
    fn each_line_is_a_value() {
        for (media, body, found) in [
            ("application/x-ndjson", "{\"a\":1}\n{\"a\":2}\n", &["1", "2"][..]),
            ("application/x-ndjson", "{\"a\":1}\r\n\r\n{broken\r\n{\"a\":2}", &["1", "2"]),
            ("application/json", "{\"index\":{}}\n{\"a\":3}\n", &["3"]),
            ("", "{\"a\":1}\n{\"a\":2}", &["1", "2"]),
            ("application/json-seq", "\x1e{\"a\":1}\n\x1e{\"a\":\x1e{\"a\":2}\n", &["1", "2"]),
            ("text/plain", "{\"a\":1}\n{\"a\":2}", &[]),
            ("application/json", "{\"a\":1", &[]),
            ("application/json", "a=1\nb=2", &[]),
            ("application/json", "", &[]),
        ] {
            let mut headers = HeaderMap::new();
            if !media.is_empty() {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
            }
            let mut seen = Vec::new();
            let lines = JsonValues::of_lines(&headers, &Bytes::from(body));
            lines.find(|json| {
                seen.extend(json.pointer("/a").map(|value| value.to_string()));
                None::<()>
            });
            assert_eq!(seen, found, "{media} {body:?}");
        }
        let long = Bytes::from("{}\n".repeat(JsonValues::MOST_LINES / 2));
        assert!(matches!(JsonValues::of_lines(&HeaderMap::new(), &long), JsonValues::TooLong));
    }
}
