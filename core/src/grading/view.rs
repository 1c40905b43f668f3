//! An operation as the checks look at it: each refusal, and the client's next step.

use std::time::Duration;

use super::{Link, Operation, OperationOutcome, ReadBetween, Sight, Try};
use crate::engine::http_date;
use crate::model::{Attempt, InjectedConflict, Kind, Phase, Version, VersionPlace};

/// One operation, and which of its refusals are looked at.
pub(super) struct View<'o> {
    pub operation: &'o Operation,
    /// In order, those of the scope.
    pub steps: Vec<RefusalStep<'o>>,
    /// Some of its attempts could belong to another operation: too little to accuse a client by.
    pub is_ambiguous: bool,
    /// They are those of one call, but whose waits lie between them is not certain.
    pub has_unclear_waits: bool,
    /// If the command was killed that the clients ran in.
    pub killed: Option<Kill>,
}

/// The end of a command that did not come to its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kill {
    /// When it was killed (µs).
    pub at: u64,
    /// When the last request of all clients began (µs).
    pub latest_request: u64,
}

/// A refusal, and the client's next step.
#[derive(Clone, Copy)]
pub(super) struct RefusalStep<'o> {
    /// Which retry follows, from 1.
    pub retry: usize,
    pub refused: &'o Try,
    pub next: Next<'o>,
    /// The situation: the kind that the rule played, or an upstream's own conflict of versions.
    pub kind: Option<Kind>,
    /// Whether the client may have read the resource since, by a request that nothing calls a reading.
    pub may_have_read: bool,
    /// Whether the client changed something else in the meantime.
    pub elsewhere: Elsewhere,
}

/// The client's next step after a refusal.
#[derive(Clone, Copy)]
pub(super) enum Next<'o> {
    Tried(&'o Try),
    Stopped,
    /// The record ends too early, or does not hold it.
    Unknown,
}

/// Whether the client had other requests between a refusal and the next try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Elsewhere {
    /// It wrote to something else, successfully.
    pub wrote: bool,
    /// Any request at all.
    pub asked: bool,
    /// Some of the client's activity since then is not remembered.
    pub is_forgotten: bool,
}

/// Which part of the record a tally is about.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scope {
    All,
    /// Refusals of this rule.
    Rule(Box<str>),
    /// Refusals of none of these rules.
    Except(Vec<Box<str>>),
}

