//! Responses with the upstream's own origin in their bodies, by the clients that got them.

use smol_str::SmolStr;

use super::AroundReport;
use crate::model::Attempt;

/// Counts them. Bounded: there are [`AroundReport::MOST`] clients, and all others.
#[derive(Clone, Debug, Default)]
pub struct Around(Vec<(SmolStr, u64)>);

impl AroundReport {
    /// Clients that are told apart.
    pub const MOST: usize = 32;
}

/// Clients for which there is no place.
const OTHERS: &str = "(all others)";

impl Around {
    pub fn see(&mut self, attempt: &Attempt) {
        if !attempt.got.names_upstream {
            return;
        }
        let agent = attempt.agent.as_deref().unwrap_or("-");
        let is_known = self.0.iter().any(|(known, _)| known == agent);
        let agent = if is_known || self.0.len() + 1 < AroundReport::MOST { agent } else { OTHERS };
        match self.0.iter_mut().find(|(known, _)| known == agent) {
            Some((_, responses)) => *responses += 1,
            None => self.0.push((agent.into(), 1)),
        }
    }

    /// Those with the most responses first.
    pub fn report(&self) -> Vec<AroundReport> {
        let line = |(agent, responses): &(SmolStr, u64)| AroundReport {
            agent: agent.to_string(),
            responses: *responses,
        };
        let mut lines: Vec<AroundReport> = self.0.iter().map(line).collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.responses));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(agent: Option<&str>, names_upstream: bool) -> Attempt {
        let mut attempt = Attempt { agent: agent.map(Into::into), ..Attempt::default() };
        attempt.got.names_upstream = names_upstream;
        attempt
    }

    #[test]
    fn responses_are_counted_by_client_and_the_clients_are_bounded() {
        let mut around = Around::default();
        for (agent, names_upstream) in
            [(Some("a/1"), true), (None, true), (Some("a/1"), true), (Some("b/1"), false)]
        {
            around.see(&attempt(agent, names_upstream));
        }
        let lines: Vec<_> = around.report().into_iter().map(|line| (line.agent, line.responses)).collect();
        assert_eq!(lines, [("a/1".to_owned(), 2), ("-".to_owned(), 1)]);
        for number in 0..100 {
            around.see(&attempt(Some(&format!("c/{number}")), true));
        }
        let lines = around.report();
        assert_eq!(
            (lines.len(), lines.iter().map(|line| line.responses).sum::<u64>()),
            (AroundReport::MOST, 103)
        );
        assert_eq!(lines[0].agent, OTHERS);
    }
}
