//! Conflicts as a client meets them, in front of the sample API or of an upstream that records.

mod causes;
mod clearing;
mod overlap;
mod phases;
mod stored;
mod transparency;
mod vanishing;

use crate::support::demo::Demo;
use crate::support::message::Message;
use crate::support::proxy::{self, TestProxy};
use crate::support::socket::Socket;

/// A proxy in front of the sample API. Fields are dropped in order: the proxy goes first.
struct Stage {
    proxy: TestProxy,
    _demo: Demo,
}

/// Sets the stage with the rules of `text`.
fn stage(text: &str) -> Stage {
    let demo = Demo::start();
    Stage { proxy: proxy::before(demo.address).rules(text).start(), _demo: demo }
}

/// Sets the stage with the rules of an example.
fn example(name: &str) -> Stage {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
    stage(&std::fs::read_to_string(path).expect("an example"))
}

/// The result: the status, 0 when the connection ended without a response, and its source.
#[derive(Debug, PartialEq, Eq)]
struct Got {
    status: u16,
    by: By,
}

#[derive(Debug, PartialEq, Eq)]
enum By {
    Upstream,
    /// The rule of this name.
    Rule(String),
    Nobody,
}

impl Stage {
    /// One request on a connection of its own; `headers` are whole lines.
    fn ask(&self, request: &str, headers: &[&str], body: &str) -> Option<Message> {
        let mut socket = self.proxy.connect();
        send(&mut socket, request, headers, body);
        response(&mut socket)
    }

    /// As [`Stage::ask`], in short.
    fn got(&self, request: &str, headers: &[&str], body: &str) -> Got {
        got(self.ask(request, headers, body).as_ref())
    }

    /// Applied writes of a route, as the upstream counts them.
    fn writes(&self, route: &str) -> u64 {
        let stats = self.ask("GET /stats", &[], "").expect("an answer");
        let stats: serde_json::Value = serde_json::from_slice(&stats.body).expect("JSON");
        stats["writes"][route].as_u64().unwrap_or(0)
    }
}

fn send(socket: &mut Socket, request: &str, headers: &[&str], body: &str) {
    let mut text = format!("{request} HTTP/1.1\r\nHost: proxy\r\nContent-Length: {}\r\n", body.len());
    for line in headers {
        text.push_str(line);
        text.push_str("\r\n");
    }
    socket.send(text + "\r\n" + body);
}

fn response(socket: &mut Socket) -> Option<Message> {
    let mut message = Message::parse_head(&socket.head()?);
    socket.request_body(&mut message);
    Some(message)
}

fn got(response: Option<&Message>) -> Got {
    let Some(response) = response else { return Got { status: 0, by: By::Nobody } };
    let by = match response.header("fracas") {
        None => By::Upstream,
        Some(marker) => By::Rule(marker.split('"').nth(1).expect(marker).to_owned()),
    };
    Got { status: response.status(), by }
}

fn upstream(status: u16) -> Got {
    Got { status, by: By::Upstream }
}

fn rule(status: u16, name: &str) -> Got {
    Got { status, by: By::Rule(name.to_owned()) }
}

/// The connection ended without a byte.
fn nothing() -> Got {
    Got { status: 0, by: By::Nobody }
}
