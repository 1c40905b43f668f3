//! The attempts as an HTTP archive, HAR 1.2, which a browser's network panel opens. An archive knows
//! neither bodies nor credentials, as the journal has none. What rules injected has a comment, and
//! everything that HAR has no place for is under `_fracas`.

use std::io;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Subject, phrases, run};
use crate::words::{Attempt, HarmlessJson, RetryAfter};

/// Where the requests went: the journal has paths only, and this name leads nowhere (RFC 2606 §2).
const ORIGIN: &str = "http://fracas.invalid";

/// Writes the attempts, in the order in which they began.
pub fn write(subject: Subject<'_>, out: &mut impl io::Write) -> io::Result<()> {
    let Subject { report, attempts, started, .. } = subject;
    let mut attempts: Vec<&Attempt> = attempts.iter().map(|attempt| &**attempt).collect();
    attempts.sort_by_key(|attempt| (attempt.start, attempt.id));
    let creator = json!({ "name": "fracas", "version": env!("CARGO_PKG_VERSION") });
    let comment = [Some(phrases::headline(report).into()), run::exit(report)];
    let comment = json!(comment.into_iter().flatten().collect::<Vec<_>>().join(" "));
    let graded = json!({
        "verdict": report.verdict,
        "untested": report.untested,
        "expectations": report.expectations,
        "exit": report.exit,
        "run": report.run,
    });
    write!(out, r#"{{"log":{{"version":"1.2","creator":{creator},"comment":{comment},"_fracas":{graded},"#)?;
    write!(out, r#""pages":[],"entries":["#)?;
    for (at, attempt) in attempts.into_iter().enumerate() {
        out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(HarmlessJson(&mut *out), &entry(attempt, started))?;
    }
    out.write_all(b"\n]}}\n")
}

fn entry(attempt: &Attempt, started: Timestamp) -> Value {
    let micros = i64::try_from(attempt.start).unwrap_or(i64::MAX);
    let began = started.checked_add(SignedDuration::from_micros(micros)).unwrap_or(Timestamp::MAX);
    let took = attempt.end.saturating_sub(attempt.start) as f64 / 1_000.0;
    let mut entry = json!({
        "startedDateTime": format!("{began:.6}"),
        "time": took,
        "request": request(attempt),
        "response": response(attempt),
        "cache": {},
        "timings": { "send": 0, "wait": took, "receive": 0 },
        "connection": attempt.connection.to_string(),
        "_fracas": fracas(attempt),
    });
    if let (Some(entry), Some(conflict)) = (entry.as_object_mut(), &attempt.conflict) {
        let comment = format!(
            "injected by fracas: rule {}, kind {}, phase {}, n {}",
            conflict.rule, conflict.kind, conflict.phase, conflict.n
        );
        entry.insert("comment".to_owned(), comment.into());
    }
    entry
}

fn request(attempt: &Attempt) -> Value {
    let agent = attempt.agent.as_deref().map(|agent| json!({ "name": "User-Agent", "value": agent }));
    json!({
        "method": attempt.method,
        "url": format!("{ORIGIN}{}", attempt.path),
        "httpVersion": attempt.protocol,
        "cookies": [],
        "headers": agent.into_iter().collect::<Vec<_>>(),
        "queryString": [],
        "headersSize": -1,
        "bodySize": attempt.sent.bytes,
    })
}

/// What never came has status 0, as browsers write it.
fn response(attempt: &Attempt) -> Value {
    let got = &attempt.got;
    let waits = got.retry_after.map(|wait| {
        let (RetryAfter::Seconds(milliseconds) | RetryAfter::Date(milliseconds)) = wait;
        match got.grpc {
            Some(_) => json!({ "name": "grpc-retry-pushback-ms", "value": milliseconds.to_string() }),
            None => json!({ "name": "Retry-After", "value": milliseconds.div_ceil(1_000).to_string() }),
        }
    });
    let reason = got.status.and_then(|status| http::StatusCode::from_u16(status).ok()?.canonical_reason());
    let mut response = json!({
        "status": got.status.unwrap_or(0),
        "statusText": reason.unwrap_or_default(),
        "httpVersion": attempt.protocol,
        "cookies": [],
        "headers": waits.into_iter().collect::<Vec<_>>(),
        "content": { "size": got.bytes, "mimeType": "x-unknown" },
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": got.bytes,
    });
    if let (Some(response), Some(error)) = (response.as_object_mut(), &got.error) {
        response.insert("_error".to_owned(), json!(error));
    }
    response
}

fn fracas(attempt: &Attempt) -> Value {
    json!({
        "attempt": attempt.id,
        "injected": attempt.conflict,
        "client": attempt.client,
        "query": attempt.query,
        "version": attempt.sent.version,
        "upstream": attempt.got.upstream,
        "grpc": attempt.got.grpc,
        "shown_version": Some(&attempt.got.shown).filter(|shown| !shown.is_nothing()),
        "try": attempt.sent.try_number,
    })
}
