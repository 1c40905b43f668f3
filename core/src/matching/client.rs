//! Networks of client addresses.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::PatternMistake;

/// An address, or a network of them (RFC 4632 §3.1, RFC 4291 §2.3). An IPv4 address that is mapped
/// into IPv6 (`::ffff:10.0.0.1`, RFC 4291 §2.5.5.2) is the IPv4 address. No bit behind the prefix is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr(IpNet);

impl Cidr {
    /// Whether `address` is in the network.
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Cidr {
    type Err = PatternMistake;

    /// Bits behind the prefix may be set (`10.1.2.3/8`): they do not count.
    fn from_str(text: &str) -> Result<Cidr, PatternMistake> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| {
            let message = "not an address: write `192.0.2.7`, `10.0.0.0/8` or `2001:db8::/32`";
            PatternMistake::new(0..address.len().max(1).min(text.len()), message)
        })?;
        let most = IpNet::from(address).max_prefix_len();
        let bits = match prefix {
            None => Some(most),
            // `parse` takes a plus sign, too.
            Some(digits) => {
                digits.parse().ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_digit()))
            }
        };
        let network = bits.and_then(|bits| match address.to_canonical() {
            IpAddr::V4(v4) if address.is_ipv6() && bits >= 96 => {
                IpNet::new(v4.into(), bits.checked_sub(96)?).ok()
            }
            _ => IpNet::new(address, bits).ok(),
        });
        network.map(|network| Cidr(network.trunc())).ok_or_else(|| {
            let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
            let message = format!("the prefix of an {family} network is 0 to {most} bits");
            PatternMistake::new(text.len() - prefix.map_or(0, str::len)..text.len(), message)
        })
    }
}

/// `10.0.0.0/8`; a single address without its prefix.
impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() < self.0.max_prefix_len() { self.0.fmt(f) } else { self.0.addr().fmt(f) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_their_addresses() {
        for (network, address, contained) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("10.1.2.2/31", "10.1.2.3", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "10.0.0.1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::1", "::1", true),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("::ffff:10.0.0.0/104", "10.2.3.4", true),
            ("::ffff:10.0.0.0/104", "11.2.3.4", false),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.1", true),
            ("::ffff:0:0/95", "10.0.0.1", false),
            ("::ffff:0:0/96", "203.0.113.9", true),
        ] {
            let cidr: Cidr = network.parse().unwrap();
            assert_eq!(cidr.contains(address.parse().unwrap()), contained, "{network} {address}");
        }
    }

    #[test]
    fn they_are_shown_as_they_count() {
        for (written, shown) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("10.1.2.3/32", "10.1.2.3"),
            ("::1", "::1"),
            ("2001:DB8::9/32", "2001:db8::/32"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
        ] {
            assert_eq!(written.parse::<Cidr>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn mistakes_say_where_they_are() {
        for (text, at, part) in [
            ("", 0..0, "not an address"),
            ("localhost", 0..9, "not an address"),
            ("10.0.0/8", 0..6, "not an address"),
            ("/8", 0..1, "not an address"),
            ("10.0.0.0/33", 9..11, "0 to 32"),
            ("10.0.0.0/+8", 9..11, "0 to 32"),
            ("10.0.0.0/", 9..9, "0 to 32"),
            ("::/129", 3..6, "0 to 128"),
            ("::ffff:10.0.0.1/129", 16..19, "0 to 128"),
            ("10.0.0.0/256", 9..12, "0 to 32"),
            ("::/8/8", 3..6, "0 to 128"),
        ] {
            let mistake = text.parse::<Cidr>().unwrap_err();
            assert_eq!(mistake.at, at, "{text}");
            assert!(mistake.message.contains(part), "{text}: {mistake}");
        }
    }
}
