//! Translates names of the upstream to the proxy's in responses, and the proxy's to the upstream's in requests, so
//! that clients stay inside and upstreams see requests that are meant for them.
//!
//! `response.rs` and `request.rs` know the headers, `reference.rs` the server of a URL, `cookies.rs` the cookies that
//! a client keeps and sends back. `body.rs` follows a body, `origin.rs` finds the upstream's URLs in it.

pub mod body;
pub mod cookies;
mod origin;
mod reference;
mod request;
mod response;

use std::borrow::Cow;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use self::reference::{Server, ServerReference, Spoken};
use super::headers::{FORWARDED_HOST, FORWARDED_PROTO};
use crate::rules::{Scheme, UpstreamUrl};

pub use self::origin::Origin;
pub use self::request::{UpstreamView, request};
pub use self::response::response;

/// How the client knows the proxy.
#[derive(Clone, Debug)]
pub struct Front {
    /// `Host` as it was sent.
    pub host: Option<HeaderValue>,
    /// The host that a client asked for, by the word of a trusted peer.
    pub forwarded: Option<HeaderValue>,
    pub scheme: Scheme,
}

impl Front {
    /// Reads the head of a request that came over `scheme`.
    pub fn of(headers: &HeaderMap, scheme: Scheme, is_trusted: bool) -> Front {
        let host = headers.get(header::HOST).cloned();
        let said = |name: &HeaderName| if is_trusted { headers.get(name) } else { None };
        // The nearest client comes first where several proxies have said something.
        let first = |value: &HeaderValue| {
            let first = value.as_bytes().split(|byte| *byte == b',').next().map(<[u8]>::trim_ascii)?;
            HeaderValue::from_bytes(first).ok().filter(|value| !value.is_empty())
        };
        let scheme = match said(&FORWARDED_PROTO).and_then(first) {
            Some(proto) if proto.as_bytes().eq_ignore_ascii_case(b"https") => Scheme::Https,
            Some(proto) if proto.as_bytes().eq_ignore_ascii_case(b"http") => Scheme::Http,
            _ => scheme,
        };
        Front { host, forwarded: said(&FORWARDED_HOST).and_then(first), scheme }
    }

    /// Host and port by which the client asked.
    fn name(&self) -> Option<&HeaderValue> {
        self.forwarded.as_ref().or(self.host.as_ref())
    }

    fn spoken(&self) -> Spoken {
        Spoken::of(self.scheme)
    }

    /// The proxy's names.
    fn servers(&self) -> impl Iterator<Item = Server<'_>> {
        let names = [&self.forwarded, &self.host].into_iter().flatten();
        names.filter_map(|name| Server::parse(name.as_bytes(), self.spoken()))
    }
}

fn upstream_server(upstream: &UpstreamUrl) -> Server<'_> {
    Server::new(&upstream.authority.host, upstream.authority.port)
}

/// The path as the proxy's clients know it; `None` when it lies outside the base path.
fn strip_base<'t>(path: &'t [u8], base: &str) -> Option<Cow<'t, [u8]>> {
    let rest = path.strip_prefix(base.as_bytes())?;
    match rest.first() {
        None => Some(b"/".into()),
        Some(b'/') => Some(rest.into()),
        Some(b'?' | b'#') => Some([b"/", rest].concat().into()),
        Some(_) => None,
    }
}

/// Whether the reference is a path alone, from the root of its server on.
fn is_path(text: &[u8]) -> bool {
    text.first() == Some(&b'/') && !matches!(text.get(1), Some(b'/' | b'\\'))
}

/// A URL in pieces.
fn url(scheme: Option<Spoken>, userinfo: &[u8], authority: &[u8], path: &[u8]) -> Vec<u8> {
    let scheme = scheme.map_or([&b""[..], b""], |scheme| [scheme.as_bytes(), b":"]).concat();
    [&scheme[..], b"//", userinfo, authority, path].concat()
}

/// `text` with each URL of a list in place of which `change` gives another; `None` when nothing is changed. Spaces and
/// commas separate URLs; a comma after which no URL with a scheme follows is part of one (RFC 3986 §2.2).
fn in_list(text: &[u8], change: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let has_scheme = |text: &[u8]| ServerReference::parse(text).is_some_and(|url| url.scheme.is_some());
    let is_end = |at: usize| match text.get(at) {
        Some(b',') => text.get(at + 1..).is_some_and(has_scheme),
        byte => byte.is_none_or(u8::is_ascii_whitespace),
    };
    let mut changed = Vec::new();
    let (mut copied, mut start) = (0, 0);
    while start < text.len() {
        let end = (start..text.len()).find(|at| is_end(*at)).unwrap_or(text.len());
        let item = text.get(start..end)?;
        let item = item.strip_suffix(b",").unwrap_or(item);
        if let Some(other) = Some(item).filter(|item| has_scheme(item)).and_then(&change) {
            changed.extend_from_slice(text.get(copied..start)?);
            changed.extend_from_slice(&other);
            copied = start + item.len();
        }
        start = end + 1;
    }
    if copied == 0 {
        return None;
    }
    changed.extend_from_slice(text.get(copied..)?);
    Some(changed)
}

/// `text` with each reference between `<` and `>` in place of which `change` gives another (`Link`, RFC 8288 §3;
/// `If`, RFC 4918 §10.4); `None` when nothing is changed. Quoted strings are left as they are.
fn in_angle_brackets(text: &[u8], change: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut changed = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    let mut is_quoted = false;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if is_quoted => at += 1,
            b'"' => is_quoted = !is_quoted,
            b'<' if !is_quoted => {
                let inside = text.get(at + 1..)?;
                let Some(length) = inside.iter().position(|byte| *byte == b'>') else { break };
                let (start, end) = (at + 1, at + 1 + length);
                if let Some(other) = inside.get(..length).and_then(&change) {
                    changed.extend_from_slice(text.get(copied..start)?);
                    changed.extend_from_slice(&other);
                    copied = end;
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    if copied == 0 {
        return None;
    }
    changed.extend_from_slice(text.get(copied..)?);
    Some(changed)
}
