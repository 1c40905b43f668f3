//! An answer's header, on its way to the client.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::{
    Front, Reference, Server, Spoken, cookies, in_angle_brackets, is_path, strip_base, upstream_server, url,
};
use crate::rules::UpstreamUrl;

/// Rewrites an answer's header.
pub fn answer(headers: &mut HeaderMap, upstream: &UpstreamUrl, front: &Front) {
    // Nearly all answers have none of these.
    if headers.keys().any(|name| AROUND.contains(name)) {
        for name in &AROUND {
            headers.remove(name);
        }
    }
    let way = Way { upstream, server: upstream_server(upstream), front };
    for (name, value) in headers.iter_mut() {
        let changed = way.change(name, value.as_bytes());
        if let Some(changed) = changed.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok()) {
            *value = changed;
        }
    }
}

/// What sends clients to other ports or schemes of the host that they asked (RFC 7838, RFC 6797). That host is the
/// proxy's: usually `localhost`, which would be of no use to anybody over HTTP for the year that servers ask for.
static AROUND: [HeaderName; 2] = [header::ALT_SVC, header::STRICT_TRANSPORT_SECURITY];

struct Way<'r> {
    upstream: &'r UpstreamUrl,
    server: Server<'r>,
    front: &'r Front,
}

impl Way<'_> {
    /// What stands in the place of a header's value; `None` when it can stay as it is.
    fn change(&self, name: &HeaderName, value: &[u8]) -> Option<Vec<u8>> {
        match name.as_str() {
            "set-cookie" => cookies::set(value, self.upstream, self.front),
            "location" | "content-location" | "operation-location" | "azure-asyncoperation" | "sourcemap" => {
                self.reference(value).map(rooted)
            }
            "link" => self.link(value),
            "refresh" => self.refresh(value),
            "access-control-allow-origin" | "timing-allow-origin" => self.origin(value),
            _ => {
                // A whole value that is a URL. One that begins with slashes alone may mean something else.
                matches!(value.first(), Some(b'h' | b'H' | b'w' | b'W'))
                    .then(|| self.reference(value))
                    .flatten()
            }
        }
    }

    /// Where a reference leads through the proxy; `None` when it can stay as it is.
    fn reference(&self, text: &[u8]) -> Option<Vec<u8>> {
        let base = &*self.upstream.base_path;
        let Some(reference) = Reference::parse(text) else {
            // An empty base is stripped of nothing.
            return (is_path(text) && !base.is_empty())
                .then(|| strip_base(text, base).map(Into::into))
                .flatten();
        };
        let Reference { scheme, userinfo, authority, rest } = reference;
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
        // The upstream believes what it hears of the proxy, and says its own paths and perhaps its own scheme.
        let path = if base.is_empty() { rest.into() } else { strip_base(rest, base).unwrap_or(rest.into()) };
        let spoken = scheme.map(|scheme| scheme.as_secure_as(self.front.spoken()));
        (spoken != scheme || *path != *rest).then(|| url(spoken, userinfo, authority, &path))
    }

    /// As [`Way::reference`], for a value that has no path at all.
    fn origin(&self, text: &[u8]) -> Option<Vec<u8>> {
        let reference = Reference::parse(text).filter(|reference| reference.rest.is_empty())?;
        let front = self.front.name().filter(|_| self.is_upstream(&reference))?;
        Some(url(Some(self.front.spoken()), b"", front.as_bytes(), b""))
    }

    fn is_upstream(&self, reference: &Reference<'_>) -> bool {
        let own = Spoken::of(self.upstream.scheme);
        reference.server(own).is_some_and(|server| server.is_probably(&self.server))
    }

    fn is_front(&self, reference: &Reference<'_>) -> bool {
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
    let parts =
        Reference::parse(&after).map(|reference| (reference.rest.len(), reference.rest.first().copied()));
    if let Some((length, None | Some(b'?' | b'#'))) = parts {
        after.insert(after.len() - length, b'/');
    }
    after
}

/// `text` with what stands after each `start` and before the next `end` in place of which `change` gives another.
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
mod tests {
    use super::*;
    use crate::rules::{Authority, Scheme};

    fn upstream(scheme: Scheme, host: &str, port: u16, base: &str) -> UpstreamUrl {
        UpstreamUrl { scheme, authority: Authority { host: host.into(), port }, base_path: base.into() }
    }

    fn front(host: &'static str) -> Front {
        Front { host: Some(HeaderValue::from_static(host)), forwarded: None, scheme: Scheme::Http }
    }

