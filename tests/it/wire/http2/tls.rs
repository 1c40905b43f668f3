//! TLS with clients: the agreed protocol is used, and the upstream and the responses learn of it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use fracas::rules::{ClientCertificate, NamedFile, Tls};
use http::Request;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;
use tokio_rustls::TlsConnector;

use super::super::super::support::http2::Client;
use super::super::super::support::program::{Serving, folder, fracas, run, text};
use super::super::super::support::proxy::{self, TestProxy};
use super::super::super::support::upstream::Upstream;

/// A client that trusts `pem`, and offers these protocols.
fn trusting(pem: &str, protocols: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM")).expect("a certificate");
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").expect("a name")
}

/// A folder with `cert.pem` and `key.pem`, and the certificate.
fn files() -> (TempDir, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let cert = made.cert.pem();
    (folder(&[("cert.pem", &cert), ("key.pem", &made.signing_key.serialize_pem())]), cert)
}

fn proxy_over_tls(upstream: &Upstream) -> (TestProxy, String) {
    let (folder, cert) = files();
    let named = |name| NamedFile { path: folder.path().join(name), span: 0..0 };
    let tls = Tls::Files(ClientCertificate { cert: named("cert.pem"), key: named("key.pem") });
    let proxy = proxy::before(upstream.address)
        .with(|settings| {
            settings.tls = Some(tls);
            settings.timeouts.request_head = Duration::from_millis(200);
        })
        .start();
    (proxy, cert)
}

/// Asks over HTTP/1.1, and reads to the end.
fn ask(address: std::net::SocketAddr, config: Arc<ClientConfig>) -> String {
    let connection = ClientConnection::new(config, localhost()).expect("a connection");
    let socket = TcpStream::connect(address).expect("it listens");
    let mut stream = StreamOwned::new(connection, socket);
    stream.write_all(b"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("it reads");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("a clean end");
    response
}

#[test]
fn what_alpn_agrees_on_is_spoken_and_said_to_the_upstream() {
    let upstream = Upstream::playing(|talk| {
        while let Some(request) = talk.request() {
            let at = format!("http://{}/next", request.header("host").expect("a host"));
            talk.socket.send(format!("HTTP/1.1 302 Found\r\nLocation: {at}\r\nContent-Length: 0\r\n\r\n"));
        }
    });
    let (proxy, cert) = proxy_over_tls(&upstream);
    for protocols in [&[][..], &["http/1.1"]] {
        let response = ask(proxy.address, trusting(&cert, protocols));
        assert!(response.contains("\r\nlocation: https://localhost/next\r\n"), "{response}");
    }
    let mut client = Client::over(async {
        let socket = tokio::net::TcpStream::connect(proxy.address).await.expect("it listens");
        let connector = TlsConnector::from(trusting(&cert, &["h2", "http/1.1"]));
        let stream = connector.connect(localhost(), socket).await.expect("a handshake");
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        stream
    });
    let response = client.ask(Request::get("https://localhost/a"), "").expect("an answer");
    assert_eq!(
        (response.status.as_u16(), response.header("location")),
        (302, Some("https://localhost/next"))
    );
    let seen = upstream.requests();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|request| request.header("x-forwarded-proto") == Some("https")), "{seen:?}");
}

#[test]
fn c30_a_handshake_that_is_slow_or_none_ends_and_others_are_served() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let (proxy, cert) = proxy_over_tls(&upstream);
    let mut silent = proxy.connect();
    let mut slow = proxy.connect();
    slow.send([0x16, 3, 1]);
    let mut plain = proxy.connect();
    plain.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    for client in [&mut silent, &mut slow, &mut plain] {
        client.ended();
    }
    assert!(ask(proxy.address, trusting(&cert, &[])).ends_with("\r\n\r\nok"));
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn a_certificate_made_for_the_run_is_told_and_handed_over() {
    let folder = folder(&[("rules.toml", "tls = { self_signed = true }\n")]);
    let mut command = fracas(folder.path());
    command.args(["-l", "127.0.0.1:0", "--ready-file", "ready.json"]);
    let serving = Serving::start(command);
    let ready = std::fs::read_to_string(folder.path().join("ready.json")).expect("a ready file");
    let ready: serde_json::Value = serde_json::from_str(&ready).expect("JSON");
    assert_eq!(ready["url"], format!("https://{}", serving.address));
    assert!(serving.start[0].contains(&format!("  https://{}  ", serving.address)), "{:?}", serving.start);
    assert!(serving.start[2].starts_with("certificate    self-signed for this run, SHA-256 "));
    let cert = ready["certificate"].as_str().expect("a certificate");
    assert!(ask(serving.address, trusting(cert, &[])).starts_with("HTTP/1.1 404 "));
}

#[test]
fn files_that_cannot_be_used_are_mistakes_before_the_start() {
    let (good, _) = files();
    let (other, _) = files();
    std::fs::copy(other.path().join("key.pem"), good.path().join("other.pem")).expect("copied");
    std::fs::write(good.path().join("rules.toml"), "tls = { cert = \"cert.pem\", key = \"other.pem\" }\n")
        .expect("written");
    std::fs::write(good.path().join("none.toml"), "tls = { cert = \"none.pem\", key = \"key.pem\" }\n")
        .expect("written");
    for (file, title, place) in [
        ("rules.toml", "error[bad-certificate]: `other.pem` does not fit the certificate\n", ":1:34\n"),
        ("none.toml", "error[bad-certificate]: `none.pem` cannot be used\n", ":1:16\n"),
    ] {
        let checked = run(good.path(), &["check", file]);
        assert_eq!(checked.status.code(), Some(1), "{}", text(&checked.stderr));
        assert!(text(&checked.stdout).contains(title), "{}", text(&checked.stdout));
        assert!(text(&checked.stdout).contains(&format!("{file}{place}")), "{}", text(&checked.stdout));
        assert!(text(&checked.stdout).contains("= help: "), "{}", text(&checked.stdout));
        let served = run(good.path(), &["serve", "-r", file]);
        assert_eq!(served.status.code(), Some(2));
        assert!(text(&served.stderr).contains(title), "{}", text(&served.stderr));
    }
}
