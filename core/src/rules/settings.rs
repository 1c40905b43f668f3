//! Everything of a rules file outside its rules, valid. `Default` is a file without the key.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use http::header;

use super::Expect;
use crate::matching::{Cidr, TextPattern};
use crate::model::{self, ClientIdSource};

/// Everything outside `[[rule]]`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where clients connect.
    pub listen: SocketAddr,
    pub upstream: Upstream,
    pub upstream_tls: UpstreamTls,
    pub admin: Admin,
    /// Same seed, same decisions.
    pub seed: u64,
    /// Threads that serve; `None`: one per core this process may use.
    pub workers: Option<NonZeroUsize>,
    pub state: StateStore,
    /// How many bytes of a body a rule may look at.
    pub body_limit: u64,
    pub host: HostHeader,
    /// Names in `Host` that are served on a loopback address beside its own.
    pub allowed_hosts: Vec<TextPattern>,
    /// Protocols to which a connection may be upgraded, and is tunnelled then.
    pub upgrades: Vec<Box<str>>,
    /// Whether the upstream's origin is rewritten in bodies of HTML, JSON and XML.
    pub rewrite_bodies: bool,
    /// Whether the proxy says in `Via` that a message came through it.
    pub via: bool,
    /// Whether a safe request without a body goes once more when its reused connection was stale.
    pub replay: bool,
    pub client_id: model::ClientIdSources,
    /// Trusted peers: their `X-Forwarded-For` is believed.
    pub trusted: Vec<Cidr>,
    /// Whether injected responses carry the `Fracas` header.
    pub mark: bool,
    /// Whether a page of another origin may read injected responses.
    pub cors: bool,
    pub tls: Option<Tls>,
    pub timeouts: Timeouts,
    pub limits: Limits,
    pub expect: Expect,
    pub journal: JournalSettings,
}

impl Settings {
    /// The scheme of clients' URLs.
    pub fn scheme(&self) -> Scheme {
        if self.tls.is_some() { Scheme::Https } else { Scheme::Http }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Settings {
            listen: local(4090),
            upstream: Upstream::Demo,
            upstream_tls: UpstreamTls::default(),
            admin: Admin::At(local(4091)),
            seed: 1,
            workers: None,
            state: StateStore::Memory,
            body_limit: 64 * 1024,
            host: HostHeader::Upstream,
            allowed_hosts: Vec::new(),
            upgrades: vec!["websocket".into()],
            rewrite_bodies: false,
            via: true,
            replay: true,
            client_id: model::ClientIdSources(vec![
                ClientIdSource::Header(header::AUTHORIZATION),
                ClientIdSource::Cookie("session".into()),
                ClientIdSource::AddressAndUserAgent,
            ]),
            trusted: Vec::new(),
            mark: true,
            cors: true,
            tls: None,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            expect: Expect::default(),
            journal: JournalSettings::default(),
        }
    }
}

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// The built-in sample API.
    Demo,
    Url(UpstreamUrl),
}

/// `https://host:port/base`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamUrl {
    pub scheme: Scheme,
    pub authority: Authority,
    /// Without a trailing slash; empty for none.
    pub base_path: Box<str>,
}

impl UpstreamUrl {
    /// `Host` as the upstream knows itself: without the scheme's own port (RFC 9110 §7.2).
    pub fn host_header(&self) -> String {
        let Authority { host, port } = &self.authority;
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_string() };
        match (self.scheme, port) {
            (Scheme::Http | Scheme::H2c, 80) | (Scheme::Https, 443) => host,
            _ => format!("{host}:{port}"),
        }
    }
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    pub host: Box<str>,
    pub port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
    /// HTTP/2 without TLS, known beforehand.
    H2c,
}

impl Scheme {
    /// How the upstream itself begins its URLs: `http` or `https`.
    pub fn in_urls(self) -> Scheme {
        if self == Scheme::H2c { Scheme::Http } else { self }
    }

    /// `http`, `https` or `h2c`.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::H2c => "h2c",
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

/// Where the dashboard and its API listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admin {
    Off,
    At(SocketAddr),
}

/// Where keyed state lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateStore {
    Memory,
    /// A `redis://` URL.
    Redis(Box<str>),
}

