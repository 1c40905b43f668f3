//! The journal's file: its content after the process is killed, and the facts that it never holds.

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::Path;

use fracas::journal::{JournalLine, read};

use crate::support::program::{Serving, folder, fracas};
use crate::support::proxy::before;
use crate::support::socket::Socket;
use crate::support::upstream::Upstream;

fn lines(path: &Path) -> (Vec<JournalLine>, u64) {
    let mut lines = Vec::new();
    let mut torn = 0;
    let file = BufReader::new(File::open(path).expect("a file"));
    let mut each = |line| match line {
        JournalLine::Torn => torn += 1,
        line => lines.push(line),
    };
    read(file, &mut each).expect("a journal");
    (lines, torn)
}

fn paths(lines: &[JournalLine]) -> Vec<&str> {
    let mut paths = Vec::new();
    for line in lines {
        if let JournalLine::Attempt(attempt) = line {
            paths.push(&*attempt.path);
        }
    }
    paths
}

/// Waits until the file holds that many attempts, without any further request.
fn wait_for(path: &Path, count: usize) {
    while paths(&lines(path).0).len() < count {
        std::thread::yield_now();
    }
}

#[cfg(unix)]
#[test]
fn a_killed_process_leaves_what_was_written_and_the_next_one_goes_on_below() {
    let rules = "listen = \"127.0.0.1:0\"\n[[rule]]\nname = \"r\"\nmethod = \"PUT\"\nrate = 0.5\n\
                 [journal]\nfile = \"journal.jsonl\"\n";
    let folder = folder(&[("rules.toml", rules)]);
    let journal = folder.path().join("journal.jsonl");
    for run in 1..=2 {
        let serving = Serving::start(fracas(folder.path()));
        let mut socket = Socket::connect(serving.address);
        for n in 0..3 {
            socket.send(format!("GET /items/{n} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            socket.response();
        }
        wait_for(&journal, 3 * run);
        serving.signal("KILL");
        serving.end();
        // As if the process had been killed while it wrote.
        let mut file = File::options().append(true).open(&journal).expect("a file");
        file.write_all(b"{\"id\":4,\"start\":17").expect("written");

        let (lines, torn) = lines(&journal);
        assert_eq!(paths(&lines), ["/items/0", "/items/1", "/items/2"].repeat(run));
        assert_eq!(torn, run as u64);
        let headers: Vec<_> = lines.iter().filter(|line| matches!(line, JournalLine::Header(_))).collect();
        assert_eq!(headers.len(), run);
        let JournalLine::Header(header) = headers[0] else { panic!("a header") };
        assert_eq!((&*header.rules[0].name, header.rules[0].asked_share), ("r", Some(0.5)));
    }
}

#[test]
fn the_file_of_a_run_that_ended_says_what_its_rules_did() {
    let folder = folder(&[]);
    let path = folder.path().join("journal.jsonl");
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let proxy = before(upstream.address)
        .rules("[[rule]]\nmethod = \"PUT\"\n[[rule]]\nmethod = \"GET\"\nfirst = 1\n")
        .with(|settings| settings.journal.file = Some(path.clone()))
        .start();
    for _ in 0..3 {
        proxy.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    assert_eq!(proxy.attempts().len(), 3);
    let (lines, _) = lines(&path);
    let [.., JournalLine::Tallies(tallies), JournalLine::Tallies(mark)] = &lines[..] else {
        panic!("{lines:?}")
    };
    assert_eq!((&tallies.tallies[..], tallies.dropped), (&[(1, 3, 1)][..], 0));
    assert_eq!((mark.ended, mark.lost, mark.clients_gone), (true, 0, false));
}

#[test]
fn no_credential_and_no_body_is_ever_in_it() {
    const SECRETS: [&str; 12] = [
        "bearer-token-s3cr3t",
        "cGFzc3dvcmQtczNjcjN0",
        "session-s3cr3t",
        "query-s3cr3t",
        "idempotency-s3cr3t",
        "body-s3cr3t",
        "api-key-s3cr3t",
        "proxy-s3cr3t",
        "agent-s3cr3t",
        "marker-s3cr3t",
        "answer-s3cr3t",
        "set-cookie-s3cr3t",
    ];
    let folder = folder(&[]);
    let path = folder.path().join("journal.jsonl");
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nSet-Cookie: s=set-cookie-s3cr3t\r\nContent-Length: 13\r\n\r\nanswer-s3cr3t",
    );
    for (client_id, rules) in [
        (None, "[[rule]]\nmethod = \"PUT\"\nper = \"header:x-api-key\"\nfirst = 1\n"),
        (
            Some("header:x-api-key"),
            "[[rule]]\nmethod = \"PUT\"\nper = \"cookie:session\"\nphase = \"after\"\n",
        ),
    ] {
        let client_id = client_id.map(|source| format!("client_id = [\"{source}\"]\n")).unwrap_or_default();
        let accepted = fracas::rules::read("r", &client_id, &|_| Ok(String::new())).expect("valid");
        let proxy = before(upstream.address)
            .rules(rules)
            .with(|settings| {
                settings.client_id = accepted.config.settings.client_id;
                settings.journal.file = Some(path.clone());
            })
            .start();
        for authorization in ["Bearer bearer-token-s3cr3t", "Basic cGFzc3dvcmQtczNjcjN0"] {
            let body = r#"{"password":"body-s3cr3t"}"#;
            proxy.ask(format!(
                "PUT /login?token=query-s3cr3t HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n\
                 Cookie: session=session-s3cr3t\r\nIdempotency-Key: idempotency-s3cr3t\r\n\
                 X-Api-Key: api-key-s3cr3t\r\nProxy-Authorization: Basic proxy-s3cr3t\r\n\
                 User-Agent: client/1 (agent-s3cr3t)\r\namz-sdk-invocation-id: marker-s3cr3t\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            ));
        }
        assert_eq!(proxy.attempts().len(), 2);
    }
    let text = std::fs::read_to_string(&path).expect("a journal");
    assert_eq!(text.matches("\"path\":\"/login\"").count(), 4, "{text}");
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}
