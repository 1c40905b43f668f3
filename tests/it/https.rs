//! https upstreams, with the roots that the system trusts.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::http::request;
use crate::support::program::{Serving, folder, fracas};
use crate::support::upstream::start;

/// An https server with a certificate for `name`, and that certificate as PEM. It answers every
/// request with its head.
fn serve(name: &str) -> (SocketAddr, String) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a configuration");
    let config = Arc::new(config);
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("an address");
    start("https", move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut stream = StreamOwned::new(connection, stream);
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") {
                // A client that does not trust us leaves in the middle of the handshake.
                let Ok(1) = stream.read(&mut byte) else { break };
                head.push(byte[0]);
            }
            let answer =
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", head.len());
            let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.write_all(&head));
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    (address, made.cert.pem())
}

/// What a proxy in front of `url` answers, on a system that trusts `roots`.
fn ask(url: &str, roots: &str) -> String {
    let folder = folder(&[("roots.pem", roots)]);
    let mut command = fracas(folder.path());
    command.env("SSL_CERT_FILE", folder.path().join("roots.pem")).env_remove("SSL_CERT_DIR");
    command.args(["-l", "127.0.0.1:0", "-u", url]);
    let serving = Serving::start(command);
    request(serving.address, b"GET /a?b=1", "X-Asked: yes\r\n")
}

#[test]
fn a_server_that_the_system_trusts_is_forwarded_to_under_its_own_name() {
    let (address, certificate) = serve("localhost");
    let answer = ask(&format!("https://localhost:{}/base", address.port()), &certificate);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let seen = answer.split_once("\r\n\r\n").expect("a body").1;
    assert!(seen.starts_with("GET /base/a?b=1 HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains(&format!("host: localhost:{}\r\n", address.port())), "{seen}");
    assert!(seen.contains("x-asked: yes\r\n"), "{seen}");
}

#[test]
fn strangers_and_wrong_names_are_not_talked_to() {
    let (stranger, _) = serve("localhost");
    let (_, trusted) = serve("localhost");
    let (other, others) = serve("other.test");
    for (address, roots) in [(stranger, trusted), (other, others)] {
        let answer = ask(&format!("https://localhost:{}", address.port()), &roots);
        assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{answer}");
        assert!(answer.contains("\r\nfracas: error=tls\r\n"), "{answer}");
    }
}
