//! An upstream behind TLS that speaks the negotiated protocol, and names it in its responses.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use http::Response;
use rcgen::{CertifiedKey, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio_rustls::TlsAcceptor;

use super::http2_upstream::runtime;
use super::upstream::start;

/// A server for 127.0.0.1 with a certificate of its own, and files that tell of it.
pub struct TlsUpstream {
    pub address: SocketAddr,
    folder: TempDir,
    /// The protocol of each connection, `-` where none was negotiated.
    pub spoken: Arc<Mutex<Vec<String>>>,
}

/// A certificate and its key.
pub type Made = CertifiedKey<KeyPair>;

/// A self-signed certificate for `name`.
pub fn made(name: &str) -> Made {
    rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate")
}

/// Requirement on client certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    Nothing,
    /// The certificate in `client.pem`.
    Certificate,
}

impl TlsUpstream {
    /// Speaks one of `protocols`.
    pub fn speaking(protocols: &[&str], asks: Asks) -> TlsUpstream {
        TlsUpstream::showing(made("127.0.0.1"), protocols, asks)
    }

    /// As [`TlsUpstream::speaking`], with this certificate.
    pub fn showing(own: Made, protocols: &[&str], asks: Asks) -> TlsUpstream {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).expect("written");
        };
        let (client, stranger) = (made("client.test"), made("127.0.0.1"));
        for (name, CertifiedKey { cert, signing_key }) in
            [("server", &own), ("client", &client), ("stranger", &stranger)]
        {
            write(&format!("{name}.pem"), cert.pem());
            write(&format!("{name}-key.pem"), signing_key.serialize_pem());
        }
        write("empty.pem", "nothing here\n".to_owned());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("versions");
        let builder = match asks {
            Asks::Nothing => builder.with_no_client_auth(),
            Asks::Certificate => {
                let mut roots = RootCertStore::empty();
                roots.add(client.cert.der().clone()).expect("a root");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.expect("a verifier"))
            }
        };
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("a key");
        let mut config = builder.with_single_cert(vec![own.cert.der().clone()], key).expect("a certificate");
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let spoken: Arc<Mutex<Vec<String>>> = Arc::default();
        let recorder = Arc::clone(&spoken);
        start("tls-upstream", move || {
            for stream in listener.incoming().flatten() {
                let (acceptor, recorder) = (acceptor.clone(), Arc::clone(&recorder));
                start("tls-connection", move || runtime().block_on(serve(stream, acceptor, &recorder)));
            }
        });
        TlsUpstream { address, folder, spoken }
    }

    /// The path of one of its files: `server`, `client` or `stranger`, with `.pem` or `-key.pem`, or
    /// `empty.pem`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The protocols of its connections so far.
    pub fn spoken(&self) -> Vec<String> {
        self.spoken.lock().expect("no panic").clone()
    }
}

async fn serve(stream: std::net::TcpStream, acceptor: TlsAcceptor, recorder: &Mutex<Vec<String>>) {
    stream.set_nonblocking(true).expect("a live socket");
    let stream = tokio::net::TcpStream::from_std(stream).expect("a live socket");
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let protocol = stream.get_ref().1.alpn_protocol().unwrap_or(b"-");
    let protocol = String::from_utf8_lossy(protocol).into_owned();
    recorder.lock().expect("no panic").push(protocol.clone());
    if protocol == "h2" {
        let Ok(mut connection) = h2::server::handshake(stream).await else { return };
        while let Some(Ok((request, mut response))) = connection.accept().await {
            let target = request.uri().to_string();
            let mut to = response.send_response(Response::new(()), false).expect("it listens");
            to.send_data(format!("{protocol} {target}").into(), true).expect("it listens");
        }
        return;
    }
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if !matches!(stream.read_line(&mut head).await, Ok(1..)) {
                return;
            }
        }
        let body = format!("{protocol} {}", head.split(' ').nth(1).unwrap_or_default());
        let response = match head.to_ascii_lowercase().contains("\r\nupgrade: websocket\r\n") {
            true => {
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello"
                    .into()
            }
            false => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
        };
        if stream.get_mut().write_all(response.as_bytes()).await.is_err() {
            return;
        }
    }
}
