//! One `[[rule]]`, valid.

use std::num::NonZeroU64;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use super::pass::PassFaults;
use super::replies::{Replies, ReplyChoice};
use super::styles::ReplyStyle;
use super::template;
use super::trigger::{Clear, LostResponse, RulePhase, Trigger};
use super::triggers::{Schedule, State};
use crate::matching::{Match, ResponseMatch};
use crate::model::{CheckId, Key, Kind, Phase, Share};

/// One rule: which requests, which of them conflict, and the reply to them.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Unique in its file. Without a `name`, `rule-N` by position (from 1).
    pub name: Arc<str>,
    /// Which requests the rule is about.
    pub requests: Match,
    /// Which of those requests conflict.
    pub trigger: Trigger,
    /// The scope of counters and state.
    pub per: Key,
    /// Where requests and responses carry the version, beside `If-Match` and `ETag`; of the kind `version` only.
    pub version: Option<VersionAt>,
    /// Requests that read the rule's resource, beside GET and HEAD of its path. The rule refuses none of them.
    pub read: Option<ReadSelector>,
    /// The situation played.
    pub kind: Kind,
    /// Which of the upstream's responses become conflicts; in the phases `after` and `lost` only.
    pub upstream_response: Option<ResponseMatch>,
    /// The response to a refused client.
    pub reply: ReplySettings,
    /// Several responses, in the place of `reply`.
    pub replies: Option<Replies>,
    /// Faults of responses that pass, in the place of a refusal.
    pub pass: Option<Box<PassFaults>>,
    /// When the rule is awake, counted from the start of the proxy.
    pub during: Option<During>,
    /// How many conflicts the rule injects in all.
    pub limit: Option<NonZeroU64>,
    /// A rule that is not enabled never matches.
    pub enabled: bool,
    /// The demands on the client under this rule, over the file's `[expect]`.
    pub expect: Expect,
    /// Where the rule stands in its file, in bytes; empty for a rule that was not read.
    pub span: Range<usize>,
}

impl Rule {
    /// When its clients are refused, seen from the upstream.
    pub fn phase(&self) -> Phase {
        self.trigger.counted().map_or(Phase::Before, |counted| counted.phase.phase())
    }

    /// When a conflict ends for its key; `None`: every request is decided on its own, or by state.
    pub fn clear(&self) -> Option<Clear> {
        self.trigger.counted().and_then(|counted| counted.clear)
    }

    /// How long a conflict lasts at most, where the rule says so: by `clear`, by a lock's lease, by `during`.
    /// A client that keeps above a rate is refused for as long as it does.
    pub fn longest_conflict(&self) -> Option<Duration> {
        let cleared = self.clear().and_then(Clear::length);
        let leased = match &self.trigger {
            Trigger::On(state) => match **state {
                State::Locked { lease, .. } => Some(lease),
                _ => None,
            },
            Trigger::Counted(_) => None,
        };
        let awake = self.during.and_then(|during| during.length);
        [cleared, leased, awake].into_iter().flatten().min()
    }

    /// Whether at each conflict the rule knows when it ends.
    pub fn knows_its_end(&self) -> bool {
        matches!(self.trigger.schedule(), Some(Schedule::Above(_))) || self.longest_conflict().is_some()
    }

    /// Whether a response shows the resource's newest representation.
    pub fn shows_current(&self) -> bool {
        self.responses().any(|reply| {
            let body = match &reply.body {
                ReplyBody::Text { text, .. } => template::shows_current(text),
                ReplyBody::Style(_) => false,
            };
            let in_headers =
                |(_, value): &(HeaderName, HeaderValue)| value.to_str().is_ok_and(template::shows_current);
            body || reply.headers.iter().any(in_headers)
        })
    }

    /// The position in `replies` that stands for `reply` where there are no `replies`.
    const ONLY: usize = usize::MAX;

    /// Each response that a refused client may get.
    pub fn responses(&self) -> impl Iterator<Item = &ReplySettings> {
        let choices = self.replies.as_ref().map(Replies::choices);
        let only = Some(&self.reply).filter(|_| choices.is_none() && !self.withholds(None));
        only.into_iter().chain(choices.into_iter().flatten().filter_map(ReplyChoice::settings))
    }