    /// What becomes of one header line.
    fn through(line: &[u8], upstream: &UpstreamUrl, front: &Front) -> Vec<u8> {
        let colon = line.iter().position(|byte| *byte == b':').expect("a header");
        let name = HeaderName::from_bytes(&line[..colon]).expect("a name");
        let mut headers = HeaderMap::new();
        headers.insert(&name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).expect("a value"));
        answer(&mut headers, upstream, front);
        headers.get(&name).map(|value| value.as_bytes().to_vec()).unwrap_or_default()
    }

    fn check(upstream: &UpstreamUrl, front: &Front, table: &[(&[u8], &[u8])]) {
        for (from, to) in table {
            let became = through(from, upstream, front);
            assert_eq!(
                became.escape_ascii().to_string(),
                to.escape_ascii().to_string(),
                "{}",
                from.escape_ascii()
            );
        }
    }

    #[test]
    fn references_to_the_upstream_lead_through_the_proxy_whatever_their_bytes() {
        check(
            &upstream(Scheme::Http, "api.test", 8080, ""),
            &front("front.test:4090"),
            &[
                (b"Location: http://api.test:8080/a?b#c", b"http://front.test:4090/a?b#c"),
                (b"Location: HTTP://API.TEST:8080/a", b"http://front.test:4090/a"),
                (b"Location: http://api.test.:8080/a", b"http://front.test:4090/a"),
                (b"Location: http://api.test:8080", b"http://front.test:4090/"),
                (b"Location: http://api.test:8080?a", b"http://front.test:4090/?a"),
                (b"Location: //api.test:8080/a", b"http://front.test:4090/a"),
                (b"Location: /\\api.test:8080/a", b"http://front.test:4090/a"),
                (b"Location: https://api.test:8080/a", b"http://front.test:4090/a"),
                (b"Location: http://me@api.test:8080/a", b"http://me@front.test:4090/a"),
                (b"Location: http://api.test:8080/caf\xc3\xa9", b"http://front.test:4090/caf\xc3\xa9"),
                (b"Location: http://api.test:8080/caf\xe9?\xff", b"http://front.test:4090/caf\xe9?\xff"),
                (b"Content-Location: http://api.test:8080/\xe9", b"http://front.test:4090/\xe9"),
                (b"Operation-Location: http://api.test:8080/ops/1", b"http://front.test:4090/ops/1"),
                (b"Azure-AsyncOperation: http://api.test:8080/ops/1", b"http://front.test:4090/ops/1"),
                (b"X-Next-Page: http://api.test:8080/a", b"http://front.test:4090/a"),
                (b"X-Socket: ws://api.test:8080/a", b"ws://front.test:4090/a"),
                (b"Access-Control-Allow-Origin: http://api.test:8080", b"http://front.test:4090"),
                (b"Location: http://api.test/a", b"http://api.test/a"),
                (b"Location: http://other.test:8080/a", b"http://other.test:8080/a"),
                (b"Location: http://api.test:8080@other.test/a", b"http://api.test:8080@other.test/a"),
                (b"Location: http://api.test.evil:8080/a", b"http://api.test.evil:8080/a"),
                (b"Location: /caf\xc3\xa9", b"/caf\xc3\xa9"),
                (b"Location: a", b"a"),
                (b"X-Note: see http://api.test:8080/a", b"see http://api.test:8080/a"),
                (b"Access-Control-Allow-Origin: http://other.test", b"http://other.test"),
            ],
        );
    }

    #[test]
    fn a_base_path_is_stripped_from_what_names_the_upstream_or_the_proxy() {
        check(
            &upstream(Scheme::Https, "api.test", 443, "/v1"),
            &front("front.test:4090"),
            &[
                (b"Location: https://api.test/v1/a", b"http://front.test:4090/a"),
                (b"Location: https://api.test:443/v1", b"http://front.test:4090/"),
                (b"Location: https://api.test/v1#a", b"http://front.test:4090/#a"),
                (b"Location: /v1/caf\xe9", b"/caf\xe9"),
                (b"Location: /v1?a=b", b"/?a=b"),
                (b"Location: /v10/a", b"/v10/a"),
                (b"Location: https://api.test/other", b"https://api.test/other"),
                (b"Location: http://front.test:4090/v1/login", b"http://front.test:4090/login"),
                (b"Location: https://FRONT.test:4090/v1/login", b"http://FRONT.test:4090/login"),
                (b"Location: https://front.test/v1/login", b"http://front.test/login"),
                (b"Location: //front.test:4090/v1/login", b"//front.test:4090/login"),
                (b"Location: https://front.test:4090/other", b"http://front.test:4090/other"),
                (b"Location: http://front.test:4090/other", b"http://front.test:4090/other"),
                (b"Location: http://front.test:4091/v1/a", b"http://front.test:4091/v1/a"),
                (b"Link: </v1/a>; rel=next", b"</a>; rel=next"),
                (b"Access-Control-Allow-Origin: https://api.test", b"http://front.test:4090"),
                (b"X-Path: /v1/a", b"/v1/a"),
            ],
        );
    }

    #[test]
    fn a_trusted_peers_word_says_how_clients_know_the_proxy() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "10.0.0.1:4090"),
            ("x-forwarded-host", "shop.test, inner"),
            ("x-forwarded-proto", "https"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let upstream = upstream(Scheme::Http, "up.test", 80, "/api");
        check(
            &upstream,
            &Front::of(&headers, Scheme::Http, true),
            &[
                (b"Location: http://up.test/api/a", b"https://shop.test/a"),
                (b"Location: https://shop.test/api/a", b"https://shop.test/a"),
            ],
        );
        check(
            &upstream,
            &Front::of(&headers, Scheme::Http, false),
            &[
                (b"Location: http://up.test/api/a", b"http://10.0.0.1:4090/a"),
                (b"Location: https://shop.test/api/a", b"https://shop.test/api/a"),
            ],
        );
    }

    #[test]
    fn addresses_are_compared_by_value_and_this_machines_names_are_one() {
        for host in ["::1", "127.0.0.1", "localhost"] {
            check(
                &upstream(Scheme::H2c, host, 8080, ""),
                &front("f:1"),
                &[
                    (b"Location: http://[::1]:8080/a", b"http://f:1/a"),
                    (b"Location: http://[0:0:0:0:0:0:0:1]:8080/a", b"http://f:1/a"),
                    (b"Location: http://localhost:8080/a", b"http://f:1/a"),
                    (b"Location: http://[::ffff:127.0.0.1]:8080/a", b"http://f:1/a"),
                    (b"Location: http://localhost:8081/a", b"http://localhost:8081/a"),
                ],
            );
        }
        check(
            &upstream(Scheme::Http, "2001:db8::7", 80, ""),
            &front("f:1"),
            &[
                (b"Location: http://[2001:DB8:0::0007]/a", b"http://f:1/a"),
                (b"Location: http://[2001:db8::8]/a", b"http://[2001:db8::8]/a"),
            ],
        );
    }

    #[test]
    fn links_and_refreshes_are_rewritten_inside_their_values() {
        check(
            &upstream(Scheme::Http, "up", 80, ""),
            &front("f"),
            &[
                (
                    b"Link: <http://up/a?page=2>; rel=\"next\", <http://up/a?page=9>; rel=\"last\"",
                    b"<http://f/a?page=2>; rel=\"next\", <http://f/a?page=9>; rel=\"last\"",
                ),
                (
                    b"Link: <http://else/a>; rel=next,<//up/\xe9>",
                    b"<http://else/a>; rel=next,<http://f/\xe9>",
                ),
                (
                    b"Link: </a>; title=\"see <http://up/a>\"; anchor=\"http://up/b\"",
                    b"</a>; title=\"see <http://up/a>\"; anchor=\"http://f/b\"",
                ),
                (b"Link: <http://up/a", b"<http://up/a"),
                (b"Refresh: 0; url=http://up/next", b"0; url=http://f/next"),
                (b"Refresh: 5;URL = 'http://up/a;b' ", b"5;URL = 'http://f/a;b'"),
                (b"Refresh: 5, \"http://up/\xe9\"", b"5, \"http://f/\xe9\""),
                (b"Refresh: 5", b"5"),
                (b"Refresh: 5; url", b"5; url"),
                (b"Refresh: 5; url=http://else/", b"5; url=http://else/"),
                (b"Alt-Svc: h2=\":443\"", b""),
                (b"Strict-Transport-Security: max-age=31536000", b""),
            ],
        );
    }

    #[test]
    fn without_a_host_paths_lead_back() {
        let front = Front { host: None, forwarded: None, scheme: Scheme::Http };
        check(
            &upstream(Scheme::Http, "up", 80, ""),
            &front,
            &[
                (b"Location: http://up/a", b"/a"),
                (b"Location: http://up", b"/"),
                (b"Location: http://else/a", b"http://else/a"),
            ],
        );
    }
}