impl<'o> View<'o> {
    /// All of an operation. `elsewhere` gives its client's activity between two moments (µs), and `names_read`
    /// tells whether a rule says which requests read, so that no other does.
    pub fn new(
        operation: &'o Operation,
        elsewhere: impl Fn(u64, u64) -> Elsewhere,
        names_read: impl Fn(&str) -> bool,
    ) -> View<'o> {
        // Of a long operation the first tries and the last are kept: in between is a hole.
        let unkept = operation.count.saturating_sub(operation.tries.len() as u64) as usize;
        let is_next = |one: &Attempt, next: &Try| {
            unkept == 0
                || next.gap.is_some_and(|gap| {
                    gap.as_micros() == u128::from(next.attempt.start.saturating_sub(one.end))
                })
        };
        let mut before_hole = true;
        let mut steps = Vec::new();
        for (at, refused) in operation.tries.iter().enumerate() {
            if !is_refused(&refused.attempt) {
                continue;
            }
            let next = match operation.tries.get(at + 1) {
                Some(next) if before_hole && !is_next(&refused.attempt, next) && next.gap.is_some() => {
                    before_hole = false;
                    Next::Unknown
                }
                Some(next) if next.gap.is_some() => Next::Tried(next),
                // Concurrent: sent before this response was known.
                Some(_) => continue,
                None if operation.outcome == OperationOutcome::GaveUp => Next::Stopped,
                None => Next::Unknown,
            };
            let elsewhere = match next {
                Next::Tried(next) => elsewhere(refused.attempt.end, next.attempt.start),
                Next::Stopped | Next::Unknown => Elsewhere::default(),
            };
            let retry = if before_hole { at + 1 } else { at + 1 + unkept };
            let reads: &[ReadBetween] = match next {
                Next::Tried(next) => &next.reads,
                Next::Stopped | Next::Unknown => &operation.reads_after,
            };
            let is_named =
                refused.attempt.conflict.as_ref().is_some_and(|conflict| names_read(&conflict.rule));
            let may_have_read = reads.iter().any(|read| match read.sight {
                Sight::Certain => false,
                Sight::Possible => !is_named,
                Sight::Unlisted => true,
            });
            let kind = kind(&refused.attempt, reads);
            steps.push(RefusalStep { retry, refused, next, kind, may_have_read, elsewhere });
        }
        let has = |link| operation.tries.iter().any(|tried| tried.link == link);
        let is_ambiguous = has(Link::AmbiguousReplay);
        let has_unclear_waits = is_ambiguous || has(Link::SpacedReplay);
        View { operation, steps, is_ambiguous, has_unclear_waits, killed: None }
    }

    /// The part of it that falls into `scope`; `None` for nothing.
    pub fn within(&self, scope: &Scope) -> Option<View<'o>> {
        let is_of =
            |tried: &Try, rule: &str| tried.attempt.conflict.as_ref().is_some_and(|c| &*c.rule == rule);
        let met = |rule: &str| self.operation.tries.iter().any(|tried| is_of(tried, rule));
        let steps = match scope {
            Scope::All => self.steps.clone(),
            Scope::Rule(rule) if met(rule) => {
                self.steps.iter().filter(|step| is_of(step.refused, rule)).copied().collect()
            }
            Scope::Except(rules) if !rules.iter().any(|rule| met(rule)) => self.steps.clone(),
            Scope::Rule(_) | Scope::Except(_) => return None,
        };
        let View { operation, is_ambiguous, has_unclear_waits, killed, .. } = *self;
        Some(View { operation, steps, is_ambiguous, has_unclear_waits, killed })
    }

    /// Refusals after which the client certainly tried the same operation again.
    pub fn retries(&self) -> impl Iterator<Item = Retry<'o>> {
        let sure = !self.is_ambiguous;
        self.steps.iter().filter(move |_| sure).filter_map(|step| match step.next {
            Next::Tried(next) => Some(Retry { step: *step, next, gap: next.gap? }),
            Next::Stopped | Next::Unknown => None,
        })
    }

    pub fn has_ended(&self) -> bool {
        self.operation.outcome != OperationOutcome::Unfinished
    }
}

/// A refusal that was followed by another try.
#[derive(Clone, Copy)]
pub(super) struct Retry<'o> {
    pub step: RefusalStep<'o>,
    pub next: &'o Try,
    pub gap: Duration,
}

