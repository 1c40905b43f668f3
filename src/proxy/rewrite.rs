//! Answers that point at the upstream are made to point at the proxy, so that whoever follows them
//! stays inside it: `Location`, `Content-Location`, and the `Domain`, `Path` and `Secure` of cookies.

use std::borrow::Cow;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::rules::{Scheme, UpstreamUrl};

/// How the client reached the proxy.
#[derive(Clone, Copy, Debug)]
pub struct Front<'r> {
    /// `Host` as the client sent it.
    pub host: Option<&'r HeaderValue>,
    pub scheme: Scheme,
}

/// What may point at the upstream.
static POINTERS: [HeaderName; 3] = [header::LOCATION, header::CONTENT_LOCATION, header::SET_COOKIE];

/// Rewrites an answer's header.
pub fn answer(headers: &mut HeaderMap, upstream: &UpstreamUrl, front: Front<'_>) {
    if !headers.keys().any(|name| POINTERS.contains(name)) {
        return;
    }
    for name in [header::LOCATION, header::CONTENT_LOCATION] {
        if let Some(value) = headers.get(&name)
            && let Some(location) = value.to_str().ok().and_then(|text| location(text, upstream, front))
        {
            insert(headers, name, location);
        }
    }
    if headers.contains_key(header::SET_COOKIE) {
        let cookies: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).iter().cloned().collect();
        headers.remove(header::SET_COOKIE);
        for value in cookies {
            let rewritten = value
                .to_str()
                .ok()
                .map(|text| cookie(text, upstream, front))
                .and_then(|text| HeaderValue::try_from(text).ok());
            headers.append(header::SET_COOKIE, rewritten.unwrap_or(value));
        }
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, text: String) {
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(name, value);
    }
}

/// Where a reference leads through the proxy; `None` when it can stay as it is.
fn location(text: &str, upstream: &UpstreamUrl, front: Front<'_>) -> Option<String> {
    if let Some(path) = below_origin(text, upstream) {
        let path = strip_base(path, &upstream.base_path)?;
        return Some(match front.host.and_then(|host| host.to_str().ok()) {
            Some(host) => format!("{}://{host}{path}", front.scheme.as_str()),
            // Without a Host (HTTP/1.0) a path alone leads back to where the client asked.
            None => path.into_owned(),
        });
    }
    if text.starts_with('/') && !text.starts_with("//") && !upstream.base_path.is_empty() {
        return strip_base(text, &upstream.base_path).map(Cow::into_owned);
    }
    None
}

/// What follows the upstream's own `scheme://host:port`, if that is how `text` begins.
fn below_origin<'t>(text: &'t str, upstream: &UpstreamUrl) -> Option<&'t str> {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None => (upstream.scheme.in_urls().as_str(), text.strip_prefix("//")?),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let default_port = match scheme.to_ascii_lowercase().as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (authority, default_port),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (host.eq_ignore_ascii_case(&upstream.authority.host) && port == upstream.authority.port).then_some(path)
}

/// The path as the proxy's clients know it; `None` when it lies outside the base path.
fn strip_base<'t>(path: &'t str, base: &str) -> Option<Cow<'t, str>> {
    let rest = path.strip_prefix(base)?;
    match rest.as_bytes().first() {
        None => Some("/".into()),
        Some(b'/') => Some(rest.into()),
        Some(b'?' | b'#') => Some(format!("/{rest}").into()),
        Some(_) => None,
    }
}

/// A cookie that the client will send back to the proxy.
fn cookie(text: &str, upstream: &UpstreamUrl, front: Front<'_>) -> String {
    let mut kept = Vec::new();
    for (at, part) in text.split(';').enumerate() {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let (name, value) = (name.trim(), value.trim());
        if at > 0 && name.eq_ignore_ascii_case("domain") && covers(value, &upstream.authority.host) {
            continue;
        }
        // A cookie marked Secure would never come back over plain HTTP.
        let is_downgrade = upstream.scheme == Scheme::Https && front.scheme == Scheme::Http;
        if at > 0 && name.eq_ignore_ascii_case("secure") && is_downgrade {
            continue;
        }
        if at > 0
            && name.eq_ignore_ascii_case("path")
            && !upstream.base_path.is_empty()
            && let Some(path) = strip_base(value, &upstream.base_path)
        {
            kept.push(format!(" Path={path}"));
            continue;
        }
        kept.push(part.to_owned());
    }
    kept.join(";")
}

/// Whether a cookie's `Domain` covers the upstream's host (RFC 6265 §5.1.3).
fn covers(domain: &str, host: &str) -> bool {
    let domain = domain.trim_start_matches('.').to_ascii_lowercase();
    let host = host.to_ascii_lowercase();
    host == domain || host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Authority;

    fn upstream(scheme: Scheme, host: &str, port: u16, base: &str) -> UpstreamUrl {
        UpstreamUrl { scheme, authority: Authority { host: host.into(), port }, base_path: base.into() }
    }

    #[test]
    fn references_to_the_upstream_lead_through_the_proxy() {
        let host = HeaderValue::from_static("127.0.0.1:4090");
        let front = Front { host: Some(&host), scheme: Scheme::Http };
        let plain = upstream(Scheme::Http, "api.test", 8080, "");
        let based = upstream(Scheme::Https, "api.test", 443, "/v1");
        for (upstream, from, to) in [
            (&plain, "http://api.test:8080/a?b#c", Some("http://127.0.0.1:4090/a?b#c")),
            (&plain, "HTTP://API.TEST:8080/a", Some("http://127.0.0.1:4090/a")),
            (&plain, "http://api.test:8080", Some("http://127.0.0.1:4090/")),
            (&plain, "http://api.test:8080?a", Some("http://127.0.0.1:4090/?a")),
            (&plain, "//api.test:8080/a", Some("http://127.0.0.1:4090/a")),
            (&plain, "http://api.test/a", None),
            (&plain, "http://other.test:8080/a", None),
            (&plain, "http://api.test.evil:8080/a", None),
            (&plain, "/a", None),
            (&plain, "a", None),
            (&based, "https://api.test/v1/a", Some("http://127.0.0.1:4090/a")),
            (&based, "https://api.test:443/v1", Some("http://127.0.0.1:4090/")),
            (&based, "/v1/a", Some("/a")),
            (&based, "/v1?a=b", Some("/?a=b")),
            (&based, "https://api.test/v1#a", Some("http://127.0.0.1:4090/#a")),
            (&based, "/v10/a", None),
            (&based, "https://api.test/other", None),
        ] {
            assert_eq!(location(from, upstream, front).as_deref(), to, "{from}");
        }
    }

    #[test]
    fn cookies_come_back_to_the_proxy() {
        let front = Front { host: None, scheme: Scheme::Http };
        let based = upstream(Scheme::Https, "www.api.test", 443, "/v1");
        for (from, to) in [
            ("s=1; Domain=api.test; Path=/v1/x; Secure; HttpOnly", "s=1; Path=/x; HttpOnly"),
            ("s=1; domain=.www.API.test", "s=1"),
            ("domain=1; Domain=other.test; Path=/", "domain=1; Domain=other.test; Path=/"),
            ("s=a=b", "s=a=b"),
        ] {
            assert_eq!(cookie(from, &based, front), to);
        }
        let plain = upstream(Scheme::Http, "api.test", 80, "");
        assert_eq!(cookie("s=1; Secure; Path=/v1", &plain, front), "s=1; Secure; Path=/v1");
    }
}
