//! The floors: this benchmark's own program as a proxy that does less than any other.

use std::error::Error;
use std::net::SocketAddr;

use super::{PROXY_CORE, Peer, Started, Task};
use crate::process::{Process, free_address};

/// hyper with the least that a proxy does: the cost of a request without fracas.
pub fn hyper(task: Task, upstream: SocketAddr) -> Started {
    let role = match task {
        Task::Forward => "hyper",
        Task::Inject => "refuse",
    };
    this_program("hyper alone", role, upstream).map(Some)
}

/// Copies bytes both ways without parsing them. Adds no headers.
pub fn relay(task: Task, upstream: SocketAddr) -> Started {
    (task == Task::Forward).then(|| this_program("TCP relay", "relay", upstream)).transpose()
}

fn this_program(name: &str, role: &str, upstream: SocketAddr) -> Result<Peer, Box<dyn Error>> {
    let address = free_address()?;
    let program = std::env::current_exe()?.display().to_string();
    let command = [&*program, role, &address.to_string(), &upstream.to_string()];
    let process = Process::start(tempfile::tempdir()?, PROXY_CORE, &command, address)?;
    Ok(Peer { name: name.to_owned(), address, process })
}
