//! Versions at all their places, reads by other methods than GET, and an upstream's own conflicts: a client's
//! requests through the proxy, its upstream's responses, and the verdicts of R1 to R3.
//!
//! ```text
//! PUT /items/1 if-match:"1" {"name":"lamp"} -> 200 etag:"2" {"name":"lamp"}
//! ```
//!
//! After the arrow stands the upstream's response, if the request reaches it.

mod kinds;
mod own;
mod reads;

use fracas::grading::{CHECKS, Criteria, Finding, Grading, Report};
use fracas::rules::{BodyFileError, read};

use crate::support::proxy::before;
use crate::support::upstream::Upstream;

/// Outcome of a trace: the statuses that the client saw, and its grade.
struct Played {
    statuses: Vec<u16>,
    report: Report,
}

/// Plays a trace, one line after the other, as one client.
fn play(rules: &str, trace: &[String]) -> Played {
    let config = read("rules.toml", rules, &|_| Err(BodyFileError::Missing))
        .unwrap_or_else(|mistakes| panic!("{mistakes}"))
        .config;
    let upstream = Upstream::playing(|talk| {
        while let Some(request) = talk.request() {
            talk.socket.send(request.header("x-answer").expect("what to answer").replace("~~", "\r\n"));
        }
    });
    let proxy = before(upstream.address).rules(rules).start();
    let statuses = trace.iter().map(|line| proxy.ask(request(line)).status()).collect();
    let mut grading = Grading::new(Criteria::of(&config));
    for attempt in proxy.attempts() {
        grading.add(attempt);
    }
    grading.clients_gone();
    Played { statuses, report: grading.finish(Vec::new(), 0) }
}

/// A line as bytes; the response goes with it.
fn request(line: &str) -> String {
    let (asked, response) = line.split_once(" -> ").expect("request -> answer");
    let (head, headers, body) = parts(asked);
    let (status, shown, json) = parts(response);
    let kind = if json.is_empty() { "" } else { "content-type: application/json~~" };
    let shown: String = shown.iter().map(|(name, value)| format!("{name}: {value}~~")).collect();
    let response = format!("HTTP/1.1 {status} X~~{kind}{shown}content-length: {}~~~~{json}", json.len());
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!(
        "{head} HTTP/1.1\r\nhost: a\r\nuser-agent: client/1\r\nx-answer: {response}\r\n{headers}content-length: {}\r\n\r\n\
         {body}",
        body.len()
    )
}

/// The words before the headers, the headers, and the body. `_` in a header's value stands for a space.
fn parts(text: &str) -> (String, Vec<(&str, String)>, &str) {
    let (text, body) = match text.find(['{', '<']) {
        Some(at) => (&text[..at], &text[at..]),
        None => (text, ""),
    };
    let (headers, head): (Vec<&str>, Vec<&str>) =
        text.split_whitespace().partition(|word| word.contains(':') && !word.starts_with('/'));
    let headers = headers.iter().map(|word| word.split_once(':').expect("name:value"));
    (head.join(" "), headers.map(|(name, value)| (name, value.replace('_', " "))).collect(), body)
}

impl Played {
    fn finding(&self, check: u8) -> Option<&Finding> {
        let id = CHECKS[usize::from(check) - 1].id;
        let client = self.report.clients.first()?;
        client.findings.iter().find(|finding| finding.check == id && finding.rule.is_none())
    }

    /// The verdicts of R1 to R3, such as `pass fail -`; `-` for a check without a finding.
    fn verdicts(&self) -> String {
        let word = |check| self.finding(check).map_or("-".to_owned(), |found| format!("{:?}", found.verdict));
        [1, 2, 3].map(word).join(" ").to_lowercase()
    }

    fn advice(&self, check: u8) -> &str {
        self.finding(check).and_then(|finding| finding.advice.as_deref()).unwrap_or_default()
    }
}
