//! The checks, R1 to R17: one table, and one file per family. A check measures within a [`Tally`] and
//! judges what it measured; docs/GRADING.md explains each under its anchor.

pub(super) mod amplification;
pub(super) mod applied;
mod bounds;
mod evidence;
pub(super) mod herd;
pub(super) mod keys;
pub(super) mod nesting;
pub(super) mod next_move;
pub(super) mod retry_after;
pub(super) mod tally;
pub(super) mod terminal;
pub(super) mod tries;
pub(super) mod version;
pub(super) mod waiting;
mod words;

pub(super) use evidence::{Evidence, Extreme, Marks};
pub(super) use words::{of, wait};

use super::checks::tally::Tally;
use super::{CheckId, Verdict};
use crate::rules::ReplyStyle;

/// One check. To add one: a line in [`CHECKS`], its measure in `Tally`, its section in docs/GRADING.md.
pub struct Check {
    pub id: CheckId,
    /// What a client that passes does, in at most 40 characters.
    pub title: &'static str,
    /// Its section in docs/GRADING.md; never changes.
    pub anchor: &'static str,
    /// What it asks and why, in one sentence without figures.
    pub why: &'static str,
    judge: fn(&Tally, &Class) -> Option<Judged>,
}

/// What checks know of a class of clients beside its operations.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    /// Distinct clients.
    pub clients: u64,
    /// It is all products for which there was no place of their own.
    pub is_mixed: bool,
    /// Some operations of this product, which met no trouble, are counted elsewhere.
    pub is_partial: bool,
    /// What its product speaks, where that is known: the reply style that it can read.
    pub speaks: Option<ReplyStyle>,
    /// The reply style of the rule in question, where it is one rule.
    pub answered: Option<ReplyStyle>,
    /// Where the rules in question say that requests have their versions.
    pub version_places: Vec<Box<str>>,
    /// Whether each of them says which requests read.
    pub names_reads: bool,
}

/// A check's word, before the file says what it means.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Judged {
    pub verdict: Verdict,
    pub measured: String,
    pub number: Option<Number>,
    pub advice: Option<String>,
    pub operations: Vec<u64>,
}

/// A measure as a number, and what it was held against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number {
    pub value: f64,
    pub limit: f64,
    pub unit: &'static str,
}

/// R`number`; a number beyond the last does not compile.
#[expect(clippy::panic, reason = "only while compiling")]
const fn id(number: u8) -> CheckId {
    match CheckId::new(number) {
        Some(id) => id,
        None => panic!("no such check"),
    }
}

macro_rules! checks {
    ($($id:literal $title:literal $anchor:literal $judge:path, $why:literal;)*) => {
        /// Every check, by id.
        pub const CHECKS: &[Check] =
            &[$(Check { id: id($id), title: $title, anchor: $anchor, why: $why, judge: $judge },)*];
    };
}

checks! {
     1 "makes the right move after a conflict" "r1-next-move"         next_move::judge,
        "Each kind of conflict has a right next move; the wrong one cannot succeed, or overwrites what \
         somebody else wrote.";
     2 "reads again before it writes again"         "r2-refetch"           version::refetch,
        "After a version conflict, only a new read says what changed; writing again without one loses that \
         change or is refused again.";
     3 "writes with the newest version"             "r3-newest-version"    version::newest,
        "A write must name the version that it was made from; an older one is refused again, and none at all \
         overwrites blindly.";
     4 "keeps one idempotency key per operation"    "r4-key-stability"     keys::judge,
        "A server knows a retry by its idempotency key; another key on the same request is a second order.";
     5 "waits as long as Retry-After says"          "r5-retry-after"       retry_after::judge,
        "The server says when it is ready; to come back earlier costs both sides a request and wins \
         nothing.";
     6 "does not retry at once again and again"     "r6-immediate-retries" waiting::immediate,
        "Retries without a wait meet the same conflict, and load the server when it can least bear it.";
     7 "waits longer from try to try"               "r7-growth"            waiting::growth,
        "A wait that grows gives a conflict that lasts the time to pass, with few requests.";
     8 "varies its waits by chance"                 "r8-jitter"            waiting::jitter,
        "Clients that all wait equally long meet again; a random part of the wait parts them.";
     9 "stops after a few tries"                    "r9-tries"             tries::cap,
        "A conflict that outlasts a few tries needs another decision, not one more try.";
    10 "gives up within its time"                   "r10-give-up"          tries::give_up,
        "Whoever called waits too; a deadline over all tries gives them an answer.";
    11 "sends few requests per operation"           "r11-amplification"    amplification::judge,
        "The more requests a refused operation costs, the worse every overload becomes.";
    12 "does not nest one retry loop in another"    "r12-nested-retries"   nesting::judge,
        "Loops within loops multiply their tries; one layer should retry, and the others pass the failure \
         on.";
    13 "does not come back as one herd"             "r13-herd"             herd::judge,
        "Clients that were refused together and come back together are refused together again.";
    14 "has no write applied twice"                 "r14-duplicates"       applied::duplicates,
        "A write that is sent again after a lost answer may happen twice, unless a key or a version prevents \
         it.";
    15 "finds out about a lost answer"              "r15-lost-answer"      applied::lost,
        "A write whose answer was lost may have been applied; a read, a key or a version finds out.";
    16 "replays only what is safe to replay"        "r16-safe-methods"     applied::unsafe_replays,
        "A POST or PATCH that may have been applied must not be sent again, unless a key or a version makes \
         that harmless.";
    17 "stops where no retry can help"              "r17-terminal"         terminal::judge,
        "What is taken stays taken; the same request again gets the same answer.";
}

impl Check {
    /// The check of an id, if there is one.
    pub fn of(id: CheckId) -> Option<&'static Check> {
        CHECKS.iter().find(|check| check.id == id)
    }

    /// The check's word on a tally; `None` where there was nothing for it to look at.
    pub(super) fn judge(&self, tally: &Tally, class: &Class) -> Option<Judged> {
        (self.judge)(tally, class).map(|judged| bounds::hold(self.id.number(), judged, tally, class))
    }
}

impl Judged {
    pub fn new(verdict: Verdict, measured: impl Into<String>) -> Judged {
        Judged { verdict, measured: measured.into(), number: None, advice: None, operations: Vec::new() }
    }

    pub fn pass(measured: impl Into<String>) -> Judged {
        Judged::new(Verdict::Pass, measured)
    }

    pub fn warn(measured: impl Into<String>) -> Judged {
        Judged::new(Verdict::Warn, measured)
    }

    pub fn fail(measured: impl Into<String>) -> Judged {
        Judged::new(Verdict::Fail, measured)
    }

    /// `settle`: what would settle it.
    pub fn undetermined(measured: impl Into<String>, settle: impl Into<String>) -> Judged {
        Judged::new(Verdict::Undetermined, measured).advice(settle)
    }

    pub fn number(mut self, value: f64, limit: f64, unit: &'static str) -> Judged {
        self.number = Some(Number { value, limit, unit });
        self
    }

    pub fn advice(mut self, advice: impl Into<String>) -> Judged {
        self.advice = Some(advice.into());
        self
    }

    pub fn shown_by(mut self, evidence: &Evidence) -> Judged {
        self.operations = evidence.ids().collect();
        self
    }
}

/// What would settle whether other requests to the same path read the resource.
pub(super) const WHICH_READ: &str =
    "say which requests read, in the rule: `read = { method = \"POST\", body = { … } }`";

/// What would settle what an ambiguous record cannot.
pub(super) const AMBIGUOUS: &str = "give each call a body or an idempotency key of its own, so that its tries can be \
                                    told from those of others";
