//! References as browsers read them (RFC 3986 §4.1, WHATWG URL), and whether two authorities are one. All of it works
//! on bytes: a `Location` may hold any of them.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

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
    /// Path, query and fragment; may be empty, or begin with a `?` or `#`.
    pub rest: &'t [u8],
}

/// The protocol that a URL's scheme names.
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
    /// `None` for a reference without a server, or with a scheme other than HTTP's.
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

/// Names are compared without regard to case, addresses by their value.
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
        let address = host.parse::<IpAddr>().ok().or_else(|| ipv4(host.as_bytes()).map(IpAddr::V4));
        let name = || Host::Name(without_final_dot(host.as_bytes()));
        let host = address.map_or_else(name, |address| Host::Address(address.to_canonical()));
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
            _ => Some(ipv4(host).map_or(Host::Name(without_final_dot(host)), |ip| Host::Address(ip.into()))),
        }
    }

    fn is(self, other: Host<'_>) -> bool {
        match (self, other) {
            (Host::Address(one), Host::Address(other)) => one == other,
            (Host::Name(one), Host::Name(other)) => {
                one.eq_ignore_ascii_case(other) || decoded(one).eq_ignore_ascii_case(&decoded(other))
            }
            _ => false,
        }
    }

    /// Whether it is another name of this machine.
    fn is_here(self) -> bool {
        match self {
            // Connections to the unspecified address reach this machine as well.
            Host::Address(address) => address.is_loopback() || address.is_unspecified(),
            Host::Name(name) => decoded(name).eq_ignore_ascii_case(b"localhost"),
        }
    }
}

fn without_final_dot(name: &[u8]) -> &[u8] {
    name.strip_suffix(b".").unwrap_or(name)
}

/// The address that a host is in any form of the WHATWG URL parser (§3.5, "IPv4 parser"): one to four numbers, each
/// decimal, octal (`017`) or hexadecimal (`0xf`), of which the last fills the bytes that are left.
fn ipv4(host: &[u8]) -> Option<Ipv4Addr> {
    let host = decoded(host);
    let parts: Vec<&[u8]> = without_final_dot(&host).splitn(5, |byte| *byte == b'.').collect();
    let (last, first) = parts.split_last().filter(|(_, first)| first.len() < 4)?;
    let mut address = number(last).filter(|last| *last < 1 << (8 * (4 - first.len())))?;
    for (place, part) in first.iter().enumerate() {
        let byte = number(part).filter(|byte| *byte < 256)?;
        address |= byte << (8 * (3 - place));
    }
    u32::try_from(address).ok().map(Ipv4Addr::from_bits)
}

/// A part of an address; `0x` alone is zero, as browsers read it.
fn number(part: &[u8]) -> Option<u64> {
    let (digits, radix) = match part {
        [b'0', b'x' | b'X', digits @ ..] => (digits, 16),
        [b'0', digits @ ..] if !digits.is_empty() => (digits, 8),
        [] => return None,
        digits => (digits, 10),
    };
    digits.iter().try_fold(0_u64, |sum, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        sum.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))
    })
}

/// A host without percent-encoding, which URLs may have there (RFC 3986 §3.2.2).
fn decoded(host: &[u8]) -> Cow<'_, [u8]> {
    if !host.contains(&b'%') {
        return host.into();
    }
    let mut plain = Vec::with_capacity(host.len());
    let mut rest = host;
    while let [first, after @ ..] = rest {
        let hex = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pair = match (first, after) {
            (b'%', [high, low, after @ ..]) => hex(high).zip(hex(low)).map(|pair| (pair, after)),
            _ => None,
        };
        match pair {
            Some(((high, low), after)) => (plain.push(high << 4 | low), rest = after),
            None => (plain.push(*first), rest = after),
        };
    }
    plain.into()
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
            ("//%61.te%73t", "//a.test", true),
            ("//a.%te%7", "//a.%te%7", true),
            ("//127.1", "//127.0.0.1", true),
            ("//127.1.", "//127.0.0.1", true),
            ("//127%2e0.0%2E1", "//127.0.0.1", true),
            ("//0x7f.1:80", "//127.0.0.1", true),
            ("//0X7F.0.0X1", "//127.0.0.1", true),
            ("//0177.0.0.01", "//127.0.0.1", true),
            ("//2130706433", "//127.0.0.1", true),
            ("//0x7f000001", "//[::ffff:127.0.0.1]", true),
            ("//017700000001", "//127.0.0.1", true),
            ("//10.258", "//10.0.1.2", true),
            ("//10.1.258", "//10.1.1.2", true),
            ("//0x", "//0.0.0.0", true),
            ("//127.1", "//127.0.0.2", false),
            ("//127.256.1", "//127.0.0.1", false),
            ("//4294967296", "//0.0.0.0", false),
            ("//127.0.0.0.1", "//127.0.0.1", false),
            ("//127..1", "//127.0.0.1", false),
            ("//0x7g.1", "//127.0.0.1", false),
            ("//089.1", "//89.0.0.1", false),
            ("//99999999999999999999999", "//0.0.0.0", false),
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
