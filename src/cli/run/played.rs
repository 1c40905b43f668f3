//! How a command ended, and so whether its clients have: open operations are given up only if the clients came to
//! their own end.

use std::process::ExitStatus;

use super::remains::LeftoverProcesses;

/// A command that has ended.
pub struct Played {
    pub status: ExitStatus,
    /// From outside, before its own end.
    pub was_ended: bool,
    pub remains: LeftoverProcesses,
}

impl Played {
    /// Whether its clients have ended by themselves: they have given up operations that are open.
    pub fn is_over(&self) -> bool {
        !self.was_ended && self.remains == LeftoverProcesses::Nothing
    }

    /// The reason why open operations are not given up.
    pub fn caveat(&self) -> Option<String> {
        const OPEN: &str = "operations that were open count as unfinished";
        if self.was_ended {
            return Some(format!(
                "the command was ended from outside: {OPEN}; give it the time to end by itself"
            ));
        }
        let what = match self.remains {
            LeftoverProcesses::Nothing => return None,
            LeftoverProcesses::Processes(number) => {
                format!("{} of the command still ran when it ended", processes(number))
            }
            LeftoverProcesses::Connections(number) => {
                format!("{} still open when the command ended", are(number))
            }
            LeftoverProcesses::Unknown => {
                return Some(format!(
                    "this system does not say whether processes of the command still run: {OPEN}"
                ));
            }
        };
        Some(format!("{what}: {OPEN}; let the command wait for what it starts"))
    }
}

fn processes(number: usize) -> String {
    if number == 1 { "1 process".to_owned() } else { format!("{number} processes") }
}

fn are(connections: usize) -> String {
    if connections == 1 { "1 connection was".to_owned() } else { format!("{connections} connections were") }
}
