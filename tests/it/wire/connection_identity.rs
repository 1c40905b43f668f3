//! Connections that carry an identity (NTLM, Negotiate), and the client that each belongs to.

use fracas::rules::{Trust, UpstreamTls};
use http::Request;

use super::super::support::http2::{Client, exchange};
use super::super::support::message::Message;
use super::super::support::proxy::{self, TestProxy};
use super::super::support::socket::Socket;
use super::super::support::tls_upstream::{Asks, TlsUpstream};
use super::super::support::upstream::{Talk, Upstream};

/// Knows a connection's user from the third message on, as NTLM has it: returns the connection's number and
/// its user.
fn domain(talk: &mut Talk) {
    let (mut challenged, mut user) = (String::new(), String::new());
    while let Some(request) = talk.request() {
        let said = request.header("authorization").unwrap_or_default().to_owned();
        let challenge = match said.split(' ').collect::<Vec<_>>()[..] {
            ["NTLM", "type1", name] => {
                (challenged, user) = (name.to_owned(), String::new());
                Some("NTLM type2")
            }
            ["NTLM", "type3", name] if challenged == name => {
                user = name.to_owned();
                None
            }
            ["Negotiate", name] => {
                user = name.to_owned();
                None
            }
            _ if user.is_empty() => Some("Negotiate, NTLM"),
            _ => None,
        };
        let body = format!("{} {user}", talk.number);
        let (status, head) = match challenge {
            Some(challenge) => ("401 Unauthorized", format!("WWW-Authenticate: {challenge}\r\n")),
            None => ("200 OK", "Persistent-Auth: true\r\n".to_owned()),
        };
        talk.socket.send(format!("HTTP/1.1 {status}\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len()));
    }
}

/// Responds with the number of the connection, and with these lines.
fn offering(lines: &'static str) -> Upstream {
    Upstream::playing(move |talk| {
        while talk.request().is_some() {
            let body = talk.number.to_string();
            let response = format!("HTTP/1.1 401 U\r\n{lines}Content-Length: {}\r\n\r\n{body}", body.len());
            talk.socket.send(response);
        }
    })
}

fn ask(client: &mut Socket, authorization: Option<&str>) -> Message {
    let line = authorization.map(|said| format!("Authorization: {said}\r\n")).unwrap_or_default();
    client.send(format!("GET / HTTP/1.1\r\nHost: h\r\n{line}\r\n"));
    client.response()
}

fn authenticate(client: &mut Socket, name: &str) -> String {
    assert_eq!(ask(client, Some(&format!("NTLM type1 {name}"))).status(), 401);
    let known = ask(client, Some(&format!("NTLM type3 {name}")));
    assert_eq!(known.status(), 200, "{known}");
    known.text()
}

fn start(upstream: &Upstream) -> TestProxy {
    proxy::before(upstream.address).start()
}

#[test]
fn no_other_client_is_taken_for_the_user_of_a_connection() {
    let upstream = Upstream::playing(domain);
    let proxy = start(&upstream);
    let mut alice = proxy.connect();
    assert_eq!(authenticate(&mut alice, "alice"), "0 alice");
    for _ in 0..3 {
        let mut other = proxy.connect();
        assert_eq!(ask(&mut other, None).status(), 401);
        assert_eq!(ask(&mut alice, None).text(), "0 alice", "she stays known on her own");
    }
    let mut again = proxy.connect();
    let whole = authenticate(&mut again, "bob");
    assert!(whole.ends_with(" bob") && !whole.starts_with("0 "), "{whole}");
}

#[test]
fn handshakes_that_interleave_do_not_meet() {
    let upstream = Upstream::playing(domain);
    let proxy = start(&upstream);
    let names = ["carol", "dave", "erin"];
    let mut clients = names.map(|_| proxy.connect());
    for message in ["type1", "type3"] {
        for (client, name) in clients.iter_mut().zip(names) {
            let response = ask(client, Some(&format!("NTLM {message} {name}")));
            assert_eq!(response.status(), if message == "type1" { 401 } else { 200 }, "{name} {message}");
        }
    }
    for (client, name) in clients.iter_mut().zip(names) {
        assert!(ask(client, None).text().ends_with(name));
    }
}

#[test]
fn credentials_sent_before_an_offer_bind_too() {
    for said in ["Negotiate", "negotiate", "NTLM type1"] {
        let upstream = Upstream::playing(domain);
        let proxy = start(&upstream);
        // There is an idle connection for any client.
        let mut first = proxy.connect();
        assert_eq!(ask(&mut first, Some("Basic x")).status(), 401);
        let mut kerberos = proxy.connect();
        ask(&mut kerberos, Some(&format!("{said} kim")));
        let mut other = proxy.connect();
        let response = ask(&mut other, Some("Bearer x"));
        assert_eq!(response.status(), 401, "{said}: {response}");
    }
}

#[test]
fn the_offered_scheme_decides_whether_a_connection_is_shared() {
    for (lines, is_own) in [
        ("WWW-Authenticate: NTLM\r\n", true),
        ("WWW-Authenticate: negotiate\r\n", true),
        ("WWW-Authenticate: Basic realm=\"a, b\"\r\nWWW-Authenticate: NTLM\r\n", true),
        ("WWW-Authenticate: Basic realm=\"x\", charset=\"UTF-8\", NeGoTiAtE\r\n", true),
        ("Proxy-Authenticate: NTLM\r\n", true),
        ("WWW-Authenticate: Basic realm=\"NTLM, NTLM\"\r\n", false),
        ("WWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n", false),
        ("WWW-Authenticate: Bearer\r\n", false),
        ("", false),
    ] {
        let upstream = offering(lines);
        let proxy = start(&upstream);
        let mut one = proxy.connect();
        assert_eq!(ask(&mut one, None).text(), "0");
        assert_eq!(ask(&mut one, None).text(), "0", "{lines}: its own connection is kept");
        let mut two = proxy.connect();
        assert_eq!(ask(&mut two, None).text(), if is_own { "1" } else { "0" }, "{lines}");
    }
}

#[test]
fn the_connection_ends_with_its_owner() {
    let upstream = Upstream::playing(domain);
    let proxy = start(&upstream);
    let mut alice = proxy.connect();
    authenticate(&mut alice, "alice");
    drop(alice);
    assert_eq!(upstream.ended(), 0);
    // One that leaves in the middle of a response.
    let upstream = Upstream::playing(|talk| {
        talk.request();
        talk.socket.send("HTTP/1.1 401 U\r\nWWW-Authenticate: NTLM\r\nContent-Length: 10\r\n\r\nabc");
        talk.socket.ended();
    });
    let proxy = start(&upstream);
    let mut client = proxy.connect();
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    client.head();
    assert_eq!(client.exactly(3), b"abc");
    drop(client);
    assert_eq!(upstream.ended(), 0);
}

#[test]
fn a_connection_that_the_upstream_closed_is_replaced_by_one_that_is_owned_too() {
    let upstream = Upstream::playing(|talk| {
        if talk.request().is_some() {
            let body = talk.number.to_string();
            talk.socket.send(format!(
                "HTTP/1.1 401 U\r\nWWW-Authenticate: NTLM\r\nConnection: close\r\nContent-Length: 1\r\n\r\n{body}"
            ));
        }
    });
    let proxy = start(&upstream);
    let mut client = proxy.connect();
    for number in ["0", "1", "2"] {
        assert_eq!(ask(&mut client, None).text(), number);
        upstream.ended();
    }
}

#[test]
fn a_websocket_opens_on_the_connection_that_knows_the_user() {
    let upstream = Upstream::playing(|talk| {
        let mut is_challenged = false;
        while let Some(request) = talk.request() {
            match request.header("authorization") {
                Some("NTLM type1") => is_challenged = true,
                Some("NTLM type3") if is_challenged => {
                    talk.socket
                        .send("HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello");
                    return talk.socket.ended();
                }
                _ => {}
            }
            talk.socket.send("HTTP/1.1 401 U\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let proxy = start(&upstream);
    for is_known_before in [false, true] {
        let mut client = proxy.connect();
        let open = |client: &mut Socket, said: &str| {
            client.send(format!(
                "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
                 Authorization: {said}\r\n\r\n"
            ));
            client.head().expect("a head")
        };
        if is_known_before {
            assert_eq!(ask(&mut client, None).status(), 401);
        }
        assert!(open(&mut client, "NTLM type1").starts_with("HTTP/1.1 401 "));
        assert!(open(&mut client, "NTLM type3").starts_with("HTTP/1.1 101 "), "{is_known_before}");
        assert_eq!(client.exactly(5), b"hello");
    }
}

#[test]
fn streams_of_one_connection_share_its_identity_and_take_turns() {
    let upstream = Upstream::playing(domain);
    let proxy = start(&upstream);
    let get = |said: Option<&str>| {
        let request = Request::builder().uri(format!("http://{}/", proxy.address));
        match said {
            Some(said) => request.header("authorization", said),
            None => request,
        }
    };
    let mut alice = Client::connect(proxy.address);
    assert_eq!(alice.ask(get(Some("NTLM type1 alice")), "").expect("an answer").status, 401);
    assert_eq!(alice.ask(get(Some("NTLM type3 alice")), "").expect("an answer").text(), "0 alice");
    let sender = alice.sender.clone();
    alice.runtime.block_on(async {
        let streams =
            (0..20).map(|_| exchange(sender.clone(), get(None).body(()).expect("a request"), vec![], None));
        for response in futures_util::future::join_all(streams).await {
            assert_eq!(response.expect("an answer").text(), "0 alice");
        }
    });
    let mut other = Client::connect(proxy.address);
    assert_eq!(other.ask(get(None), "").expect("an answer").status, 401);
}

#[test]
fn requests_of_an_authenticated_client_go_over_http1() {
    let upstream = TlsUpstream::speaking(&["h2", "http/1.1"], Asks::Nothing);
    let tls = UpstreamTls { trust: Trust::Anybody, identity: None };
    let proxy =
        proxy::before(upstream.address).over_tls().with(|settings| settings.upstream_tls = tls).start();
    let mut client = proxy.connect();
    assert!(ask(&mut client, Some("Basic x")).text().starts_with("h2 "));
    for said in [Some("Negotiate x"), None] {
        assert!(ask(&mut client, said).text().starts_with("http/1.1 "));
    }
    assert!(ask(&mut proxy.connect(), None).text().starts_with("h2 "));
    assert_eq!(upstream.spoken(), ["h2", "http/1.1"]);
}
