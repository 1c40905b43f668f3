//! Bodies of HTML, JSON and XML on their way to the client: the upstream's URLs in them are rewritten
//! (`rewrite_bodies`), or it is seen whether there are any.

use std::io::{self, Write as _};
use std::rc::Rc;

use bytes::Bytes;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, response};
use memchr::memmem;

use super::origin::{Name, Origin};
use super::{Front, Spoken};
use crate::rules::Scheme;

/// How much of a compressed body is taken at a time: deflate makes at most 1,032 times as much of it.
const BITE: usize = 256;
/// How much of a body is looked at, decoded.
const LOOKED_AT: usize = 64 * 1024;
/// What holds of the upstream's bytes alone (RFC 9530, RFC 3230, RFC 1864).
static OF_BYTES: [HeaderName; 5] = [
    header::CONTENT_LENGTH,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// Asks the upstream for a body that can be rewritten: the whole of it, in an encoding that is read here and that the
/// client takes, as what is not rewritten passes as it is.
pub fn ask(headers: &mut HeaderMap) {
    headers.remove(header::RANGE);
    headers.remove(header::IF_RANGE);
    if headers.contains_key(header::ACCEPT_ENCODING) {
        let [gzip, deflate] = ["gzip", "deflate"].map(|coding| takes(headers, coding));
        let asked = match (gzip, deflate) {
            (true, true) => "gzip, deflate",
            (true, false) => "gzip",
            (false, true) => "deflate",
            (false, false) => "identity",
        };
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(asked));
    }
}

/// Whether `Accept-Encoding` allows a coding (RFC 9110 §12.5.3).
fn takes(headers: &HeaderMap, coding: &str) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter();
    let items = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let (mut named, mut any) = (None, false);
    for item in items {
        let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix(b"q=").or_else(|| part.strip_prefix(b"Q=")));
        let is_taken = weight.is_none_or(|weight| weight.iter().any(|byte| matches!(byte, b'1'..=b'9')));
        if name.eq_ignore_ascii_case(coding.as_bytes()) {
            named = Some(is_taken);
        } else if name == b"*" {
            any = is_taken;
        }
    }
    named.unwrap_or(any)
}

/// One body's rewriting.
pub struct Rewriter {
    origin: Rc<Origin>,
    name: Name,
    decoder: Option<Decoder>,
    /// What has come and has not gone yet: at most the longest URL that is looked for.
    held: Vec<u8>,
}

/// Makes the head one of a body that is rewritten; `None` for one that goes as it is: of another type, in an
/// encoding that was not asked for, or a part of the whole.
pub fn rewriter(head: &mut response::Parts, origin: &Rc<Origin>, front: &Front) -> Option<Box<Rewriter>> {
    let headers = &mut head.headers;
    headers.remove(header::ACCEPT_RANGES);
    let authority = front.name()?.as_bytes().to_vec();
    if head.status == StatusCode::NOT_MODIFIED {
        // What it is about may be rewritten, and has no type here.
        OF_BYTES.iter().for_each(|name| drop(headers.remove(name)));
        return None;
    }
    if head.status == StatusCode::PARTIAL_CONTENT || !is_text(headers) {
        return None;
    }
    let Ok(decoder) = Decoder::of(headers) else {
        tracing::debug!("a body in an encoding that was not asked for is not rewritten");
        return None;
    };
    headers.remove(header::CONTENT_ENCODING);
    OF_BYTES.iter().for_each(|name| drop(headers.remove(name)));
    let name = Name { authority, spoken: front.spoken() };
    Some(Box::new(Rewriter { origin: Rc::clone(origin), name, decoder, held: Vec::new() }))
}

impl Rewriter {
    /// Some of the body, or its end: what goes to the client for it. `input` is taken as far as memory is bounded;
    /// call again until it is empty.
    pub fn take(&mut self, input: &mut Bytes, is_end: bool) -> io::Result<Bytes> {
        let (plain, is_end) = match &mut self.decoder {
            None => (std::mem::take(input), is_end),
            Some(decoder) => {
                let bite = input.split_to(input.len().min(BITE));
                let is_end = is_end && input.is_empty();
                (decoder.decode(&bite, is_end)?.into(), is_end)
            }
        };
        Ok(self.origin.rewrite(&self.name, &mut self.held, &plain, is_end).out.into())
    }
}

/// A look at the beginning of a body: whether it holds the upstream's origin.
pub struct Look {
    origin: Rc<Origin>,
    decoder: Option<Decoder>,
    /// The end of what was looked at, which may be the beginning of a URL.
    tail: Vec<u8>,
    left: usize,
}

/// What a look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Found,
    NotYet,
    /// Nothing more is looked at.
    Enough,
}

impl Look {
    /// `None` for a body that is not looked at: of another type, or in an encoding that is not read here.
    pub fn at(head: &response::Parts, origin: &Rc<Origin>) -> Option<Box<Look>> {
        if !is_text(&head.headers) {
            return None;
        }
        let decoder = Decoder::of(&head.headers).ok()?;
        Some(Box::new(Look { origin: Rc::clone(origin), decoder, tail: Vec::new(), left: LOOKED_AT }))
    }

