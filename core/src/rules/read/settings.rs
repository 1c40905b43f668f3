//! Everything outside `[[rule]]`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::Reader;
use super::fields::{Fields, GivenKey};
use super::upstream::{self, split_port};
use crate::matching::TextPattern;
use crate::rules::diagnostic::shown;
use crate::rules::keys::{JOURNAL, LIMITS, TIMEOUTS, TLS, nearest};
use crate::rules::units::TextMistake;
use crate::rules::{
    Admin, ClientCertificate, Code, Diagnostic, HostHeader, JournalSettings, Limits, Settings, StateStore,
    Timeouts, Tls, Upstream,
};

impl Reader<'_> {
    pub fn settings(&mut self, fields: &mut Fields) -> Settings {
        let mut settings = Settings::default();
        // Takes a key; its value replaces the default.
        macro_rules! take {
            ($($place:ident).+, $name:literal, $read:expr) => {
                if let Some(given) = fields.take($name) {
                    let read: fn(&mut Self, &GivenKey) -> _ = $read;
                    if let Some(value) = read(self, &given) {
                        settings.$($place).+ = value;
                    }
                }
            };
        }
        take!(listen, "listen", |reader, given| reader
            .text(given)
            .and_then(|text| reader.socket(given, text)));
        take!(upstream, "upstream", Self::upstream);
        take!(admin, "admin", Self::admin);
        take!(host, "host", |reader, given| {
            reader.choice(given, &[("upstream", HostHeader::Upstream), ("client", HostHeader::Client)])
        });
        take!(allowed_hosts, "allowed_hosts", |reader, given| Some(reader.hosts(given)));
        take!(upgrades, "upgrades", |reader, given| Some(reader.upgrades(given)));
        take!(rewrite_bodies, "rewrite_bodies", Self::boolean);
        take!(via, "via", Self::boolean);
        take!(replay, "replay", Self::boolean);
        take!(seed, "seed", Self::integer);
        take!(workers, "workers", |reader, given| reader.usize(given).map(NonZeroUsize::new));
        take!(state, "state", Self::store);
        take!(body_limit, "body_limit", Self::size);
        take!(mark, "mark", Self::boolean);
        take!(cors, "cors", Self::boolean);
        take!(client_id, "client_id", |reader, given| Some(reader.identity(given)));
        take!(trusted, "trusted", |reader, given| Some(reader.networks(given)));
        take!(timeouts, "timeouts", |reader, given| Some(reader.timeouts(given)));
        take!(limits, "limits", |reader, given| Some(reader.limits(given)));
        if let Some(given) = fields.take("upstream_tls") {
            settings.upstream_tls = self.upstream_tls(&given);
            if fields.has("upstream") {
                self.check_upstream_tls(&given, &settings.upstream);
            }
        }
        take!(tls, "tls", |reader, given| Some(reader.tls(given)));
        take!(expect, "expect", |reader, given| Some(reader.expect(given)));
        take!(journal, "journal", |reader, given| Some(reader.journal(given)));
        settings
    }

    /// Names of protocols (RFC 9110 §7.8).
    fn upgrades(&mut self, given: &GivenKey) -> Vec<Box<str>> {
        let mut protocols: Vec<Box<str>> = Vec::new();
        for (item, text) in self.texts(given) {
            if http::HeaderName::from_bytes(text.split('/').next().unwrap_or_default().as_bytes()).is_err() {
                let advice = "the name of a protocol, as `Upgrade` says it: websocket, tcp";
                self.bad_text(Code::OutOfRange, &item, TextMistake::new(0..text.len(), advice));
            } else if text.eq_ignore_ascii_case("h2c") {
                let advice = "HTTP/2 is served without an upgrade, and sent to an upstream of `h2c://`";
                self.bad_text(Code::OutOfRange, &item, TextMistake::new(0..text.len(), advice));
            } else {
                protocols.push(text.into());
            }
        }
        protocols
    }

    /// Patterns for the names in `Host`.
    fn hosts(&mut self, given: &GivenKey) -> Vec<TextPattern> {
        let mut hosts = Vec::new();
        for (item, text) in self.texts(given) {
            let advice = match text {
                "" => "no request has an empty host: name one, or `\"*\"` for any",
                _ if text.contains("://") => "a host, not a URL: leave out the scheme and the path",
                _ if text.contains('/') => "a host has no `/`: leave out the path",
                _ if text.contains(char::is_whitespace) => {
                    "a host has no spaces: give each one its own string"
                }
                _ => {
                    hosts.push(self.text_pattern(&[(item, text)]));
                    continue;
                }
            };
            self.bad_text(Code::OutOfRange, &item, TextMistake::new(0..text.len(), advice));
        }
        hosts
    }

    /// An address with a port.
    fn socket(&mut self, given: &GivenKey, text: &str) -> Option<SocketAddr> {
        let address = text.parse().ok();
        if address.is_none() {
            let mistake = TextMistake::new(0..text.len(), not_a_socket(text));
            self.bad_text(Code::BadAddress, given, mistake);
        }
        address
    }

    fn upstream(&mut self, given: &GivenKey) -> Option<Upstream> {
        let text = self.text(given)?;
        if text == "demo" {
            return Some(Upstream::Demo);
        }
        match upstream::parse(text) {
            Ok(url) => Some(Upstream::Url(url)),
            Err(_) if nearest(text, ["demo"]).is_some() => {
                self.unknown_value(given, text, &["demo"]);
                None
            }
            Err(mistake) => {
                self.bad_text(Code::BadUrl, given, mistake);
                None
            }
        }
    }

    fn admin(&mut self, given: &GivenKey) -> Option<Admin> {
        match self.text(given)? {
            "off" => Some(Admin::Off),
            text => self.socket(given, text).map(Admin::At),
        }
    }

    fn store(&mut self, given: &GivenKey) -> Option<StateStore> {
        let text = self.text(given)?;
        if text == "memory" {
            return Some(StateStore::Memory);
        }
        let Some(rest) = text.strip_prefix("redis://").or_else(|| text.strip_prefix("rediss://")) else {
            self.unknown_value(given, text, &["memory", "redis://HOST:PORT"]);
            return None;
        };
        // Credentials are usual here; the host and port that follow them are checked.
        let start = text.len() - rest.len();
        let authority = rest.split('/').next().unwrap_or_default();
        let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
        let (host, port) = split_port(place);
        let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if !host.is_empty() && port_fits && !text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Some(StateStore::Redis(text.into()));
        }
        let label =
            if host.is_empty() { "a host should stand here" } else { "host and port do not read as such" };
        self.bad_text(Code::BadUrl, given, TextMistake::new(start..text.len(), label));
        None
    }

    fn timeouts(&mut self, given: &GivenKey) -> Timeouts {
        let mut timeouts = Timeouts::default();
        let Some(mut fields) = self.fields(given, &TIMEOUTS) else { return timeouts };
        for (name, place) in [
            ("request_head", &mut timeouts.request_head),
            ("request_body", &mut timeouts.request_body),
            ("connect", &mut timeouts.connect),
            ("response_head", &mut timeouts.response_head),
            ("write", &mut timeouts.write),
            ("keep_alive", &mut timeouts.keep_alive),
            ("tunnel", &mut timeouts.tunnel),
            ("drain", &mut timeouts.drain),
        ] {
            self.replace(&mut fields, name, place, Self::duration);
        }
        self.replace(&mut fields, "response_body", &mut timeouts.response_body, |reader, given| match given
            .value
            .get_ref()
            .as_str()
        {
            Some("off") => Some(None),
            _ => reader.duration(given).map(Some),
        });
        fields.finish(self);
        timeouts
    }

    fn limits(&mut self, given: &GivenKey) -> Limits {
        let mut limits = Limits::default();
        let Some(mut fields) = self.fields(given, &LIMITS) else { return limits };
        let size = |reader: &mut Self, given: &GivenKey| {
            reader.size(given).and_then(|size| usize::try_from(size).ok())
        };
        let count = |reader: &mut Self, given: &GivenKey| reader.usize(given).and_then(NonZeroUsize::new);
        limits.connections = fields.take("connections").and_then(|given| count(self, &given));
        self.replace(&mut fields, "header_bytes", &mut limits.header_bytes, size);
        self.replace(&mut fields, "header_count", &mut limits.header_count, Self::usize);
        self.replace(&mut fields, "response_header_bytes", &mut limits.response_header_bytes, size);
        self.replace(&mut fields, "response_header_count", &mut limits.response_header_count, Self::usize);
        self.replace(&mut fields, "uri_bytes", &mut limits.uri_bytes, size);
        self.replace(&mut fields, "keys", &mut limits.keys, count);
        self.replace::<Duration>(&mut fields, "key_ttl", &mut limits.key_ttl, Self::duration);
        fields.finish(self);
        limits
    }

    fn replace<T>(
        &mut self,
        fields: &mut Fields,
        name: &str,
        place: &mut T,
        read: impl Fn(&mut Self, &GivenKey) -> Option<T>,
    ) {
        if let Some(value) = fields.take(name).and_then(|given| read(self, &given)) {
            *place = value;
        }
    }

    fn tls(&mut self, given: &GivenKey) -> Option<Tls> {
        let mut fields = self.fields(given, &TLS)?;
        let (cert, key, own) = (fields.take("cert"), fields.take("key"), fields.take("self_signed"));
        let self_signed = own.as_ref().and_then(|given| self.boolean(given)).unwrap_or_default();
        let path = |reader: &mut Self, given: &Option<GivenKey>| {
            given.as_ref().and_then(|given| reader.named_file(given))
        };
        let files = (path(self, &cert), path(self, &key));
        let problem = match (&cert, &key, self_signed) {
            (Some(file), _, true) | (None, Some(file), true) => {
                let title = format!("`{}` and `self_signed` contradict each other", file.name());
                Some(
                    Diagnostic::error(Code::NotTogether, title).at(file.key.clone(), "leave one of them out"),
                )
            }
            (Some(cert), None, false) => {
                let mistake = Diagnostic::error(Code::MissingKey, "`cert` needs `key`");
                Some(mistake.at(cert.key.clone(), "its private key is in which file?"))
            }
            (None, Some(key), false) => {
                let mistake = Diagnostic::error(Code::MissingKey, "`key` needs `cert`");
                Some(mistake.at(key.key.clone(), "its certificate is in which file?"))
            }
            (None, None, false) => {
                let mistake = Diagnostic::error(
                    Code::MissingKey,
                    "`tls` needs `cert` and `key`, or `self_signed = true`",
                );
                Some(mistake.at(given.span(), "which certificate?"))
            }
            _ => None,
        };
        if let Some(mistake) = problem {
            self.report(mistake);
        }
        fields.finish(self);
        match files {
            _ if self_signed => Some(Tls::SelfSigned),
            (Some(cert), Some(key)) => Some(Tls::Files(ClientCertificate { cert, key })),
            _ => None,
        }
    }

    fn journal(&mut self, given: &GivenKey) -> JournalSettings {
        let mut journal = JournalSettings::default();
        let Some(mut fields) = self.fields(given, &JOURNAL) else { return journal };
        journal.file = fields.take("file").and_then(|given| self.path_of(&given));
        self.replace(&mut fields, "attempts", &mut journal.attempts, Self::at_least_one);
        if let Some(given) = fields.take("volatile") {
            let texts = self.texts(&given);
            journal.volatile =
                texts.iter().filter_map(|(item, text)| self.pointer_in(item, 0, text)).collect();
        }
        fields.finish(self);
        journal
    }

    pub fn path_of(&mut self, given: &GivenKey) -> Option<PathBuf> {
        let text = self.text(given)?;
        if text.is_empty() || text.contains('\0') {
            self.bad_text(Code::OutOfRange, given, TextMistake::new(0..text.len(), "which file?"));
            return None;
        }
        Some(PathBuf::from(text))
    }
}

/// Why a text is no address with a port, and an example of one.
fn not_a_socket(text: &str) -> String {
    let (host, port) = split_port(text);
    match port {
        _ if text.contains("://") => "an address, not a URL: leave out the scheme and the path".to_owned(),
        None if text.parse::<IpAddr>().is_ok() || host == "localhost" => "add a port, :4090 say".to_owned(),
        None if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("did you mean \"{}:{}\"?", Ipv4Addr::LOCALHOST, shown(text))
        }
        Some(port) if port.parse::<u16>().is_err() => "the port is a number from 0 to 65535".to_owned(),
        Some(port) if host.is_empty() || host == "localhost" => {
            format!("did you mean \"{}:{}\"?", Ipv4Addr::LOCALHOST, shown(port))
        }
        Some(port) if host == "*" => format!("did you mean \"{}:{}\"?", Ipv4Addr::UNSPECIFIED, shown(port)),
        _ => "an IP address, a colon and a port; names are not looked up".to_owned(),
    }
}