/// Which `Host` the upstream sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostHeader {
    /// The upstream's own.
    Upstream,
    /// The one that the client sent.
    Client,
}

/// `[tls]`: how clients are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    Files(ClientCertificate),
    SelfSigned,
}

/// `[upstream_tls]`: how an https upstream is spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamTls {
    pub trust: Trust,
    /// The certificate that is shown to an upstream that asks for one.
    pub identity: Option<ClientCertificate>,
}

/// The trusted certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those that the system's roots have signed.
    #[default]
    System,
    /// Those that a certificate of this file has signed, and no others.
    File(NamedFile),
    /// Any certificate.
    Anybody,
}

/// A certificate and its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    pub cert: NamedFile,
    pub key: NamedFile,
}

/// A file, and where the rules file names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    pub path: PathBuf,
    pub span: Range<usize>,
}

/// `[timeouts]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a client to send a whole request head.
    pub request_head: Duration,
    /// Without a byte of a request's body.
    pub request_body: Duration,
    /// For a connection to the upstream, TLS included.
    pub connect: Duration,
    /// For the upstream to begin its response once it has the request.
    pub response_head: Duration,
    /// Without a byte of a response's body; `None` for as long as it takes.
    pub response_body: Option<Duration>,
    /// For a client that does not read.
    pub write: Duration,
    /// A connection without a request, on either side.
    pub keep_alive: Duration,
    /// A tunnel, such as a WebSocket, through which nothing passes.
    pub tunnel: Duration,
    /// For requests in flight when the proxy is told to stop.
    pub drain: Duration,
}

impl Timeouts {
    /// Longer than any process runs, and still a number of nanoseconds.
    pub const NEVER: Duration = Duration::from_secs(u32::MAX as u64);

    /// The same for everything.
    pub const fn all(timeout: Duration) -> Timeouts {
        Timeouts {
            request_head: timeout,
            request_body: timeout,
            connect: timeout,
            response_head: timeout,
            response_body: Some(timeout),
            tunnel: timeout,
            write: timeout,
            keep_alive: timeout,
            drain: timeout,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            request_head: Duration::from_secs(30),
            request_body: Duration::from_secs(60),
            connect: Duration::from_secs(10),
            response_head: Duration::from_secs(60),
            response_body: Some(Duration::from_secs(60)),
            tunnel: Duration::from_secs(60 * 60),
            write: Duration::from_secs(60),
            keep_alive: Duration::from_secs(75),
            drain: Duration::from_secs(10),
        }
    }
}

/// `[limits]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Clients' connections at once; `None`: [`Limits::CONNECTIONS`], or fewer where the process may not have
    /// enough file descriptors.
    pub connections: Option<NonZeroUsize>,
    /// Bytes of a request's head.
    pub header_bytes: usize,
    /// Header lines of a request.
    pub header_count: usize,
    /// Bytes of a response's head.
    pub response_header_bytes: usize,
    /// Header lines of a response.
    pub response_header_count: usize,
    /// Bytes of a request's URI.
    pub uri_bytes: usize,
    /// Keys of state held at once; the oldest go first.
    pub keys: NonZeroUsize,
    /// State keys without a request for this long are evicted.
    pub key_ttl: Duration,
}

impl Limits {
    /// Clients' connections at once where a rules file does not say how many.
    pub const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: None,
            header_bytes: 64 * 1024,
            header_count: 100,
            response_header_bytes: 256 * 1024,
            response_header_count: 256,
            uri_bytes: 8 * 1024,
            keys: NonZeroUsize::new(1_000_000).unwrap_or(NonZeroUsize::MIN),
            key_ttl: Duration::from_secs(60 * 60),
        }
    }
}

/// `[journal]`: the bounded record of attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalSettings {
    /// Appended to as JSON Lines.
    pub file: Option<PathBuf>,
    /// Attempts kept in memory.
    pub attempts: NonZeroU64,
    /// JSON pointers of body fields that differ between tries of one operation.
    pub volatile: Vec<Box<str>>,
}

impl Default for JournalSettings {
    fn default() -> JournalSettings {
        JournalSettings {
            file: None,
            attempts: NonZeroU64::new(100_000).unwrap_or(NonZeroU64::MIN),
            volatile: Vec::new(),
        }
    }
}
