//! The text of a body in UTF-8, which rules read.

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use http::{HeaderMap, header};

/// A body as UTF-8 without a byte order mark: decoded by its mark, or by the `charset` of its `Content-Type` if the
/// bytes are in UTF-16 or are not UTF-8 already. Other bodies come back unchanged.
pub(super) fn utf8(headers: &HeaderMap, bytes: Bytes) -> Bytes {
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes) {
        let text = bytes.slice(mark..);
        return if encoding == UTF_8 { text } else { decode(encoding, &text).unwrap_or(bytes) };
    }
    match charset(headers, &bytes) {
        Some(encoding) => decode(encoding, &bytes).unwrap_or(bytes),
        None => bytes,
    }
}

fn decode(encoding: &'static Encoding, text: &[u8]) -> Option<Bytes> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(text)?;
    Some(Bytes::from(text.into_owned()))
}

/// The encoding that `Content-Type` names, where it changes anything.
fn charset(headers: &HeaderMap, bytes: &[u8]) -> Option<&'static Encoding> {
    let parameters = headers.get(header::CONTENT_TYPE)?.as_bytes().split(|byte| *byte == b';').skip(1);
    let mut pairs = parameters.filter_map(|pair| {
        let (name, value) = pair.split_at_checked(memchr::memchr(b'=', pair)?)?;
        Some((name.trim_ascii(), value.get(1..)?.trim_ascii()))
    });
    let (_, label) = pairs.find(|(name, _)| name.eq_ignore_ascii_case(b"charset"))?;
    let label = label.strip_prefix(b"\"").and_then(|label| label.strip_suffix(b"\"")).unwrap_or(label);
    let encoding = Encoding::for_label(label)?;
    // Without a mark, `utf-16` may be either: JSON begins with an ASCII character (RFC 4627 §3).
    if label.eq_ignore_ascii_case(b"utf-16") && bytes.first() == Some(&0) {
        return Some(UTF_16BE);
    }
    let is_wide = encoding == UTF_16LE || encoding == UTF_16BE;
    (is_wide || encoding != UTF_8 && std::str::from_utf8(bytes).is_err()).then_some(encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_by_mark_or_charset_and_others_stay() {
        let wide = |text: &str, is_big: bool| -> Vec<u8> {
            let bytes = |unit: u16| if is_big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            text.encode_utf16().flat_map(bytes).collect()
        };
        let json = "{\"name\":\"Zoë\"}";
        let marked = format!("\u{feff}{json}");
        for (media, sent, seen) in [
            ("application/json", json.as_bytes().to_vec(), json.as_bytes()),
            ("application/json", marked.as_bytes().to_vec(), json.as_bytes()),
            ("application/json", wide(&marked, true), json.as_bytes()),
            ("application/json", wide(&marked, false), json.as_bytes()),
            ("application/json; charset=utf-16", wide(json, true), json.as_bytes()),
            ("application/json; charset=UTF-16", wide(json, false), json.as_bytes()),
            ("application/json;charset=\"utf-16le\"", wide(json, false), json.as_bytes()),
            ("application/json; a=b; Charset = utf-16be", wide(json, true), json.as_bytes()),
            ("text/plain; charset=iso-8859-1", b"Zo\xeb".to_vec(), "Zoë".as_bytes()),
            ("text/plain; charset=iso-8859-1", "Zoë".as_bytes().to_vec(), "Zoë".as_bytes()),
            ("text/plain; charset=nonsense", b"Zo\xeb".to_vec(), b"Zo\xeb"),
            ("text/plain", b"Zo\xeb".to_vec(), b"Zo\xeb"),
            // Not UTF-16: half a character.
            ("application/octet-stream", b"\xff\xfea".to_vec(), b"\xff\xfea"),
            ("application/json", Vec::new(), b""),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static(media));
            assert_eq!(utf8(&headers, Bytes::from(sent.clone())), seen, "{media} {sent:?}");
        }
    }
}
