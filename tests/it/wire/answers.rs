//! Responses that are wrong, ambiguous or torn: never passed on as if they were whole.

use super::super::support::message::Message;
use super::super::support::proxy;
use super::super::support::upstream::{Talk, Upstream};

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// Sends these bytes to the first request, and ends the connection.
fn once(response: &'static str) -> Upstream {
    Upstream::playing(move |talk: &mut Talk| {
        if talk.request().is_some() {
            talk.socket.send(response);
        }
    })
}

#[test]
fn c13_an_answer_that_cannot_be_framed_is_a_502() {
    for response in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\na",
        "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\na",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: x\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "hello, who is there?\r\n\r\n",
        "HTTP/1.1 99 Low\r\n\r\n",
        "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
    ] {
        let upstream = once(response);
        let proxy = proxy::before(upstream.address).start();
        let got = proxy.ask(GET);
        assert_eq!((got.status(), got.header("fracas")), (502, Some("error=protocol")), "{response:?}");
    }
}

#[test]
fn space_before_a_colon_is_taken_away() {
    let response = "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Credentials : true\r\nX\t: 1\r\nContent-Length \t: 2\r\n\r\nok";
    let upstream = Upstream::answering(response);
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    for _ in 0..2 {
        client.send(GET);
        let head = client.head().expect("a head");
        assert!(head.contains("\r\naccess-control-allow-credentials: true\r\n"), "{head}");
        assert!(head.contains("\r\nx: 1\r\n") && head.contains("\r\ncontent-length: 2\r\n"), "{head}");
        assert_eq!(client.exactly(2), b"ok");
    }
}

/// A response with so many header lines.
fn with_lines(count: usize) -> String {
    let cookies: String = (1..count).map(|number| format!("Set-Cookie: c{number}=1\r\n")).collect();
    format!("HTTP/1.1 200 OK\r\n{cookies}Content-Length: 2\r\n\r\nok")
}

#[test]
fn an_answer_may_have_as_many_header_lines_as_the_limits_allow() {
    for (limit, count, passes) in [
        (None, 101, true),
        (None, 256, true),
        (None, 257, false),
        (Some(20), 20, true),
        (Some(20), 21, false),
        (Some(1_000), 1_000, true),
    ] {
        let upstream = Upstream::answering(with_lines(count));
        let proxy = proxy::before(upstream.address)
            .with(|settings| {
                let limits = &mut settings.limits;
                limits.response_header_count = limit.unwrap_or(limits.response_header_count);
            })
            .start();
        let got = proxy.ask(GET);
        if passes {
            assert_eq!((got.status(), got.all("set-cookie").len()), (200, count - 1), "{limit:?} {count}");
        } else {
            let most = limit.unwrap_or(256);
            assert_eq!((got.status(), got.header("fracas")), (502, Some("error=protocol")));
            let why = format!("it has more than {most} header lines (`limits.response_header_count`)");
            assert!(got.text().contains(&why), "{got}");
        }
    }
}

#[test]
fn an_answer_may_have_a_head_as_long_as_the_limits_allow() {
    for (limit, length, passes) in [
        (None, 200 * 1024, true),
        (None, 300 * 1024, false),
        (Some(8 * 1024), 7 * 1024, true),
        (Some(8 * 1024), 9 * 1024, false),
        (Some(1024 * 1024), 700 * 1024, true),
    ] {
        let upstream = Upstream::answering(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: {}\r\n\r\nok",
            "x".repeat(length)
        ));
        let proxy = proxy::before(upstream.address)
            .with(|settings| {
                let limits = &mut settings.limits;
                limits.response_header_bytes = limit.unwrap_or(limits.response_header_bytes);
            })
            .start();
        let got = proxy.ask(GET);
        if passes {
            assert_eq!((got.status(), got.header("x").map(str::len)), (200, Some(length)));
        } else {
            assert_eq!((got.status(), got.header("fracas")), (502, Some("error=protocol")));
            assert!(got.text().contains("(`limits.response_header_bytes`)"), "{limit:?} {length}: {got}");
        }
    }
}

