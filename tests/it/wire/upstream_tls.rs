//! https upstreams as `[upstream_tls]` has them: their required identity, the proxy's own, and the protocol.

use std::fs;

use fracas::rules::{ClientCertificate, Code, NamedFile, Trust, UpstreamTls};
use fracas::rules_file;

use super::super::support::proxy::{self, TestProxy};
use super::super::support::tls_upstream::{Asks, TlsUpstream};

const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const BOTH: &[&str] = &["h2", "http/1.1"];

fn named(upstream: &TlsUpstream, name: &str) -> NamedFile {
    NamedFile { path: upstream.file(name), span: 0..0 }
}

fn before(upstream: &TlsUpstream, tls: UpstreamTls) -> TestProxy {
    proxy::before(upstream.address).over_tls().with(|settings| settings.upstream_tls = tls).start()
}

fn trusting(upstream: &TlsUpstream, name: &str) -> UpstreamTls {
    UpstreamTls { trust: Trust::File(named(upstream, name)), identity: None }
}

#[test]
fn a_certificate_of_the_file_is_trusted_and_no_other() {
    for protocols in [BOTH, &["http/1.1"]] {
        let upstream = TlsUpstream::speaking(protocols, Asks::Nothing);
        assert_eq!(before(&upstream, trusting(&upstream, "server.pem")).ask(GET).status(), 200);
        for tls in [trusting(&upstream, "stranger.pem"), UpstreamTls::default()] {
            let response = before(&upstream, tls).ask(GET);
            assert_eq!((response.status(), response.header("fracas")), (502, Some("error=tls")));
        }
        assert_eq!(upstream.spoken().len(), 1, "nothing was sent to a stranger");
    }
}

#[test]
fn anybody_is_taken_when_that_is_asked_for() {
    let upstream = TlsUpstream::speaking(BOTH, Asks::Nothing);
    let tls = UpstreamTls { trust: Trust::Anybody, identity: None };
    assert_eq!(before(&upstream, tls).ask(GET).status(), 200);
}

#[test]
fn an_upstream_that_demands_a_certificate_gets_it() {
    for protocols in [BOTH, &["http/1.1"]] {
        let upstream = TlsUpstream::speaking(protocols, Asks::Certificate);
        let identity = |name: &str| {
            let (cert, key) = (format!("{name}.pem"), format!("{name}-key.pem"));
            Some(ClientCertificate { cert: named(&upstream, &cert), key: named(&upstream, &key) })
        };
        for (identity, status) in [(identity("client"), 200), (identity("stranger"), 502), (None, 502)] {
            let tls = UpstreamTls { identity, ..trusting(&upstream, "server.pem") };
            let response = before(&upstream, tls).ask(GET);
            let error = (status == 502).then_some("error=tls");
            assert_eq!((response.status(), response.header("fracas")), (status, error), "{protocols:?}");
        }
    }
}

#[test]
fn http2_is_spoken_where_it_is_offered() {
    for (protocols, spoken) in [(BOTH, "h2"), (&["http/1.1"], "http/1.1"), (&[], "-")] {
        let upstream = TlsUpstream::speaking(protocols, Asks::Nothing);
        let proxy = before(&upstream, trusting(&upstream, "server.pem"));
        let target = if spoken == "h2" { format!("https://{}/a", upstream.address) } else { "/a".into() };
        for _ in 0..3 {
            assert_eq!(proxy.ask(GET).text(), format!("{spoken} {target}"));
        }
        assert_eq!(upstream.spoken(), [spoken], "the connection that was tried is the one that is used");
    }
}

#[test]
fn a_websocket_goes_over_http1_whatever_else_is_spoken() {
    let upstream = TlsUpstream::speaking(BOTH, Asks::Nothing);
    let proxy = before(&upstream, trusting(&upstream, "server.pem"));
    assert!(proxy.ask(GET).text().starts_with("h2 "));
    let mut client = proxy.connect();
    client.send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert!(client.head().is_some_and(|head| head.starts_with("HTTP/1.1 101 ")));
    assert_eq!(client.exactly(5), b"hello");
    assert!(proxy.ask(GET).text().starts_with("h2 "));
    assert_eq!(upstream.spoken(), ["h2", "http/1.1"]);
}

#[test]
fn a_file_that_cannot_be_used_is_a_mistake_in_its_place() {
    let upstream = TlsUpstream::speaking(BOTH, Asks::Nothing);
    let rules = upstream.file("rules.toml");
    for (keys, code, column, says) in [
        (r#"ca = "nowhere.pem""#, Code::MissingFile, 6, "there is no such file"),
        (r#"ca = "empty.pem""#, Code::MissingFile, 6, "there is no `BEGIN CERTIFICATE` in it"),
        (r#"ca = ".""#, Code::MissingFile, 6, "not a regular file"),
        (
            "cert = \"client.pem\"\nkey = \"client.pem\"",
            Code::MissingFile,
            7,
            "there is no `BEGIN PRIVATE KEY` in it",
        ),
        ("cert = \"client.pem\"\nkey = \"server-key.pem\"", Code::NotTogether, 7, "does not fit"),
        ("cert = \"empty.pem\"\nkey = \"client-key.pem\"", Code::MissingFile, 8, "BEGIN CERTIFICATE"),
    ] {
        let keys = keys.replace("= \"", &format!("= \"{}/", upstream.file("").display()).replace("//", "/"));
        fs::write(&rules, format!("upstream = \"https://a\"\n[upstream_tls]\n{keys}\n")).expect("written");
        let mistakes = rules_file::load(&rules, &fracas::proxy::check_files).expect_err(&keys);
        let [mistake] = &mistakes.list[..] else { panic!("{mistakes}") };
        let line = 2 + keys.lines().count() - usize::from(column == 8);
        assert_eq!((mistake.code, mistake.position()), (code, Some((line, column.min(8)))), "{mistakes}");
        assert!(mistakes.to_string().contains(says), "{mistakes}");
    }
    let keys =
        format!("cert = \"{0}/client.pem\"\nkey = \"{0}/client-key.pem\"", upstream.file("").display());
    fs::write(&rules, format!("upstream = \"https://a\"\n[upstream_tls]\n{keys}\n")).expect("written");
    rules_file::load(&rules, &fracas::proxy::check_files).unwrap_or_else(|mistakes| panic!("{mistakes}"));
}
