//! One `[[rule]]`.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use toml::de::{DeTable, DeValue};

use super::Reader;
use super::fields::{Fields, GivenKey};
use crate::matching::Methods;
use crate::model::{Key, KeyPart, Kind, Phase};
use crate::rules::diagnostic::shown;
use crate::rules::keys::{DURING, RULE};
use crate::rules::template::TemplateScope;
use crate::rules::units::TextMistake;
use crate::rules::{Clear, Code, Diagnostic, During, Expect, LostResponse, Rule, RulePhase, State, Trigger};

/// Names and where they were given; a rule without a name stands with its heading.
pub(super) type Names = HashMap<Arc<str>, Range<usize>>;

/// The default scope of counters and state.
fn default_key(on: Option<&str>, has_clear: bool) -> Key {
    match on {
        // An unknown word is a mistake of its own.
        Some(word) => State::named(word).map_or_else(|| Key(vec![KeyPart::Path]), |state| (state.per)()),
        None if has_clear => Key(vec![KeyPart::Path]),
        None => Key::RULE,
    }
}

/// The phase of a rule that says `phase`, whose lost responses would be `lost`.
fn of_rule(phase: Phase, lost: LostResponse) -> RulePhase {
    match phase {
        Phase::Before => RulePhase::Before,
        Phase::After => RulePhase::After,
        Phase::Lost => RulePhase::Lost(lost),
    }
}

