//! One table of tasks: what a user wants of rules, as rules, requests and an upstream, and who gets which response.
//! Each runs through a real proxy. The rows are data; a file holds those of one area.
//!
//! A message is a text: its first line, header lines, and after an empty line the body. With a line
//! `content-encoding: gzip` the body is sent compressed.

mod bodies;
mod pass;
mod replies;
mod responses;
mod state;

use std::io::Write as _;

use crate::support::demo::Demo;
use crate::support::message::Message;
use crate::support::proxy::{self, TestProxy};
use crate::support::socket::Socket;
use crate::support::upstream::Upstream;

/// One thing that a user wants.
pub struct Task {
    /// Unique, and shown when it fails.
    pub name: &'static str,
    /// A rules file.
    pub rules: &'static str,
    pub upstream: Backend,
    /// Requests in their order, each on a connection of its own, and what becomes of them.
    pub steps: &'static [(&'static str, &'static str)],
}

/// The upstream of a task.
pub enum Backend {
    /// The sample API.
    Sample,
    /// Each request gets the next of these responses, and the last again and again; it sees so many requests in all.
    Script { replies: &'static [&'static str], sees: usize },
}

/// Every area, with its rows.
const AREAS: [(&str, &[Task]); 5] = [
    ("bodies", bodies::TASKS),
    ("pass", pass::TASKS),
    ("replies", replies::TASKS),
    ("responses", responses::TASKS),
    ("state", state::TASKS),
];

#[test]
fn every_task_of_the_table_goes_as_its_row_says() {
    let mut wrong = Vec::new();
    for (area, tasks) in AREAS {
        for task in tasks {
            if let Err(why) = run(task) {
                wrong.push(format!("{area}: {}: {why}", task.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_names_of_tasks_are_unique() {
    let mut names: Vec<&str> =
        AREAS.iter().flat_map(|(_, tasks)| tasks.iter()).map(|task| task.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}

/// Plays a task; says which step went another way.
fn run(task: &Task) -> Result<(), String> {
    let (demo, script) = match task.upstream {
        Backend::Sample => (Some(Demo::start()), None),
        Backend::Script { replies, sees } => (None, Some((scripted(replies), sees))),
    };
    let address = demo.as_ref().map(|demo| demo.address);
    let address = address.or(script.as_ref().map(|(upstream, _)| upstream.address)).expect("an upstream");
    let proxy = proxy::before(address).file(task.rules).start();
    for (at, (request, expected)) in task.steps.iter().enumerate() {
        let got = ask(&proxy, request);
        check(got.as_ref(), expected).map_err(|why| format!("step {}, {request:?}: {why}", at + 1))?;
    }
    drop(proxy);
    if let Some((upstream, sees)) = script
        && upstream.requests().len() != sees
    {
        return Err(format!("the upstream saw {} requests, not {sees}", upstream.requests().len()));
    }
    Ok(())
}

fn ask(proxy: &TestProxy, request: &str) -> Option<(Message, bool)> {
    let (head, body) = parts(request);
    let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let body = coded(headers, body);
    let mut bytes = format!("{line} HTTP/1.1\r\nhost: api.test\r\ncontent-length: {}\r\n", body.len());
    for line in headers.lines() {
        bytes.push_str(line);
        bytes.push_str("\r\n");
    }
    bytes.push_str("\r\n");
    let mut socket = proxy.connect();
    socket.send([bytes.as_bytes(), &body].concat());
    let method = line.split(' ').next().unwrap_or_default();
    response_to(&mut socket, method)
}

/// The response, and whether its body breaks off; `None` when the connection ends without one.
fn response_to(socket: &mut Socket, method: &str) -> Option<(Message, bool)> {
    let mut message = Message::parse_head(&socket.head()?);
    let is_empty = method == "HEAD" || matches!(message.status(), 204 | 304);
    let length = message.header("content-length").filter(|_| !is_empty).map(str::to_owned);
    let Some(length) = length else {
        if !is_empty {
            socket.request_body(&mut message);
        }
        return Some((message, false));
    };
    let whole = socket.at_most(length.parse().expect("a number"));
    let is_cut = whole.is_none();
    message.body = whole.unwrap_or_else(|| socket.rest().expect("a clean end"));
    Some((message, is_cut))
}

/// Compares with an expectation: `409 name` is a refusal by that rule, `200` the upstream's response, `200 name` the same
/// with the faults of that rule, `cut 200 name` a part of it, `nothing` none.
/// Header lines must be there, and the body must hold the text.
fn check(got: Option<&(Message, bool)>, expected: &str) -> Result<(), String> {
    let (head, body) = parts(expected);
    let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let Some((got, is_cut)) = got else {
        return if line == "nothing" { Ok(()) } else { Err("there was no response".to_owned()) };
    };
    let rule = got.header("fracas").and_then(|marker| marker.split('"').nth(1));
    let cut = is_cut.then(|| "cut".to_owned());
    let actual = [cut, Some(got.status().to_string()), rule.map(str::to_owned)].into_iter().flatten();
    let actual = actual.collect::<Vec<_>>().join(" ");
    if actual != line {
        return Err(format!("{actual}, not {line}\n{got}"));
    }
    for header in headers.lines() {
        let (name, value) = header.split_once(": ").unwrap_or((header, ""));
        if got.header(name) != Some(value) {
            return Err(format!("{name} is {:?}, not {value:?}", got.header(name)));
        }
    }
    if got.text().contains(body) { Ok(()) } else { Err(format!("no {body:?} in {:?}", got.text())) }
}

fn scripted(replies: &'static [&'static str]) -> Upstream {
    let next = std::sync::Mutex::new(0);
    Upstream::playing(move |talk| {
        while let Some(request) = talk.request() {
            let at = {
                let mut next = next.lock().expect("no panic");
                *next += 1;
                *next - 1
            };
            let reply = replies.get(at).or(replies.last()).expect("a reply");
            let (head, body) = parts(reply);
            let (status, headers) = head.split_once('\n').unwrap_or((head, ""));
            let body = coded(headers, body);
            let mut text = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\n", body.len());
            for line in headers.lines() {
                text.push_str(line);
                text.push_str("\r\n");
            }
            let is_empty = request.method() == "HEAD" || matches!(status, "204" | "304");
            let sent: &[u8] = if is_empty { &[] } else { &body };
            if talk.socket.try_send([text.as_bytes(), b"\r\n", sent].concat()).is_err() {
                return;
            }
        }
    })
}

/// A message's head and body.
fn parts(text: &str) -> (&str, &str) {
    text.split_once("\n\n").unwrap_or((text, ""))
}

/// The body in the coding that its head names.
fn coded(headers: &str, body: &str) -> Vec<u8> {
    if !headers.lines().any(|line| line == "content-encoding: gzip") {
        return body.as_bytes().to_vec();
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}
