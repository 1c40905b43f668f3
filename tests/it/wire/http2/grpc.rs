//! gRPC through the proxy: refusals in its own words, and responses with their trailers.

use fracas::model::{AskedWait, GrpcStatus};
use http::Request;

use super::super::super::support::http2::Client;
use super::super::super::support::proxy;
use super::super::super::support::upstream::Upstream;

fn call() -> http::request::Builder {
    Request::post("http://h.test/shop.Orders/Place")
        .header("content-type", "application/grpc+proto")
        .header("te", "trailers")
}

#[test]
fn a_conflict_is_an_answer_of_trailers_only() {
    let upstream = Upstream::echoing();
    let rules = "[[rule]]\nname = \"busy\"\nfirst = 1\nreply = { retry_after = \"2s\" }\n\
                 [[rule]]\nname = \"twice\"\nfirst = 1\nkind = \"duplicate\"\n";
    let proxy = proxy::before(upstream.address).rules(rules).start();
    let mut client = Client::connect(proxy.address);
    for (status, pushback, marker) in [
        ("10", Some("2000"), r#"rule="busy", kind=transient, phase=before, n=1"#),
        ("6", None, r#"rule="twice", kind=duplicate, phase=before, n=1"#),
    ] {
        let response = client.ask(call(), "\0\0\0\0\u{1}x").expect("an answer");
        assert_eq!((response.status.as_u16(), response.text(), response.trailers.is_none()), (200, "", true));
        assert_eq!(response.header("grpc-status"), Some(status));
        assert_eq!(response.header("grpc-retry-pushback-ms"), pushback);
        assert_eq!(response.header("content-type"), Some("application/grpc+proto"));
        assert_eq!(response.header("fracas"), Some(marker));
        assert_eq!((response.header("content-length"), response.header("retry-after")), (None, None));
        assert!(response.header("grpc-message").is_some_and(|message| !message.is_empty()));
    }
    assert_eq!(client.ask(call(), "x").expect("an answer").text(), "x");
}

/// Refuses the first call, and accepts every other one, in the response's head.
fn refusing_once() -> Upstream {
    Upstream::playing(|talk| {
        let mut status = 5;
        while talk.request().is_some() {
            talk.socket.send(format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nGrpc-Status: {status}\r\n\
                 Content-Length: 0\r\n\r\n"
            ));
            status = 0;
        }
    })
}

#[test]
fn a_refusal_of_the_upstreams_own_is_not_accepted() {
    for (rule, statuses) in [
        ("first = 2\nphase = \"after\"\n", ["5", "10", "0"]),
        ("on = \"duplicate\"\nper = \"path\"\n", ["5", "0", "6"]),
    ] {
        let upstream = refusing_once();
        let proxy = proxy::before(upstream.address).rules(&format!("[[rule]]\n{rule}")).start();
        let mut client = Client::connect(proxy.address);
        let seen = statuses.map(|_| {
            let response = client.ask(call(), "x").expect("an answer");
            response.header("grpc-status").map(str::to_owned)
        });
        assert_eq!(seen, statuses.map(|status| Some(status.to_owned())), "{rule}");
    }
}

#[test]
fn the_journal_has_what_grpc_said_and_whether_the_upstream_accepted() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\n";
    let in_head = |status: u8| format!("{HEAD}Grpc-Status: {status}\r\nContent-Length: 0\r\n\r\n");
    let in_trailers = |status: u8| {
        format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nGrpc-Status: {status}\r\n\r\n")
    };
    let (before, after) = ("[[rule]]\nfirst = 1\n", "[[rule]]\nfirst = 1\nphase = \"after\"\n");
    let pushing_back = |wait: &str| {
        let trailers = format!("Grpc-Status: 14\r\nGrpc-Retry-Pushback-Ms: {wait}\r\n\r\n");
        in_trailers(14).replace("Grpc-Status: 14\r\n\r\n", &trailers)
    };
    let asking = "[[rule]]\nfirst = 1\nreply = { retry_after = \"2s\" }\n";
    for (rule, response, said, outcome, is_applied, wait) in [
        ("", in_head(10), 10, 409, false, None),
        ("", in_head(0), 0, 200, true, None),
        ("", in_trailers(6), 6, 409, false, None),
        ("", in_trailers(14), 14, 503, false, None),
        ("", in_trailers(0), 0, 200, true, None),
        (before, in_trailers(0), 10, 409, false, None),
        (after, in_trailers(0), 10, 409, true, None),
        // It is the upstream that refuses.
        (after, in_head(5), 5, 404, false, None),
        ("", pushing_back("700"), 14, 503, false, Some(700)),
        ("", pushing_back("-1"), 14, 503, false, None),
        (
            "",
            in_trailers(14).replace("\r\n\r\n1", "\r\nRetry-After: 3\r\n\r\n1"),
            14,
            503,
            false,
            Some(3_000),
        ),
        (asking, in_trailers(0), 10, 409, false, Some(2_000)),
    ] {
        let upstream = Upstream::answering(response.as_str());
        let proxy = proxy::before(upstream.address).rules(rule).start();
        Client::connect(proxy.address).ask(call(), "x").expect("an answer");
        let attempts = proxy.attempts();
        let [attempt] = &attempts[..] else { panic!("{attempts:?}") };
        let got = &attempt.got;
        assert_eq!((got.status, got.grpc), (Some(200), Some(GrpcStatus(said))), "{rule}{response}");
        assert_eq!(got.retry_after, wait.map(AskedWait::Seconds), "{rule}{response}");
        assert_eq!((got.outcome(), attempt.is_applied()), (Some(outcome), is_applied), "{rule}{response}");
    }
}

#[test]
fn only_browsers_are_told_of_origins() {
    let upstream = Upstream::echoing();
    let proxy =
        proxy::before(upstream.address).rules("[[rule]]\n").with(|settings| settings.cors = true).start();
    let mut client = Client::connect(proxy.address);
    for (content_type, allowed) in
        [("application/grpc", None), ("application/grpc-web+proto", Some("https://shop.test"))]
    {
        let request = Request::post("http://h.test/shop.Orders/Place")
            .header("content-type", content_type)
            .header("origin", "https://shop.test");
        let response = client.ask(request, "x").expect("an answer");
        assert_eq!(response.header("access-control-allow-origin"), allowed, "{content_type}");
    }
}
