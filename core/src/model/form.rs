//! Forms: the fields of a body that is `application/x-www-form-urlencoded` or `multipart/form-data` (RFC 7578).

use std::borrow::Cow;

use bytes::Bytes;
use http::HeaderMap;
use memchr::memmem;

use super::content_type::{ContentType, parameter};

/// The fields of a form in their order: at most [`FormFields::MOST_FIELDS`] of a body of at most [`FormFields::MOST`] bytes.
pub struct FormFields(Vec<Field>);

struct Field {
    name: Bytes,
    /// Of a file, its name.
    value: Bytes,
}

/// Maximum length in bytes of a part's head.
const LONGEST_HEAD: usize = 8 * 1024;

impl FormFields {
    /// Maximum number of fields: later ones are not seen.
    pub const MOST_FIELDS: usize = 1_000;
    /// Maximum length in bytes: a longer form is not looked at.
    pub const MOST: usize = 4 << 20;

    /// The form in a body; `None` if its head names no type of forms, or the body is not of that type.
    pub fn read(headers: &HeaderMap, body: &Bytes) -> Option<FormFields> {
        let media = ContentType::of(headers)?;
        if body.len() > FormFields::MOST {
            return None;
        }
        if media.is("application/x-www-form-urlencoded") {
            let pairs = form_urlencoded::parse(body).take(FormFields::MOST_FIELDS);
            return Some(FormFields(
                pairs.map(|(name, value)| Field { name: owned(name), value: owned(value) }).collect(),
            ));
        }
        if media.is("multipart/form-data") {
            return multipart(&media.parameter("boundary")?, body).map(FormFields);
        }
        None
    }

    /// The values of every field called `name`, in their order: a file's value is its name.
    pub fn values<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f [u8]> {
        self.0.iter().filter(move |field| field.name == name.as_bytes()).map(|field| &*field.value)
    }
}

fn owned(text: Cow<'_, str>) -> Bytes {
    Bytes::from(text.into_owned())
}

/// The fields between delimiters (RFC 2046 §5.1.1); `None` where the last delimiter is missing.
fn multipart(boundary: &[u8], body: &Bytes) -> Option<Vec<Field>> {
    if boundary.is_empty() || boundary.len() > 70 {
        return None;
    }
    let delimiter = [b"\r\n--", boundary].concat();
    let finder = memmem::Finder::new(&delimiter);
    // The first delimiter may begin the body, without a line before it.
    let mut rest: &[u8] = match body.strip_prefix(delimiter.get(2..)?) {
        Some(rest) => rest,
        None => body.get(finder.find(body)? + delimiter.len()..)?,
    };
    let mut fields = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Some(fields);
        }
        // Blanks may follow a delimiter on its line.
        let line = memmem::find(rest, b"\r\n")?;
        let is_delimiter = rest.get(..line)?.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        // A part without a head or a body is no more than its delimiter's line.
        let part = rest.get(line..)?;
        let end = finder.find(part)?;
        if is_delimiter && fields.len() < FormFields::MOST_FIELDS {
            fields.extend(part.get(2..end).and_then(|part| field(body, part)));
        }
        rest = part.get(end + delimiter.len()..)?;
    }
}

/// The field of a part: its name, and its content or the name of its file.
fn field(body: &Bytes, part: &[u8]) -> Option<Field> {
    let head = memmem::find(part, b"\r\n\r\n").filter(|length| *length <= LONGEST_HEAD)?;
    let (head, content) = (part.get(..head)?, part.get(head + 4..)?);
    let disposition = head.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(memchr::memchr(b':', line)?)?;
        name.trim_ascii().eq_ignore_ascii_case(b"content-disposition").then_some(value.get(1..)?)
    })?;
    let value = match parameter(disposition, "filename") {
        Some(file) => unescaped(file),
        None => body.slice_ref(content),
    };
    Some(Field { name: unescaped(parameter(disposition, "name")?), value })
}

