//! Toxiproxy, which passes bytes without looking at them, and adds no headers.

use std::fs;
use std::net::SocketAddr;

use serde_json::json;

use super::{PROXY_CORE, Peer, Started, Task};
use crate::process::{Process, free_address, has};

pub fn toxiproxy(task: Task, upstream: SocketAddr) -> Started {
    const PROGRAM: &str = "toxiproxy-server";
    if task != Task::Forward || !has(PROGRAM) {
        return Ok(None);
    }
    let (address, api) = (free_address()?, free_address()?.port().to_string());
    let folder = tempfile::tempdir()?;
    let listen = address.to_string();
    let proxies =
        json!([{ "name": "up", "listen": listen, "upstream": upstream.to_string(), "enabled": true }]);
    let config = folder.path().join("toxiproxy.json");
    fs::write(&config, proxies.to_string())?;
    let config = config.display().to_string();
    let command = [PROGRAM, "-host", "127.0.0.1", "-port", &api, "-config", &config];
    let process = Process::start(folder, PROXY_CORE, &command, address)?;
    Ok(Some(Peer { name: "Toxiproxy".to_owned(), address, process }))
}