impl<'o> Retry<'o> {
    pub fn before(&self) -> &'o Attempt {
        &self.step.refused.attempt
    }

    pub fn after(&self) -> &'o Attempt {
        &self.next.attempt
    }

    pub fn conflict(&self) -> Option<&'o InjectedConflict> {
        self.before().conflict.as_ref()
    }

    /// As [`RefusalStep::kind`].
    pub fn kind(&self) -> Option<Kind> {
        self.step.kind
    }

    /// Whether the client was left without knowing if its request was applied.
    pub fn is_in_the_dark(&self) -> bool {
        match self.conflict() {
            Some(conflict) => conflict.phase == Phase::Lost,
            // 409, 412, 428, 423 and 429 say that nothing was done; so does a refused connection, but
            // the client cannot see from a bare end or a gateway's error.
            None => self.before().got.outcome().is_none_or(|status| status >= 500),
        }
    }

    /// Whether the gap is the client's own choice of a wait between tries of one request: a rewrite by
    /// hand, which only the resource connects to the refused one, is none.
    pub fn is_timed(&self) -> bool {
        match self.next.link {
            Link::Marker | Link::Replay => true,
            Link::Rebase => self.conflict().is_some_and(|conflict| conflict.kind == Kind::Version),
            Link::First | Link::AmbiguousReplay | Link::SpacedReplay => false,
        }
    }

    /// The part of the gap that the client spent without a read of the resource under way.
    pub fn idle(&self) -> Duration {
        let mut reads: Vec<(u64, u64)> = self.next.reads.iter().map(|read| (read.start, read.end)).collect();
        reads.sort_unstable();
        let (from, to) = (self.before().end, self.after().start);
        let (idle, since) = reads.iter().fold((0, from), |(idle, since), &(start, end)| {
            (idle + start.saturating_sub(since), since.max(end))
        });
        Duration::from_micros(idle + to.saturating_sub(since)).min(self.gap)
    }

    /// Whether it read the resource again, or found it gone.
    pub fn has_reread(&self) -> bool {
        self.reads().any(|read| read.status.is_some_and(is_a_view))
    }

    /// The client's certain reads of the resource before.
    pub fn reads(&self) -> impl Iterator<Item = &'o ReadBetween> {
        self.next.reads.iter().filter(|read| read.sight == Sight::Certain)
    }

    /// The same method and target.
    pub fn is_same_request(&self) -> bool {
        let (before, after) = (self.before(), self.after());
        before.method == after.method && before.path == after.path && before.query == after.query
    }

    /// Whether both bodies are the same; `None` when that is not known.
    pub fn is_same_body(&self) -> Option<bool> {
        let (before, after) = (&self.before().sent, &self.after().sent);
        match (before.body, after.body) {
            (Some(before), Some(after)) => Some(before == after),
            _ if before.bytes != after.bytes => Some(false),
            (None, None) if before.bytes == 0 => Some(true),
            _ => None,
        }
    }

    /// The very same request again, as far as is known; its versions and keys may differ.
    pub fn is_replay(&self) -> bool {
        self.is_same_request() && self.is_same_body() == Some(true)
    }
}

/// The situation of a refusal: the kind that a rule played; or, of an upstream's own, a conflict of versions
/// where that is certain. A precondition that failed is one (RFC 9110 §15.5.13), and so is a 409 once another
/// version than the one that was sent has been shown.
fn kind(refused: &Attempt, reads: &[ReadBetween]) -> Option<Kind> {
    if let Some(conflict) = &refused.conflict {
        return Some(conflict.kind);
    }
    let sent = refused.sent.version.as_ref().filter(|sent| bare(sent) != "*" && refused.is_write())?;
    let is_by_header = matches!(sent.place(), VersionPlace::Tag | VersionPlace::Date);
    let reads = reads.iter().filter(|read| read.sight == Sight::Certain).map(|read| &read.shown);
    let shown = std::iter::once(&refused.got.shown).chain(reads).find_map(|shown| shown.at(sent.place()));
    let is_other = shown.map(|shown| !is_same(shown, sent));
    match (refused.upstream_refusal()?, is_other) {
        (409 | 412, Some(true)) => Some(Kind::Version),
        (412, None) if is_by_header => Some(Kind::Version),
        _ => None,
    }
}

/// Whether the client was told no, or nothing.
pub(super) fn is_refused(attempt: &Attempt) -> bool {
    attempt.conflict.is_some() || attempt.got.outcome().is_none_or(|status| status >= 400)
}

/// Whether a response to a GET shows the state of the resource: there, unchanged, or gone.
pub(super) fn is_a_view(status: u16) -> bool {
    matches!(status, 200..=299 | 304 | 404 | 410)
}

/// Whether both are one version: at one place, and the same.
pub(super) fn is_one(one: &Version, other: &Version) -> bool {
    one.place() == other.place() && is_same(one, other)
}

/// Whether two texts at one place mean the same version.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    // Dates may be written in three ways (RFC 9110 §5.6.7).
    let dates = || Some(http_date(one.as_bytes())? == http_date(other.as_bytes())?);
    bare(one) == bare(other) || dates() == Some(true)
}

/// A version without the marks that clients put on and take off: `W/"3"` and `3` mean the same.
pub(super) fn bare(version: &str) -> &str {
    version.trim().trim_start_matches("W/").trim_matches('"')
}
