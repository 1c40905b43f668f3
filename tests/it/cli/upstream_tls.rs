//! Messages about an upstream that TLS makes unreachable: reason and advice, without `-v`.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rcgen::{BasicConstraints, CertificateParams, CertifiedKey, IsCa, Issuer, KeyPair, date_time_ymd};

use crate::support::http::request;
use crate::support::program::{Serving, folder, fracas};
use crate::support::tls_upstream::{Asks, Made, TlsUpstream, made};
use crate::support::upstream::{Talk, Upstream};

/// A certificate for 127.0.0.1 that signs itself, and is an authority's, as `openssl req -x509` makes it.
fn own(change: impl FnOnce(&mut CertificateParams)) -> Made {
    let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    let signing_key = KeyPair::generate().expect("a key");
    let cert = params.self_signed(&signing_key).expect("a certificate");
    CertifiedKey { cert, signing_key }
}

/// A certificate for 127.0.0.1 that an authority has issued.
fn issued() -> Made {
    let authority = KeyPair::generate().expect("a key");
    let mut of_authority = CertificateParams::new(Vec::new()).expect("names");
    of_authority.distinguished_name.push(rcgen::DnType::CommonName, "an authority");
    of_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let signing_key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).expect("names");
    let cert = params.signed_by(&signing_key, &Issuer::new(of_authority, authority)).expect("a certificate");
    CertifiedKey { cert, signing_key }
}

fn expired(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 2, 3);
}

fn not_yet(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2090, 4, 5);
}

fn leaf(params: &mut CertificateParams) {
    params.is_ca = IsCa::NoCa;
}

fn other_names(params: &mut CertificateParams) {
    let names = (1..=6).map(|number| format!("h{number}.test"));
    params.subject_alt_names =
        names.map(|name| rcgen::SanType::DnsName(name.try_into().expect("a name"))).collect();
}

fn no_names(params: &mut CertificateParams) {
    params.subject_alt_names.clear();
    params.distinguished_name.push(rcgen::DnType::CommonName, "127.0.0.1");
}

/// Starts the proxy before `upstream`, and asks it for something: the status, and the lines of its log. The
/// first is of the look at the start, if `looks` says that there is one.
fn told(upstream: &str, keys: &str, looks: bool) -> (String, Vec<String>) {
    let rules = format!("upstream = \"{upstream}\"\n{keys}");
    let folder = folder(&[("rules.toml", &rules)]);
    let mut command = fracas(folder.path());
    command.args(["-l", "127.0.0.1:0"]);
    let mut serving = Serving::start(command);
    let mut lines = Vec::new();
    if looks {
        lines.push(serving.event());
    }
    let response = request(serving.address, b"GET /a", "Connection: close\r\n");
    lines.push(serving.event());
    (response.lines().next().unwrap_or_default().to_owned(), lines)
}

#[test]
fn each_certificate_that_is_not_taken_says_why_and_what_to_do() {
    let trusting = |upstream: &TlsUpstream, name: &str| {
        format!("[upstream_tls]\nca = \"{}\"\n", upstream.file(name).display())
    };
    let ca = "[upstream_tls] ca = ";
    for (certificate, trusted, why, help) in [
        (made("127.0.0.1"), None, "its certificate is self-signed", ca),
        (own(|_| ()), None, "its certificate is self-signed", ca),
        (own(|_| ()), Some("stranger.pem"), "its certificate is self-signed", ca),
        (
            issued(),
            None,
            "an issuer that is not trusted (invalid peer certificate: UnknownIssuer)",
            "SSL_CERT_FILE",
        ),
        (issued(), Some("stranger.pem"), "an issuer that is not trusted", ca),
        // The file holds the very certificate: its dates and its names count all the same.
        (own(expired), Some("server.pem"), "expired (not valid after 2021-02-03T00:00:00Z)", "renew it"),
        (own(|params| (leaf(params), expired(params)).0), Some("server.pem"), "expired", "renew it"),
        (own(not_yet), Some("server.pem"), "not valid yet (not valid before 2090-04-05T00:00:00Z)", "clock"),
        (own(expired), None, "has expired", "renew it"),
        (
            own(other_names),
            Some("server.pem"),
            "another name (not valid for 127.0.0.1, only for h1.test, h2.test, h3.test, h4.test and 2 more)",
            "subjectAltName",
        ),
        (
            own(no_names),
            Some("server.pem"),
            "it names no host, and so not 127.0.0.1: a CN does not count",
            "subjectAltName",
        ),
    ] {
        let upstream = TlsUpstream::showing(certificate, &["http/1.1"], Asks::Nothing);
        let keys = trusted.map(|name| trusting(&upstream, name)).unwrap_or_default();
        let (response, lines) = told(&format!("https://{}", upstream.address), &keys, true);
        assert_eq!(response, "HTTP/1.1 502 Bad Gateway", "{why}");
        for line in &lines {
            assert!(line.contains("the TLS handshake with the upstream failed: "), "{line}");
            assert!(line.contains(why) && line.contains(" → ") && line.contains(help), "{line}");
        }
        assert!(
            lines[0].starts_with("warn  https://127.0.0.1:") && lines[1].starts_with("502  GET /a "),
            "{lines:?}"
        );
        assert_eq!(upstream.spoken().len(), 0);
    }
}

