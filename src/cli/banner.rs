//! The first lines: the addresses of the proxy and of its upstream, the rules, and something to try.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::Method;

use super::load::{DEFAULT_FILE, Loaded};
use super::output::counted;
use crate::matching::{Methods, PathMatch};
use crate::model::Facts;
use crate::proxy::OwnCertificate;
use crate::rules::{Rule, Settings, Tls, Upstream, UpstreamUrl};

/// The lines for people.
pub fn banner(loaded: &Loaded, address: SocketAddr, certificate: Option<&OwnCertificate>) -> String {
    let settings = &loaded.config.settings;
    let upstream = match &settings.upstream {
        Upstream::Demo => "the built-in sample API".to_owned(),
        Upstream::Url(url) => url_of(url),
    };
    let name = format!("fracas {}", env!("CARGO_PKG_VERSION"));
    let scheme = settings.scheme().as_str();
    let mut text = String::new();
    let _ = writeln!(text, "{name:<13}  {scheme}://{address}  →  {upstream}");
    let _ = writeln!(text, "{:<13}  {}", "rules", rules(loaded));
    if let Some(OwnCertificate { sha256, .. }) = certificate {
        let _ = writeln!(text, "{:<13}  self-signed for this run, SHA-256 {sha256}", "certificate");
    }
    let _ = writeln!(text, "\n{:<13}  {}\n", "try", curl(&loaded.config.rules, settings, address));
    text
}

/// `fracas 0.1.0   http://127.0.0.1:41234  →  the built-in sample API   rules.toml: 6 rules, seed 1`.
pub fn in_front(loaded: &Loaded) -> String {
    let settings = &loaded.config.settings;
    let upstream = match &settings.upstream {
        Upstream::Demo => "the built-in sample API".to_owned(),
        Upstream::Url(url) => url_of(url),
    };
    let version = env!("CARGO_PKG_VERSION");
    // A file's name describes itself.
    let rules = if loaded.origin().is_some() { rules(loaded) } else { format!("rules: {}", rules(loaded)) };
    format!("fracas {version}   {}  →  {upstream}   {rules}", url_to(settings))
}

/// The proxy's URL for clients, once its address is known.
pub fn url_to(settings: &Settings) -> String {
    format!("{}://{}", settings.scheme().as_str(), reachable(settings.listen))
}

/// `rules.toml: 6 rules, seed 1`.
fn rules(loaded: &Loaded) -> String {
    let seed = loaded.config.settings.seed;
    match loaded.origin() {
        Some(origin) => {
            let count = counted(loaded.config.rules.len() as u64, "rule");
            format!("{origin}: {count}, seed {seed}")
        }
        None if loaded.is_sample => {
            let count = counted(loaded.config.rules.len() as u64, "rule");
            format!("those of `fracas init`, as there is no {DEFAULT_FILE} here: {count}, seed {seed}")
        }
        None => format!("none: there is no {DEFAULT_FILE} here (`fracas init` writes one), seed {seed}"),
    }
}

/// An upstream as a person writes it.
pub fn url_of(url: &UpstreamUrl) -> String {
    format!("{}://{}{}", url.scheme.as_str(), url.host_header(), url.base_path)
}

/// A request that the first rule with a plain match is about, or else any request at all.
fn curl(rules: &[Rule], settings: &Settings, address: SocketAddr) -> String {
    let base = format!("{}://{}", settings.scheme().as_str(), reachable(address));
    let (method, path) =
        rules.iter().filter(|rule| rule.enabled).find_map(example).unwrap_or((Method::GET, "/".to_owned()));
    let method_flag = if method == Method::GET { String::new() } else { format!("-X {method} ") };
    let body = match method {
        Method::PUT | Method::POST | Method::PATCH => " -d '{\"name\":\"lamp\"}'",
        _ => "",
    };
    // Both parts are a token and a path without spaces, so only the quoted text can surprise a shell.
    let url = format!("{base}{path}");
    let is_plain = url.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/[]".contains(&byte));
    let url = if is_plain && !url.contains('[') { url } else { format!("'{url}'") };
    let trust = if settings.tls == Some(Tls::SelfSigned) { "-k " } else { "" };
    format!("curl -i {trust}{method_flag}{url}{body}")
}

/// A method and a path that match the rule regardless of the rest of the request.
fn example(rule: &Rule) -> Option<(Method, String)> {
    let method = match &rule.requests.method {
        Methods::Any => Method::GET,
        Methods::Only(methods) => methods.first()?.clone(),
    };
    let path = match &rule.requests.path {
        PathMatch::Any => "/".to_owned(),
        PathMatch::Pattern(pattern) => filled(&pattern.to_string()),
        PathMatch::OneOf(patterns) => filled(&patterns.first()?.to_string()),
        PathMatch::Regex(_) => return None,
    };
    // Asked of the rule itself: it may want more than that, or the pattern may read otherwise.
    let request = http::Request::builder().method(method.clone()).uri(&path).body(()).ok()?;
    let (head, ()) = request.into_parts();
    let facts = Facts::new(&head, IpAddr::V4(Ipv4Addr::LOCALHOST));
    let fits = rule.requests.check(&facts).is_ok() && !path.contains('\'');
    fits.then_some((method, path))
}

/// The pattern with something in each of its holes.
fn filled(pattern: &str) -> String {
    let mut path = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '*']) {
        path.push_str(&rest[..at]);
        path.push('1');
        rest = match rest[at..].find('}') {
            Some(close) if rest[at..].starts_with('{') => &rest[at + close + 1..],
            _ => rest[at..].trim_start_matches('*'),
        };
    }
    path + rest
}

/// An address to connect to: "all addresses" is none.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::read;

    fn curl_for(rules: &str) -> String {
        let no_files = |_: &str| Err(crate::rules::BodyFileError::Missing);
        let accepted = read("rules.toml", rules, &no_files).expect("valid rules");
        let config = accepted.config;
        curl(&config.rules, &config.settings, SocketAddr::from(([0, 0, 0, 0], 4090)))
    }

    #[test]
    fn the_first_rule_that_needs_nothing_more_is_tried() {
        for (rules, command) in [
            ("", "curl -i http://127.0.0.1:4090/"),
            (
                "[[rule]]\nmethod = [\"PUT\", \"DELETE\"]\npath = \"/items/{id}\"\n",
                "curl -i -X PUT http://127.0.0.1:4090/items/1 -d '{\"name\":\"lamp\"}'",
            ),
            (
                "[[rule]]\nheader = { x = true }\n[[rule]]\nmethod = \"DELETE\"\npath = \"/a/**\"\n",
                "curl -i -X DELETE http://127.0.0.1:4090/a/1",
            ),
            ("tls = { self_signed = true }\n", "curl -i -k https://127.0.0.1:4090/"),
            ("[[rule]]\nenabled = false\npath = \"/a\"\n", "curl -i http://127.0.0.1:4090/"),
        ] {
            assert_eq!(curl_for(rules), command, "{rules}");
        }
    }
}
