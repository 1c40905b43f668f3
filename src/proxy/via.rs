//! `Via` (RFC 9110 §7.6.3): names the proxies that a message has passed, and so detects loops.

use http::Version;
use http::header::{self, HeaderMap, HeaderValue};
use memchr::memmem;

use super::headers::append_to_list;

/// One proxy's entry in `Via`.
#[derive(Clone, Debug)]
pub struct Via {
    /// This proxy's own name: chance keeps it apart from every other one, so that a request that carries it
    /// has been here before, under any name and address.
    pseudonym: Box<str>,
    /// The entry for each HTTP version of a received message.
    http10: HeaderValue,
    http11: HeaderValue,
    http2: HeaderValue,
}

impl Via {
    /// `chance` is drawn once for each proxy.
    pub fn new(chance: u64) -> Via {
        let pseudonym = format!("fracas-{chance:016x}");
        let entry = |version: &str| {
            let entry = HeaderValue::try_from(format!("{version} {pseudonym}"));
            entry.unwrap_or_else(|_| HeaderValue::from_static("1.1 fracas"))
        };
        Via { http10: entry("1.0"), http11: entry("1.1"), http2: entry("2.0"), pseudonym: pseudonym.into() }
    }

    /// Whether a request has come through this proxy before.
    pub fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut lines = headers.get_all(header::VIA).iter();
        lines.any(|line| memmem::find(line.as_bytes(), self.pseudonym.as_bytes()).is_some())
    }

    /// Adds this proxy, with the HTTP version of the received message.
    pub fn add(&self, headers: &mut HeaderMap, version: Version) {
        let entry = match version {
            Version::HTTP_10 => &self.http10,
            Version::HTTP_2 => &self.http2,
            _ => &self.http11,
        };
        append_to_list(headers, header::VIA, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (header::VIA, HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn the_list_grows_on_one_line_and_says_the_version() {
        let mut message = headers(&["1.0 a", "1.1 b"]);
        Via::new(0xfeed).add(&mut message, Version::HTTP_11);
        let lines: Vec<_> = message.get_all("via").iter().collect();
        assert_eq!(lines, ["1.0 a, 1.1 b, 1.1 fracas-000000000000feed"]);
        for (version, said) in [
            (Version::HTTP_10, "1.0 fracas-0000000000000001"),
            (Version::HTTP_2, "2.0 fracas-0000000000000001"),
        ] {
            let mut message = HeaderMap::new();
            Via::new(1).add(&mut message, version);
            assert_eq!(message["via"], said);
        }
    }

    #[test]
    fn a_proxy_knows_itself_in_any_line_and_no_other_one() {
        let own = Via::new(7);
        for (lines, is_in) in [
            (&[][..], false),
            (&["1.1 nginx"], false),
            (&["1.1 fracas"], false),
            (&["1.1 fracas-0000000000000008"], false),
            (&["1.1 fracas-0000000000000007"], true),
            (&["1.0 a", "1.1 b,2.0 fracas-0000000000000007 (a comment), 1.1 c"], true),
        ] {
            assert_eq!(own.is_in(&headers(lines)), is_in, "{lines:?}");
        }
        let mut odd = HeaderMap::new();
        odd.insert(
            header::VIA,
            HeaderValue::from_bytes(b"1.1 \xff, 1.1 fracas-0000000000000007").expect("a value"),
        );
        assert!(own.is_in(&odd), "an odd byte hides nothing");
    }
}
