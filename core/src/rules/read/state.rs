//! `on = "…"` and the keys that only it understands.

use std::time::Duration;

use http::StatusCode;

use super::Reader;
use super::fields::{Fields, GivenKey};
use crate::matching::Match;
use crate::model::{Key, Kind};
use crate::rules::keys::{SELECTOR, quoted_list};
use crate::rules::{Code, Diagnostic, Selector, State, Trigger};

#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    Stale,
    Overlap,
    Duplicate,
    Referenced,
    Expired,
    KeyInUse,
    Locked,
}

const ON: [(&str, On); 7] = [
    ("stale", On::Stale),
    ("overlap", On::Overlap),
    ("duplicate", On::Duplicate),
    ("referenced", On::Referenced),
    ("expired", On::Expired),
    ("key_in_use", On::KeyInUse),
    ("locked", On::Locked),
];

/// Keys that mean something only with these.
const COMPANIONS: [(&str, &[On]); 8] = [
    ("missing", &[On::Stale]),
    ("hold", &[On::Overlap]),
    ("release", &[On::Duplicate, On::Referenced, On::Locked]),
    ("by", &[On::Referenced]),
    ("max_age", &[On::Expired]),
    ("max_requests", &[On::Expired]),
    ("mismatch", &[On::KeyInUse]),
    ("lease", &[On::Locked]),
];

/// How long a lock is held when neither `lease` nor `release` ends it.
const LEASE: Duration = Duration::from_secs(10);

impl State {
    /// The word after `on`.
    pub fn as_str(&self) -> &'static str {
        match self {
            State::Stale { .. } => "stale",
            State::Overlap { .. } => "overlap",
            State::Duplicate { .. } => "duplicate",
            State::Referenced { .. } => "referenced",
            State::Expired { .. } => "expired",
            State::KeyInUse { .. } => "key_in_use",
            State::Locked { .. } => "locked",
        }
    }

    /// The kind of conflict it makes.
    pub fn kind(&self) -> Kind {
        match self {
            State::Stale { .. } => Kind::Version,
            State::Overlap { .. } => Kind::Overlap,
            State::Duplicate { .. } => Kind::Duplicate,
            State::Referenced { .. } => Kind::Referenced,
            State::Expired { .. } => Kind::Session,
            State::KeyInUse { .. } => Kind::Idempotency,
            State::Locked { .. } => Kind::Lock,
        }
    }
}

/// The values of the keys beside `on`.
#[derive(Default)]
struct Companions {
    missing: Option<StatusCode>,
    hold: Option<Duration>,
    release: Option<Selector>,
    by: Option<Selector>,
    max_age: Option<Duration>,
    max_requests: Option<std::num::NonZeroU64>,
    mismatch: Option<StatusCode>,
    lease: Option<Duration>,
}

