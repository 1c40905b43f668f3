//! Any bytes, sent to the proxy by one of many clients. The upstream sees only whole requests of the one
//! form that all servers read alike; a bystander gets its own response; nothing panics.

use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use crate::support::message::Message;
use crate::support::proxy::{self, TestProxy};
use crate::support::socket::Socket;
use crate::support::strict;
use crate::support::upstream::Upstream;

/// A proxy that serves for as long as the process runs.
struct Bench {
    upstream: Upstream,
    proxy: TestProxy,
    bystander: Mutex<Socket>,
}

fn bench() -> &'static Bench {
    static BENCH: OnceLock<Bench> = OnceLock::new();
    BENCH.get_or_init(|| {
        let upstream = strict::upstream();
        let short = Duration::from_millis(20);
        let proxy = proxy::before(upstream.address)
            .rules(
                "[[rule]]\nmethod = [\"POST\", \"PUT\"]\npath = \"/r/**\"\nevery = 2\n\
                 [[rule]]\npath = \"/b\"\non = \"duplicate\"\nper = \"body:/n\"\n",
            )
            .with(|settings| {
                settings.timeouts.request_body = short;
                settings.timeouts.request_head = short;
                settings.timeouts.keep_alive = Duration::from_secs(3_600);
            })
            .start();
        let bystander = Mutex::new(proxy.connect());
        Bench { upstream, proxy, bystander }
    })
}

pub fn check(data: &[u8]) {
    let Bench { upstream, proxy, bystander } = bench();
    upstream.forget();
    let mut client = proxy.connect();
    // The proxy may have heard enough before the end.
    let _ = client.try_send(data);
    let _ = client.try_send("\r\nGET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let heard = heard(&mut client);
    drop(client);

    let mut bystander = bystander.lock().expect("no panic");
    bystander.send("GET /bystander HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(bystander.response().text(), "/bystander");
    let requests = upstream.requests();
    requests.iter().for_each(strict::check);
    // The response to a HEAD cannot be told from another, and is as long as its head says.
    let is_readable = !requests.iter().any(|request| request.start.starts_with("HEAD "));
    let mut asked: Vec<String> = requests.iter().map(|request| request.target().to_owned()).collect();
    assert_eq!(asked.pop().as_deref(), Some("/bystander"));
    let mut left = asked.iter();
    for body in heard.into_iter().filter(|_| is_readable) {
        assert!(left.any(|target| *target == body), "{body:?} is no answer to {asked:?}");
    }
    assert_eq!(proxy.running().summary().panics, 0);
}

/// The bodies of the upstream's responses, up to the end of the connection or to the point from which
/// reading would need the request.
fn heard(client: &mut Socket) -> Vec<String> {
    let mut bodies = Vec::new();
    while let Some(head) = client.try_head() {
        let mut response = Message::parse_head(&head);
        let length = response.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        match client.try_exactly(length) {
            Ok(body) => response.body = body,
            Err(_) => break,
        }
        if response.status() == 200 && response.header("via").is_some() {
            bodies.push(response.text());
        }
        if response.header("connection") == Some("close") {
            break;
        }
    }
    bodies
}
