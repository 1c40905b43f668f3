//! Requests over HTTP/2 mean the same as over HTTP/1.1.

use fracas::matching::Match;
use fracas::rules::Schedule;
use http::{Method, Request};

use super::super::super::support::GONE;
use super::super::super::support::frames::{
    DATA, END_HEADERS, END_STREAM, End, Frame, Frames, HEADERS, PREFACE, block, get, literal, post, pseudo,
};
use super::super::super::support::http2::{Client, exchange};
use super::super::super::support::message::without_pseudonym;
use super::super::super::support::proxy::{self, conflict};
use super::super::super::support::socket::Socket;
use super::super::super::support::upstream::Upstream;

fn request(method: Method, headers: &[(&str, &str)]) -> http::request::Builder {
    let mut request = Request::builder().method(method).uri("http://h.test/a?b=c");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
}

#[test]
fn a_request_reaches_an_upstream_that_speaks_http_1() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).start();
    let mut client = Client::connect(proxy.address);
    let crumbs = [("cookie", "a=1"), ("cookie", "b=2"), ("x", "y")];
    let response = client.ask(request(Method::POST, &crumbs), "hello");
    let response = response.expect("an answer");
    assert_eq!((response.status.as_u16(), response.text()), (200, "hello"));
    assert_eq!(response.header("via").map(without_pseudonym).as_deref(), Some("1.1 fracas"));
    let seen = upstream.request();
    insta::assert_snapshot!(seen.lines_without(&["host"]).join("\n"), @r"
    POST /a?b=c HTTP/1.1
    cookie: a=1; b=2
    transfer-encoding: chunked
    via: 2.0 fracas
    x: y
    x-forwarded-for: 127.0.0.1
    x-forwarded-host: h.test
    x-forwarded-proto: http
    ");
    assert_eq!(seen.text(), "hello");
}

#[test]
fn a_body_of_unknown_length_is_one_whatever_the_method() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).start();
    let mut client = Client::connect(proxy.address);
    for method in [Method::GET, Method::DELETE, Method::PUT] {
        let response = client.ask(request(method.clone(), &[]), "hello");
        assert_eq!(response.expect("an answer").text(), "hello", "{method}");
        let response = client.ask(request(method, &[]), "");
        assert_eq!(response.expect("an answer").text(), "");
    }
    let framed = upstream.requests().iter().filter(|seen| seen.header("transfer-encoding").is_some()).count();
    assert_eq!(framed, 3, "a request without a body gets none");
}

#[test]
fn rules_answer_and_head_gets_no_body() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).rule(conflict(Match::default(), Schedule::Always)).start();
    let mut client = Client::connect(proxy.address);
    let whole = client.ask(request(Method::GET, &[]), "").expect("an answer");
    assert_eq!(
        (whole.status.as_u16(), whole.header("content-type")),
        (409, Some("application/problem+json"))
    );
    assert_eq!(whole.header("fracas"), Some(r#"rule="conflict", kind=transient, phase=before, n=1"#));
    let head = client.ask(request(Method::HEAD, &[]), "").expect("an answer");
    assert_eq!((head.status.as_u16(), head.text()), (409, ""));
    assert_eq!(head.header("content-length"), Some(&*whole.body.len().to_string()));
    assert_eq!(upstream.requests(), []);
}

#[test]
fn a_lost_answer_resets_its_stream_and_nothing_else() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let proxy =
        proxy::before(upstream.address).rules("[[rule]]\nmethod = \"POST\"\nphase = \"lost\"\n").start();
    let mut client = Frames::connect(proxy.address);
    client.send(&Frame::new(HEADERS, END_STREAM | END_HEADERS, 1, pseudo("POST", "/")));
    assert_eq!(client.end_of(1), End::Reset("INTERNAL_ERROR"));
    client.send(&get(3));
    assert_eq!(client.end_of(3), End::Answered);
    assert_eq!(upstream.requests().len(), 2, "it was applied");
}

#[test]
fn trailers_pass_to_the_client() {
    let upstream = Upstream::playing(|talk| {
        while talk.request().is_some() {
            talk.socket.send("HTTP/1.1 200 OK\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n");
            talk.socket.send("2\r\nhi\r\n0\r\nx-sum: 7\r\n\r\n");
        }
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = Client::connect(proxy.address);
    let response = client.ask(request(Method::GET, &[]), "").expect("an answer");
    assert_eq!(response.text(), "hi");
    assert_eq!(response.trailers.expect("trailers")["x-sum"], "7");
}

#[test]
fn trailers_pass_to_an_upstream_that_they_are_announced_to() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).start();
    let client = Client::connect(proxy.address);
    let mut trailers = http::HeaderMap::new();
    trailers.insert("x-sum", http::HeaderValue::from_static("7"));
    let request =
        request(Method::POST, &[("trailer", "x-sum"), ("te", "trailers")]).body(()).expect("a request");
    let exchange = exchange(client.sender.clone(), request, vec!["hi".into()], Some(trailers));
    assert_eq!(client.runtime.block_on(exchange).expect("an answer").text(), "hi");
    assert_eq!(upstream.request().trailers, [("x-sum".to_owned(), "7".to_owned())]);
}