impl Reader<'_> {
    /// The trigger of `on`, if it is given and known.
    pub fn state(&mut self, fields: &mut Fields, given: Option<&GivenKey>, per: &Key) -> Option<Trigger> {
        let on = given.and_then(|given| self.choice(given, &ON));
        let mut values = Companions::default();
        for (name, masters) in COMPANIONS {
            let Some(companion) = fields.take(name) else { continue };
            // With an `on` that is a mistake itself it is unknown which keys belong to it.
            if on.is_some_and(|on| !masters.contains(&on)) || given.is_none() {
                self.astray(&companion, masters, given);
            }
            self.companion(&companion, &mut values, per);
        }
        let given = given?;
        Some(Trigger::On(Box::new(match on? {
            On::Stale => State::Stale { missing: values.missing },
            On::Overlap => State::Overlap { hold: values.hold.unwrap_or_default() },
            On::Duplicate => State::Duplicate { release: values.release },
            On::Referenced => {
                let has_by = fields.key_span("by").is_some();
                if !has_by {
                    self.report(
                        Diagnostic::error(Code::MissingKey, "`on = \"referenced\"` needs `by`")
                            .at(given.span(), "referenced by what?")
                            .help("for example `by = { method = \"POST\", path = \"/orders\", per = \"body:/item\" }`"),
                    );
                }
                let nobody = Selector { requests: Match::default(), per: Key::RULE };
                State::Referenced { by: values.by.unwrap_or(nobody), release: values.release }
            }
            On::Expired => {
                if fields.key_span("max_age").is_none() && fields.key_span("max_requests").is_none() {
                    self.report(
                        Diagnostic::error(
                            Code::MissingKey,
                            "`on = \"expired\"` needs `max_age` or `max_requests`",
                        )
                        .at(given.span(), "expired after what?")
                        .help("for example `max_age = \"15m\"`"),
                    );
                }
                State::Expired { max_age: values.max_age, max_requests: values.max_requests }
            }
            On::KeyInUse => {
                State::KeyInUse { mismatch: values.mismatch.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY) }
            }
            On::Locked => State::Locked { lease: values.lease.unwrap_or(LEASE), release: values.release },
        })))
    }

    fn astray(&mut self, companion: &GivenKey, masters: &[On], on: Option<&GivenKey>) {
        let words: Vec<&str> =
            ON.iter().filter(|(_, on)| masters.contains(on)).map(|(word, _)| *word).collect();
        let title = format!("`{}` goes with `on` = {} only", companion.name(), quoted_list(&words));
        let mistake = Diagnostic::error(Code::NotTogether, title);
        self.report(match on {
            Some(on) => mistake.at(companion.key.clone(), "leave this out").also(on.span(), "another `on`"),
            None => mistake.at(companion.key.clone(), "but this rule has no `on`"),
        });
    }

    fn companion(&mut self, given: &GivenKey, values: &mut Companions, per: &Key) {
        match given.name() {
            "missing" => values.missing = self.status(given),
            "hold" => values.hold = self.duration(given),
            "release" => values.release = self.selector(given, Some(per)),
            "by" => values.by = self.selector(given, None),
            "max_age" => values.max_age = self.duration(given),
            "max_requests" => values.max_requests = self.at_least_one(given),
            "mismatch" => values.mismatch = self.status(given),
            "lease" => values.lease = self.duration(given),
            _ => {}
        }
    }

    /// `release` and `by`. Without `per`, the key is that of the rule, if it has one to lend.
    fn selector(&mut self, given: &GivenKey, lent: Option<&Key>) -> Option<Selector> {
        let mut fields = self.fields(given, &SELECTOR)?;
        let method = self.methods(&mut fields);
        let path = match fields.take("path") {
            Some(path) => self.path_pattern(&path),
            None => {
                let title = format!("`{}` needs `path`", given.name());
                self.report(
                    Diagnostic::error(Code::MissingKey, title)
                        .at(given.key.clone(), "which requests?")
                        .help(given.entry.for_example()),
                );
                Default::default()
            }
        };
        let captured = path.names();
        let per = match (fields.take("per"), lent) {
            (Some(per), _) => self.key(&per, &captured),
            (None, Some(per)) => {
                self.check_lent(given, per, &captured);
                per.clone()
            }
            (None, None) => {
                let title = format!("`{}` needs `per`", given.name());
                self.report(
                    Diagnostic::error(Code::MissingKey, title)
                        .at(given.key.clone(), "where do these requests name the resource?")
                        .help(given.entry.for_example()),
                );
                Key::RULE
            }
        };
        fields.finish(self);
        Some(Selector { requests: Match { method, path, ..Match::default() }, per })
    }

    fn check_lent(&mut self, given: &GivenKey, per: &Key, captured: &[&str]) {
        for part in &per.0 {
            let crate::model::KeyPart::Param(name) = part else { continue };
            if !captured.contains(&&**name) {
                let title = format!(
                    "`{}` takes the rule's key, but its path does not capture `{name}`",
                    given.name()
                );
                self.report(
                    Diagnostic::error(Code::NotCaptured, title)
                        .at(given.key.clone(), "name its own `per`, or capture it")
                        .help(given.entry.for_example()),
                );
            }
        }
    }
}
