//! Bytes that servers are known to disagree about. The upstream never sees a request that was not sent, no
//! client gets another's response, and the next request gets its own as usual.

use std::time::Duration;

use fracas::matching::{Match, PathMatch, PathPattern};
use fracas::model::{Key, KeyPart};
use fracas::rules::Schedule;

use super::super::support::message::Message;
use super::super::support::proxy::{self, TestProxy, conflict};
use super::super::support::socket::Socket;
use super::super::support::strict;
use super::super::support::upstream::Upstream;

const CORPUS: &str = include_str!("corpus/desync.txt");

const NEXT: &str = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";
/// 45 bytes, 2d in hexadecimal.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: h\r\nX-Hide: 12\r\n\r\n";

/// A response's status and body.
type Heard = (u16, String);

/// One line of the corpus.
pub struct Case {
    name: &'static str,
    /// Of all responses up to that of `/next`, or to the end.
    statuses: Vec<u16>,
    /// The targets that the upstream is asked for.
    seen: Vec<&'static str>,
    pub bytes: Vec<u8>,
}

pub fn corpus() -> Vec<Case> {
    let lines = CORPUS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let [name, statuses, seen, bytes] = line.splitn(4, " | ").collect::<Vec<_>>()[..] else {
                panic!("not a case: {line}")
            };
            let statuses = statuses.split(' ').map(|status| status.parse().expect(line)).collect();
            let seen = seen.split(' ').filter(|target| *target != "-").collect();
            Case { name, statuses, seen, bytes: unescape(bytes) }
        })
        .collect()
}

/// The bytes that a line stands for.
fn unescape(text: &str) -> Vec<u8> {
    let text = text
        .replace("{post}", "POST /outer HTTP/1.1\\r\\nHost: h\\r\\n")
        .replace("{get}", "GET /outer HTTP/1.1\\r\\nHost: h\\r\\n")
        .replace("{te}", "Transfer-Encoding: chunked\\r\\n")
        .replace("{hidden}", HIDDEN);
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, tail) = match (first, tail) {
            (b'\\', [b'r', tail @ ..]) => (b'\r', tail),
            (b'\\', [b'n', tail @ ..]) => (b'\n', tail),
            (b'\\', [b't', tail @ ..]) => (b'\t', tail),
            (b'\\', [b'\\', tail @ ..]) => (b'\\', tail),
            (b'\\', [b'x', a, b, tail @ ..]) => {
                let digits = [*a, *b];
                let digits = std::str::from_utf8(&digits).expect("digits");
                (u8::from_str_radix(digits, 16).expect("a byte"), tail)
            }
            (b'\\', _) => panic!("not an escape: {text}"),
            (byte, tail) => (*byte, tail),
        };
        bytes.push(byte);
        rest = tail;
    }
    bytes
}

/// The statuses and bodies of all responses up to that of `/next`, or to the end of the connection.
fn answers(client: &mut Socket, is_head: bool) -> Vec<Heard> {
    let mut answers = Vec::new();
    while let Some(head) = client.head() {
        let mut response = Message::parse_head(&head);
        let is_empty = response.status() == 100 || (is_head && answers.is_empty());
        if let Some(length) = response.header("content-length").filter(|_| !is_empty) {
            response.body = client.exactly(length.parse().expect("a number"));
        }
        answers.push((response.status(), response.text()));
        if response.text() == "/next" {
            return answers;
        }
        if response.header("connection") == Some("close") {
            // Half-closed: the proxy need not wait for more bytes.
            client.finish();
            break;
        }
    }
    assert_eq!(client.rest().expect("a clean end"), b"", "{answers:?}");
    answers
}

