//! An upstream with TLS, before the real binary: it trusts the system's roots.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::super::support::http::request;
use super::super::support::program::{Serving, folder, fracas};
use super::super::support::upstream::start;

/// Asks once, through a proxy that trusts a certificate for `trusted`, an upstream on `localhost` that shows
/// one for `shown`. Returns the response, and the request's head if it came so far.
fn ask(trusted: &str, shown: &str) -> (String, Option<String>) {
    let made = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let (upstreams, other) = (made(shown), made(trusted));
    let is_same = trusted == shown;
    let roots = if is_same { upstreams.cert.pem() } else { other.cert.pem() };

    let key = PrivateKeyDer::try_from(upstreams.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![upstreams.cert.der().clone()], key)
        .expect("a configuration");
    let config = Arc::new(config);
    let listener = TcpListener::bind("localhost:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let upstream = start("tls", move || {
        let mut refused = 0;
        loop {
            let (socket, _) = listener.accept().expect("a connection");
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut reader = BufReader::new(StreamOwned::new(connection, socket));
            let mut head = String::new();
            let end = loop {
                match reader.read_line(&mut head) {
                    // A client only probed whether the port is open.
                    Ok(0) => break None,
                    Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                        refused += 1;
                        break None;
                    }
                    Err(_) => break None,
                    Ok(_) if head.ends_with("\r\n\r\n") => break Some(()),
                    Ok(_) => {}
                }
            };
            // The look at the start, and the request.
            if refused == 2 {
                return None;
            }
            if end.is_some() {
                let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                reader.get_mut().write_all(response).expect("it reads");
                return Some(head);
            }
        }
    });

    let folder = folder(&[("rules.toml", ""), ("roots.pem", &roots)]);
    let mut command = fracas(folder.path());
    command.env("SSL_CERT_FILE", folder.path().join("roots.pem")).env_remove("SSL_CERT_DIR");
    command.args(["-l", "127.0.0.1:0", "-u", &format!("https://localhost:{port}/base")]);
    let serving = Serving::start(command);
    let response = request(serving.address, b"GET /a", "");
    (response, upstream.join().expect("an upstream"))
}

#[test]
fn an_upstream_that_the_system_trusts_is_spoken_to_over_tls() {
    let (response, head) = ask("localhost", "localhost");
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n") && response.ends_with("\r\n\r\nok"), "{response}");
    assert!(head.expect("a request").starts_with("GET /base/a HTTP/1.1\r\n"));
}

#[test]
fn an_upstream_that_shows_another_name_or_an_unknown_certificate_is_a_502() {
    for (trusted, shown) in [("elsewhere.test", "localhost"), ("elsewhere.test", "elsewhere.test")] {
        let (response, head) = ask(trusted, shown);
        assert!(response.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{response}");
        assert!(response.contains("\r\nfracas: error=tls\r\n"), "{response}");
        assert_eq!(head, None, "nothing was sent to a stranger");
    }
}
