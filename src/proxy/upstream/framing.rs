//! Detection of the end of an upstream's response (RFC 9112 §6.3).

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};
use http::response::Parts;

use super::super::error::Failure;
use super::super::headers::Present;

/// Leaves exactly one framing: with both, `Transfer-Encoding` wins (RFC 9112 §6.3).
pub fn check(headers: &mut HeaderMap, present: Present) -> Result<(), Failure> {
    if !present.transfer_encoding {
        return one_length(headers);
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            headers.remove(header::CONTENT_LENGTH);
            Ok(())
        }
        _ => Err(Failure::Garbled("its Transfer-Encoding is not `chunked` alone".into())),
    }
}

/// Merges repeated equal lengths into one.
pub fn one_length(headers: &mut HeaderMap) -> Result<(), Failure> {
    let mut lines = headers.get_all(header::CONTENT_LENGTH).iter();
    match (lines.next(), lines.next()) {
        (None, _) => return Ok(()),
        // Nearly all are of this kind: at most 19 digits are a number.
        (Some(length), None) if length.len() < 20 && is_number(length.as_bytes()) => return Ok(()),
        _ => {}
    }
    let mut said = None;
    let mut times = 0;
    let lines = headers.get_all(header::CONTENT_LENGTH).iter();
    for length in lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')) {
        let digits = std::str::from_utf8(length.trim_ascii()).ok().filter(|text| is_number(text.as_bytes()));
        let Some(length) = digits.and_then(|digits| digits.parse::<u64>().ok()) else {
            return Err(Failure::Garbled("its Content-Length is not a number".into()));
        };
        if said.replace(length).is_some_and(|before| before != length) {
            return Err(Failure::Garbled("it has two Content-Lengths".into()));
        }
        times += 1;
    }
    if let (Some(length), 2..) = (said, times) {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(())
}

/// How long the body of a 304 would be if it had one (RFC 9110 §8.6).
pub fn length_of_a_304(head: &Parts) -> Option<u64> {
    let length =
        head.headers.get(header::CONTENT_LENGTH).filter(|_| head.status == StatusCode::NOT_MODIFIED)?;
    length.to_str().ok()?.parse().ok()
}

fn is_number(digits: &[u8]) -> bool {
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}
