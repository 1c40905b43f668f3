//! Ends of a client's connection: at once where that was announced, and with a response to a malformed body.

use std::time::Duration;

use fracas::clock::Clock;

use crate::support::program::{Serving, folder, fracas};
use crate::support::socket::Socket;
use crate::support::upstream::Upstream;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const CONFLICT: &str = "[[rule]]\nname = \"always\"\n";
const READS: &str = "[[rule]]\nname = \"reads\"\nbody = { \"/a\" = 1 }\n";

fn start(rules: &str, upstream: &Upstream) -> Serving {
    let folder = folder(&[("rules.toml", rules)]);
    let mut command = fracas(folder.path());
    command.args(["-l", "127.0.0.1:0", "-w", "1", "-u", &format!("http://{}", upstream.address)]);
    Serving::start(command)
}

#[test]
fn a_connection_whose_end_is_announced_ends_while_a_body_is_expected_and_reads_it_all_the_same() {
    let upstream = Upstream::answering(OK);
    let serving = start(CONFLICT, &upstream);
    for (head, rest) in [
        ("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello"),
        ("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        ("Connection: close\r\nContent-Length: 5\r\n", "hello"),
        ("Connection: close\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        ("Connection: x, CLOSE\r\nContent-Length: 50\r\n", "hello"),
    ] {
        let mut client = Socket::connect(serving.address);
        client.send(format!("POST /x HTTP/1.1\r\nHost: localhost\r\n{head}\r\n"));
        let response = client.response();
        assert_eq!((response.status(), response.header("connection")), (409, Some("close")), "{head}");
        let clock = Clock::start();
        assert_eq!(client.rest().expect("a clean end"), b"", "{head}");
        assert!(clock.now().0 < Duration::from_secs(3).as_nanos() as u64, "{head}: it lingered first");
        // It is read and dropped: no reset.
        client.send(rest);
        client.finish();
        assert_eq!(client.rest().expect("a clean end"), b"", "{head}");
    }
}

#[test]
fn an_answer_that_is_not_whole_does_not_end_as_if_it_were() {
    let upstream = Upstream::playing(|talk| {
        talk.request();
        talk.socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    });
    let serving = start("", &upstream);
    let mut client = Socket::connect(serving.address);
    client.send("GET /x HTTP/1.0\r\nHost: localhost\r\n\r\n");
    assert_eq!(client.head().map(|head| head.contains(" 200 ")), Some(true));
    assert!(client.rest().is_err(), "a reset: the connection's end would be the answer's");
}

#[test]
fn a_body_that_breaks_in_the_same_read_as_its_head_is_answered() {
    let upstream =
        Upstream::playing(
            |talk| {
                while talk.socket.whole_request().is_some() && talk.socket.try_send(OK).is_ok() {}
            },
        );
    let chunked = "Transfer-Encoding: chunked\r\n\r\n";
    let bodies = [
        "x\r\n",
        "5\r\nhelloxx0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "fffffffffffffffff\r\nhello",
        "5;\x01\r\nhello\r\nz\r\n",
        "5\r\nhello\r\nz\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nbad trailer\r\n\r\n",
        "5\r\nhello\r\n0\r\n: x\r\n\r\n",
        "5\r\nhello\r\n0\r\na\x00b: x\r\n\r\n",
        "5\r\nhello\r\n0\rx\r\n",
    ];
    for (rules, statuses) in [("", &[400][..]), (READS, &[400]), (CONFLICT, &[409])] {
        let serving = start(rules, &upstream);
        for body in bodies {
            for before in ["", "GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
                let mut client = Socket::connect(serving.address);
                client.send(format!("{before}POST /x HTTP/1.1\r\nHost: localhost\r\n{chunked}{body}"));
                if !before.is_empty() {
                    client.response();
                }
                let head = client.try_head().unwrap_or_else(|| panic!("no answer: {rules:?} {body:?}"));
                let status: u16 = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect(&head);
                assert!(statuses.contains(&status), "{rules:?} {before:?} {body:?}: {head}");
            }
        }
    }
}
