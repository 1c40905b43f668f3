//! `upstream_response`: which of the upstream's responses become conflicts.

use http::StatusCode;
use toml::de::DeValue;

use super::Reader;
use super::fields::{Fields, GivenKey};
use crate::matching::{ResponseMatch, StatusMatch};
use crate::model::Phase;
use crate::rules::keys::UPSTREAM_RESPONSE;
use crate::rules::{Code, Diagnostic};

impl Reader<'_> {
    /// `upstream_response` of a rule in `phase`.
    pub fn upstream_response(&mut self, rule: &mut Fields, phase: Phase) -> Option<ResponseMatch> {
        let given = rule.take("upstream_response")?;
        let mut fields = self.fields(&given, &UPSTREAM_RESPONSE)?;
        let is_empty = fields.is_empty();
        let statuses = fields.take("status").map(|given| self.statuses(&given)).unwrap_or_default();
        let headers = fields.take("header").map(|given| self.header_patterns(&given)).unwrap_or_default();
        let body = fields.take("body").map(|given| self.body_conditions(&given)).unwrap_or_default();
        fields.finish(self);
        if let Some(on) = rule.key_span("on") {
            let title =
                "`upstream_response` does not go with `on`, which decides before the upstream is asked";
            let mistake = Diagnostic::error(Code::NotTogether, title).at(given.key, "leave this out");
            self.report(mistake.also(on, "because of this"));
            return None;
        }
        if is_empty {
            let title = "an empty `upstream_response` is any that accepts the request";
            let warning = Diagnostic::warning(Code::NoEffect, title).at(given.key.clone(), "changes nothing");
            self.report(warning.help(given.entry.for_example()));
        }
        if phase == Phase::Before {
            let label = "the rule decides before there is a response";
            self.report(match rule.value_span("phase") {
                Some(phase) => {
                    let title = "a rule with `upstream_response` and `phase = \"before\"` never fires";
                    let warning = Diagnostic::warning(Code::NoEffect, title).at(given.key, label);
                    warning.also(phase, "this phase").help("write `phase = \"after\"`, or `phase = \"lost\"`")
                }
                None => {
                    let title = "a rule with `upstream_response` and without `phase` never fires";
                    let warning = Diagnostic::warning(Code::NoEffect, title).at(given.key, label);
                    warning.help("write `phase = \"after\"`, or `phase = \"lost\"`, beside it")
                }
            });
        }
        Some(ResponseMatch { statuses, headers, body })
    }

    fn statuses(&mut self, given: &GivenKey) -> Vec<StatusMatch> {
        let DeValue::Array(items) = given.value.get_ref() else {
            return self.upstream_status(given).into_iter().collect();
        };
        if items.is_empty() {
            let title = "`status` is a status, or a list of such";
            let mistake = Diagnostic::error(Code::OutOfRange, title);
            self.report(mistake.at(given.span(), "a list of nothing fits no response"));
        }
        items.iter().filter_map(|item| self.upstream_status(&given.item(item))).collect()
    }

    fn upstream_status(&mut self, given: &GivenKey) -> Option<StatusMatch> {
        let read = match given.value.get_ref() {
            DeValue::Integer(number) => number
                .as_str()
                .parse()
                .ok()
                .filter(|number| (200..=599).contains(number))
                .and_then(|number| StatusCode::from_u16(number).ok())
                .map(StatusMatch::Is),
            DeValue::String(text) => StatusMatch::class(text),
            _ => {
                self.wrong_type(given);
                return None;
            }
        };
        if read.is_none() {
            let title = "`status` of `upstream_response` is a final status, from 200 to 599, or a class";
            let mistake = Diagnostic::error(Code::BadStatus, title);
            self.report(mistake.at(given.span(), "no upstream responds so").help(given.entry.for_example()));
        }
        read
    }
}