    /// The response at this position of `replies`; without one, the only response.
    pub fn response_at(&self, choice: Option<usize>) -> &ReplySettings {
        let choices = self.replies.as_ref().map(Replies::choices).unwrap_or_default();
        choices.get(choice.unwrap_or(Rule::ONLY)).and_then(ReplyChoice::settings).unwrap_or(&self.reply)
    }

    /// Whether a conflict with the response at this position of `replies` withholds the response.
    pub fn withholds(&self, choice: Option<usize>) -> bool {
        let choices = self.replies.as_ref().map(Replies::choices).unwrap_or_default();
        match choice.and_then(|choice| choices.get(choice)) {
            Some(choice) => *choice == ReplyChoice::Withhold,
            None => {
                let phase = self.trigger.counted().map(|counted| counted.phase);
                phase == Some(RulePhase::Lost(LostResponse::Closed))
            }
        }
    }
}

/// `read = { method, path, body }`: requests that read a rule's resource.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadSelector {
    /// Without a path of its own: on the rule's path and host.
    pub requests: Match,
    /// Whether every part of the rule's `per` can be found in them. Without it, one of them is a reading of
    /// every resource that the rule has refused to its client.
    pub names_key: bool,
}

/// `version = "body:/rev"`, or `version = { request = …, response = … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionAt {
    pub request: VersionSource,
    /// The first that a response has counts. Empty: the places where APIs usually put a version.
    pub responses: Vec<VersionSource>,
}

/// One place of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionSource {
    Header(HeaderName),
    Query(Box<str>),
    /// A JSON pointer.
    Body(Box<str>),
}

/// When a rule is awake, counted from the start of the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct During {
    /// Asleep before this. Default 0.
    pub after: Duration,
    /// Awake for this long; `None`: to the end.
    pub length: Option<Duration>,
    /// Wakes again each time this has passed since `after`; longer than `length`.
    pub every: Option<Duration>,
}

/// The response to a refused client.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplySettings {
    /// Default 409.
    pub status: StatusCode,
    pub body: ReplyBody,
    /// Sent over those of the style; values may hold placeholders.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub retry_after: Option<RetryAfterSetting>,
    /// Up to this much is added to `retry_after`, drawn per (seed, rule, key, n).
    pub retry_after_jitter: Duration,
    pub delay: Delay,
}

impl Default for ReplySettings {
    /// A problem document with status 409.
    fn default() -> ReplySettings {
        ReplySettings {
            status: StatusCode::CONFLICT,
            body: ReplyBody::Style(ReplyStyle::default()),
            headers: Vec::new(),
            retry_after: None,
            retry_after_jitter: Duration::ZERO,
            delay: Duration::ZERO,
        }
    }
}

/// Waited before the response is sent.
pub type Delay = Duration;

/// The source of the response's body.
#[derive(Clone, Debug, PartialEq)]
pub enum ReplyBody {
    /// An API's own shape.
    Style(ReplyStyle),
    /// The file's own text, from `body` or read from `body_file`, with placeholders. The style
    /// lends it the content type.
    Text { text: Arc<str>, style: ReplyStyle },
}

/// `Retry-After`, in whole seconds or as a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfterSetting {
    Seconds(WaitLength),
    Date(WaitLength),
}

impl RetryAfterSetting {
    pub fn length(self) -> WaitLength {
        let (RetryAfterSetting::Seconds(length) | RetryAfterSetting::Date(length)) = self;
        length
    }
}

/// How long a client is told to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitLength {
    Fixed(Duration),
    /// As long as the conflict lasts.
    Remaining,
}

/// `[expect]`: the demands on the client. `None`: nothing is asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    pub max_tries: Option<NonZeroU64>,
    pub min_gap: Option<Duration>,
    pub backoff: Option<bool>,
    pub jitter: Option<bool>,
    pub retry_after: Option<bool>,
    pub refetch: Option<bool>,
    pub new_version: Option<bool>,
    pub same_key: Option<bool>,
    pub recovered: Option<Share>,
    /// At least 1.
    pub amplification: Option<f64>,
    pub no_retry: Option<bool>,
    /// So many conflicts at least are injected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fired: Option<NonZeroU64>,
    /// `R1 = "off"` …: the grade of a check's failure.
    pub checks: Vec<(CheckId, Grade)>,
}

/// The grade of a failed check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    Off,
    Warn,
    Fail,
}
