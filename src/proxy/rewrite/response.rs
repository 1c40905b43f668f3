//! A response's header, on its way to the client.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::{
    Front, Server, ServerReference, Spoken, cookies, in_angle_brackets, in_list, is_path, strip_base,
    upstream_server, url,
};
use crate::rules::UpstreamUrl;

/// Rewrites a response's header.
pub fn response(headers: &mut HeaderMap, upstream: &UpstreamUrl, front: &Front) {
    // Nearly all responses have none of these.
    if headers.keys().any(|name| AROUND.contains(name)) {
        for name in &AROUND {
            headers.remove(name);
        }
    }
    let way = Way { upstream, front };
    for (name, value) in headers.iter_mut() {
        let changed = way.change(name, value.as_bytes());
        if let Some(changed) = changed.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok()) {
            *value = changed;
        }
    }
}

/// Fields that send clients to other ports or schemes of the same host (RFC 7838, RFC 6797). That host is the proxy's:
/// usually `localhost`, which browsers would refuse over HTTP for the year that servers ask for.
static AROUND: [HeaderName; 2] = [header::ALT_SVC, header::STRICT_TRANSPORT_SECURITY];

struct Way<'r> {
    upstream: &'r UpstreamUrl,
    front: &'r Front,
}

impl Way<'_> {
    /// The new value of a header; `None` when it can stay as it is.
    fn change(&self, name: &HeaderName, value: &[u8]) -> Option<Vec<u8>> {
        match name.as_str() {
            "set-cookie" => cookies::set(value, self.upstream, self.front),
            "location" | "content-location" | "operation-location" | "azure-asyncoperation" | "sourcemap" => {
                self.reference(value).map(rooted)
            }
            "link" => self.link(value),
            "refresh" => self.refresh(value),
            "access-control-allow-origin" | "timing-allow-origin" => in_list(value, |item| self.origin(item)),
            _ => {
                // A whole value that is a URL, or a list of them. One that begins with slashes alone may mean
                // something else.
                matches!(value.first(), Some(b'h' | b'H' | b'w' | b'W'))
                    .then(|| in_list(value, |item| self.reference(item)))
                    .flatten()
            }
        }
    }

    /// A reference that leads through the proxy; `None` when it can stay as it is.
    fn reference(&self, text: &[u8]) -> Option<Vec<u8>> {
        let base = &*self.upstream.base_path;
        let Some(reference) = ServerReference::parse(text) else {
            // An empty base is stripped of nothing.
            return (is_path(text) && !base.is_empty())
                .then(|| strip_base(text, base).map(Into::into))
                .flatten();
        };
        let ServerReference { scheme, userinfo, authority, rest } = reference;
        if self.is_upstream(&reference) {
            let path = if base.is_empty() { rest.into() } else { strip_base(rest, base)? };
            // Without a Host (HTTP/1.0) a path alone leads back to where the client asked.
            let Some(front) = self.front.name() else {
                return Some(if path.is_empty() { b"/".to_vec() } else { path.into_owned() });
            };
            let spoken = scheme.unwrap_or(self.front.spoken()).as_secure_as(self.front.spoken());
            return Some(url(Some(spoken), userinfo, front.as_bytes(), &path));
        }
        if !self.is_front(&reference) {
            return None;
        }
        // The upstream knows the proxy's host from the request; its paths, and perhaps the scheme, are its own.
        let path = if base.is_empty() { rest.into() } else { strip_base(rest, base).unwrap_or(rest.into()) };
        let spoken = scheme.map(|scheme| scheme.as_secure_as(self.front.spoken()));
        (spoken != scheme || *path != *rest).then(|| url(spoken, userinfo, authority, &path))
    }

    /// As [`Way::reference`], for a value that has no path at all.
    fn origin(&self, text: &[u8]) -> Option<Vec<u8>> {
        let reference = ServerReference::parse(text).filter(|reference| reference.rest.is_empty())?;
        let front = self.front.name().filter(|_| self.is_upstream(&reference))?;
        Some(url(Some(self.front.spoken()), b"", front.as_bytes(), b""))
    }

    fn is_upstream(&self, reference: &ServerReference<'_>) -> bool {
        let own = Spoken::of(self.upstream.scheme);
        reference.server(own).is_some_and(|server| server.is_probably(&upstream_server(self.upstream)))
    }

    fn is_front(&self, reference: &ServerReference<'_>) -> bool {
        let server = reference.server(self.front.spoken());
        let Some(server) = server else { return false };
        let is = |front: Server<'_>| front.is_probably(&server) || front.is_but_for_default_ports(&server);
        self.front.servers().any(is)
    }

    /// `Link: <http://up/a?page=2>; rel="next"; anchor="http://up/a"` (RFC 8288 §3).
    fn link(&self, text: &[u8]) -> Option<Vec<u8>> {
        let targets = in_angle_brackets(text, |inside| self.reference(inside));
        let anchors = after_each(targets.as_deref().unwrap_or(text), b"anchor=\"", b'"', |inside| {
            self.reference(inside)
        });
        anchors.or(targets)
    }

    /// `Refresh: 5; url=http://up/next`, whose `url=` and quotes are optional (HTML, "shared declarative refresh steps").
    fn refresh(&self, text: &[u8]) -> Option<Vec<u8>> {
        let is_gap = |byte: &u8| byte.is_ascii_whitespace();
        let skip = |at: usize| {
            at + text.get(at..).unwrap_or_default().iter().take_while(|byte| is_gap(byte)).count()
        };
        let mut start = skip(text.iter().position(|byte| matches!(byte, b';' | b','))? + 1);
        if text.get(start..start + 3)?.eq_ignore_ascii_case(b"url")
            && text.get(skip(start + 3)) == Some(&b'=')
        {
            start = skip(skip(start + 3) + 1);
        }
        let quote = text.get(start).copied().filter(|byte| matches!(byte, b'"' | b'\''));
        start += usize::from(quote.is_some());
        let rest = text.get(start..)?;
        let end = start + rest.iter().position(|byte| Some(*byte) == quote).unwrap_or(rest.len());
        let changed = self.reference(text.get(start..end)?)?;
        Some([text.get(..start)?, &changed, text.get(end..)?].concat())
    }
}

/// A redirect to a server names its root with a slash, as it always did.
fn rooted(mut after: Vec<u8>) -> Vec<u8> {
    let parts = ServerReference::parse(&after)
        .map(|reference| (reference.rest.len(), reference.rest.first().copied()));
    if let Some((length, None | Some(b'?' | b'#'))) = parts {
        after.insert(after.len() - length, b'/');
    }
    after
}

/// `text` with the bytes between each `start` and the next `end` replaced as `change` says.
fn after_each(
    text: &[u8],
    start: &[u8],
    end: u8,
    change: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    let mut changed = Vec::new();
    let mut copied = 0;
    let found: Vec<usize> = memchr::memmem::find_iter(text, start).collect();
    for at in found {
        let inside = text.get(at + start.len()..)?;
        let Some(length) = inside.iter().position(|byte| *byte == end) else { break };
        if let Some(other) = inside.get(..length).and_then(&change) {
            changed.extend_from_slice(text.get(copied..at + start.len())?);
            changed.extend_from_slice(&other);
            copied = at + start.len() + length;
        }
    }
    if copied == 0 {
        return None;
    }
    changed.extend_from_slice(text.get(copied..)?);
    Some(changed)
}

#[cfg(test)]
mod tests;
