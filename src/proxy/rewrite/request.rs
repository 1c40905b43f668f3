//! A request's header, on its way up: URLs of the proxy become the upstream's, as if the client had asked it
//! directly. URLs of others stay, so that the upstream can refuse other sites' pages as it would.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::{Front, ServerReference, in_angle_brackets, in_list, is_path, url};
use crate::rules::{HostHeader, UpstreamUrl};

/// How the upstream is to see itself.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamView<'r> {
    pub upstream: &'r UpstreamUrl,
    /// Its own host and port, as `Host` names them.
    pub own_host: &'r HeaderValue,
    pub host: HostHeader,
}

/// Translates a request's header.
pub fn request(headers: &mut HeaderMap, seen: UpstreamView<'_>, front: &Front) {
    for (name, value) in headers.iter_mut() {
        let changed = change(name, value.as_bytes(), seen, front);
        if let Some(changed) = changed.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok()) {
            *value = changed;
        }
    }
}

fn change(name: &HeaderName, value: &[u8], seen: UpstreamView<'_>, front: &Front) -> Option<Vec<u8>> {
    let reference = |text: &[u8]| reference(text, seen, front);
    match name.as_str() {
        // Usually one, at most a list of them (RFC 6454 §7.1).
        "origin" => in_list(value, |item| origin(item, seen, front)),
        // Where the destination is a path alone, it is one of the proxy's (RFC 4918 §8.3).
        "destination" => {
            let base = &seen.upstream.base_path;
            let below = (is_path(value) && !base.is_empty()).then(|| [base.as_bytes(), value].concat());
            below.or_else(|| reference(value))
        }
        // Of WebDAV: `(<urn:uuid:…>)` is about the target, `<http://front/a> (…)` about another.
        "if" => in_angle_brackets(value, reference),
        // They speak of the proxy on purpose.
        "x-forwarded-host" | "x-forwarded-proto" | "forwarded" | "host" => None,
        "referer" => reference(value),
        _ => matches!(value.first(), Some(b'h' | b'H' | b'w' | b'W'))
            .then(|| in_list(value, reference))
            .flatten(),
    }
}

/// A URL of the proxy's as one of the upstream's, below its base path.
fn reference(text: &[u8], seen: UpstreamView<'_>, front: &Front) -> Option<Vec<u8>> {
    let ServerReference { scheme, userinfo, authority, rest } = own(text, front)?;
    let base = seen.upstream.base_path.as_bytes();
    match seen.host {
        // Then the upstream goes by the client's name for the proxy.
        HostHeader::Client if base.is_empty() => None,
        HostHeader::Client => Some(url(scheme, userinfo, authority, &[base, rest].concat())),
        HostHeader::Upstream => {
            let spoken = scheme.map(|scheme| scheme.as_secure_as(super::Spoken::of(seen.upstream.scheme)));
            Some(url(spoken, userinfo, seen.own_host.as_bytes(), &[base, rest].concat()))
        }
    }
}

/// The proxy's origin as the upstream's (RFC 6454 §7).
fn origin(text: &[u8], seen: UpstreamView<'_>, front: &Front) -> Option<Vec<u8>> {
    let own = own(text, front).filter(|own| own.rest.is_empty() && own.userinfo.is_empty())?;
    let spoken = own.scheme?.as_secure_as(super::Spoken::of(seen.upstream.scheme));
    (seen.host == HostHeader::Upstream).then(|| url(Some(spoken), b"", seen.own_host.as_bytes(), b""))
}

