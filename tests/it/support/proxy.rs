//! A proxy on a free port, in front of an upstream.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use fracas::matching::{Match, TextPattern};
use fracas::model::{Key, Kind};
use fracas::proxy::{Proxy, Running, Summary};
use fracas::rules::{
    Authority, BodyFileError, Config, Expect, ReplyBody, ReplySettings, ReplyStyle, Rule, Schedule, Scheme,
    Settings, UpstreamUrl,
};
use http::StatusCode;

use super::message::Message;
use super::socket::Socket;

/// Configuration of a proxy.
pub struct Setup {
    config: Config,
    upstream: UpstreamUrl,
}

/// A proxy that serves, until it is dropped.
pub struct TestProxy {
    pub address: SocketAddr,
    running: Option<Running>,
}

/// A proxy in front of `upstream`, with one worker and no rules.
pub fn before(upstream: SocketAddr) -> Setup {
    let settings = Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        workers: NonZeroUsize::new(1),
        // Most tests ask for `h`.
        allowed_hosts: vec![TextPattern::new("*")],
        ..Settings::default()
    };
    let authority = Authority { host: upstream.ip().to_string().into(), port: upstream.port() };
    Setup {
        config: Config { settings, rules: Vec::new() },
        upstream: UpstreamUrl { scheme: Scheme::Http, authority, base_path: "".into() },
    }
}

impl Setup {
    /// Changes the settings.
    pub fn with(mut self, change: impl FnOnce(&mut Settings)) -> Setup {
        change(&mut self.config.settings);
        self
    }

    /// Knows the upstream by a name.
    pub fn at(mut self, host: &str) -> Setup {
        self.upstream.authority.host = host.into();
        self
    }

    /// Puts the upstream below a path.
    pub fn below(mut self, base_path: &str) -> Setup {
        self.upstream.base_path = base_path.into();
        self
    }

    /// Speaks HTTP/2 to the upstream, known beforehand.
    pub fn over_http2(mut self) -> Setup {
        self.upstream.scheme = Scheme::H2c;
        self
    }

    /// Speaks TLS to the upstream.
    pub fn over_tls(mut self) -> Setup {
        self.upstream.scheme = Scheme::Https;
        self
    }

    /// Adds a rule.
    pub fn rule(mut self, rule: Rule) -> Setup {
        self.config.rules.push(rule);
        self
    }

    /// Adds the rules of a rules file.
    pub fn rules(mut self, text: &str) -> Setup {
        let accepted = fracas::rules::read("rules.toml", text, &|_| Err(BodyFileError::Missing));
        self.config.rules.extend(accepted.unwrap_or_else(|mistakes| panic!("{mistakes}")).config.rules);
        self
    }

    /// Takes a whole rules file: its rules, and its settings but for the listener's.
    pub fn file(mut self, text: &str) -> Setup {
        let accepted = fracas::rules::read("rules.toml", text, &|_| Err(BodyFileError::Missing));
        let config = accepted.unwrap_or_else(|mistakes| panic!("{mistakes}")).config;
        let Settings { listen, workers, allowed_hosts, .. } = self.config.settings;
        self.config.settings = Settings { listen, workers, allowed_hosts, ..config.settings };
        self.config.rules.extend(config.rules);
        self
    }

    /// Starts it.
    pub fn start(self) -> TestProxy {
        let proxy = Proxy::bind(self.config, self.upstream).expect("a proxy");
        let running = proxy.start().expect("threads");
        TestProxy { address: running.address(), running: Some(running) }
    }
}

impl TestProxy {
    /// A connection to it.
    pub fn connect(&self) -> Socket {
        Socket::connect(self.address)
    }

    /// Sends one request on a connection of its own, and reads the response.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Message {
        let request = request.as_ref();
        let mut socket = self.connect();
        socket.send(request);
        socket.answer_to(if request.starts_with(b"HEAD ") { "HEAD" } else { "GET" })
    }

    /// The proxy itself.
    pub fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs until it is dropped")
    }

    /// Waits until it has ended, after it was told to.
    pub fn join(mut self) -> Summary {
        self.running.take().expect("it runs until it is dropped").join()
    }
}

impl TestProxy {
    /// Ends the proxy after the requests in flight; returns the journal's attempts.
    pub fn attempts(mut self) -> Vec<fracas::model::Attempt> {
        let running = self.running.take().expect("it runs until it is dropped");
        running.drain();
        let (summary, kept) = running.end(fracas::journal::Clients::MayGoOn);
        assert_eq!((summary.panics, kept.dropped, kept.lost_lines), (0, 0, 0));
        kept.attempts.iter().map(|attempt| (**attempt).clone()).collect()
    }
}

impl Drop for TestProxy {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
            let summary = running.join();
            // A test that fails has said why already.
            if !std::thread::panicking() {
                assert_eq!(summary.panics, 0, "a connection panicked");
            }
        }
    }
}

/// A rule that refuses matching requests with a 409.
pub fn conflict(requests: Match, schedule: Schedule) -> Rule {
    Rule {
        name: "conflict".into(),
        requests,
        trigger: schedule.into(),
        per: Key::default(),
        version: None,
        read: None,
        upstream_response: None,
        replies: None,
        kind: Kind::Transient,
        reply: ReplySettings {
            status: StatusCode::CONFLICT,
            body: ReplyBody::Style(ReplyStyle::Problem),
            headers: Vec::new(),
            retry_after: None,
            retry_after_jitter: std::time::Duration::ZERO,
            delay: std::time::Duration::ZERO,
        },
        pass: None,
        during: None,
        limit: None,
        enabled: true,
        expect: Expect::default(),
        span: 0..0,
    }
}
