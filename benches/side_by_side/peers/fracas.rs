//! fracas itself.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;

use super::{CONFLICT, PROXY_CORE, Peer, Started, Task};
use crate::process::{Process, free_address};

/// A fracas to start.
pub struct Rules<'r> {
    pub name: &'r str,
    /// The rules file.
    pub text: String,
    pub workers: usize,
    pub cores: &'r str,
    /// Whether attempts are written to a file, beside being kept in memory.
    pub journal: bool,
}

impl<'r> Rules<'r> {
    /// One worker on the core of proxies.
    pub fn new(name: &'r str, text: String) -> Rules<'r> {
        Rules { name, text, workers: 1, cores: PROXY_CORE, journal: false }
    }
}

/// Connections live long, and there may be as many as the system allows, with as many keys.
const LIMITS: &str = "[limits]\nconnections = 1_000_000\nkeys = 2_000_000\n[timeouts]\nkeep_alive = \"1h\"\n";

pub fn fracas(rules: &Rules<'_>, upstream: SocketAddr) -> Result<Peer, Box<dyn Error>> {
    let address = free_address()?;
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("rules.toml"), format!("{}\n{LIMITS}", rules.text))?;
    let (workers, listen, upstream) =
        (rules.workers.to_string(), address.to_string(), format!("http://{upstream}"));
    let mut command = vec![env!("CARGO_BIN_EXE_fracas"), "-q", "-w", &workers, "-r", "rules.toml"];
    command.extend(["-l", &listen, "-u", &upstream, "-a", "off"]);
    if rules.journal {
        command.extend(["--journal", "journal.jsonl"]);
    }
    let process = Process::start(folder, rules.cores, &command, address)?;
    Ok(Peer { name: rules.name.to_owned(), address, process })
}

/// With every attempt written to a file as well.
pub fn journaling(task: Task, upstream: SocketAddr) -> Started {
    if task != Task::Forward {
        return Ok(None);
    }
    let rules = Rules { journal: true, ..Rules::new("fracas, journal file", shipped_rules()) };
    fracas(&rules, upstream).map(Some)
}

/// The defaults: the shipped rules, keyed state, marker headers,
/// the journal in memory.
pub fn shipped(task: Task, upstream: SocketAddr) -> Started {
    let text = match task {
        Task::Forward => shipped_rules(),
        Task::Inject => {
            format!("[[rule]]\nname = \"fixed\"\nreply = {{ style = \"problem\", body = '{CONFLICT}' }}\n")
        }
    };
    fracas(&Rules::new("fracas", text), upstream).map(Some)
}

/// The shipped rules, none of which fires here: the cost of a request that passes. The last
/// matches every request of the load and counts it, up to a limit that is never reached.
fn shipped_rules() -> String {
    let shipped = include_str!("../../../rules.toml");
    shipped.replace("above  = \"20/s\"", "above  = \"4000000000/s\"")
}

/// So many rules, none of which matches the load.
pub fn rules_that_do_not_match(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "[[rule]]\nname = \"r{number}\"\npath = \"/service-{number}/items/{{id}}\"");
    }
    text
}
