//! The recorded facts of each attempt, as its client and its upstream saw it.

use fracas::model::{AskedWait, Attempt, Kind, MediaType, Phase, ResponseRecord, VersionPlace};

use crate::support::encoded::encoded;
use crate::support::message::Message;
use crate::support::proxy::{TestProxy, before};
use crate::support::upstream::Upstream;

/// Sends requests one after the other, each on a connection of its own, and gives their attempts.
fn attempts(proxy: TestProxy, requests: &[&str]) -> (Vec<Message>, Vec<Attempt>) {
    let answers = requests.iter().map(|request| proxy.ask(request)).collect();
    (answers, proxy.attempts())
}

fn proxy(rules: &str, response: &str) -> TestProxy {
    before(Upstream::answering(response).address).rules(rules).start()
}

const OK: &str = "HTTP/1.1 200 OK\r\nETag: \"8\"\r\nContent-Length: 2\r\n\r\n{}";

#[test]
fn a_request_and_its_answer_are_recorded() {
    let put = "PUT /it%65ms/7?token=a HTTP/1.1\r\nHost: a\r\nUser-Agent: curl/8.5 (x)\r\nIf-Match: \"7\"\r\n\
               Content-Length: 7\r\n\r\n{\"a\":1}";
    let (_, attempts) = attempts(proxy("", OK), &[put, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"]);
    let [first, second] = &attempts[..] else { panic!("{attempts:?}") };
    assert_eq!((first.id, second.id), (1, 2));
    assert_eq!((&*first.method, &*first.path, first.agent.as_deref()), ("PUT", "/items/7", Some("curl/8.5")));
    assert!(first.query.is_some() && second.query.is_none());
    assert_eq!((first.sent.version.as_deref(), first.sent.bytes), (Some("\"7\""), 7));
    assert!(first.sent.body.is_some() && second.sent.body.is_none());
    let got = ResponseRecord {
        status: Some(200),
        upstream: Some(200),
        shown: "\"8\"".into(),
        bytes: 2,
        ..ResponseRecord::default()
    };
    assert_eq!((&first.got, &second.got), (&got, &got));
    assert!(first.start <= first.end && first.end <= second.start && second.start <= second.end);
    assert_ne!(first.connection, second.connection);
    assert_ne!(first.client, second.client, "another User-Agent is another client");
    assert_eq!(first.conflict, None);
}

#[test]
fn a_conflict_is_recorded_with_what_its_rule_says() {
    let rules = |phase: &str| {
        format!(
            "[[rule]]\nname = \"r\"\nmethod = \"PUT\"\nper = \"path\"\nphase = \"{phase}\"\nkind = \"version\"\n\
             reply = {{ retry_after = \"2s\" }}"
        )
    };
    let put = "PUT /7 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    for (phase, upstream) in [(Phase::Before, None), (Phase::After, Some(200))] {
        let (answers, attempts) = attempts(proxy(&rules(phase.as_str()), OK), &[put, put]);
        for (n, attempt) in (1..).zip(&attempts) {
            let conflict = attempt.conflict.as_ref().expect("a conflict");
            assert_eq!(
                (&*conflict.rule, conflict.kind, conflict.phase, conflict.n),
                ("r", Kind::Version, phase, n)
            );
            let got = ResponseRecord {
                status: Some(409),
                upstream,
                retry_after: Some(AskedWait::Seconds(2_000)),
                media_type: MediaType::of(b"application/problem+json"),
                bytes: answers[0].body.len() as u64,
                ..ResponseRecord::default()
            };
            assert_eq!(attempt.got, got);
        }
        let key = |attempt: &Attempt| attempt.conflict.as_ref().map(|conflict| conflict.key);
        assert_eq!((attempts.len(), key(&attempts[0])), (2, key(&attempts[1])));
    }
}

#[test]
fn a_lost_answer_is_no_answer_and_no_failure() {
    let proxy = proxy("[[rule]]\nmethod = \"POST\"\nphase = \"lost\"\n", OK);
    let mut socket = proxy.connect();
    socket.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assert!(socket.rest().expect("a clean end").is_empty());
    let attempts = proxy.attempts();
    assert_eq!(attempts[0].got, ResponseRecord { upstream: Some(200), ..ResponseRecord::default() });
    assert_eq!(attempts[0].conflict.as_ref().map(|conflict| conflict.phase), Some(Phase::Lost));
}

#[test]
fn why_there_is_no_whole_answer_is_recorded() {
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let torn = Upstream::playing(|talk| {
        talk.request();
        talk.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
    });
    let proxy = before(torn.address).start();
    let mut socket = proxy.connect();
    socket.send(get);
    socket.ended();
    let got = &proxy.attempts()[0].got;
    assert_eq!((got.status, got.error.as_deref(), got.bytes), (Some(200), Some("reset"), 3));

    let (_, attempts) = attempts(proxy_without_an_upstream(), &[get]);
    assert_eq!((attempts[0].got.status, attempts[0].got.error.as_deref()), (Some(502), Some("connect")));
    assert_eq!(attempts[0].got.upstream, None);
}

fn proxy_without_an_upstream() -> TestProxy {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = taken.local_addr().expect("an address");
    drop(taken);
    before(nobody).start()
}

#[test]
fn a_client_that_leaves_is_recorded_as_having_left() {
    let upstream = Upstream::playing(|talk| {
        talk.request();
        talk.socket.ended();
    });
    let proxy = before(upstream.address).start();
    let mut socket = proxy.connect();
    socket.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    while upstream.requests().is_empty() {
        std::thread::yield_now();
    }
    socket.reset();
    upstream.ended();
    let got = &proxy.attempts()[0].got;
    assert_eq!((got.status, got.error.as_deref()), (None, Some("client")));
}

#[test]
fn answers_of_every_framing_are_whole() {
    for (request, response, bytes) in [
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 3),
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n0\r\nx: 1\r\n\r\n", 0),
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0),
        ("GET", "HTTP/1.1 304 Not Modified\r\n\r\n", 0),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 0),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", 0),
    ] {
        let request = format!("{request} / HTTP/1.1\r\nHost: a\r\n\r\n");
        let (_, attempts) = attempts(proxy("", response), &[&request]);
        assert_eq!((attempts[0].got.error.as_deref(), attempts[0].got.bytes), (None, bytes), "{response}");
    }
    let refused = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    let (_, attempts) = attempts(proxy("[[rule]]\n", OK), &[refused]);
    assert_eq!((attempts[0].got.status, attempts[0].got.error.as_deref()), (Some(409), None));
}

