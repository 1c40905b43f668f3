//! Traces as text: one attempt a line, as `START END METHOD PATH WHAT… > STATUS WHAT…`, in milliseconds.
//!
//! Sent: `c=` client, `b=` body, `v=` version, `k=` idempotency key, `m=` mark of the call, `q=` query,
//! `n=` number of the connection, `t=` trace, `try=` number of the try, `s=` credential, `p=` peer.
//! Got: `-` for no response, `v=` version, `ra=` seconds to wait, `!rule` or `!rule/key` for a rule's
//! conflict, `e=` error. Ids are the numbers of the lines, from 1.

use std::fmt::Write;

use super::super::Correlator;
use crate::grading::{Operation, ReadBetween, Sight};
use crate::model::{AskedWait, Attempt, Fingerprint, InjectedConflict, Kind, Phase};

/// The attempts of a trace, in the order in which they ended.
pub fn attempts(trace: &str) -> Vec<Attempt> {
    let lines = trace.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut attempts: Vec<Attempt> = lines.zip(1..).map(|(line, id)| attempt(line, id)).collect();
    attempts.sort_by_key(|attempt| attempt.end);
    attempts
}

/// What comes of a trace: a line for each operation, by its first attempt.
pub fn grouped(trace: &str) -> String {
    let mut correlator = Correlator::new();
    let mut operations: Vec<Operation> =
        attempts(trace).into_iter().flat_map(|attempt| correlator.add(attempt)).collect();
    operations.extend(correlator.finish());
    operations.sort_by_key(|operation| operation.id);
    operations.iter().map(described).collect::<Vec<_>>().join("\n")
}

/// `gave_up: 1; 2 replay +100 read 5,6; then read 7`
fn described(operation: &Operation) -> String {
    let mut line = format!("{:?}:", operation.outcome);
    let mut separator = "";
    for tried in &operation.tries {
        let _ = write!(line, "{separator} {}", tried.attempt.id);
        if tried.attempt.id != operation.id {
            let _ = write!(line, " {:?}", tried.link);
            let _ = match tried.gap {
                Some(gap) => write!(line, " +{}", gap.as_millis()),
                None => write!(line, " at once"),
            };
        }
        let reads = read(&tried.reads);
        if !reads.is_empty() {
            let _ = write!(line, " read {reads}");
        }
        separator = ";";
    }
    let reads = read(&operation.reads_after);
    if !reads.is_empty() {
        let _ = write!(line, "; then read {reads}");
    }
    line
}

/// Those that are certain.
fn read(reads: &[ReadBetween]) -> String {
    let certain = reads.iter().filter(|read| read.sight == Sight::Certain);
    certain.map(|read| read.attempt.to_string()).collect::<Vec<_>>().join(",")
}

fn attempt(line: &str, id: u64) -> Attempt {
    let (sent, got) = line.split_once('>').expect("sent > got");
    let mut words = sent.split_whitespace();
    let mut next = || words.next().expect("START END METHOD PATH");
    let millis = |word: &str| word.parse::<u64>().expect("milliseconds") * 1_000;
    let mut attempt = Attempt {
        id,
        start: millis(next()),
        end: millis(next()),
        method: next().into(),
        path: next().into(),
        ..Attempt::default()
    };
    for word in words {
        let (name, value) = word.split_once('=').expect("NAME=VALUE");
        let mark = Fingerprint(value.bytes().fold(0, |sum, byte| sum * 256 + u64::from(byte)));
        match name {
            "c" => attempt.client = mark,
            "b" => attempt.sent.body = Some(mark),
            "v" => attempt.sent.version = Some(value.into()),
            "k" => attempt.sent.idempotency_key = Some(mark),
            "m" => attempt.sent.operation = Some(mark),
            "q" => attempt.query = Some(mark),
            "n" => attempt.connection = value.parse().expect("a number"),
            "t" => attempt.sent.trace = Some(mark.into()),
            "try" => attempt.sent.try_number = value.parse().ok(),
            "s" => attempt.sent.credential = Some(mark),
            "p" => attempt.peer = Some(mark.into()),
            "bytes" => attempt.sent.bytes = value.parse().expect("bytes"),
            name => panic!("`{name}` is nothing that is sent"),
        }
    }
    let mut words = got.split_whitespace();
    attempt.got.status = match words.next().expect("a status or -") {
        "-" => None,
        status => Some(status.parse().expect("a status")),
    };
    for word in words {
        match word.split_once('=') {
            Some(("v", value)) => attempt.got.shown = value.into(),
            Some(("e", value)) => attempt.got.error = Some(value.into()),
            Some(("ra", value)) => {
                attempt.got.retry_after = Some(AskedWait::Seconds(millis(value)));
            }
            _ => {
                let rule = word.strip_prefix('!').expect("a rule");
                let (rule, key) = rule.split_once('/').unwrap_or((rule, "0"));
                attempt.conflict = Some(InjectedConflict {
                    rule: rule.into(),
                    // A rule about sessions is called so.
                    kind: if rule == "session" { Kind::Session } else { Kind::Transient },
                    phase: Phase::Before,
                    n: 1,
                    key: Fingerprint(key.parse().expect("a number")),
                });
            }
        }
    }
    attempt
}

/// Complains about every case that comes out otherwise.
pub fn check(cases: &[(&str, &str, &str)]) {
    let mut complaints = String::new();
    for (name, trace, expected) in cases {
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let got = grouped(trace);
        if got != expected.join("\n") {
            let _ = writeln!(complaints, "{name}\n{got}\n  and not\n{}\n", expected.join("\n"));
        }
    }
    assert!(complaints.is_empty(), "\n{complaints}");
}
