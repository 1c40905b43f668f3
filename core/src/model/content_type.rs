//! The `Content-Type` of a request's body, with its parameters (RFC 9110 §8.3.1).

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The type and subtype in a `Content-Type`, and its parameters as they came.
#[derive(Clone, Copy)]
pub struct ContentType<'r> {
    pub essence: &'r [u8],
    parameters: &'r [u8],
}

impl<'r> ContentType<'r> {
    /// That of a body; `None` where the head has none.
    pub fn of(headers: &'r HeaderMap) -> Option<ContentType<'r>> {
        let value = headers.get(CONTENT_TYPE)?.as_bytes();
        let end = memchr::memchr(b';', value).unwrap_or(value.len());
        let (essence, parameters) = value.split_at_checked(end)?;
        Some(ContentType { essence: essence.trim_ascii(), parameters })
    }

    /// Whether it is `name`, in any case.
    pub fn is(self, name: &str) -> bool {
        self.essence.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Whether it is one of JSON values on lines, under any of the names that are in use.
    pub fn is_json_lines(self) -> bool {
        let essence = self.essence.to_ascii_lowercase();
        let subtype = essence.rsplit(|byte| matches!(byte, b'/' | b'+' | b'.')).next().unwrap_or_default();
        let subtype = subtype.strip_prefix(b"x-").unwrap_or(subtype);
        [&b"ndjson"[..], b"jsonl", b"jsonlines", b"json-seq", b"json-lines"].contains(&subtype)
    }

    /// Whether it is JSON or a type based on it.
    pub fn is_json(self) -> bool {
        let essence = self.essence.to_ascii_lowercase();
        essence.ends_with(b"/json") || essence.ends_with(b"+json")
    }

    /// A parameter's value, without its quotes and escapes.
    pub fn parameter(self, name: &str) -> Option<Vec<u8>> {
        parameter(self.parameters, name)
    }
}

/// The value of a parameter in `; a=b; c="d"`.
pub fn parameter(mut text: &[u8], wanted: &str) -> Option<Vec<u8>> {
    loop {
        text = text.get(memchr::memchr(b';', text)? + 1..)?.trim_ascii_start();
        let end = text.iter().position(|byte| matches!(byte, b'=' | b';')).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end)?;
        let Some(value) = rest.strip_prefix(b"=") else {
            text = rest;
            continue;
        };
        let (value, rest) = match value.strip_prefix(b"\"") {
            Some(quoted) => quoted_string(quoted),
            None => {
                let end = memchr::memchr(b';', value).unwrap_or(value.len());
                let (value, rest) = value.split_at_checked(end)?;
                (value.trim_ascii().to_vec(), rest)
            }
        };
        if name.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()) {
            return Some(value);
        }
        text = rest;
    }
}

/// A text up to its closing quote, and the rest. Only a quote can be escaped: old browsers send whole paths of Windows.
fn quoted_string(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut value = Vec::new();
    let mut rest = text;
    loop {
        match rest {
            [] => return (value, rest),
            [b'\\', b'"', after @ ..] => {
                value.push(b'"');
                rest = after;
            }
            [b'"', after @ ..] => return (value, after),
            [byte, after @ ..] => {
                value.push(*byte);
                rest = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_tokens_or_quoted() {
        for (text, name, value) in [
            ("; boundary=abc", "boundary", Some("abc")),
            (";a=1; Boundary = \"a;b\" ", "a", Some("1")),
            ("; x; boundary=\"a;b\"; c=d", "boundary", Some("a;b")),
            ("; x=\"a\\\"; boundary=c\"; boundary=d", "boundary", Some("d")),
            ("; filename=\"C:\\dir\\a.png\"", "filename", Some("C:\\dir\\a.png")),
            ("; boundary=\"open", "boundary", Some("open")),
            ("; boundary", "boundary", None),
            ("boundary=a", "boundary", None),
            ("", "boundary", None),
        ] {
            let found = parameter(text.as_bytes(), name);
            assert_eq!(found.as_deref(), value.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn lines_of_json_have_many_names() {
        for (essence, is_lines, is_json) in [
            ("application/x-ndjson", true, false),
            ("application/vnd.elasticsearch+x-ndjson; compatible-with=8", true, false),
            ("application/jsonl", true, false),
            ("application/json-seq", true, false),
            ("Application/JSON", false, true),
            ("application/merge-patch+json;charset=utf-8", false, true),
            ("application/graphql", false, false),
            ("text/plain", false, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, http::HeaderValue::from_static(essence));
            let media = ContentType::of(&headers).expect("a type");
            assert_eq!((media.is_json_lines(), media.is_json()), (is_lines, is_json), "{essence}");
        }
    }
}
