//! The trigger of a rule: its key, and the keys beside `on`.

use std::num::NonZeroU64;
use std::time::Duration;

use http::StatusCode;

use super::Reader;
use super::fields::{Fields, GivenKey};
use crate::matching::Match;
use crate::model::{Key, KeyPart};
use crate::rules::keys::{SELECTOR, quoted_list};
use crate::rules::triggers::{self, COMPANIONS, Companions, with_companions, with_schedules};
use crate::rules::units::TextMistake;
use crate::rules::{Code, Diagnostic, Pattern, Schedule, Selector, State, StateDefinition, Trigger};

macro_rules! read_schedules {
    ($($(#[$doc:meta])* $variant:ident($value:ty) = $file:ident, $read:ident;)*) => {
        impl Reader<'_> {
            /// The schedule of a counted trigger's key.
            fn schedule(&mut self, given: &GivenKey) -> Option<Schedule> {
                match given.name() {
                    $(name if name == triggers::$file::TRIGGER.key.name => {
                        self.$read(given).map(Schedule::$variant)
                    })*
                    _ => None,
                }
            }
        }
    };
}
with_schedules!(read_schedules);

macro_rules! read_companions {
    ($($name:ident: $value:ty = $file:ident::$key:ident, $read:ident;)*) => {
        impl CompanionReader<'_, '_> {
            /// Reads the value of a key beside `on`.
            fn read(&mut self, given: &GivenKey) {
                match given.name() {
                    $(stringify!($name) => self.values.$name = self.$read(given),)*
                    _ => {}
                }
            }
        }
    };
}
with_companions!(read_companions);

impl Reader<'_> {
    /// Which requests conflict. Without a key that says so, all do.
    pub fn trigger(&mut self, fields: &mut Fields, per: &Key) -> Trigger {
        let mut given: Vec<GivenKey> =
            triggers::KEYS.iter().filter_map(|key| fields.take(key.name)).collect();
        given.sort_by_key(|given| given.key.start);
        if let [first, rest @ ..] = given.as_slice() {
            for second in rest {
                let title =
                    format!("`{}` and `{}` both say which requests conflict", first.name(), second.name());
                self.report(
                    Diagnostic::error(Code::TwoTriggers, title)
                        .at(second.key.clone(), "a rule has one of these")
                        .also(first.key.clone(), "the first one")
                        .help("to ask for both, write a second rule: each request is answered by the first that fires"),
                );
            }
        }
        // All are read for their own mistakes; the first counts.
        let counted = given.iter().filter_map(|given| self.schedule(given)).map(Trigger::from);
        let mut triggers: Vec<Trigger> = counted.collect();
        let on = given.iter().find(|given| given.name() == "on").cloned();
        triggers.extend(self.state(fields, on.as_ref(), per));
        triggers.into_iter().next().unwrap_or(Trigger::from(Schedule::Always))
    }

    /// The trigger of `on`, if it is given and known.
    fn state(&mut self, fields: &mut Fields, given: Option<&GivenKey>, per: &Key) -> Option<Trigger> {
        let known: Vec<_> = State::ALL.iter().map(|state| (state.word, *state)).collect();
        let on = given.and_then(|given| self.choice(given, &known));
        let mut companions = CompanionReader { reader: self, per, values: Companions::default() };
        for key in COMPANIONS {
            let Some(companion) = fields.take(key.name) else { continue };
            // With an `on` that is a mistake itself it is unknown which keys belong to it.
            if on.is_some_and(|on| !on.has_key(key.name)) || given.is_none() {
                companions.reader.astray(&companion, given);
            }
            companions.read(&companion);
        }
        let values = companions.values;
        let (given, on) = (given?, on?);
        self.check_needs(fields, given, on);
        Some(Trigger::On(Box::new((on.state)(values))))
    }

    fn check_needs(&mut self, fields: &Fields, given: &GivenKey, on: &StateDefinition) {
        let Some(needs) = &on.needs else { return };
        if needs.one_of.iter().any(|key| fields.has(key.name)) {
            return;
        }
        let names: Vec<String> = needs.one_of.iter().map(|key| format!("`{}`", key.name)).collect();
        let title = format!("`on = \"{}\"` needs {}", on.word, names.join(" or "));
        let mistake = Diagnostic::error(Code::MissingKey, title).at(given.span(), needs.question);
        self.report(match needs.one_of {
            [key, ..] => mistake.help(key.for_example()),
            [] => mistake,
        });
    }

    fn astray(&mut self, companion: &GivenKey, on: Option<&GivenKey>) {
        let words: Vec<&str> = State::with_key(companion.name()).map(|state| state.word).collect();
        let title = format!("`{}` goes with `on` = {} only", companion.name(), quoted_list(&words));
        let mistake = Diagnostic::error(Code::NotTogether, title);
        self.report(match on {
            Some(on) => mistake.at(companion.key.clone(), "leave this out").also(on.span(), "another `on`"),
            None => mistake.at(companion.key.clone(), "but this rule has no `on`"),
        });
    }

    /// `pattern`.
    fn sequence(&mut self, given: &GivenKey) -> Option<Pattern> {
        let text = self.text(given)?;
        let mistake = match text.char_indices().find(|(_, c)| !matches!(c, '.' | 'x')) {
            Some((at, c)) => TextMistake::new(at..at + c.len_utf8(), "only `.` (passes) and `x` (conflicts)"),
            None if text.is_empty() => TextMistake::new(0..0, "at least one position"),
            None if text.len() > Pattern::LONGEST => {
                TextMistake::new(0..text.len(), "at most 10,000 positions")
            }
            None if !text.contains('x') => {
                TextMistake::new(0..text.len(), "without an `x` no request conflicts")
            }
            None => return Pattern::new(text.chars().map(|c| c == 'x')),
        };
        self.bad_text(Code::BadPattern, given, mistake);
        None
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
            let KeyPart::Param(name) = part else { continue };
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

/// Reads the keys beside `on`.
struct CompanionReader<'r, 'f> {
    reader: &'r mut Reader<'f>,
    /// The rule's key, which `release` takes unless it has its own.
    per: &'r Key,
    values: Companions,
}

impl CompanionReader<'_, '_> {
    fn status(&mut self, given: &GivenKey) -> Option<StatusCode> {
        self.reader.status(given)
    }

    fn duration(&mut self, given: &GivenKey) -> Option<Duration> {
        self.reader.duration(given)
    }

    fn at_least_one(&mut self, given: &GivenKey) -> Option<NonZeroU64> {
        self.reader.at_least_one(given)
    }

    fn selector(&mut self, given: &GivenKey) -> Option<Selector> {
        self.reader.selector(given, None)
    }

    fn release(&mut self, given: &GivenKey) -> Option<Selector> {
        self.reader.selector(given, Some(self.per))
    }
}
