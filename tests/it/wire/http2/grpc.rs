//! gRPC through the proxy: refusals in its own words, and answers with their trailers.

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
        let answer = client.ask(call(), "\0\0\0\0\u{1}x").expect("an answer");
        assert_eq!((answer.status.as_u16(), answer.text(), answer.trailers.is_none()), (200, "", true));
        assert_eq!(answer.header("grpc-status"), Some(status));
        assert_eq!(answer.header("grpc-retry-pushback-ms"), pushback);
        assert_eq!(answer.header("content-type"), Some("application/grpc+proto"));
        assert_eq!(answer.header("fracas"), Some(marker));
        assert_eq!((answer.header("content-length"), answer.header("retry-after")), (None, None));
        assert!(answer.header("grpc-message").is_some_and(|message| !message.is_empty()));
    }
    assert_eq!(client.ask(call(), "x").expect("an answer").text(), "x");
}
