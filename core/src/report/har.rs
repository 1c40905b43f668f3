//! The attempts as an HTTP archive, HAR 1.2, which a browser's network panel opens. An archive knows
//! neither bodies nor credentials, as the journal has none. Attempts that rules injected into have a comment, and
//! everything that HAR has no place for is under `_fracas`.

use std::io;

use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::{ReportInput, phrases, run};
use crate::grading::RefusedBy;
use crate::model::{AskedWait, Attempt, SanitizedJson};

/// Where requests went of which the journal does not say it: this name leads nowhere (RFC 2606 §2).
const UNKNOWN: &str = "http://fracas.invalid";

/// `#` would begin a fragment, and `?` a query; `%` begins an encoded byte.
const OF_NO_URL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Writes the attempts, in the order in which they began.
pub fn write(subject: ReportInput<'_>, out: &mut impl io::Write) -> io::Result<()> {
    let ReportInput { report, attempts, started, .. } = subject;
    let proxy = if report.run.proxy.is_empty() { UNKNOWN } else { &report.run.proxy };
    let mut attempts: Vec<&Attempt> = attempts.iter().map(|attempt| &**attempt).collect();
    attempts.sort_by_key(|attempt| (attempt.start, attempt.id));
    let creator = json!({ "name": "fracas", "version": env!("CARGO_PKG_VERSION") });
    let around = run::around(report).map(Into::into);
    let comment = [Some(phrases::headline(report).into()), around, run::exit(report)];
    let comment = json!(comment.into_iter().flatten().collect::<Vec<_>>().join(" "));
    let graded = json!({
        "verdict": report.verdict,
        "untested": report.untested,
        "expectations": report.expectations,
        "around": report.around,
        "exit": report.exit,
        "run": report.run,
    });
    write!(out, r#"{{"log":{{"version":"1.2","creator":{creator},"comment":{comment},"_fracas":{graded},"#)?;
    write!(out, r#""pages":[],"entries":["#)?;
    for (at, attempt) in attempts.into_iter().enumerate() {
        out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(SanitizedJson(&mut *out), &entry(attempt, started, proxy))?;
    }
    out.write_all(b"\n]}}\n")
}

fn entry(attempt: &Attempt, started: Timestamp, proxy: &str) -> Value {
    let micros = i64::try_from(attempt.start).unwrap_or(i64::MAX);
    let began = started.checked_add(SignedDuration::from_micros(micros)).unwrap_or(Timestamp::MAX);
    let took = attempt.end.saturating_sub(attempt.start) as f64 / 1_000.0;
    let mut entry = json!({
        "startedDateTime": format!("{began:.6}"),
        "time": took,
        "request": request(attempt, proxy),
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
    if let (Some(entry), true) = (entry.as_object_mut(), attempt.is_upstream_conflict()) {
        entry.insert("comment".to_owned(), "the upstream's own conflict".into());
    }
    entry
}

fn request(attempt: &Attempt, proxy: &str) -> Value {
    let agent = attempt.agent.as_deref().map(|agent| json!({ "name": "User-Agent", "value": agent }));
    json!({
        "method": attempt.method,
        "url": format!("{proxy}{}", path(&attempt.path)),
        "httpVersion": attempt.protocol,
        "cookies": [],
        "headers": agent.into_iter().collect::<Vec<_>>(),
        "queryString": [],
        "headersSize": -1,
        "bodySize": attempt.sent.bytes,
    })
}

/// A path as a URL has it: forbidden characters are percent-encoded, and a target that is none (`*`) is a path.
fn path(path: &str) -> String {
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{slash}{}", utf8_percent_encode(path, OF_NO_URL))
}

/// A missing response has status 0, as browsers write it.
fn response(attempt: &Attempt) -> Value {
    let got = &attempt.got;
    let waits = got.retry_after.map(|wait| {
        let (AskedWait::Seconds(milliseconds) | AskedWait::Date(milliseconds)) = wait;
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
        // The type of a response without `Content-Type` is not known (HAR 1.2, as browsers write it).
        "content": { "size": got.bytes, "mimeType": got.media_type.map_or("x-unknown", |media_type| media_type.as_str()) },
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
        "refused_by": RefusedBy::of(attempt),
        "client": attempt.client,
        "query": attempt.query,
        "version": attempt.sent.version,
        "upstream": attempt.got.upstream,
        "grpc": attempt.got.grpc,
        "shown_version": Some(&attempt.got.shown).filter(|shown| !shown.is_nothing()),
        "try": attempt.sent.try_number,
    })
}
