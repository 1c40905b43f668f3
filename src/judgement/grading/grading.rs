//! Attempts in, a report out: the correlator and the grader in a row.

use super::{Asked, Correlator, Grader, Operation, Record, Report, RuleReport};
use crate::words::Attempt;

/// Grades a record as it is made, or read. Bounded; a report can be had at any time.
#[derive(Clone, Debug)]
pub struct Grading {
    correlator: Correlator,
    grader: Grader,
    attempts: u64,
}

impl Grading {
    pub fn new(asked: Asked) -> Grading {
        Grading { correlator: Correlator::new(), grader: Grader::new(asked), attempts: 0 }
    }

    /// Adds an attempt, roughly in the order in which they ended, and gives back the operations that are
    /// over with it, graded.
    pub fn add(&mut self, attempt: Attempt) -> Vec<Operation> {
        self.attempts += 1;
        let over = self.correlator.add(attempt);
        over.iter().for_each(|operation| self.grader.see(operation));
        over
    }

    /// Says that the record has come to `now`, in microseconds on its own clock, although nothing was
    /// sent; gives back the operations that are over by now, graded.
    pub fn pass(&mut self, now: u64) -> Vec<Operation> {
        let over = self.correlator.pass(now);
        over.iter().for_each(|operation| self.grader.see(operation));
        over
    }

    /// Says that whoever was a client is gone for good: what is open, it has given up.
    pub fn clients_gone(&mut self) {
        // Beyond every window, and far from the end of time.
        self.pass(u64::MAX / 2);
    }

    /// How things stand, operations that may go on included. It costs a copy of what is open: ask a few
    /// times a second at most. `rules` is what the rules did, in file order; `dropped` counts attempts
    /// that were not recorded.
    pub fn report(&self, rules: Vec<RuleReport>, dropped: u64) -> Report {
        self.clone().finish(rules, dropped)
    }

    /// The last word. Operations that could still go on are unfinished.
    pub fn finish(mut self, rules: Vec<RuleReport>, dropped: u64) -> Report {
        let (rest, evicted) = self.correlator.finish_counting();
        rest.iter().for_each(|operation| self.grader.see(operation));
        self.grader.report(&Record { attempts: self.attempts, dropped, evicted, rules })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::grading::correlate::OPEN_OPERATIONS_OF_A_CLIENT;
    use crate::words::Got;

    #[test]
    fn a_report_says_how_many_operations_were_put_away() {
        let mut grading = Grading::new(Asked::default());
        for at in 0..OPEN_OPERATIONS_OF_A_CLIENT as u64 + 3 {
            let got = Got { status: Some(409), ..Got::default() };
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
