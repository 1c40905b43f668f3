//! References as browsers read them (RFC 3986 §4.1, WHATWG URL), and whether two authorities are one. All of it works
//! on bytes: a `Location` may hold any of them.

use std::net::IpAddr;

use crate::rules::Scheme;

/// A reference that names a server: `https://me@api.test:8443/a?b#c`, or `//api.test/a`.
#[derive(Clone, Copy, Debug)]
pub struct ServerReference<'t> {
    /// `None` for one that begins with `//`.
    pub scheme: Option<Spoken>,
    /// With its `@`; usually empty.
    pub userinfo: &'t [u8],
    /// Host and port as written.
    pub authority: &'t [u8],
    /// The path and what follows it; may be empty, or begin with a `?` or `#`.
    pub rest: &'t [u8],
}

/// What a URL's scheme says of how its server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoken {
    pub is_secure: bool,
    /// `ws` and `wss`: the same servers and ports, under another word.
    pub is_socket: bool,
}

impl Spoken {
    pub fn parse(word: &[u8]) -> Option<Spoken> {
        let words: [(&[u8], bool, bool); 4] =
            [(b"http", false, false), (b"https", true, false), (b"ws", false, true), (b"wss", true, true)];
        let (_, is_secure, is_socket) = words.into_iter().find(|known| known.0.eq_ignore_ascii_case(word))?;
        Some(Spoken { is_secure, is_socket })
    }

    pub fn of(scheme: Scheme) -> Spoken {
        Spoken { is_secure: scheme == Scheme::Https, is_socket: false }
    }

    /// The same word, spoken as securely as `other`.
    pub fn as_secure_as(self, other: Spoken) -> Spoken {
        Spoken { is_secure: other.is_secure, ..self }
    }

    pub fn as_bytes(self) -> &'static [u8] {
        match (self.is_socket, self.is_secure) {
            (false, false) => b"http",
            (false, true) => b"https",
            (true, false) => b"ws",
            (true, true) => b"wss",
        }
    }

    fn default_port(self) -> u16 {
        if self.is_secure { 443 } else { 80 }
    }
}

impl<'t> ServerReference<'t> {
    /// `None` for what names no server, or one that is not spoken to in HTTP.
    pub fn parse(text: &'t [u8]) -> Option<ServerReference<'t>> {
        let colon = text.iter().position(|byte| !byte.is_ascii_alphabetic())?;
        let (scheme, after) = match text.get(colon) {
            Some(b':') => (Some(Spoken::parse(text.get(..colon)?)?), text.get(colon + 1..)?),
            _ => (None, text),
        };
        // Browsers take a backslash for a slash.
        let is_slash = |byte: &u8| matches!(byte, b'/' | b'\\');
        let after = match after {
            [one, two, after @ ..] if is_slash(one) && is_slash(two) => after,
            _ => return None,
        };
        let ends = |byte: &u8| matches!(byte, b'/' | b'\\' | b'?' | b'#');
        let (place, rest) = after.split_at(after.iter().position(ends).unwrap_or(after.len()));
        let at = place.iter().rposition(|byte| *byte == b'@').map_or(0, |at| at + 1);
        let (userinfo, authority) = place.split_at(at);
        Some(ServerReference { scheme, userinfo, authority, rest })
    }

    /// The server that it names, where a scheme that is left out is `own`.
    pub fn server(&self, own: Spoken) -> Option<Server<'t>> {
        Server::parse(self.authority, self.scheme.unwrap_or(own))
    }
}

/// A host and a port.
#[derive(Clone, Copy, Debug)]
pub struct Server<'t> {
    host: Host<'t>,
    port: u16,
    /// Whether the port is written down.
    has_port: bool,
}

/// Whose name is compared without regard to case, and whose address is compared by its value.
#[derive(Clone, Copy, Debug)]
enum Host<'t> {
    Address(IpAddr),
    Name(&'t [u8]),
}