/// A name without the three escapes that browsers write (HTML, "multipart form data").
fn unescaped(name: Vec<u8>) -> Bytes {
    if !name.contains(&b'%') {
        return Bytes::from(name);
    }
    let text = String::from_utf8_lossy(&name);
    Bytes::from(text.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::CONTENT_TYPE;
    use proptest::prelude::*;

    use super::*;

    fn read(media: &str, body: &[u8]) -> Option<Vec<(String, String)>> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(media).expect("a type"));
        let form = FormFields::read(&headers, &Bytes::copy_from_slice(body))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(form.0.iter().map(|field| (text(&field.name), text(&field.value))).collect())
    }

    fn fields(expected: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        Some(expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn fields_are_decoded() {
        let media = "Application/X-WWW-Form-Urlencoded; charset=utf-8";
        assert_eq!(
            read(media, b"grant_type=password&user=a+b%C3%A9&empty=&bare&a=1&a=2"),
            fields(&[
                ("grant_type", "password"),
                ("user", "a b\u{e9}"),
                ("empty", ""),
                ("bare", ""),
                ("a", "1"),
                ("a", "2")
            ])
        );
        assert_eq!(read("text/plain", b"a=1"), None);
        assert_eq!(read("application/x-www-form-urlencoded", b""), fields(&[]));
    }

    #[test]
    fn parts_are_fields_and_files_their_names() {
        let media = "multipart/form-data; boundary=\"b 1\"";
        for (body, expected) in [
            (
                "--b 1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b 1\r\nContent-Type: image/png\r\n\
                 content-disposition: form-data; filename=\"x.png\"; name=f\r\n\r\n\x01\r\n--b\r\n--b 1--\r\n",
                fields(&[("a", "1"), ("f", "x.png")]),
            ),
            (
                "preamble\r\n--b 1 \t\r\nContent-Disposition: form-data; name=\"a%22b\"\r\n\r\n\r\n--b 1--",
                fields(&[("a\"b", "")]),
            ),
            ("--b 1--", fields(&[])),
            ("--b 1\r\n\r\nno name\r\n--b 1--", fields(&[])),
            ("--b 1\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b 1", None),
            ("--b 1\r\nContent-Disposition: form-data; name=a\r\n\r\n1", None),
            ("a=1", None),
            ("", None),
        ] {
            assert_eq!(read(media, body.as_bytes()), expected, "{body}");
        }
        assert_eq!(read("multipart/form-data", b"----"), None, "no boundary");
    }

    #[test]
    fn what_is_kept_of_a_form_is_bounded() {
        let pairs = "a=1&".repeat(FormFields::MOST_FIELDS + 9);
        let form = read("application/x-www-form-urlencoded", pairs.as_bytes());
        assert_eq!(form.map(|form| form.len()), Some(FormFields::MOST_FIELDS));
        let part = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n";
        let parts = format!("{}--b--", part.repeat(FormFields::MOST_FIELDS + 9));
        let form = read("multipart/form-data; boundary=b", parts.as_bytes());
        assert_eq!(form.map(|form| form.len()), Some(FormFields::MOST_FIELDS));
        assert_eq!(read("application/x-www-form-urlencoded", &vec![b'a'; FormFields::MOST + 1]), None);
    }

    proptest! {
        #[test]
        fn parts_that_are_written_are_read(
            parts in prop::collection::vec(("[a-z\" ]{1,4}", "[-b\r\n\\x00a]{0,9}"), 0..5),
        ) {
            // No content can hold this delimiter.
            let mut body = String::new();
            for (name, value) in &parts {
                let name = name.replace('"', "%22");
                body += &format!("--zz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            }
            body += "--zz--\r\n";
            prop_assert_eq!(read("multipart/form-data; boundary=zz", body.as_bytes()), Some(parts));
        }

        #[test]
        fn no_body_is_too_odd(body in "(--b|\r\n|\n|:|;|=|\"|--|name|content-disposition| ){0,30}") {
            read("multipart/form-data; boundary=b", body.as_bytes());
        }
    }
}