#[test]
fn a_502_says_what_was_wrong_with_the_answer() {
    for (response, says) in [
        ("HTTP/1.1 200 OK\r\nMy Header: 1\r\n\r\n", "header line 1 has a space in its name: `My Header`"),
        ("HTTP/1.1 200 OK\r\nA: b\r\nnonsense\r\n\r\n", "header line 2 has no colon: `nonsense`"),
        (
            "HTTP/1.1 200 OK\r\nSet-Cookie: a=\x01\r\n\r\n",
            "header line 1 `Set-Cookie` has the byte 0x01 in its value",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nok", "invalid content-length parsed"),
        ("<html>\r\n\r\n", "it begins with `<html>`"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "its Transfer-Encoding is not `chunked` alone",
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "it switches protocols unasked",
        ),
    ] {
        for request in [GET, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"] {
            let upstream = once(response);
            let proxy = proxy::before(upstream.address).start();
            let got = proxy.ask(request);
            assert_eq!((got.status(), got.header("fracas")), (502, Some("error=protocol")), "{response:?}");
            assert!(got.text().contains(says), "{response:?}: {got}");
        }
    }
}

#[test]
fn c13_an_answer_that_is_framed_twice_is_framed_once() {
    for (response, length, body) in [
        ("Transfer-Encoding: chunked\r\nContent-Length: 99\r\n\r\n3\r\nabc\r\n0\r\n\r\n", None, "abc"),
        ("Content-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", None, "abc"),
        ("Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", Some("3"), "abc"),
        ("Content-Length: 3, 3\r\n\r\nabc", Some("3"), "abc"),
    ] {
        let upstream = Upstream::answering(format!("HTTP/1.1 200 OK\r\n{response}"));
        let proxy = proxy::before(upstream.address).start();
        let mut client = proxy.connect();
        for _ in 0..2 {
            client.send(GET);
            let got = client.response();
            assert_eq!((got.header("content-length"), &*got.text()), (length, body), "{response:?}");
            assert_eq!(got.all("transfer-encoding").len(), usize::from(length.is_none()), "{response:?}");
        }
    }
}

#[test]
fn c24_a_torn_answer_is_torn_for_the_client_too() {
    for (response, is_10) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\nab", false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n", false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", true),
    ] {
        let upstream = once(response);
        let proxy = proxy::before(upstream.address).start();
        let mut client = proxy.connect();
        client.send(if is_10 { "GET / HTTP/1.0\r\n\r\n" } else { GET });
        let mut message = match client.head() {
            Some(head) => Message::parse_head(&head),
            // The tear may overtake the head; then no response could look whole.
            None => continue,
        };
        assert_eq!(message.status(), 200, "{response:?}");
        if message.header("transfer-encoding").is_some() {
            client.chunked(&mut message).expect_err("the last chunk never comes");
        } else if message.header("content-length").is_some() {
            assert!(client.rest().map_or(0, |body| body.len()) < 10, "{response:?}");
        } else {
            client.rest().expect_err("the end is not a clean one");
        }
    }
}

#[test]
fn bytes_after_a_response_reach_no_request() {
    // An unsolicited second response must not reach the next request.
    let upstream = Upstream::playing(|talk: &mut Talk| {
        while let Some(request) = talk.request() {
            let body = request.target();
            let own = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let extra = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nextra";
            if talk.socket.try_send(format!("{own}{extra}")).is_err() {
                break;
            }
        }
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    for number in 0..50 {
        client.send(format!("GET /{number} HTTP/1.1\r\nHost: h\r\n\r\n"));
        let response = client.response();
        if response.status() == 200 {
            assert_eq!(response.text(), format!("/{number}"));
        } else {
            assert_eq!(response.status(), 502);
        }
    }
}

#[test]
fn c29_early_hints_and_processing_are_swallowed() {
    let upstream = Upstream::answering(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n\
         HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    for _ in 0..2 {
        client.send(GET);
        let response = client.response();
        assert_eq!((response.status(), response.header("link"), &*response.text()), (200, None, "ok"));
    }
}

#[test]
fn an_answers_head_may_be_large_but_not_endless() {
    for (bytes, status) in [(100_000, 200), (10_000_000, 502)] {
        let upstream = Upstream::playing(move |talk: &mut Talk| {
            talk.request();
            let head = format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 0\r\n\r\n", "y".repeat(bytes));
            // The proxy may have heard enough before the end.
            let _ = talk.socket.try_send(head);
        });
        let proxy = proxy::before(upstream.address).start();
        assert_eq!(proxy.ask(GET).status(), status, "{bytes} bytes");
    }
}

#[test]
fn a_few_interim_answers_pass_and_a_flood_of_them_is_a_502_that_says_why() {
    for (interim, count, status) in [
        ("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n", 100, 200),
        ("HTTP/1.1 102 Processing\r\n\r\n", 1_000, 200),
        ("HTTP/1.1 102 Processing\r\n\r\n", usize::MAX, 502),
        ("HTTP/1.1 100 Continue\r\nX: 1\r\n\r\n", usize::MAX, 502),
    ] {
        let upstream = Upstream::playing(move |talk: &mut Talk| {
            if talk.request().is_none() {
                return;
            }
            for _ in 0..count.div_ceil(100) {
                // Until the proxy closes the connection: no clock ends it.
                if talk.socket.try_send(interim.repeat(100)).is_err() {
                    return;
                }
            }
            talk.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
        let proxy = proxy::before(upstream.address)
            .with(|settings| settings.timeouts.response_head = std::time::Duration::from_secs(3_600))
            .start();
        let got = proxy.ask(GET);
        assert_eq!(got.status(), status, "{interim:?} {count}");
        if status == 502 {
            assert!(got.text().contains("bytes of interim answers (1xx) came before it"), "{}", got.text());
        }
    }
}
