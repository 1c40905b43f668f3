//! HAProxy, one thread.

use std::fs;
use std::net::SocketAddr;

use super::{CONFLICT, PROXY_CORE, Peer, Started, Task};
use crate::process::{Process, free_address, has};

pub fn haproxy(task: Task, upstream: SocketAddr) -> Started {
    if !has("haproxy") {
        return Ok(None);
    }
    let address = free_address()?;
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("haproxy.cfg");
    // HAProxy sets aside two descriptors for each connection, and does not start with fewer.
    let connections = crate::idle::descriptors() / 2 - 100;
    let common = format!(
        "global\n  nbthread 1\n  maxconn {connections}\ndefaults\n  mode http\n  http-reuse always\n  \
         timeout connect 5s\n  timeout client 3600s\n  timeout server 3600s\nfrontend front\n  \
         bind {address} backlog 4096\n  maxconn {connections}\n"
    );
    let rest = match task {
        Task::Forward => format!(
            "  option forwardfor\n  http-request set-header X-Forwarded-Proto http\n  \
             http-request set-header X-Forwarded-Host %[req.hdr(host)]\n  http-request set-header Via '1.1 haproxy'\n  \
             http-request set-header Host {upstream}\n  http-response set-header Via '1.1 haproxy'\n  \
             default_backend back\nbackend back\n  server up {upstream}\n"
        ),
        Task::Inject => format!(
            "  http-request return status 409 content-type application/problem+json string '{CONFLICT}' \
             hdr Cache-Control no-store hdr Fracas 'rule=\"fixed\", kind=transient, phase=before'\n"
        ),
    };
    fs::write(&config, common + &rest)?;
    let config = config.display().to_string();
    let process = Process::start(folder, PROXY_CORE, &["haproxy", "-db", "-f", &config], address)?;
    Ok(Some(Peer { name: "HAProxy".to_owned(), address, process }))
}
