//! What is measured of one class of clients within one scope: a bounded sum per check.

use super::super::view::View;
use super::amplification::Amplification;
use super::applied::{Applied, Lost, Unsafe};
use super::herd::Crowd;
use super::keys::Keys;
use super::nesting::Nesting;
use super::next_move::NextMoves;
use super::retry_after::Waits;
use super::terminal::Terminal;
use super::tries::Tries;
use super::version::Versions;
use super::waiting::Waiting;
use crate::model::Attempt;

/// The measures of every check. Each is a sum: the order of operations does not matter.
#[derive(Clone, Debug, Default)]
pub(in crate::grading) struct Tally {
    pub next_moves: NextMoves,
    pub versions: Versions,
    pub keys: Keys,
    pub retry_after: Waits,
    pub waiting: Waiting,
    pub tries: Tries,
    pub amplification: Amplification,
    pub nesting: Nesting,
    pub crowd: Crowd,
    pub applied: Applied,
    pub lost: Lost,
    pub unsafe_replays: Unsafe,
    pub terminal: Terminal,
    /// Operations of which not every try was kept.
    pub unkept: u64,
}

impl Tally {
    /// Adds what of an operation is in this tally's scope.
    pub fn see(&mut self, view: &View<'_>) {
        self.amplification.see(view);
        self.applied.see(view);
        if view.steps.is_empty() {
            return;
        }
        self.unkept += u64::from(view.operation.count > view.operation.tries.len() as u64);
        self.next_moves.see(view);
        self.versions.see(view);
        self.keys.see(view);
        self.retry_after.see(view);
        self.waiting.see(view);
        self.tries.see(view);
        self.nesting.see(view);
        self.crowd.see(view);
        self.lost.see(view);
        self.unsafe_replays.see(view);
        self.terminal.see(view);
    }

    /// As [`Tally::see`], of an operation of one attempt that met no trouble.
    pub fn see_plain(&mut self, attempt: &Attempt) {
        self.amplification.see_plain(attempt);
        self.applied.see_plain(attempt);
    }

    /// Adds that of a class none of whose operations met trouble.
    pub fn add_idle(&mut self, other: &Tally) {
        self.amplification.merge(&other.amplification);
        self.applied.merge(&other.applied);
    }

    /// Every operation that a finding could name.
    pub fn evidence(&self) -> impl Iterator<Item = u64> {
        [
            &self.next_moves.evidence,
            &self.versions.not_reread.evidence,
            &self.versions.not_newest.evidence,
            &self.versions.not_new.evidence,
            &self.keys.evidence,
            &self.retry_after.evidence,
            &self.waiting.immediate,
            &self.waiting.any,
            &self.waiting.shortest.evidence,
            &self.tries.most.evidence,
            &self.tries.endless,
            &self.tries.slowest.evidence,
            &self.tries.retried.evidence,
            &self.tries.gave_up.evidence,
            &self.amplification.evidence,
            &self.nesting.evidence,
            &self.crowd.evidence,
            &self.applied.evidence,
            &self.lost.evidence,
            &self.unsafe_replays.evidence,
            &self.terminal.evidence,
        ]
        .into_iter()
        .flat_map(super::Evidence::ids)
    }
}