#[test]
fn the_preface_may_come_byte_by_byte() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).start();
    let mut socket = Socket::connect(proxy.address);
    for byte in PREFACE {
        socket.send([*byte]);
    }
    socket.send(Frame::new(4, 0, 0, []).bytes());
    socket.send(get(1).bytes());
    let mut client = Frames::over(socket);
    assert_eq!(client.end_of(1), End::Answered);
}

#[test]
fn what_only_begins_like_the_preface_is_http_1() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).start();
    for method in ["P", "PR", "PRI", "PRIX", "PUT", "POST"] {
        let mut client = proxy.connect();
        // One piece at a time.
        for piece in [method, " / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n", "hi"] {
            client.send(piece);
        }
        assert_eq!(client.response().text(), "hi", "{method}");
    }
    // A whole request before the preface is no preface.
    let mut client = proxy.connect();
    client.send([b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", PREFACE].concat());
    assert_eq!(client.response().status(), 200);
    client.ended();
}

/// The end of one stream; checks that the connection, or the next one, serves on.
fn stream_of(frames: &[Frame]) -> (End, usize) {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).start();
    let mut client = Frames::connect(proxy.address);
    for frame in frames {
        client.send(frame);
    }
    let end = client.end_of(1);
    if matches!(end, End::Reset(_) | End::Answered) {
        client.send(&get(11));
        assert_eq!(client.end_of(11), End::Answered);
    } else {
        let mut client = Frames::connect(proxy.address);
        client.send(&get(11));
        assert_eq!(client.end_of(11), End::Answered);
    }
    (end, upstream.requests().len() - 1)
}