    /// Some of the body has come.
    pub fn see(&mut self, data: &Bytes, is_end: bool) -> Seen {
        let Some(decoder) = &mut self.decoder else { return self.see_plain(data, is_end) };
        let bites = data.chunks(BITE).map(|bite| decoder.decode(bite, false));
        let (mut plain, mut most) = (Vec::new(), self.left);
        for bite in bites {
            let Ok(bite) = bite else { return Seen::Enough };
            most = most.saturating_sub(bite.len());
            plain.extend(bite);
            if most == 0 {
                break;
            }
        }
        self.see_plain(&plain, is_end)
    }

    fn see_plain(&mut self, data: &[u8], is_end: bool) -> Seen {
        let data = data.get(..self.left).unwrap_or(data);
        self.left -= data.len();
        let mut joined = Vec::new();
        let text = match self.tail.is_empty() {
            true => data,
            false => {
                joined = [&self.tail, data].concat();
                &joined
            }
        };
        if self.origin.may_be_in(text) {
            let nowhere = Name { authority: Vec::new(), spoken: Spoken::of(Scheme::Http) };
            if self.origin.rewrite(&nowhere, &mut Vec::new(), text, is_end).has_found {
                return Seen::Found;
            }
        }
        if self.left == 0 || is_end {
            return Seen::Enough;
        }
        self.tail = text.get(text.len().saturating_sub(self.origin.longest())..).unwrap_or_default().to_vec();
        drop(joined);
        Seen::NotYet
    }
}

/// HTML, JSON or XML in an encoding that has ASCII in it.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes) else {
        return false;
    };
    let end = memchr::memchr(b';', content_type).unwrap_or(content_type.len());
    let (essence, parameters) = content_type.split_at(end);
    let essence = essence.trim_ascii();
    let known: [&[u8]; 7] = [
        b"text/html",
        b"application/json",
        b"text/json",
        b"application/xml",
        b"text/xml",
        b"application/x-ndjson",
        b"application/jsonl",
    ];
    let ends_with = |suffix: &[u8]| {
        let start = essence.len().checked_sub(suffix.len());
        start.and_then(|start| essence.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
    };
    let is_known = known.iter().any(|known| essence.eq_ignore_ascii_case(known));
    let is_wide = || {
        let parameters = parameters.to_ascii_lowercase();
        [&b"utf-16"[..], b"utf-32", b"ucs-2"].iter().any(|wide| memmem::find(&parameters, wide).is_some())
    };
    (is_known || ends_with(b"+json") || ends_with(b"+xml")) && (parameters.is_empty() || !is_wide())
}

/// What makes a compressed body plain.
enum Decoder {
    Gzip(MultiGzDecoder<Vec<u8>>),
    /// `deflate`, of which the first byte says whether it is in zlib's format, as it should be, or bare.
    Unknown,
    Zlib(ZlibDecoder<Vec<u8>>),
    Bare(DeflateDecoder<Vec<u8>>),
}

/// An encoding that is not read here.
struct Unread;

impl Decoder {
    /// `None` for a plain body.
    fn of(headers: &HeaderMap) -> Result<Option<Decoder>, Unread> {
        let mut lines = headers.get_all(header::CONTENT_ENCODING).iter();
        let Some(line) = lines.next() else { return Ok(None) };
        let is = |coding: &[u8]| line.as_bytes().trim_ascii().eq_ignore_ascii_case(coding);
        match lines.next() {
            Some(_) => Err(Unread),
            None if is(b"identity") || is(b"") => Ok(None),
            None if is(b"gzip") || is(b"x-gzip") => Ok(Some(Decoder::Gzip(MultiGzDecoder::new(Vec::new())))),
            None if is(b"deflate") => Ok(Some(Decoder::Unknown)),
            None => Err(Unread),
        }
    }

    fn decode(&mut self, bite: &[u8], is_end: bool) -> io::Result<Vec<u8>> {
        if let (Decoder::Unknown, Some(first)) = (&*self, bite.first()) {
            // The method is 8, and the window no larger than 32 KiB (RFC 1950 §2.2).
            *self = match first & 0x0f == 8 && first >> 4 <= 7 {
                true => Decoder::Zlib(ZlibDecoder::new(Vec::new())),
                false => Decoder::Bare(DeflateDecoder::new(Vec::new())),
            };
        }
        macro_rules! decode {
            ($decoder:expr) => {{
                $decoder.write_all(bite)?;
                // What has come goes: a page may be long in coming.
                $decoder.flush()?;
                if is_end {
                    $decoder.try_finish()?;
                }
                Ok(std::mem::take($decoder.get_mut()))
            }};
        }
        match self {
            Decoder::Gzip(decoder) => decode!(decoder),
            Decoder::Zlib(decoder) => decode!(decoder),
            Decoder::Bare(decoder) => decode!(decoder),
            Decoder::Unknown => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests;
