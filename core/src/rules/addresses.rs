//! Addresses that must not meet: the proxy would call itself, or could not listen.
//!
//! Flags and variables may change addresses after the file was read, so this is asked again then.

use std::net::{IpAddr, SocketAddr};

use super::{Admin, Code, Diagnostic, Settings, Upstream};

/// Whether the addresses of `settings` can be used together.
pub fn check_settings(settings: &Settings) -> Result<(), Diagnostic> {
    let admin = match settings.admin {
        Admin::At(address) => Some(address),
        Admin::Off => None,
    };
    if let Some(admin) = admin
        && collide(settings.listen, admin)
    {
        let title = format!("the dashboard and the proxy would both listen on {}", settings.listen);
        return Err(Diagnostic::error(Code::SameAddress, title)
            .label("`listen` and `admin` are one address")
            .help("give one of them another port, or write `admin = \"off\"`"));
    }
    let Upstream::Url(url) = &settings.upstream else { return Ok(()) };
    let (host, port) = (&*url.authority.host, url.authority.port);
    let own = [Some(settings.listen), admin]
        .into_iter()
        .flatten()
        .find(|own| own.port() == port && is_local(host, own.ip()));
    let Some(own) = own else { return Ok(()) };
    Err(own_listener(own))
}

/// The upstream's address is the proxy's own.
pub fn own_listener(own: SocketAddr) -> Diagnostic {
    Diagnostic::error(Code::OwnListener, format!("the upstream is this proxy itself, on {own}"))
        .label("requests would go round for ever")
        .help("give `upstream` the address of the service, or `listen` another one")
}

/// The key that a mistake of [`check_settings`] is about.
pub(super) fn blamed(code: Code) -> &'static str {
    if code == Code::SameAddress { "admin" } else { "upstream" }
}

/// Whether two listeners on one machine would get in each other's way.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port()
        && one.port() != 0
        && (one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified())
}

/// Whether a connection to `host` reaches a listener on `own`, as far as names alone can say.
fn is_local(host: &str, own: IpAddr) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_localhost =
        name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost");
    let local = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
    match host.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        // 0.0.0.0 as a destination means this machine.
        Ok(ip) => ip == own || own.is_unspecified() && local(ip) || ip.is_unspecified() && local(own),
        Err(_) => is_localhost && local(own),
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::upstream;
    use super::*;

    #[test]
    fn an_upstream_that_is_the_proxy_is_found_by_every_name() {
        for (listen, admin, url, code) in [
            ("127.0.0.1:4090", "off", "http://127.0.0.1:4090", Some(Code::OwnListener)),
            ("127.0.0.1:4090", "off", "http://localhost:4090/x", Some(Code::OwnListener)),
            ("127.0.0.1:4090", "off", "http://LOCALHOST.:4090", Some(Code::OwnListener)),
            ("0.0.0.0:4090", "off", "http://127.0.0.1:4090", Some(Code::OwnListener)),
            ("127.0.0.1:4090", "off", "http://0.0.0.0:4090", Some(Code::OwnListener)),
            ("[::1]:4090", "off", "http://[::1]:4090", Some(Code::OwnListener)),
            ("127.0.0.1:4090", "off", "http://[::ffff:127.0.0.1]:4090", Some(Code::OwnListener)),
            ("127.0.0.1:80", "off", "http://localhost", Some(Code::OwnListener)),
            ("127.0.0.1:4090", "127.0.0.1:4091", "http://127.0.0.1:4091", Some(Code::OwnListener)),
            ("127.0.0.1:4090", "127.0.0.1:4090", "http://a", Some(Code::SameAddress)),
            ("127.0.0.1:4090", "0.0.0.0:4090", "http://a", Some(Code::SameAddress)),
            ("127.0.0.1:0", "127.0.0.1:0", "http://a", None),
            ("127.0.0.1:4090", "off", "http://127.0.0.1:4092", None),
            ("127.0.0.1:4090", "off", "http://example.com:4090", None),
            ("192.0.2.1:4090", "off", "http://127.0.0.1:4090", None),
            ("127.0.0.2:4090", "127.0.0.1:4090", "http://a", None),
        ] {
            let settings = Settings {
                listen: listen.parse().expect("an address"),
                admin: admin.parse().map_or(Admin::Off, Admin::At),
                upstream: Upstream::Url(upstream::parse(url).expect("a URL")),
                ..Settings::default()
            };
            let found = check_settings(&settings).map_err(|mistake| mistake.code).err();
            assert_eq!(found, code, "{listen} {admin} {url}");
        }
    }
}
