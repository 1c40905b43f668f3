//! Operations as a rules file.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use http::Method;

use super::operation::{DescribedOperation, Refusal};
use super::{Drafts, MOST_DRAFTS, Service};
use crate::model::Kind;
use crate::rules::{BodyFileError, read};

/// Bytes of a rule's name that its operation gives, which leaves room for a status and a number.
const LONGEST_NAME: usize = 52;

/// The whole file.
pub(super) fn file(source: &str, service: &Service) -> Drafts {
    let mut file = File {
        text: head(source, service),
        names: HashSet::new(),
        numbers: HashMap::new(),
        rules: 0,
        left_out: service.left_out,
    };
    for operation in &service.operations {
        file.operation(operation);
    }
    if file.left_out > 0 {
        let _ = write!(
            file.text,
            "\n# Left out: {}. A file that is written like this has at most 10,000 rules, and only paths that \
             a pattern can say.\n",
            file.left_out
        );
    }
    Drafts { text: file.text, rules: file.rules, left_out: file.left_out }
}

fn head(source: &str, service: &Service) -> String {
    let of = service.title.as_deref().map(|title| format!(", {}", comment(title))).unwrap_or_default();
    let url = service.url.as_deref().unwrap_or("http://localhost:9000");
    format!(
        "# Rules for what a service does, written from {}{of}.\n\
         # Each operation meets one conflict at first; further ones that it knows are there, switched off.\n\
         # Change what does not fit: `fracas check` finds mistakes, `fracas explain PUT /path` says what would happen.\n\
         \n\
         # Where requests go; or `fracas -u URL`.\n\
         # upstream = {}\n",
        comment(source),
        quoted(url)
    )
}

struct File {
    text: String,
    names: HashSet<String>,
    /// How many names there are that differ in a number alone.
    numbers: HashMap<String, usize>,
    rules: usize,
    left_out: usize,
}

impl File {
    fn operation(&mut self, operation: &DescribedOperation) {
        let mut refusals: Vec<(u16, Refusal)> =
            operation.refusals.iter().map(|(status, refusal)| (*status, refusal.clone())).collect();
        // The most telling one first: it is switched on.
        refusals.sort_by_key(|(status, refusal)| rank(*status, operation.kind(*status, refusal)));
        if refusals.iter().all(|(status, _)| *status == 429) && operation.is_write() {
            let origin = "a write; no conflict of it is known".to_owned();
            refusals.insert(0, (409, Refusal { origin, ..Refusal::default() }));
        }
        for (at, (status, refusal)) in refusals.iter().enumerate() {
            if self.rules >= MOST_DRAFTS {
                self.left_out += 1;
                return;
            }
            let name = self.name(operation, *status);
            let rule = rule(operation, *status, refusal, &name, at == 0);
            // A rule that is not accepted would spoil the others.
            if read("", &rule, &|_| Err(BodyFileError::Missing)).is_err() {
                self.left_out += 1;
                continue;
            }
            self.names.insert(name);
            self.rules += 1;
            self.text.push('\n');
            self.text.push_str(&rule);
        }
    }

    fn name(&mut self, operation: &DescribedOperation, status: u16) -> String {
        let by_path = || format!("{}{}", operation.method.as_str().to_ascii_lowercase(), operation.path);
        let own = operation.id.clone().unwrap_or_else(by_path);
        let mut plain = String::new();
        for c in own.chars() {
            match c {
                c if c.is_ascii_alphanumeric() || matches!(c, '_' | '.') => plain.push(c),
                _ if plain.is_empty() || plain.ends_with('-') => {}
                _ => plain.push('-'),
            }
        }
        plain.truncate(LONGEST_NAME);
        let name = format!("{}-{status}", plain.trim_end_matches('-'));
        let number = self.numbers.entry(name.clone()).or_default();
        let mut free = name.clone();
        while self.names.contains(&free) {
            *number += 1;
            free = format!("{name}-{}", *number + 1);
        }
        free
    }
}

fn rank(status: u16, kind: Kind) -> (u8, u16) {
    let rank = match kind {
        _ if status == 428 => 8,
        Kind::Version => 0,
        Kind::Idempotency => 1,
        Kind::Duplicate => 2,
        Kind::Referenced => 3,
        Kind::Lock => 4,
        Kind::Blocked => 7,
        _ => 5,
    };
    (rank, status)
}

/// One rule, with where it comes from.
fn rule(operation: &DescribedOperation, status: u16, refusal: &Refusal, name: &str, is_on: bool) -> String {
    let kind = operation.kind(status, refusal);
    let mut rule = format!("# From {}: {}.\n", comment(&operation.origin), comment(&refusal.origin));
    let words = comment(&refusal.words);
    if refusal.is_description && !words.is_empty() {
        let _ = writeln!(rule, "# “{words}”");
    }
    let _ = write!(
        rule,
        "[[rule]]\nname = {}\nmethod = {}\npath = {}\nfirst = 1\n",
        quoted(name),
        quoted(operation.method.as_str()),
        quoted(&operation.path)
    );
    if !is_on {
        rule.push_str("enabled = false\n");
    }
    let key = operation.key_header.as_deref().filter(|_| kind != Kind::Version && status == 409);
    match (kind, key) {
        (Kind::Blocked, _) => rule.push_str("per = \"client\"\n"),
        (_, Some(key)) => {
            let _ = writeln!(rule, "per = {}", quoted(&format!("header:{key}")));
        }
        _ if operation.path.contains(['{', '*']) => rule.push_str("per = \"path\"\n"),
        _ => {}
    }
    if kind != Kind::Transient {
        let _ = writeln!(rule, "kind = \"{kind}\"");
    }
    if kind == Kind::Version {
        if let Some(version) = operation.version.as_deref().filter(|version| *version != "header:if-match") {
            let _ = writeln!(rule, "version = {}", quoted(version));
        }
        if operation.is_readable && operation.method != Method::GET {
            rule.push_str("clear = \"refetch\"\n");
        }
    }
    let wait = refusal.retry_after.or((kind == Kind::Blocked).then_some(1)).filter(|wait| *wait <= 60 * 60);
    let mut reply = Vec::new();
    if status != 409 {
        reply.push(format!("status = {status}"));
    }
    reply.extend(wait.map(|wait| format!("retry_after = \"{wait}s\"")));
    if !reply.is_empty() {
        let _ = writeln!(rule, "reply = {{ {} }}", reply.join(", "));
    }
    rule
}

/// Words of the source on one line of a comment.
fn comment(words: &str) -> String {
    const LONGEST: usize = 100;
    let line: Vec<&str> = words.split_whitespace().collect();
    let line = line.join(" ");
    let mut short: String = line.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    if line.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short.trim_end_matches('.').to_owned()
}

/// A TOML basic string, which fills in nothing.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted.replace("${", "$${")
}
