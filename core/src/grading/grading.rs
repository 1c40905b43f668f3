//! Attempts in, a report out: the correlator and the grader in a row.

use std::sync::Arc;

use super::around::Around;
use super::correlate::{Cost, Ended};
use super::view::Kill;
use super::{Correlator, Criteria, Grader, Missing, Operation, RecordExtent, Report, RuleReport};
use crate::model::Attempt;

/// Grades a record as it is made, or read. Bounded; a report can be had at any time.
#[derive(Clone, Debug)]
pub struct Grading {
    correlator: Correlator,
    grader: Grader,
    attempts: u64,
    /// Of them: the upstream gave no response.
    unanswered: u64,
    /// When the last of them began (µs).
    latest_request: u64,
    around: Around,
    /// Operations that are over and not graded yet: kept for their room.
    ended: Vec<Ended>,
}

impl Grading {
    pub fn new(asked: Criteria) -> Grading {
        Grading {
            correlator: Correlator::new(),
            grader: Grader::new(asked),
            attempts: 0,
            unanswered: 0,
            latest_request: 0,
            around: Around::default(),
            ended: Vec::new(),
        }
    }

    /// Adds an attempt, roughly in the order in which they ended, and gives back the operations that are
    /// over with it: all but those of one attempt that met no trouble. They are graded when it is certain
    /// which calls they are, which may be later.
    pub fn add(&mut self, attempt: impl Into<Arc<Attempt>>) -> Vec<Operation> {
        let attempt = attempt.into();
        self.attempts += 1;
        self.unanswered += u64::from(attempt.is_unanswered());
        self.latest_request = self.latest_request.max(attempt.start);
        self.around.see(&attempt);
        self.correlator.add_to(attempt, &mut self.ended);
        self.grade()
    }

    /// Says that the record has come to `now`, in microseconds on its own clock, although nothing was
    /// sent; returns the operations that [`Grading::add`] would.
    pub fn pass(&mut self, now: u64) -> Vec<Operation> {
        self.correlator.pass_to(now, &mut self.ended);
        self.grade()
    }

    /// Says that all clients are gone for good: they have given up their open operations.
    pub fn clients_gone(&mut self) {
        // Beyond every window, and far from the end of time.
        self.pass(u64::MAX / 2);
    }

    /// Says that the command in which the clients ran was killed at `at`, in microseconds on the record's clock.
    pub fn command_killed(&mut self, at: u64) {
        self.grader.command_killed(Kill { at, latest_request: self.latest_request });
    }

    /// The report so far, operations that may go on included. It costs a copy of the open ones: ask a few
    /// times a second at most. `rules` are the counts of the rules, in file order; `missing` counts the attempts
    /// that were not recorded.
    pub fn report(&self, rules: Vec<RuleReport>, missing: impl Into<Missing>) -> Report {
        self.clone().finish(rules, missing)
    }

    /// The last word. Operations that could still go on are unfinished.
    pub fn finish(mut self, rules: Vec<RuleReport>, missing: impl Into<Missing>) -> Report {
        let correlator = std::mem::take(&mut self.correlator);
        let Cost { evicted, disordered } = correlator.finish_to(&mut self.ended);
        self.grade();
        let (attempts, unanswered) = (self.attempts, self.unanswered);
        self.grader.report(&RecordExtent {
            attempts,
            unanswered,
            around: self.around.report(),
            missing: missing.into(),
            evicted,
            disordered,
            rules,
        })
    }

    fn grade(&mut self) -> Vec<Operation> {
        let mut operations = Vec::new();
        for ended in self.ended.drain(..) {
            match ended {
                Ended::Plain(attempt) => self.grader.see_plain(&attempt),
                Ended::Operation(operation) => {
                    self.grader.see(&operation);
                    operations.push(operation);
                }
                Ended::Told(operation) => operations.push(operation),
                Ended::Late(operation) => self.grader.see(&operation),
            }
        }
        operations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grading::correlate::OPEN_OPERATIONS_OF_A_CLIENT;
    use crate::model::ResponseRecord;

    #[test]
    fn a_report_says_how_many_operations_were_put_away() {
        let mut grading = Grading::new(Criteria::default());
        for at in 0..OPEN_OPERATIONS_OF_A_CLIENT as u64 + 3 {
            let got = ResponseRecord { status: Some(409), ..ResponseRecord::default() };
            let path = format!("/{at}").into();
            grading.add(Attempt {
                id: at,
                start: at,
                end: at,
                method: "PUT".into(),
                path,
                got,
                ..Attempt::default()
            });
        }
        // All of them still wait for their turn.
        assert_eq!(grading.report(Vec::new(), 0).totals.evicted, 3);
        grading.clients_gone();
        assert_eq!(grading.finish(Vec::new(), 0).totals.evicted, 3);
    }
}