#[test]
fn c41_what_http_1_cannot_say_never_reaches_the_upstream() {
    const HEAD: u8 = END_HEADERS | END_STREAM;
    let with = |name: &str, value: &[u8]| {
        let block = [pseudo("GET", "/"), literal(name.as_bytes(), value)].concat();
        vec![Frame::new(HEADERS, HEAD, 1, block)]
    };
    let fields = |fields: &[(&str, &str)]| vec![Frame::new(HEADERS, HEAD, 1, block(fields))];
    let base = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "h.test")];
    let without = |name: &str| {
        let kept: Vec<_> = base.into_iter().filter(|(other, _)| *other != name).collect();
        fields(&kept)
    };
    let replaced = |name: &str, value: &'static str| {
        let changed: Vec<_> = base.iter().map(|(n, v)| (*n, if *n == name { value } else { *v })).collect();
        fields(&changed)
    };
    let body = |length: &str, data: &[&str]| {
        let block = [pseudo("POST", "/"), literal(b"content-length", length.as_bytes())].concat();
        let mut frames = vec![Frame::new(HEADERS, END_HEADERS, 1, block)];
        for (at, piece) in data.iter().enumerate() {
            frames.push(Frame::new(DATA, u8::from(at + 1 == data.len()), 1, *piece));
        }
        frames
    };
    let twice = |name: &str, value: &str| {
        let block = [pseudo("GET", "/"), block(&[(name, value)])].concat();
        vec![Frame::new(HEADERS, HEAD, 1, block)]
    };
    // The request, the client's result, and the whole requests seen by the upstream.
    let cases: Vec<(&str, Vec<Frame>, End)> = vec![
        ("connection", with("connection", b"close"), End::Reset("PROTOCOL_ERROR")),
        ("keep-alive", with("keep-alive", b"5"), End::Reset("PROTOCOL_ERROR")),
        ("proxy-connection", with("proxy-connection", b"close"), End::Reset("PROTOCOL_ERROR")),
        ("transfer-encoding", with("transfer-encoding", b"chunked"), End::Reset("PROTOCOL_ERROR")),
        ("upgrade", with("upgrade", b"websocket"), End::Reset("PROTOCOL_ERROR")),
        ("te", with("te", b"gzip"), End::Reset("PROTOCOL_ERROR")),
        ("upper case", with("X-Case", b"1"), End::GoAway("PROTOCOL_ERROR")),
        ("CR LF", with("x", b"a\r\nb: c"), End::GoAway("PROTOCOL_ERROR")),
        ("LF", with("x", b"a\nb"), End::GoAway("PROTOCOL_ERROR")),
        ("NUL", with("x", b"a\0b"), End::GoAway("PROTOCOL_ERROR")),
        ("a space in a name", with("x y", b"1"), End::GoAway("PROTOCOL_ERROR")),
        ("a colon in a name", with("x:", b"1"), End::GoAway("PROTOCOL_ERROR")),
        ("CR LF in a name", with("x\r\ny", b"1"), End::GoAway("PROTOCOL_ERROR")),
        ("an empty name", with("", b"1"), End::GoAway("PROTOCOL_ERROR")),
        ("a space before a value", with("x", b" 1"), End::Answered),
        ("a space behind a value", with("x", b"1 "), End::Answered),
        ("an unknown pseudo-header", with(":x", b"1"), End::GoAway("PROTOCOL_ERROR")),
        (":status", with(":status", b"200"), End::Reset("PROTOCOL_ERROR")),
        ("no :method", without(":method"), End::Reset("PROTOCOL_ERROR")),
        ("no :scheme", without(":scheme"), End::Reset("PROTOCOL_ERROR")),
        ("no :path", without(":path"), End::Reset("PROTOCOL_ERROR")),
        ("neither :authority nor host", without(":authority"), End::Answered),
        ("an empty :path", replaced(":path", ""), End::Reset("PROTOCOL_ERROR")),
        ("a :path that is none", replaced(":path", "a"), End::Reset("PROTOCOL_ERROR")),
        ("a :path with a space", replaced(":path", "/a b"), End::Reset("PROTOCOL_ERROR")),
        ("a :path with a line end", replaced(":path", "/ HTTP/1.1\r\nx: y"), End::Reset("PROTOCOL_ERROR")),
        (
            "a :method with a line end",
            replaced(":method", "GET / HTTP/1.1\r\n"),
            End::GoAway("PROTOCOL_ERROR"),
        ),
        ("* of GET", replaced(":path", "*"), End::Answered),
        ("a :scheme that is none", replaced(":scheme", "h t"), End::Reset("PROTOCOL_ERROR")),
        ("a :scheme of others", replaced(":scheme", "ftp"), End::Answered),
        ("an :authority with a user", replaced(":authority", "u@h.test"), End::Answered),
        ("an :authority with a path", replaced(":authority", "h.test/x"), End::Reset("PROTOCOL_ERROR")),
        (":method twice", twice(":method", "GET"), End::Reset("PROTOCOL_ERROR")),
        (":authority twice", twice(":authority", "h.test"), End::Reset("PROTOCOL_ERROR")),
        ("another host", with("host", b"other.test"), End::Answered),
        ("CONNECT", fields(&[(":method", "CONNECT"), (":authority", "h:80")]), End::Answered),
        ("TRACE", replaced(":method", "TRACE"), End::Answered),
        (
            "extended CONNECT",
            fields(&[
                (":method", "CONNECT"),
                (":protocol", "websocket"),
                (":scheme", "http"),
                (":path", "/"),
                (":authority", "h.test"),
            ]),
            End::Reset("PROTOCOL_ERROR"),
        ),
        ("less than was said", body("10", &["abc"]), End::Reset("PROTOCOL_ERROR")),
        ("more than was said", body("2", &["abc"]), End::Reset("PROTOCOL_ERROR")),
        ("more, later", body("2", &["ab", "c"]), End::Reset("PROTOCOL_ERROR")),
        ("a length that is none", body("1x", &["a"]), End::Reset("PROTOCOL_ERROR")),
        ("a list of lengths", body("1, 1", &["a"]), End::Reset("PROTOCOL_ERROR")),
    ];
    for (what, frames, end) in cases {
        assert_eq!(stream_of(&frames), (end, 0), "{what}");
    }
}

#[test]
fn c31_long_targets_many_lines_and_long_heads_have_their_answers() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address)
        .with(|settings| {
            settings.limits.uri_bytes = 100;
            settings.limits.header_count = 10;
            settings.limits.header_bytes = 8 * 1024;
        })
        .start();
    let mut client = Client::connect(proxy.address);
    let long = format!("http://h.test/{}", "x".repeat(100));
    let many: Vec<(String, &str)> = (0..10).map(|at| (format!("x-{at}"), "y")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (&**name, *value)).collect();
    let value = "y".repeat(8 * 1024);
    for (request, status, marker) in [
        (Request::builder().uri(&long), 414, Some("error=request")),
        (request(Method::GET, &many), 431, Some("error=request")),
        (request(Method::GET, &[("x", &value)]), 431, None),
        (request(Method::GET, &many[..9]), 200, None),
    ] {
        let response = client.ask(request, "").expect("an answer");
        assert_eq!((response.status.as_u16(), response.header("fracas")), (status, marker));
    }
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn c22_a_client_that_resets_its_stream_or_leaves_ends_the_upstreams_request() {
    let upstream = Upstream::playing(|talk| {
        talk.request();
        talk.socket.ended();
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = Frames::connect(proxy.address);
    client.send(&post(1));
    client.send(&Frame::new(DATA, END_STREAM, 1, "x"));
    client.send(&get(3));
    // Both are there before one goes.
    while upstream.requests().len() < 2 {
        client.send(&Frame::new(6, 0, 0, [0; 8]));
        client.until(|frame| frame.kind == 6);
    }
    client.send(&Frame::new(3, 0, 1, [0, 0, 0, 8]));
    upstream.ended_within(GONE);
    // The other one ends with its connection.
    drop(client);
    upstream.ended_within(GONE);
}