#[test]
fn a_body_is_hashed_whether_the_upstream_a_rule_or_nobody_reads_it() {
    let post =
        |body: &str| format!("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let requests = [post(r#"{"a":1,"at":1}"#), post(r#"{"at":2, "a":1}"#), post(r#"{"a":2,"at":3}"#)];
    for rules in ["", "[[rule]]\nmethod = \"POST\"\n", "[[rule]]\nmethod = \"POST\"\nbody = { \"/x\" = 1 }\n"]
    {
        let upstream = Upstream::answering(OK);
        let proxy = before(upstream.address)
            .rules(rules)
            .with(|settings| settings.journal.volatile = vec!["/at".into()])
            .start();
        let requests: Vec<&str> = requests.iter().map(String::as_str).collect();
        let (_, attempts) = attempts(proxy, &requests);
        let hashes: Vec<_> = attempts.iter().map(|attempt| attempt.sent.body.expect("a hash")).collect();
        assert!(hashes[0] == hashes[1] && hashes[1] != hashes[2], "{rules}: {hashes:?}");
        assert_eq!(attempts[0].sent.bytes, 14);
    }
}

#[test]
fn every_worker_s_attempts_are_there_once() {
    let upstream = Upstream::answering(OK);
    let proxy =
        before(upstream.address).with(|settings| settings.workers = std::num::NonZeroUsize::new(4)).start();
    const CLIENTS: usize = 8;
    const EACH: usize = 100;
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let mut socket = proxy.connect();
            scope.spawn(move || {
                for n in 0..EACH {
                    socket.send(format!("GET /{client}/{n} HTTP/1.1\r\nHost: a\r\n\r\n"));
                    assert_eq!(socket.response().status(), 200);
                }
            });
        }
    });
    let attempts = proxy.attempts();
    let paths: std::collections::BTreeSet<_> = attempts.iter().map(|attempt| &attempt.path).collect();
    assert_eq!((attempts.len(), paths.len()), (CLIENTS * EACH, CLIENTS * EACH));
    assert!(attempts.iter().zip(1..).all(|(attempt, id)| attempt.id == id));
}

#[test]
fn versions_in_compressed_bodies_are_recorded() {
    let rules = "[[rule]]\nmethod = \"PUT\"\non = \"stale\"\nper = \"path\"\nversion = \"body:/rev\"\n";
    let (sent, shown) = (br#"{"rev":"7","a":1}"#, br#"{"rev":"8","a":1}"#);
    for coding in ["", "gzip", "br", "zstd", "gzip, br"] {
        let (body, answer) = (encoded(coding, sent), encoded(coding, shown));
        let head =
            format!("Content-Type: application/json\r\nContent-Encoding: {coding}\r\nContent-Length: ");
        let response =
            [format!("HTTP/1.1 200 OK\r\n{head}{}\r\n\r\n", answer.len()).as_bytes(), &answer].concat();
        let proxy = before(Upstream::answering(response).address).rules(rules).start();
        let mut client = proxy.connect();
        client.send(format!("PUT /it HTTP/1.1\r\nHost: a\r\n{head}{}\r\n\r\n", body.len()));
        client.send(&body);
        assert_eq!(client.response().status(), 200, "{coding}");
        let attempts = proxy.attempts();
        let [attempt] = &attempts[..] else { panic!("{attempts:?}") };
        assert_eq!(attempt.sent.version.as_deref(), Some("7"), "{coding}");
        let shown = VersionPlace::Field("body:/rev".into());
        assert_eq!(attempt.got.shown.at(&shown), Some("8"), "{coding}");
    }
}