fn ask(client: &mut Socket, target: &str) {
    client.send(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
    assert_eq!(client.response().text(), target, "a bystander gets its own answer");
}

fn short_timeouts(upstream: &Upstream) -> proxy::Setup {
    let short = Duration::from_millis(300);
    proxy::before(upstream.address).with(|settings| {
        settings.timeouts.request_body = short;
        settings.timeouts.request_head = short;
    })
}

/// Plays bytes and `/next` after them: the client's responses, and the upstream's requests.
fn play(
    proxy: &TestProxy,
    upstream: &Upstream,
    bystander: &mut Socket,
    bytes: &[u8],
) -> (Vec<Heard>, Vec<String>) {
    let before = upstream.requests().len();
    let mut client = proxy.connect();
    client.send([bytes, NEXT.as_bytes()].concat());
    let answers = answers(&mut client, bytes.starts_with(b"HEAD "));
    let requests = upstream.requests().split_off(before);
    requests.iter().for_each(strict::check);
    let seen = requests.iter().map(|request| request.target().to_owned()).collect();
    drop(client);
    ask(bystander, "/bystander");
    ask(&mut proxy.connect(), "/newcomer");
    (answers, seen)
}

/// Whether the client's responses are those to the upstream's requests, in order.
fn are_own(answers: &[Heard], seen: &[impl AsRef<str>]) -> bool {
    let got = answers.iter().filter(|(status, body)| *status == 200 && !body.is_empty());
    let mut asked = seen.iter();
    got.into_iter().all(|(_, body)| asked.any(|target| target.as_ref() == body))
}

#[test]
fn c17_what_servers_disagree_about_is_one_request_or_none() {
    let upstream = strict::upstream();
    let proxy = short_timeouts(&upstream).start();
    let mut bystander = proxy.connect();
    let cases = corpus();
    assert!(cases.len() > 150, "the corpus is there");
    for Case { name, statuses, seen, bytes } in &cases {
        let (answers, asked) = play(&proxy, &upstream, &mut bystander, bytes);
        let got: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
        assert_eq!((&got, &asked.iter().map(|target| &**target).collect()), (statuses, seen), "{name}");
        assert!(are_own(&answers, &asked), "{name}: {answers:?} to {asked:?}");
    }
}

#[test]
fn c17_what_servers_disagree_about_does_not_get_past_a_rule() {
    let outer = PathMatch::Pattern(PathPattern::parse("/outer*").expect("a pattern"));
    let refusing = conflict(Match { path: outer.clone(), ..Match::default() }, Schedule::Always);
    let mut looking = refusing.clone();
    looking.per = Key(vec![KeyPart::Body("/n".into())]);
    let upstream = strict::upstream();
    for rule in [refusing, looking] {
        let looks = !rule.per.0.is_empty();
        let proxy = short_timeouts(&upstream).rule(rule).start();
        let mut bystander = proxy.connect();
        // A body that never ends is heard out, which takes its time: `early.rs`.
        for Case { name, statuses, seen, bytes } in corpus().into_iter().filter(|case| case.statuses != [408])
        {
            let (answers, asked) = play(&proxy, &upstream, &mut bystander, &bytes);
            // Later requests may be lost with the connection, but nothing new appears.
            let is_allowed = |target: &String| seen.contains(&&**target) && (looks || target == "/next");
            assert!(asked.len() <= seen.len() && asked.iter().all(is_allowed), "{name}: {asked:?}");
            assert!(are_own(&answers, &asked), "{name}: {answers:?} to {asked:?}");
            assert!(answers.len() <= statuses.len(), "{name}: {answers:?}");
        }
    }
}

/// As smuggler and T-Reqs do it: a `Transfer-Encoding` with one byte put where it does not belong.
#[test]
fn c10_c17_no_byte_makes_two_requests_of_one() {
    type Placed = fn(u8) -> Vec<Vec<u8>>;
    let places: [(&str, Placed); 9] = [
        ("before the name", |byte| vec![vec![byte], b"Transfer-Encoding: chunked".to_vec()]),
        ("after the name", |byte| vec![b"Transfer-Encoding".to_vec(), vec![byte], b": chunked".to_vec()]),
        ("in the name", |byte| vec![b"Transfer".to_vec(), vec![byte], b"Encoding: chunked".to_vec()]),
        ("before the value", |byte| vec![b"Transfer-Encoding:".to_vec(), vec![byte], b"chunked".to_vec()]),
        ("after the value", |byte| vec![b"Transfer-Encoding: chunked".to_vec(), vec![byte]]),
        ("in the value", |byte| vec![b"Transfer-Encoding: chun".to_vec(), vec![byte], b"ked".to_vec()]),
        ("in place of a line's end", |byte| {
            vec![b"X: y".to_vec(), vec![byte], b"Transfer-Encoding: chunked".to_vec()]
        }),
        ("between CR and LF", |byte| {
            vec![b"Transfer-Encoding: chunked\r".to_vec(), vec![byte], b"\nX: y".to_vec()]
        }),
        ("before a LF", |byte| vec![b"X: y".to_vec(), vec![byte], b"\nTransfer-Encoding: chunked".to_vec()]),
    ];
    let bytes = (0..=0x20).chain([b',', b'-', b':', b';', b'_', 0x7f, 0x80, 0x85, 0xa0, 0xff]);
    let upstream = strict::upstream();
    let proxy = short_timeouts(&upstream).start();
    let mut bystander = proxy.connect();
    let (mut refused, mut served) = (0, 0);
    for byte in bytes {
        for (place, gadget) in &places {
            let gadget = gadget(byte).concat();
            // By its length all of the hidden request is body; by its chunks it is another request.
            let head = b"POST /outer HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n";
            let sent = [&head[..], &gadget, b"\r\n\r\n0\r\n\r\n", HIDDEN.as_bytes()].concat();
            let (answers, asked) = play(&proxy, &upstream, &mut bystander, &sent);
            let served_here = answers.iter().filter(|(status, _)| *status == 200).count();
            assert_eq!(asked, ["/outer", "/next"][..served_here], "{byte:#x} {place}: {answers:?}");
            assert!(are_own(&answers, &asked), "{byte:#x} {place}: {answers:?}");
            refused += usize::from(asked.is_empty());
            served += usize::from(!asked.is_empty());
        }
    }
    assert!(refused > 100 && served > 10, "{refused} refused, {served} served");
}