impl<'t> Server<'t> {
    /// As `Host` and URLs write it; a port that is left out is that of `spoken`.
    pub fn parse(authority: &'t [u8], spoken: Spoken) -> Option<Server<'t>> {
        let after_brackets = authority.iter().rposition(|byte| *byte == b']').unwrap_or_default();
        let colon = authority.iter().rposition(|byte| *byte == b':').filter(|at| *at >= after_brackets);
        let (host, port) = match colon {
            Some(at) => (authority.get(..at)?, authority.get(at + 1..)?),
            None => (authority, &b""[..]),
        };
        let host = Host::parse(host)?;
        if port.is_empty() {
            return Some(Server { host, port: spoken.default_port(), has_port: false });
        }
        let port = std::str::from_utf8(port).ok().filter(|_| port.iter().all(u8::is_ascii_digit))?;
        Some(Server { host, port: port.parse().ok()?, has_port: true })
    }

    /// One whose host stands alone, an IPv6 address without its brackets.
    pub fn new(host: &'t str, port: u16) -> Server<'t> {
        let host = match host.parse::<IpAddr>() {
            Ok(address) => Host::Address(address.to_canonical()),
            Err(_) => Host::Name(without_final_dot(host.as_bytes())),
        };
        Server { host, port, has_port: true }
    }

    /// Whether both are one (RFC 3986 §6.2).
    pub fn is(&self, other: &Server<'_>) -> bool {
        self.port == other.port && self.host.is(other.host)
    }

    /// As [`Server::is`]; of two servers on this machine the ports alone are compared.
    pub fn is_probably(&self, other: &Server<'_>) -> bool {
        self.is(other) || self.port == other.port && self.host.is_here() && other.host.is_here()
    }

    /// Whether both have one host, and no ports that differ: schemes that differ have default ports that do.
    pub fn is_but_for_default_ports(&self, other: &Server<'_>) -> bool {
        self.host.is(other.host) && (self.port == other.port || !(self.has_port && other.has_port))
    }
}

impl<'t> Host<'t> {
    fn parse(host: &'t [u8]) -> Option<Host<'t>> {
        let (host, is_bracketed) = match host {
            [b'[', inside @ .., b']'] => (inside, true),
            host => (host, false),
        };
        let address = std::str::from_utf8(host).ok().and_then(|host| host.parse::<IpAddr>().ok());
        match address {
            Some(address) if address.is_ipv6() == is_bracketed => Some(Host::Address(address.to_canonical())),
            _ if is_bracketed || host.is_empty() || host.iter().any(|byte| b":[]".contains(byte)) => None,
            _ => Some(Host::Name(without_final_dot(host))),
        }
    }

    fn is(self, other: Host<'_>) -> bool {
        match (self, other) {
            (Host::Address(one), Host::Address(other)) => one == other,
            (Host::Name(one), Host::Name(other)) => one.eq_ignore_ascii_case(other),
            _ => false,
        }
    }

    /// Whether it is another name of this machine.
    fn is_here(self) -> bool {
        match self {
            Host::Address(address) => address.is_loopback(),
            Host::Name(name) => name.eq_ignore_ascii_case(b"localhost"),
        }
    }
}

fn without_final_dot(name: &[u8]) -> &[u8] {
    name.strip_suffix(b".").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTP: Spoken = Spoken { is_secure: false, is_socket: false };

    #[test]
    fn authorities_are_compared_parsed() {
        for (one, other, are_one) in [
            ("//a.test", "http://A.TEST:80/x", true),
            ("//a.test.", "//a.test", true),
            ("https://a.test", "//a.test:443", true),
            ("ws://a.test", "http://a.test", true),
            ("//a.test", "https://a.test", false),
            ("//a.test:81", "//a.test:82", false),
            ("//[::1]:80", "//[0:0:0:0:0:0:0:1]", true),
            ("//[::ffff:127.0.0.1]", "//127.0.0.1", true),
            ("//[2001:DB8::1]:8080", "//[2001:db8:0:0::1]:08080", true),
            ("//127.0.0.1", "//[::1]", false),
            ("//me:you@a.test", "/\\a.test\\x", true),
            ("//a.test@b.test", "//a.test", false),
        ] {
            let [one, other] = [one, other].map(|text| {
                let reference = ServerReference::parse(text.as_bytes());
                reference.and_then(|reference| reference.server(HTTP)).unwrap_or_else(|| panic!("{text}"))
            });
            assert_eq!(one.is(&other), are_one, "{one:?} {other:?}");
            assert_eq!(other.is(&one), are_one, "{one:?} {other:?}");
        }
    }

    #[test]
    fn what_names_no_server_is_left() {
        for text in [
            &b""[..],
            b"/",
            b"/a//b",
            b"a",
            b"http:",
            b"http:/a",
            b"mailto:a@b",
            b"ftp://a.test",
            b"//",
            b"//:80",
            b"//a:b",
            b"//a:99999",
            b"//::1",
            b"//[::1",
            b"//[a.test]",
            b"//[127.0.0.1]",
            b"*",
            b"\xff://a",
        ] {
            let server = ServerReference::parse(text).and_then(|reference| reference.server(HTTP));
            assert!(server.is_none(), "{}: {server:?}", text.escape_ascii());
        }
    }
}
