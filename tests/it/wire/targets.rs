//! Methods and targets are sent on as they arrive.

use super::super::support::proxy;
use super::super::support::upstream::Upstream;
use fracas::rules::HostHeader;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[test]
fn every_method_is_forwarded() {
    let upstream = Upstream::answering(OK);
    let proxy = proxy::before(upstream.address).start();
    let methods = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT", "M-SEARCH",
        "QUERY", "get",
    ];
    for method in methods {
        assert_eq!(proxy.ask(format!("{method} /a HTTP/1.1\r\nHost: h\r\n\r\n")).status(), 200, "{method}");
    }
    let seen: Vec<String> = upstream.requests().iter().map(|request| request.start.clone()).collect();
    let sent: Vec<String> = methods.iter().map(|method| format!("{method} /a HTTP/1.1")).collect();
    assert_eq!(seen, sent);
}

#[test]
fn c28_connect_and_trace_are_refused() {
    let upstream = Upstream::answering(OK);
    let proxy = proxy::before(upstream.address).start();
    for start in ["CONNECT a.test:443", "CONNECT /", "TRACE /"] {
        let response = proxy.ask(format!("{start} HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert_eq!(response.status(), 405, "{start}");
        assert_eq!(response.header("allow"), Some("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
        assert_eq!(response.header("fracas"), Some("error=method"));
        assert_eq!(response.header("connection"), Some("close"));
    }
    assert_eq!(upstream.requests(), []);
}

#[test]
fn c07_paths_and_queries_are_not_touched() {
    let targets = [
        "/",
        "//",
        "//a//b//",
        "/a/../b/./c",
        "/a;p=1/b;q",
        "/a%2Fb%2e%2E/%7e%7E~",
        "/?",
        "/a?b=c&d=%26&e=+&f",
        "/?a?b=/../c",
        "/a:b@c!$&'()*+,;=",
        "/%00%ff",
        "/a%",
        "/a%zz",
        "/a\"b",
        "/{a}|b",
    ];
    for base in ["", "/v1/api"] {
        let upstream = Upstream::answering(OK);
        let proxy = proxy::before(upstream.address).below(base).start();
        for target in targets {
            assert_eq!(
                proxy.ask(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n")).status(),
                200,
                "{target}"
            );
        }
        let seen: Vec<String> =
            upstream.requests().iter().map(|request| request.target().to_owned()).collect();
        let expected: Vec<String> = targets.iter().map(|target| format!("{base}{target}")).collect();
        assert_eq!(seen, expected);
    }
}

#[test]
fn c06_an_absolute_target_beats_the_host() {
    for (policy, host) in [(HostHeader::Client, "a.test:81"), (HostHeader::Upstream, "UPSTREAM")] {
        let upstream = Upstream::answering(OK);
        let proxy = proxy::before(upstream.address).with(|settings| settings.host = policy).start();
        for (target, forwarded) in [
            ("http://a.test:81/b//c?d", "/b//c?d"),
            ("http://a.test:81", "/"),
            ("http://a.test:81?q", "/?q"),
            ("HTTP://a.test:81//x", "//x"),
        ] {
            proxy.ask(format!("GET {target} HTTP/1.1\r\nHost: evil.test\r\n\r\n"));
            let request = upstream.requests().pop().expect("a request");
            assert_eq!(request.target(), forwarded, "{target}");
            let expected = host.replace("UPSTREAM", &upstream.address.to_string());
            assert_eq!(request.header("host"), Some(&*expected), "{target}");
            assert_eq!(request.header("x-forwarded-host"), Some("a.test:81"), "{target}");
        }
    }
}

#[test]
fn options_may_ask_about_the_whole_server() {
    for base in ["", "/v1"] {
        let upstream = Upstream::answering(OK);
        let proxy = proxy::before(upstream.address).below(base).start();
        assert_eq!(proxy.ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").status(), 200);
        assert_eq!(upstream.request().start, "OPTIONS * HTTP/1.1");
    }
}

#[test]
fn a_target_that_is_no_path_is_refused() {
    let upstream = Upstream::answering(OK);
    let proxy = proxy::before(upstream.address).start();
    for target in ["*", "a.test:80", "ftp://a.test/", "http://u@a.test/", "http:///", "http://a:b:c/", "a/b"]
    {
        let response = proxy.ask(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert_eq!(response.status(), 400, "{target}");
    }
    assert_eq!(upstream.requests(), []);
}
