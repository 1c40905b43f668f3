//! `replies`: several responses of one rule.

use toml::de::DeValue;

use super::Reader;
use super::fields::{Fields, GivenKey};
use crate::model::Phase;
use crate::rules::keys::REPLIES;
use crate::rules::template::TemplateScope;
use crate::rules::{Code, Diagnostic, LostResponse, MOST_REPLIES, Replies, ReplyChoice};

impl Reader<'_> {
    /// `replies` of a rule in `phase`, whose texts may hold the placeholders of `scope`.
    pub fn replies(&mut self, rule: &mut Fields, phase: Phase, scope: TemplateScope<'_>) -> Option<Replies> {
        let given = rule.take("replies")?;
        if let Some(reply) = rule.key_span("reply") {
            let title = "`reply` and `replies` are both the responses to refused clients";
            let mistake = Diagnostic::error(Code::NotTogether, title);
            self.report(mistake.at(given.key.clone(), "leave one of them out").also(reply, "the other one"));
        }
        let DeValue::Array(items) = given.value.get_ref() else {
            self.wrong_type(&given);
            return None;
        };
        if items.is_empty() || items.len() > MOST_REPLIES {
            let title = format!("`replies` is a list of 1 to {MOST_REPLIES} tables");
            let label = format!("this is one of {}", items.len());
            let mistake = Diagnostic::error(Code::OutOfRange, title).at(given.span(), label);
            self.report(mistake.help(given.entry.for_example()));
            return None;
        }
        let read: Vec<_> =
            items.iter().filter_map(|item| self.one_of_several(&given.item(item), phase, scope)).collect();
        if read.len() < items.len() {
            return None;
        }
        let (choices, weights): (Vec<ReplyChoice>, Vec<Option<u32>>) = read.into_iter().unzip();
        if choices.iter().all(|choice| *choice == ReplyChoice::Pass) {
            let title = "a rule whose `replies` all pass refuses no request";
            let mistake = Diagnostic::error(Code::NotTogether, title).at(given.key.clone(), "add a response");
            self.report(mistake.help(given.entry.for_example()));
            return None;
        }
        let is_drawn = weights.iter().any(Option::is_some);
        let unweighted = items.iter().zip(&weights).filter(|(_, weight)| is_drawn && weight.is_none());
        for (item, _) in unweighted {
            let title = "a reply without `weight` beside others with one is never taken";
            let warning = Diagnostic::warning(Code::NoEffect, title).at(item.span(), "changes nothing");
            self.report(warning.help("give each of them a `weight`, or none for taking them in turn"));
        }
        let weights: Vec<u32> = weights.into_iter().map(Option::unwrap_or_default).collect();
        let replies = Replies::new(choices, is_drawn.then_some(weights));
        if replies.is_none() {
            let title = "of `replies` with weights, one at least is more than 0";
            let mistake = Diagnostic::error(Code::OutOfRange, title);
            self.report(mistake.at(given.key.clone(), "none of these could be taken"));
        }
        replies
    }

    fn one_of_several(
        &mut self,
        item: &GivenKey,
        phase: Phase,
        scope: TemplateScope<'_>,
    ) -> Option<(ReplyChoice, Option<u32>)> {
        let mut fields = self.fields(item, &REPLIES)?;
        let weight = fields.take("weight").and_then(|given| self.integer(&given));
        let weight = weight.map(|weight| u32::try_from(weight).unwrap_or(u32::MAX));
        let pass = fields.take("pass");
        let passes = pass.as_ref().and_then(|given| self.boolean(given)).unwrap_or(false);
        let choice = if passes {
            self.nothing_beside_pass(&mut fields, pass.map(|pass| pass.key));
            ReplyChoice::Pass
        } else {
            match self.reply_of(&mut fields, phase, scope) {
                (_, LostResponse::Closed) if phase == Phase::Lost => ReplyChoice::Withhold,
                (reply, _) => ReplyChoice::Respond(reply),
            }
        };
        fields.finish(self);
        Some((choice, weight))
    }

    /// A request that passes gets the upstream's response, so that nothing else of the reply matters.
    fn nothing_beside_pass(&mut self, fields: &mut Fields, pass: Option<std::ops::Range<usize>>) {
        let others: Vec<&'static str> = REPLIES
            .entries()
            .map(|entry| entry.name)
            .filter(|name| !matches!(*name, "weight" | "pass"))
            .collect();
        for name in others {
            let Some(given) = fields.take(name) else { continue };
            let title =
                format!("a reply that passes has no `{name}`: the client gets the upstream's response");
            let mistake = Diagnostic::error(Code::NotTogether, title).at(given.key, "leave one of them out");
            self.report(match &pass {
                Some(pass) => mistake.also(pass.clone(), "the other one"),
                None => mistake,
            });
        }
    }
}