impl Reader<'_> {
    /// The rule at `position`, from 1.
    pub fn rule(&mut self, position: usize, table: &DeTable, span: Range<usize>, names: &mut Names) -> Rule {
        let mut fields = Fields::new(&RULE, table, span.clone());
        let name = self.name(&mut fields, position, names);
        let enabled = fields.take("enabled").and_then(|given| self.boolean(&given)).unwrap_or(true);
        let requests = self.requests(&mut fields);
        let captured = requests.path.names();
        let per = fields.take("per").map(|given| self.key(&given, &captured));
        let per = per.unwrap_or_else(|| default_key(fields.word("on"), fields.key_span("clear").is_some()));
        let mut trigger = self.trigger(&mut fields, &per);
        let kind = self.kind(&mut fields, &trigger);
        let version = self.version(&mut fields, kind);
        let read = self.read(&mut fields, &requests, &per);
        let phase = self.phase(&mut fields);
        let clear = fields.take("clear").and_then(|given| self.clear(&given));
        self.only_counted(&fields, phase);
        self.not_reads_alone(&fields, &requests.method, clear);
        let upstream_response = self.upstream_response(&mut fields, phase);
        let limit = trigger.limit();
        let is_late = phase != Phase::Before;
        let scope = TemplateScope { params: &captured, limit, is_late, ..TemplateScope::default() };
        let (reply, lost) = self.reply(&mut fields, phase, scope);
        let replies = self.replies(&mut fields, phase, scope);
        if let Trigger::Counted(counted) = &mut trigger {
            counted.phase = of_rule(phase, lost);
            counted.clear = clear;
        }
        let pass = self.pass(&mut fields, &trigger);
        let during = fields.take("during").and_then(|given| self.during(&given));
        let limit = fields.take("limit").and_then(|given| self.at_least_one(&given));
        let expect = fields.take("expect").map_or_else(Expect::default, |given| self.expect(&given));
        fields.finish(self);
        Rule {
            name,
            requests,
            trigger,
            per,
            version,
            read,
            kind,
            upstream_response,
            reply,
            replies,
            pass,
            during,
            limit,
            enabled,
            expect,
            span,
        }
    }

    fn name(&mut self, fields: &mut Fields, position: usize, names: &mut Names) -> Arc<str> {
        let given = fields.take("name");
        let (name, span) = match given.as_ref().and_then(|given| Some((given, self.text(given)?))) {
            Some((given, text)) => {
                self.check_name(given, text);
                (Arc::from(text), given.span())
            }
            None => (Arc::from(format!("rule-{position}")), fields.span.clone()),
        };
        if let Some(earlier) = names.get(&name) {
            let title = format!("two rules are called \"{}\"", shown(&name));
            let label = if given.is_some() {
                "give this one another name"
            } else {
                "without a `name`, it is called so"
            };
            self.report(
                Diagnostic::error(Code::DuplicateName, title)
                    .at(span, label)
                    .also(earlier.clone(), "the first of that name"),
            );
        } else {
            names.insert(Arc::clone(&name), span);
        }
        name
    }

    fn check_name(&mut self, given: &GivenKey, text: &str) {
        let odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
        let mistake = if text.is_empty() {
            TextMistake::new(0..0, "at least one character")
        } else if let Some((at, character)) = text.char_indices().find(|(_, c)| odd(*c)) {
            TextMistake::new(at..at + character.len_utf8(), "use only A-Z a-z 0-9 _ . -")
        } else if text.len() > 64 {
            TextMistake::new(64..text.len(), "at most 64 characters")
        } else {
            return;
        };
        self.bad_text(Code::BadName, given, mistake);
    }

    fn kind(&mut self, fields: &mut Fields, trigger: &Trigger) -> Kind {
        let implied = match trigger {
            Trigger::On(state) => Some(state.kind()),
            Trigger::Counted(_) => None,
        };
        let given = fields.take("kind");
        let kind =
            given.as_ref().and_then(|given| self.choice(given, &Kind::ALL.map(|kind| (kind.as_str(), kind))));
        if let (Some(given), Some(kind), Some(implied)) = (&given, kind, implied)
            && kind != implied
        {
            let title = format!("this `on` plays the kind \"{implied}\", not \"{kind}\"");
            let mistake = Diagnostic::error(Code::NotTogether, title).at(given.span(), "leave `kind` out");
            self.report(match fields.value_span("on") {
                Some(on) => mistake.also(on, "implies its kind"),
                None => mistake,
            });
        }
        implied.or(kind).unwrap_or(Kind::Transient)
    }

    fn phase(&mut self, fields: &mut Fields) -> Phase {
        let given = fields.take("phase");
        let known = Phase::ALL.map(|phase| (phase.as_str(), phase));
        given.and_then(|given| self.choice(&given, &known)).unwrap_or_default()
    }

    fn clear(&mut self, given: &GivenKey) -> Option<Clear> {
        match given.value.get_ref() {
            DeValue::Integer(_) => self.at_least_one(given).map(Clear::Tries),
            DeValue::String(text) => match &**text {
                "refetch" => Some(Clear::Refetch),
                "new_version" => Some(Clear::NewVersion),
                "never" => Some(Clear::Never),
                text if text.starts_with(|c: char| c.is_ascii_digit()) => {
                    self.duration(given).map(Clear::After)
                }
                text => {
                    self.unknown_value(given, text, &["refetch", "new_version", "never", "2s"]);
                    None
                }
            },
            _ => {
                self.wrong_type(given);
                None
            }
        }
    }

    /// `clear`, `after` and `lost` go with counted triggers only: state ends its own conflicts, and
    /// decides before the upstream is asked.
    fn only_counted(&mut self, fields: &Fields, phase: Phase) {
        let Some(on) = fields.key_span("on") else { return };
        let phase = fields.value_span("phase").filter(|_| phase != Phase::Before);
        let clear = fields
            .key_span("clear")
            .map(|span| (span, "`clear` does not go with `on`, whose state ends by itself"));
        let phase =
            phase.map(|span| (span, "with `on` the conflict is decided before the upstream is asked"));
        for (span, title) in clear.into_iter().chain(phase) {
            let mistake = Diagnostic::error(Code::NotTogether, title);
            self.report(mistake.at(span, "leave this out").also(on.clone(), "because of this"));
        }
    }

    /// State that reads clear is opened by other requests: a rule about reads alone never fires.
    fn not_reads_alone(&mut self, fields: &Fields, methods: &Methods, clear: Option<Clear>) {
        let Methods::Only(methods) = methods else { return };
        let is_by_reading = matches!(clear, Some(Clear::Refetch | Clear::NewVersion));
        let is_read = |method: &Method| matches!(*method, Method::GET | Method::HEAD);
        let (true, true, Some(clear), Some(method)) = (
            is_by_reading,
            methods.iter().all(is_read),
            fields.key_span("clear"),
            fields.value_span("method"),
        ) else {
            return;
        };
        let title = "reads clear this rule's conflicts, and it is about nothing else";
        self.report(
            Diagnostic::error(Code::NotTogether, title)
                .at(clear, "no conflict begins with a read that would clear it")
                .also(method, "add the method of the writes"),
        );
    }

    fn during(&mut self, given: &GivenKey) -> Option<During> {
        let mut fields = self.fields(given, &DURING)?;
        let mut take = |name| {
            let given = fields.take(name)?;
            Some((self.duration(&given), given))
        };
        let (after, length, every) = (take("after"), take("for"), take("every"));
        let empty = after.is_none() && length.is_none() && every.is_none();
        match (&length, &every) {
            (Some((Some(length), _)), Some((Some(every), given))) if every <= length => {
                self.report(
                    Diagnostic::error(
                        Code::NotTogether,
                        "the rule would never sleep: `every` is not longer than `for`",
                    )
                    .at(given.span(), "longer than `for`, please")
                    .help("`every` counts from one awakening to the next; without sleep, leave both out"),
                );
            }
            (None, Some((_, given))) => {
                self.report(
                    Diagnostic::error(Code::MissingKey, "`every` needs `for`")
                        .at(given.key.clone(), "awake again each time, but for how long?")
                        .help("for example `during = { for = \"10s\", every = \"1m\" }`"),
                );
            }
            _ if empty && fields.is_empty() => {
                let title = "an empty `during` is always awake";
                self.report(
                    Diagnostic::warning(Code::NoEffect, title).at(given.key.clone(), "changes nothing"),
                );
            }
            _ => {}
        }
        fields.finish(self);
        let value = |given: Option<(Option<Duration>, GivenKey)>| given.and_then(|(duration, _)| duration);
        Some(During { after: value(after).unwrap_or_default(), length: value(length), every: value(every) })
    }
}
