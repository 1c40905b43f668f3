//! Which `Host` a proxy on a loopback address serves.
//!
//! A page on the web can make the name of its own site resolve to 127.0.0.1 (DNS rebinding): the browser then
//! takes the proxy for that site, and lets the page read the upstream's responses. Only the `Host` tells such
//! a request apart, so on a loopback address the names of strangers are refused. A page cannot choose an IP
//! literal or a name under `localhost` for its site: those always pass.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::matching::TextPattern;
use crate::rules::{Rule, Settings, Upstream, UpstreamUrl};

/// The names that are served.
pub struct AllowedHosts {
    /// The listener's own address, by which most clients call it.
    own: Box<str>,
    /// The upstream's name, those of rules' `host` keys, and those of `allowed_hosts`.
    named: Vec<TextPattern>,
}

impl AllowedHosts {
    /// `None` where every `Host` is served: clients of other machines choose the name by which they know this
    /// one, and `allowed_hosts = ["*"]` asks for it.
    pub fn new(
        listen: SocketAddr,
        settings: &Settings,
        upstream: &UpstreamUrl,
        rules: &[Rule],
    ) -> Option<AllowedHosts> {
        let is_for_all = |pattern: &TextPattern| pattern.fits(b"") && pattern.exact().is_none();
        if !listen.ip().to_canonical().is_loopback() || settings.allowed_hosts.iter().any(is_for_all) {
            return None;
        }
        let mut named = settings.allowed_hosts.clone();
        // The sample API has no name of its own.
        if matches!(settings.upstream, Upstream::Url(_)) {
            named.push(TextPattern::new(bare(&upstream.authority.host)));
        }
        // A pattern for any host names none.
        named.extend(
            rules.iter().filter_map(|rule| rule.requests.host.clone()).filter(|host| !is_for_all(host)),
        );
        Some(AllowedHosts { own: listen.to_string().into(), named })
    }

    /// Whether requests with this `Host` are served.
    pub fn contains(&self, host: &[u8]) -> bool {
        if host == self.own.as_bytes() {
            return true;
        }
        let Ok(host) = std::str::from_utf8(host) else { return false };
        if let Some(rest) = host.strip_prefix('[') {
            return rest.split(']').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
        }
        let name = bare(host.split(':').next().unwrap_or_default());
        name.parse::<IpAddr>().is_ok()
            || is_localhost(name)
            || self.named.iter().any(|pattern| {
                pattern.fits_ignoring_case(name.as_bytes()) || pattern.fits_ignoring_case(host.as_bytes())
            })
    }
}

/// Without the dot that ends a fully qualified name.
fn bare(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Names that resolvers keep for this machine (RFC 6761 §6.3).
fn is_localhost(name: &str) -> bool {
    let top = name.rsplit('.').next().unwrap_or_default();
    top.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Authority, Scheme};

    /// The hosts that a proxy on `listen` serves in front of `api.example`.
    fn allowed(listen: &str, hosts: &[&str]) -> Option<AllowedHosts> {
        let authority = Authority { host: "api.example".into(), port: 8443 };
        let upstream = UpstreamUrl { scheme: Scheme::Https, authority, base_path: "".into() };
        let settings = Settings {
            upstream: Upstream::Url(upstream.clone()),
            allowed_hosts: hosts.iter().map(|host| TextPattern::new(host)).collect(),
            ..Settings::default()
        };
        AllowedHosts::new(listen.parse().expect("an address"), &settings, &upstream, &[])
    }

    #[test]
    fn a_loopback_listener_serves_addresses_localhost_the_upstream_and_what_is_allowed() {
        for (allowed_hosts, host, is_served) in [
            (&[][..], "127.0.0.1:4090", true),
            (&[], "127.0.0.1", true),
            (&[], "127.0.0.2:1", true),
            (&[], "192.0.2.7", true),
            (&[], "[::1]:4090", true),
            (&[], "[2001:db8::1]", true),
            (&[], "localhost", true),
            (&[], "LocalHost:4090", true),
            (&[], "localhost.:4090", true),
            (&[], "app.localhost:4090", true),
            (&[], "api.example", true),
            (&[], "API.example.:4090", true),
            (&[], "rebind.attacker.example:4090", false),
            (&[], "api.example.attacker.example", false),
            (&[], "xapi.example", false),
            (&[], "localhost.attacker.example", false),
            (&[], "notlocalhost", false),
            (&[], "127.0.0.1.attacker.example", false),
            (&[], "127.1", false),
            (&[], "0x7f.1", false),
            (&[], "2130706433", false),
            (&[], "caf%C3%A9.example", false),
            (&["shop.test"], "Shop.test:80", true),
            (&["shop.test"], "a.shop.test", false),
            (&["*.shop.test"], "a.shop.test:1", true),
            (&["*.shop.test"], "shop.test", false),
            (&["shop.test:4090"], "shop.test:4090", true),
            (&["shop.test:4090"], "shop.test:4091", false),
        ] {
            let served = allowed("127.0.0.1:4090", allowed_hosts).expect("a list").contains(host.as_bytes());
            assert_eq!(served, is_served, "{host} beside {allowed_hosts:?}");
        }
    }

    #[test]
    fn other_listeners_and_a_star_serve_every_name() {
        for (listen, hosts, is_list) in [
            ("127.0.0.1:0", &[][..], true),
            ("127.0.0.9:0", &[], true),
            ("[::1]:0", &[], true),
            ("[::ffff:127.0.0.1]:0", &[], true),
            ("0.0.0.0:0", &[], false),
            ("[::]:0", &[], false),
            ("192.0.2.1:0", &[], false),
            ("127.0.0.1:0", &["*"], false),
            ("127.0.0.1:0", &["a", "**"], false),
        ] {
            assert_eq!(allowed(listen, hosts).is_some(), is_list, "{listen} {hosts:?}");
        }
    }
}
