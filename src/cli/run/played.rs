//! How a command ended, and so whether its clients have: what they left open they have given up only if
//! they came to their own end.

use std::process::ExitStatus;

use super::remains::LeftoverProcesses;

/// A command that has ended.
pub struct Played {
    pub status: ExitStatus,
    /// By somebody else, before its own end.
    pub was_ended: bool,
    pub remains: LeftoverProcesses,
}

impl Played {
    /// Whether its clients have ended by themselves: what they left open, they have given up.
    pub fn is_over(&self) -> bool {
        !self.was_ended && self.remains == LeftoverProcesses::Nothing
    }

    /// Why what is open is not given up.
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
