//! Bodies of HTML, JSON and XML on their way to the client: the upstream's URLs in them are rewritten
//! (`rewrite_bodies`), or only looked for.

use std::rc::Rc;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, response};
use memchr::memmem;

use super::origin::{Name, Origin};
use super::{Front, Spoken};
use crate::content_coding::{ContentCodings, Decoder, UndecodableBody};
use crate::rules::Scheme;

/// How much of a body is looked at, decoded.
const LOOKED_AT: usize = 64 * 1024;
/// Header fields that hold of the upstream's bytes alone (RFC 9530, RFC 3230, RFC 1864).
static OF_BYTES: [HeaderName; 5] = [
    header::CONTENT_LENGTH,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// Asks the upstream for a body that can be rewritten: the whole of it, in codings that are decoded here and that the
/// client takes, as a body that is not rewritten passes unchanged. Without zstd, of which the last window arrives
/// late.
pub fn ask(headers: &mut HeaderMap) {
    headers.remove(header::RANGE);
    headers.remove(header::IF_RANGE);
    if headers.contains_key(header::ACCEPT_ENCODING) {
        let taken: Vec<&str> =
            ["gzip", "deflate", "br"].into_iter().filter(|coding| takes(headers, coding)).collect();
        let asked = if taken.is_empty() { "identity".to_owned() } else { taken.join(", ") };
        if let Ok(asked) = HeaderValue::from_str(&asked) {
            headers.insert(header::ACCEPT_ENCODING, asked);
        }
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

/// Rewriting of one body: push bytes, take pieces until there are none, push more or finish.
pub struct Rewriter {
    origin: Rc<Origin>,
    name: Name,
    source: Source,
    end: End,
    /// Bytes that may begin a URL of the upstream: at most as many as the longest URL that is looked for.
    held: Vec<u8>,
}

/// Source of the plain bytes of a body.
enum Source {
    Plain(Bytes),
    Coded(Decoder),
}

/// The end of a body on its way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Finished,
    /// The held bytes have gone too.
    Flushed,
}

/// Changes the head to that of a rewritten body. `None` for a body that passes unchanged: one of another type, in an
/// encoding that was not asked for, or a part of the whole.
pub fn rewriter(head: &mut response::Parts, origin: &Rc<Origin>, front: &Front) -> Option<Box<Rewriter>> {
    let headers = &mut head.headers;
    headers.remove(header::ACCEPT_RANGES);
    let authority = front.name()?.as_bytes().to_vec();
    if head.status == StatusCode::NOT_MODIFIED {
        // The representation may be a rewritten one: a 304 does not name its type.
        OF_BYTES.iter().for_each(|name| drop(headers.remove(name)));
        return None;
    }
    if head.status == StatusCode::PARTIAL_CONTENT || !is_text(headers) {
        return None;
    }
    let codings = match ContentCodings::of(headers) {
        Ok(codings) => codings,
        Err(error) => {
            tracing::debug!(%error, "a body is not rewritten");
            return None;
        }
    };
    let source = codings.decoder().map_or(Source::Plain(Bytes::new()), Source::Coded);
    headers.remove(header::CONTENT_ENCODING);
    OF_BYTES.iter().for_each(|name| drop(headers.remove(name)));
    let name = Name { authority, spoken: front.spoken() };
    Some(Box::new(Rewriter { origin: Rc::clone(origin), name, source, end: End::Open, held: Vec::new() }))
}

impl Rewriter {
    /// Adds bytes of the body. They are held until the pieces are taken.
    pub fn push(&mut self, body: Bytes) {
        match &mut self.source {
            Source::Plain(plain) => *plain = body,
            Source::Coded(decoder) => decoder.push(body),
        }
    }

    /// The body is over.
    pub fn finish(&mut self) {
        self.end = End::Finished;
        if let Source::Coded(decoder) = &mut self.source {
            decoder.finish();
        }
    }

    /// The next bytes for the client; `None` when more must be pushed first, or the body is over. A decoded piece is
    /// bounded, so that a bomb fills no memory.
    pub fn next_piece(&mut self) -> Result<Option<Bytes>, UndecodableBody> {
        loop {
            let plain = match &mut self.source {
                Source::Plain(plain) => Some(std::mem::take(plain)).filter(|plain| !plain.is_empty()),
                Source::Coded(decoder) => decoder.next_piece()?,
            };
            let is_end = plain.is_none();
            if is_end && self.end != End::Finished {
                return Ok(None);
            }
            if is_end {
                self.end = End::Flushed;
            }
            let plain = plain.unwrap_or_default();
            let out = self.origin.rewrite(&self.name, &mut self.held, &plain, is_end).out;
            if !out.is_empty() {
                return Ok(Some(out.into()));
            }
        }
    }
}

/// A look at the beginning of a body: whether it holds the upstream's origin.
pub struct Look {
    origin: Rc<Origin>,
    decoder: Option<Decoder>,
    /// The last bytes that were searched: they may begin a URL.
    tail: Vec<u8>,
    left: usize,
}

/// Result of a look.
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
        let decoder = ContentCodings::of(&head.headers).ok()?.decoder();
        Some(Box::new(Look { origin: Rc::clone(origin), decoder, tail: Vec::new(), left: LOOKED_AT }))
    }

    /// Some of the body has come.
    pub fn see(&mut self, data: &Bytes, is_end: bool) -> Seen {
        let Some(decoder) = &mut self.decoder else { return self.see_plain(data, is_end) };
        decoder.push(data.clone());
        if is_end {
            decoder.finish();
        }
        let mut plain = Vec::new();
        while plain.len() < self.left {
            match decoder.next_piece() {
                Ok(Some(piece)) => plain.extend_from_slice(&piece),
                Ok(None) => break,
                Err(_) => return Seen::Enough,
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
    let known: [&[u8]; 7] = [
        b"text/html",
        b"application/json",
        b"text/json",
        b"application/xml",
        b"text/xml",
        b"application/x-ndjson",
        b"application/jsonl",
    ];
    // Most are written so.
    if known.contains(&content_type) {
        return true;
    }
    let end = memchr::memchr(b';', content_type).unwrap_or(content_type.len());
    let (essence, parameters) = content_type.split_at(end);
    let essence = essence.trim_ascii();
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

#[cfg(test)]
mod tests;
