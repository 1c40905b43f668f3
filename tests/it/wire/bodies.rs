//! Bodies, both ways, byte for byte and framed once.

use super::super::support::proxy;
use super::super::support::upstream::Upstream;

/// Bytes that repeat in no small period, so that a lost or doubled one shows.
fn pattern(length: usize) -> Vec<u8> {
    (0..length as u64).map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

/// `body` in chunks of `size`.
fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut framed = Vec::new();
    for chunk in body.chunks(size) {
        framed.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
    }
    framed.extend_from_slice(b"0\r\n\r\n");
    framed
}

const SIZES: [usize; 7] = [0, 1, 100, 65_535, 65_536, 65_537, 5_000_000];

#[test]
fn sized_and_chunked_bodies_arrive_as_they_were_both_ways() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    for size in SIZES {
        let body = pattern(size);
        client.send(format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n"));
        client.send(&body);
        let response = client.response();
        assert_eq!(response.header("content-length"), Some(&*size.to_string()));
        assert_eq!(response.header("transfer-encoding"), None);
        assert!(response.body == body, "{size} bytes, sized");

        for chunk in [1_000, 70_000] {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
            client.send(chunked(&body, chunk));
            assert!(client.response().body == body, "{size} bytes, in chunks of {chunk}");
        }
    }
    for request in upstream.requests() {
        let framing = ["content-length", "transfer-encoding"].map(|name| request.all(name).len());
        assert!(framing == [0, 1] || framing == [1, 0], "{request}");
    }
}

#[test]
fn any_method_may_have_a_body() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).start();
    for method in ["GET", "DELETE", "OPTIONS", "POST", "PROPFIND"] {
        for framing in
            ["Content-Length: 3\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"]
        {
            let response = proxy.ask(format!("{method} / HTTP/1.1\r\nHost: h\r\n{framing}"));
            assert_eq!(response.text(), "abc", "{method} {framing:?}");
        }
    }
}

#[test]
fn c14_an_absent_body_stays_absent() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let proxy = proxy::before(upstream.address).start();
    for (method, length) in
        [("GET", None), ("DELETE", None), ("POST", None), ("POST", Some("0")), ("PUT", Some("0"))]
    {
        let line = length.map_or(String::new(), |length| format!("Content-Length: {length}\r\n"));
        proxy.ask(format!("{method} / HTTP/1.1\r\nHost: h\r\n{line}\r\n"));
        let request = upstream.requests().pop().expect("a request");
        assert_eq!(request.header("content-length"), length, "{method}");
        assert_eq!(request.header("transfer-encoding"), None, "{method}");
    }
}

#[test]
fn c14_answers_without_a_body_have_none() {
    // (request, the upstream's response, the client's header lines about a body)
    let cases: &[(&str, &str, &[&str])] = &[
        ("HEAD", "200 OK\r\nContent-Length: 5\r\n", &["content-length: 5"]),
        ("HEAD", "200 OK\r\nContent-Length: 0\r\n", &["content-length: 0"]),
        ("HEAD", "200 OK\r\nTransfer-Encoding: chunked\r\n", &[]),
        ("HEAD", "200 OK\r\n", &[]),
        ("GET", "204 No Content\r\n", &[]),
        ("GET", "204 No Content\r\nContent-Length: 5\r\n", &[]),
        ("GET", "304 Not Modified\r\nETag: \"a\"\r\n", &[]),
        // A 304 says how long its body would be (RFC 9110 §8.6).
        ("GET", "304 Not Modified\r\nContent-Length: 5\r\n", &["content-length: 5"]),
        ("GET", "200 OK\r\nContent-Length: 0\r\n", &["content-length: 0"]),
    ];
    for (method, response, lines) in cases {
        let upstream = Upstream::answering(format!("HTTP/1.1 {response}\r\n"));
        let proxy = proxy::before(upstream.address).start();
        let mut client = proxy.connect();
        // The second response shows that the first ended where it should.
        for _ in 0..2 {
            client.send(format!("{method} / HTTP/1.1\r\nHost: h\r\n\r\n"));
            let got = client.answer_to(method);
            let about = got.lines_without(&["date", "via", "etag"]);
            assert_eq!(about[1..], **lines, "{method} {response:?}");
            assert_eq!(got.body, b"", "{method} {response:?}");
        }
        assert_eq!(upstream.requests().len(), 2);
    }
}

#[test]
fn c15_trailers_pass_both_ways() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nTrailer: X-Sum, X-Other\r\nTransfer-Encoding: chunked\r\n\r\n\
         2\r\nok\r\n0\r\nX-Sum: 7\r\nX-Unannounced: 8\r\n\r\n",
    );
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    for (te, trailers) in [("TE: trailers\r\n", &[("x-sum", "7")][..]), ("", &[])] {
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: h\r\n{te}Transfer-Encoding: chunked\r\nTrailer: X-Up\r\n\r\n\
             3\r\nabc\r\n0\r\nX-Up: 9\r\n\r\n"
        ));
        let request_trailers = [("x-up".to_owned(), "9".to_owned())];
        let response = client.response();
        assert_eq!(response.text(), "ok");
        let expected: Vec<(String, String)> =
            trailers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(response.trailers, expected, "{te:?}");
        let request = upstream.requests().pop().expect("a request");
        assert_eq!((request.text(), &request.trailers[..]), ("abc".to_owned(), &request_trailers[..]));
        assert_eq!(request.header("te").is_some(), !te.is_empty());
    }
}

#[test]
fn c12_chunk_extensions_end_at_the_proxy() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).start();
    let response = proxy
        .ask("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n00;c\r\n\r\n");
    assert_eq!(response.text(), "abc");
    assert_eq!(upstream.request().chunks, Some(vec![3]));
}

#[test]
fn c13_http_10_and_unframed_answers_get_a_framing_that_the_client_knows() {
    let answers = [
        "HTTP/1.0 200 OK\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ];
    for (number, response) in answers.into_iter().enumerate() {
        // An upstream that announces to stay does: an unannounced close races the next request.
        let stays = response.contains("chunked");
        let upstream = Upstream::playing(move |talk| {
            while talk.request().is_some() {
                talk.socket.send(response);
                if !stays {
                    break;
                }
            }
        });
        let proxy = proxy::before(upstream.address).start();

        let mut client = proxy.connect();
        for _ in 0..2 {
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            let got = client.response();
            assert_eq!((&*got.start, &*got.text()), ("HTTP/1.1 200 OK", "hello"), "{response:?}");
            let is_sized = number == 3;
            assert_eq!(got.header("content-length"), is_sized.then_some("5"), "{response:?}");
            assert_eq!(got.header("transfer-encoding"), (!is_sized).then_some("chunked"), "{response:?}");
        }

        let mut client = proxy.connect();
        client.send("GET / HTTP/1.0\r\n\r\n");
        let got = client.response();
        assert_eq!((&*got.start, &*got.text()), ("HTTP/1.0 200 OK", "hello"), "{response:?}");
        assert_eq!(got.header("transfer-encoding"), None, "{response:?}");
        assert_eq!(client.rest().expect("a clean end"), b"");
    }
}

#[test]
fn an_http_10_client_may_keep_its_connection() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    for _ in 0..3 {
        client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        let response = client.response();
        assert_eq!((response.header("connection"), &*response.text()), (Some("keep-alive"), "ok"));
    }
}