#[test]
fn the_certificate_that_the_file_holds_is_taken() {
    for certificate in [made("127.0.0.1"), own(|_| ()), own(leaf), issued()] {
        let upstream = TlsUpstream::showing(certificate, &["h2", "http/1.1"], Asks::Nothing);
        let file = upstream.file("server.pem");
        let url = format!("https://{}", upstream.address);
        // As a file of the rules, and as the system's.
        for (keys, variable) in
            [(format!("[upstream_tls]\nca = \"{}\"\n", file.display()), None), (String::new(), Some(&file))]
        {
            let folder = folder(&[("rules.toml", &format!("upstream = \"{url}\"\n{keys}"))]);
            let mut command = fracas(folder.path());
            command.args(["-l", "127.0.0.1:0"]).env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
            if let Some(file) = variable {
                command.env("SSL_CERT_FILE", file);
            }
            let serving = Serving::start(command);
            let response = request(serving.address, b"GET /a", "Connection: close\r\n");
            assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{keys}{variable:?}: {response}");
        }
    }
}

#[test]
fn an_upstream_without_tls_is_told_from_one_with_other_tls() {
    type Script = fn(&mut Talk);
    let says: [(&str, Script, &str, &str); 6] = [
        (
            "plain",
            |talk| talk.socket.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
            "is not TLS",
            "plain HTTP, write `upstream = \"http://127.0.0.1:",
        ),
        (
            "h2c",
            |talk| talk.socket.send(b"\0\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            "is not TLS",
            "write `upstream = \"http://127.0.0.1:",
        ),
        (
            "closing",
            |talk| drop(talk.socket.exactly(5)),
            "it closed the connection in the middle of it",
            "if it speaks plain HTTP, write `upstream = \"http://",
        ),
        (
            "alert",
            |talk| talk.socket.send(b"\x15\x03\x01\0\x02\x02\x46"),
            "neither TLS 1.3 nor 1.2 (received fatal alert: ProtocolVersion",
            "speak one of them",
        ),
        (
            "old",
            |talk| {
                talk.socket
                    .send([&b"\x16\x03\x02\0\x2a\x02\0\0\x26\x03\x02"[..], &[7; 32], b"\0\0\x2f\0"].concat());
            },
            "neither TLS 1.3 nor 1.2",
            "speak one of them",
        ),
        (
            "no certificate",
            |talk| talk.socket.send(b"\x15\x03\x03\0\x02\x02\x2a"),
            "asks for a client's certificate",
            "`[upstream_tls] cert = ",
        ),
    ];
    for (name, script, why, help) in says {
        let upstream = Upstream::playing(script);
        let (response, lines) = told(&format!("https://{}", upstream.address), "", true);
        assert_eq!(response, "HTTP/1.1 502 Bad Gateway", "{name}");
        for line in &lines {
            assert!(line.contains(why) && line.contains(help), "{name}: {line}");
        }
    }
}

#[test]
fn a_handshake_that_does_not_end_is_told_from_a_connection_that_is_not_accepted() {
    let upstream = Upstream::playing(|talk| {
        talk.socket.ended();
    });
    let keys = "timeouts = { connect = \"100ms\" }\n";
    let (response, lines) = told(&format!("https://{}", upstream.address), keys, true);
    assert_eq!(response, "HTTP/1.1 504 Gateway Timeout");
    for line in &lines {
        assert!(line.contains("did not end the TLS handshake in time") && line.contains("http://"), "{line}");
    }
}

#[test]
fn a_client_certificate_that_is_missing_or_not_liked_is_told() {
    let upstream = TlsUpstream::speaking(&["http/1.1"], Asks::Certificate);
    let path = |name: &str| upstream.file(name).display().to_string();
    let trust = format!("[upstream_tls]\nca = \"{}\"\n", path("server.pem"));
    let shown =
        format!("{trust}cert = \"{}\"\nkey = \"{}\"\n", path("stranger.pem"), path("stranger-key.pem"));
    for (keys, why, help) in [
        (&trust, "asks for a client's certificate (received fatal alert: CertificateRequired", "cert = "),
        (
            &shown,
            "does not take the client certificate of `upstream_tls` (received fatal alert",
            "trust the issuer",
        ),
    ] {
        let (response, lines) = told(&format!("https://{}", upstream.address), keys, true);
        assert_eq!(response, "HTTP/1.1 502 Bad Gateway");
        for line in &lines {
            assert!(line.contains(why) && line.contains(help), "{line}");
        }
    }
}

#[test]
fn an_upstream_that_speaks_tls_and_is_spoken_to_without_is_known() {
    let nginx = "HTTP/1.1 400 Bad Request\r\nContent-Length: 60\r\nConnection: close\r\n\r\n\
                 <title>400 The plain HTTP request was sent to HTTPS port</ti";
    let go = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    let alert = b"\x15\x03\x03\0\x02\x02\x46";
    let answering = |response: &[u8]| {
        let response = response.to_vec();
        Upstream::playing(move |talk| {
            talk.request();
            talk.socket.send(&response);
        })
    };
    for (name, upstream, status, certain) in [
        ("nginx", answering(nginx.as_bytes()), "400 Bad Request", true),
        ("Go", answering(go.as_bytes()), "400 Bad Request", true),
        ("an alert", answering(alert), "502 Bad Gateway", true),
        ("silence", answering(b""), "502 Bad Gateway", false),
    ] {
        let (response, lines) = told(&format!("http://{}", upstream.address), "", false);
        assert_eq!(response, format!("HTTP/1.1 {status}"), "{name}");
        let help = format!("write `upstream = \"https://{}\"`", upstream.address);
        assert!(lines[0].contains(&help), "{name}: {lines:?}");
        assert_eq!(
            lines[0].contains("the upstream speaks TLS, and was spoken to without"),
            certain,
            "{name}"
        );
    }
    // rustls itself, which says so by an alert.
    let upstream = TlsUpstream::speaking(&["http/1.1"], Asks::Nothing);
    let (response, lines) = told(&format!("http://{}", upstream.address), "", false);
    assert_eq!(response, "HTTP/1.1 502 Bad Gateway");
    assert!(lines[0].contains("speaks TLS"), "{lines:?}");
}

#[test]
fn an_upstream_that_has_answered_is_not_suspected_of_tls() {
    let answered = AtomicBool::new(false);
    let upstream = Upstream::playing(move |talk| {
        if talk.request().is_some() && !answered.swap(true, Relaxed) {
            talk.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
    let folder = folder(&[("rules.toml", "")]);
    let mut command = fracas(folder.path());
    let url = format!("http://{}", upstream.address);
    command.args(["-l", "127.0.0.1:0", "-w", "1", "-u", &url]);
    let mut serving = Serving::start(command);
    for status in ["200 OK", "502 Bad Gateway"] {
        let response = request(serving.address, b"POST /a", "Content-Length: 0\r\nConnection: close\r\n");
        assert!(response.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{response}");
    }
    assert_eq!(
        serving.event(),
        "502  POST /a              the upstream closed the connection before it answered"
    );
}
