//! Reads the faults of traffic that passes.

use std::time::Duration;

use super::Reader;
use super::fields::Fields;
use crate::rules::keys::PASS;
use crate::rules::{Code, Diagnostic, PassFaults, State, Trigger, units};

/// Keys that say how clients are refused, and why `pass` leaves nothing for them to do.
const OF_REFUSALS: [(&str, &str); 6] = [
    ("reply", "the client gets the upstream's response"),
    ("replies", "the client gets the upstream's response"),
    ("kind", "nothing is refused, so that no conflict is played"),
    ("clear", "nothing is refused, so that no conflict is open"),
    ("phase", "nothing is refused: the upstream sees the request, and the client its response"),
    ("upstream_response", "faults of `pass` begin before the response is looked at"),
];

impl Reader<'_> {
    /// `pass` of a rule with this trigger.
    pub fn pass(&mut self, rule: &mut Fields, trigger: &Trigger) -> Option<Box<PassFaults>> {
        let given = rule.take("pass")?;
        for (name, why) in OF_REFUSALS {
            let Some(span) = rule.key_span(name) else { continue };
            let title = format!("`{name}` is about refusals, and a rule with `pass` refuses nothing");
            let mistake = Diagnostic::error(Code::NotTogether, title).at(span, why);
            self.report(mistake.also(given.key.clone(), "because of this").help("leave one of them out"));
        }
        self.only_where_state_stays(rule, trigger);
        let mut fields = self.fields(&given, &PASS)?;
        let mut duration = |name| fields.take(name).and_then(|given| self.duration(&given));
        let (delay, jitter, stall) = (duration("delay"), duration("jitter"), duration("stall"));
        let rate = fields.take("rate").and_then(|given| {
            let text = self.text(&given)?;
            units::byte_rate(text).map_err(|mistake| self.bad_text(Code::BadRate, &given, mistake)).ok()
        });
        let cut = fields.take("cut").and_then(|given| self.size(&given));
        if let (None, Some(span)) = (fields.key_span("delay"), fields.key_span("jitter")) {
            self.report(
                Diagnostic::error(Code::MissingKey, "`jitter` needs `delay`")
                    .at(span, "added to what?")
                    .help("for example `pass = { delay = \"800ms\", jitter = \"200ms\" }`"),
            );
        } else if fields.is_empty() {
            self.report(
                Diagnostic::error(Code::MissingKey, "`pass` needs a fault")
                    .at(given.span(), "how does it pass?")
                    .help("one of `delay`, `rate`, `cut` and `stall`; for example `pass = { delay = \"800ms\" }`"),
            );
        }
        fields.finish(self);
        let or_zero = Option::<Duration>::unwrap_or_default;
        let (delay, jitter, stall) = (or_zero(delay), or_zero(jitter), or_zero(stall));
        Some(Box::new(PassFaults { delay, jitter, rate, cut, stall }))
    }

    /// A request that meets these states and passes all the same would have to take part in them.
    fn only_where_state_stays(&mut self, fields: &Fields, trigger: &Trigger) {
        let (Trigger::On(state), Some(on)) = (trigger, fields.value_span("on")) else { return };
        if !matches!(**state, State::Overlap { .. } | State::KeyInUse { .. } | State::Locked { .. }) {
            return;
        }
        let title = format!("`on = \"{}\"` keeps a request out, and `pass` lets it in", state.as_str());
        self.report(
            Diagnostic::error(Code::NotTogether, title)
                .at(on, "two requests would have what only one can have")
                .help("give `pass` a trigger that counts, such as `first`, `rate` or `above`"),
        );
    }
}
