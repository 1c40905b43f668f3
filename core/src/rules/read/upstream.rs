//! Where requests go: `http://host:port/base`.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use crate::rules::diagnostic::shown;
use crate::rules::units::TextMistake;
use crate::rules::{Authority, Scheme, UpstreamUrl};

/// Reads an upstream's URL.
pub(in crate::rules) fn parse(text: &str) -> Result<UpstreamUrl, TextMistake> {
    let mistake = |at: Range<usize>, message: &str| Err(TextMistake::new(at, message));
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(TextMistake::new(0..text.len(), without_scheme(text)));
    };
    let start = text.len() - rest.len();
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        "h2c" => Scheme::H2c,
        _ => {
            let message =
                format!("`{}` is not a scheme that fracas speaks; use http, https or h2c", shown(scheme));
            return Err(TextMistake::new(0..scheme.len(), message));
        }
    };
    if let Some(at) = text.find('#') {
        return mistake(at..text.len(), "a fragment is never sent; leave it out");
    }
    if let Some(at) = text.find('?') {
        return mistake(at..text.len(), "each request brings its own query; leave it out");
    }
    if let Some(at) = text.find(|c: char| c.is_whitespace() || c.is_control()) {
        return mistake(at..text.len(), "a URL has no spaces");
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let end = start + authority.len();
    if let Some(at) = authority.rfind('@') {
        return mistake(start..start + at + 1, "no credentials here: they would be shown in logs");
    }
    if authority.starts_with('[') && !authority.contains(']') {
        return mistake(start..end, "a bracket is not closed");
    }
    let (host, port) = split_port(authority);
    if host.is_empty() {
        return mistake(start..end.max(start), "a host should stand here");
    }
    let host_end = start + host.len();
    let port = match port {
        None => scheme.default_port(),
        Some(digits) => match digits.parse::<u16>() {
            Ok(port @ 1..) if digits.bytes().all(|byte| byte.is_ascii_digit()) => port,
            _ => return mistake(host_end + 1..end, "a port is a number from 1 to 65535"),
        },
    };
    let host = host_of(host).map_err(|message| TextMistake::new(start..host_end, message))?;
    let path = path.trim_end_matches('/');
    let not_in_paths =
        |c: char| !c.is_ascii_graphic() || matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}');
    if let Some(at) = path.find(not_in_paths) {
        return mistake(
            end + at..text.len(),
            "percent-encode this: a path has only ASCII letters, digits and a few signs",
        );
    }
    Ok(UpstreamUrl { scheme, authority: Authority { host, port }, base_path: path.into() })
}

impl Scheme {
    /// The port of a URL that names none.
    pub fn default_port(self) -> u16 {
        match self {
            Scheme::Http | Scheme::H2c => 80,
            Scheme::Https => 443,
        }
    }
}

fn without_scheme(text: &str) -> String {
    let looks_like_a_host = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
        && !text.contains(char::is_whitespace);
    if looks_like_a_host && text.contains([':', '.']) {
        format!("did you mean \"http://{}\"?", shown(text))
    } else {
        "a URL begins with http:// or https://".to_owned()
    }
}

/// A host with its brackets, and the port's text if there is one.
pub(in crate::rules) fn split_port(authority: &str) -> (&str, Option<&str>) {
    // The colons of an IPv6 address are inside brackets, and none of them counts.
    let after_brackets = authority.rfind(']').unwrap_or_default();
    let colon = authority.char_indices().find(|(at, c)| *c == ':' && *at >= after_brackets);
    match colon.and_then(|(at, _)| authority.split_at_checked(at)) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => (authority, None),
    }
}

fn host_of(host: &str) -> Result<Box<str>, &'static str> {
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']').ok_or("a bracket is not closed")?;
        return inner.parse::<Ipv6Addr>().map(|_| inner.into()).map_err(|_| "not an IPv6 address");
    }
    if !host.is_ascii() {
        return Err("write the name in its ASCII form (xn--…)");
    }
    let numbers = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if numbers && host.parse::<Ipv4Addr>().is_err() {
        return Err("not an IPv4 address");
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    // RFC 1035 §2.3.4: 255 octets on the wire are 253 characters. One final dot names the root.
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.len() > 253 || !name.split('.').all(is_label) {
        return Err("not a host's name");
    }
    Ok(host.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (text, scheme, host, port, base) in [
            ("http://a", Scheme::Http, "a", 80, ""),
            ("https://a.b/", Scheme::Https, "a.b", 443, ""),
            ("http://127.0.0.1:9000/api/v1/", Scheme::Http, "127.0.0.1", 9000, "/api/v1"),
            ("http://[::1]:8080", Scheme::Http, "::1", 8080, ""),
            ("h2c://a:8080/x", Scheme::H2c, "a", 8080, "/x"),
            ("h2c://a", Scheme::H2c, "a", 80, ""),
            ("http://[::1]/x", Scheme::Http, "::1", 80, "/x"),
            ("http://my_service.:1", Scheme::Http, "my_service.", 1, ""),
        ] {
            let url = UpstreamUrl {
                scheme,
                authority: Authority { host: host.into(), port },
                base_path: base.into(),
            };
            assert_eq!(parse(text), Ok(url), "{text}");
        }
    }

    #[test]
    fn a_wrong_url_is_blamed_on_its_wrong_piece() {
        for (text, at) in [
            ("", 0..0),
            ("localhost:9000", 0..14),
            ("ftp://a", 0..3),
            ("http://", 7..7),
            ("http://u:p@a", 7..11),
            ("http://a?x=1", 8..12),
            ("http://a/#x", 9..11),
            ("http://a:0", 9..10),
            ("http://a:99999", 9..14),
            ("http://a:+80", 9..12),
            ("http://a:", 9..9),
            ("http://[::1", 7..11),
            ("http://[::g]", 7..12),
            ("http://1.2.3", 7..12),
            ("http://bücher.example", 7..22),
            ("http://a..b", 7..11),
            ("http://a b", 8..10),
            ("http://a/{id}", 9..13),
        ] {
            assert_eq!(parse(text).map_err(|mistake| mistake.at), Err(at), "{text}");
        }
    }
}