/// A URL of the proxy's: the same scheme, host and port, as a page of another origin must stay one.
fn own<'t>(text: &'t [u8], front: &Front) -> Option<ServerReference<'t>> {
    let reference = ServerReference::parse(text)?;
    let is_as_secure = reference.scheme.is_none_or(|scheme| scheme.is_secure == front.spoken().is_secure);
    let server = reference.server(front.spoken())?;
    (is_as_secure && front.servers().any(|own| own.is(&server))).then_some(reference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Authority, Scheme};

    /// One header line as the upstream at `https://up.test:8443` below `base` sees it.
    fn seen(line: &[u8], host: HostHeader, base: &str, front: &Front) -> String {
        let authority = Authority { host: "up.test".into(), port: 8443 };
        let upstream = UpstreamUrl { scheme: Scheme::Https, authority, base_path: base.into() };
        let own_host = HeaderValue::from_static("up.test:8443");
        let colon = line.iter().position(|byte| *byte == b':').expect("a header");
        let name = HeaderName::from_bytes(&line[..colon]).expect("a name");
        let mut headers = HeaderMap::new();
        headers.insert(&name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).expect("a value"));
        request(&mut headers, UpstreamView { upstream: &upstream, own_host: &own_host, host }, front);
        headers[&name].as_bytes().escape_ascii().to_string()
    }

    fn front() -> Front {
        Front {
            host: Some(HeaderValue::from_static("localhost:4090")),
            forwarded: None,
            scheme: Scheme::Http,
        }
    }

    #[test]
    fn what_names_the_proxy_names_the_upstream() {
        for (from, to) in [
            (&b"Origin: http://localhost:4090"[..], "https://up.test:8443"),
            (b"Origin: http://LOCALHOST:4090", "https://up.test:8443"),
            (b"Referer: http://localhost:4090/a?b", "https://up.test:8443/dav/a?b"),
            (b"Referer: http://localhost:4090/caf\xe9", r"https://up.test:8443/dav/caf\xe9"),
            (b"Destination: http://localhost:4090/b", "https://up.test:8443/dav/b"),
            (b"Destination: /b", "/dav/b"),
            (b"Destination: //localhost:4090/b", "//up.test:8443/dav/b"),
            (b"X-Copy-Source: http://localhost:4090/b", "https://up.test:8443/dav/b"),
            (b"X-Socket: ws://localhost:4090/b", "wss://up.test:8443/dav/b"),
            (b"Origin: http://evil.test http://localhost:4090", "http://evil.test https://up.test:8443"),
            (
                b"X-Sources: http://localhost:4090/a,b, http://evil.test/c,http://localhost:4090/d",
                "https://up.test:8443/dav/a,b, http://evil.test/c,https://up.test:8443/dav/d",
            ),
            (
                b"If: <http://localhost:4090/a> (<urn:uuid:7>) (Not <DAV:no>)",
                "<https://up.test:8443/dav/a> (<urn:uuid:7>) (Not <DAV:no>)",
            ),
        ] {
            assert_eq!(seen(from, HostHeader::Upstream, "/dav", &front()), to);
        }
        assert_eq!(seen(b"Destination: /b", HostHeader::Upstream, "", &front()), "/b");
        assert_eq!(
            seen(b"Referer: http://localhost:4090", HostHeader::Upstream, "", &front()),
            "https://up.test:8443"
        );
    }

    #[test]
    fn what_names_others_stays() {
        for line in [
            &b"Origin: null"[..],
            b"Origin: http://evil.test",
            b"Origin: https://localhost:4090",
            b"Origin: http://localhost",
            b"Origin: http://127.0.0.1:4090",
            b"Origin: http://localhost:4090.evil.test",
            b"Origin: http://localhost:4090@evil.test",
            b"Origin: http://localhost:4090/",
            b"Referer: http://evil.test/http://localhost:4090/",
            b"Destination: http://evil.test/b",
            b"If: (<urn:uuid:7> [\"<http://localhost:4090/a>\"])",
            b"X-Forwarded-Host: localhost:4090",
            b"X-Note: see http://localhost:4090/a",
        ] {
            let value =
                line.splitn(2, |byte| *byte == b' ').last().expect("a value").escape_ascii().to_string();
            assert_eq!(seen(line, HostHeader::Upstream, "/dav", &front()), value);
        }
    }

    #[test]
    fn where_the_upstream_goes_by_the_clients_host_only_its_base_path_is_added() {
        for (from, base, to) in [
            (&b"Origin: http://localhost:4090"[..], "/dav", "http://localhost:4090"),
            (b"Destination: http://localhost:4090/b", "/dav", "http://localhost:4090/dav/b"),
            (b"Destination: http://localhost:4090/b", "", "http://localhost:4090/b"),
            (b"Destination: /b", "/dav", "/dav/b"),
            (b"Referer: http://localhost:4090/a", "/dav", "http://localhost:4090/dav/a"),
        ] {
            assert_eq!(seen(from, HostHeader::Client, base, &front()), to);
        }
    }

    #[test]
    fn a_proxy_behind_a_trusted_one_goes_by_two_names() {
        let front = Front {
            host: Some(HeaderValue::from_static("10.0.0.1:4090")),
            forwarded: Some(HeaderValue::from_static("shop.test")),
            scheme: Scheme::Https,
        };
        for (from, to) in [
            (&b"Origin: https://shop.test"[..], "https://up.test:8443"),
            (b"Origin: https://10.0.0.1:4090", "https://up.test:8443"),
            (b"Origin: http://shop.test", "http://shop.test"),
        ] {
            assert_eq!(seen(from, HostHeader::Upstream, "", &front), to);
        }
    }
}
