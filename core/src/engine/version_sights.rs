//! Where a rule has seen versions: it says which place was empty when it never learned one.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::state::Carried;
use crate::model::Facts;
use crate::rules::{Rule, State, Trigger, VersionSource};

/// How often a rule with `on = "stale"` has looked for a version, and found one.
#[derive(Debug, Default)]
pub struct VersionSights {
    sent: AtomicU64,
    shown: AtomicU64,
    not_shown: AtomicU64,
}

impl VersionSights {
    /// A request carries a version.
    pub fn see_sent(&self) {
        self.sent.fetch_add(1, Relaxed);
    }

    /// The upstream accepted a request; whether its response shows a version.
    pub fn see_response(&self, is_shown: bool) {
        if is_shown { &self.shown } else { &self.not_shown }.fetch_add(1, Relaxed);
    }

    /// Whether a response has shown a version.
    pub fn are_shown(&self) -> bool {
        self.shown.load(Relaxed) > 0
    }

    /// The places without a version in all requests or responses so far; `None` where both have had one.
    pub fn empty_places(&self, rule: &Rule) -> Option<String> {
        rule.learns_versions().then_some(())?;
        let looked = self.not_shown.load(Relaxed);
        let shown = match (self.are_shown(), looked) {
            (true, _) => None,
            (false, 0) => Some("no accepted response was there to learn a version from".to_owned()),
            (false, 1) => Some(format!("the one response showed no version in {}", rule.version_shown_in())),
            (false, _) => {
                Some(format!("none of {looked} responses showed a version in {}", rule.version_shown_in()))
            }
        };
        let is_sent = self.sent.load(Relaxed) > 0;
        let sent = (!is_sent).then(|| format!("no request carried a version in {}", rule.version_sent_in()));
        let empty: Vec<String> = [shown, sent].into_iter().flatten().collect();
        (!empty.is_empty()).then(|| empty.join(", and "))
    }
}

impl Rule {
    /// Whether it judges requests by the newest version, which it learns from responses.
    pub fn learns_versions(&self) -> bool {
        matches!(&self.trigger, Trigger::On(state) if matches!(**state, State::Stale { .. }))
    }

    /// Whether a request carries a version.
    pub fn carries_version(&self, facts: &Facts<'_>) -> bool {
        Carried::by(facts, self.version_at()) != Carried::Nothing
    }

    /// Where requests carry the version, in words.
    pub fn version_sent_in(&self) -> String {
        match self.version_at() {
            Some(at) => at.request.to_string(),
            None => "If-Match or If-Unmodified-Since".to_owned(),
        }
    }

    /// Where responses show the version, in words.
    pub fn version_shown_in(&self) -> String {
        match self.version_at() {
            Some(at) if at.responses.is_empty() => at.request.to_string(),
            Some(at) => at.responses.iter().map(VersionSource::to_string).collect::<Vec<_>>().join(" or "),
            None => "a strong ETag or Last-Modified".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{BodyFileError, read};

    #[test]
    fn the_empty_place_is_named() {
        let rule = |keys: &str| {
            let text = format!("[[rule]]\n{keys}\n");
            let accepted = read("rules.toml", &text, &|_| Err(BodyFileError::Missing));
            accepted.unwrap_or_else(|mistakes| panic!("{mistakes}")).config.rules.remove(0)
        };
        let gcs = rule(
            "on = \"stale\"\nversion = { request = \"query:ifGenerationMatch\", response = [\"body:/generation\", \"header:x-goog-generation\"] }",
        );
        let sights = VersionSights::default();
        assert_eq!(
            sights.empty_places(&gcs).as_deref(),
            Some(
                "no accepted response was there to learn a version from, and no request carried a version in query:ifGenerationMatch"
            )
        );
        sights.see_sent();
        sights.see_response(false);
        sights.see_response(false);
        assert_eq!(
            sights.empty_places(&gcs).as_deref(),
            Some("none of 2 responses showed a version in body:/generation or header:x-goog-generation")
        );
        sights.see_response(true);
        assert_eq!(sights.empty_places(&gcs), None);
        let sights = VersionSights::default();
        sights.see_response(true);
        let usual = rule("on = \"stale\"");
        assert_eq!(
            sights.empty_places(&usual).as_deref(),
            Some("no request carried a version in If-Match or If-Unmodified-Since")
        );
        assert_eq!(sights.empty_places(&rule("first = 1")), None);
    }
}
