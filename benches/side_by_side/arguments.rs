//! Arguments of the command line.

use std::error::Error;

use crate::peers;
use crate::works::Work;

/// The command line.
pub struct Arguments {
    /// Empty means every one.
    pub works: Vec<Work>,
    /// In small letters; empty means every one that is installed.
    pub peers: Vec<String>,
    /// Of one round.
    pub seconds: u64,
    pub rounds: usize,
}

impl Arguments {
    /// Parses the arguments; unknown ones are mistakes.
    pub fn read(mut words: impl Iterator<Item = String>) -> Result<Arguments, Box<dyn Error>> {
        let mut arguments = Arguments { works: Vec::new(), peers: Vec::new(), seconds: 4, rounds: 7 };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match &*word {
                // How cargo calls a benchmark.
                "--bench" => {}
                "--work" => {
                    for name in value()?.split(',') {
                        arguments.works.push(name.parse()?);
                    }
                }
                "--peers" => {
                    for peer in value()?.to_ascii_lowercase().split(',') {
                        if !peers::names().any(|name| name.to_ascii_lowercase().contains(peer)) {
                            let names: Vec<&str> = peers::names().collect();
                            return Err(format!("{peer} is none of the peers: {}", names.join(", ")).into());
                        }
                        arguments.peers.push(peer.to_owned());
                    }
                }
                "--seconds" => arguments.seconds = value()?.parse()?,
                "--rounds" => arguments.rounds = value()?.parse::<usize>()?.max(1),
                _ => return Err(format!("{word} is not an option of this benchmark").into()),
            }
        }
        Ok(arguments)
    }

    /// Whether a work is asked for.
    pub fn wants(&self, work: Work) -> bool {
        self.works.is_empty() || self.works.contains(&work)
    }

    /// Whether a peer is selected, by its name or a part of it; the compared peers always are.
    pub fn invites(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.peers.is_empty() || self.peers.iter().any(|peer| name.contains(peer))
    }
}
