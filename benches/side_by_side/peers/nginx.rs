//! nginx: the control, and the upstream of all peers.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;

use super::{CONFLICT, LOAD_CORE, PROXY_CORE, Peer, Started, Task};
use crate::process::{Process, free_address};

const COMMON: &str = "
daemon off; worker_processes 1; worker_rlimit_nofile 1000000; pid nginx.pid; error_log stderr error;
events { worker_connections 65536; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 3600s; client_body_temp_path body;
  proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
";

/// `/bulk` has this many bytes.
pub const BULK_BYTES: u64 = 1 << 30;

/// The upstream: nginx with a small response from memory, and a big one at `/bulk`.
pub fn upstream() -> Result<Peer, Box<dyn Error>> {
    let address = free_address()?;
    let folder = tempfile::tempdir()?;
    let bulk = folder.path().join("bulk");
    fs::File::create(&bulk)?.set_len(BULK_BYTES)?;
    let server = format!(
        r#"server {{ listen {address} backlog=4096; default_type application/json;
           location = /bulk {{ sendfile on; alias {}; }}
           location / {{ return 200 '{{"id":7,"name":"lamp","price_in_cents":2900,"rev":3}}'; }} }} }}"#,
        bulk.display()
    );
    start("upstream", folder, address, LOAD_CORE, &server)
}

pub fn nginx(task: Task, upstream: SocketAddr) -> Started {
    let address = free_address()?;
    let server = match task {
        Task::Forward => {
            format!("{} server {{ listen {address} backlog=4096; {} }} }}", up(upstream), pass(upstream))
        }
        Task::Inject => format!(
            r#"server {{ listen {address} backlog=4096; default_type application/problem+json; location / {{
                 add_header Cache-Control no-store always; add_header Fracas 'rule="fixed", kind=transient, phase=before' always;
                 return 409 '{CONFLICT}'; }} }} }}"#
        ),
    };
    Ok(Some(start("nginx", tempfile::tempdir()?, address, PROXY_CORE, &server)?))
}

/// nginx with so many locations, none of which matches the load.
pub fn nginx_of_rules(count: usize, upstream: SocketAddr) -> Result<Peer, Box<dyn Error>> {
    let address = free_address()?;
    let mut server =
        format!("{} server {{ listen {address} backlog=4096; {}\n", up(upstream), pass(upstream));
    for number in 0..count {
        writeln!(server, "location ~ ^/service-{number}/items/[^/]+$ {{ return 409; }}")?;
    }
    server.push_str("} }");
    start(&format!("nginx, {count} locations"), tempfile::tempdir()?, address, PROXY_CORE, &server)
}

/// A location that passes everything on. A big response is never put on the disk, and its buffers are such
/// that it is as fast as nginx can be: four times as fast as with the default ones.
fn pass(upstream: SocketAddr) -> String {
    format!(
        r#"location / {{
           proxy_pass http://up; proxy_http_version 1.1; proxy_max_temp_file_size 0;
           proxy_buffers 16 64k; proxy_busy_buffers_size 512k;
           proxy_set_header Connection ""; proxy_set_header Host {upstream}; proxy_set_header Via "1.1 nginx";
           proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
           proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
           add_header Via "1.1 nginx"; }}"#
    )
}

fn up(upstream: SocketAddr) -> String {
    format!("upstream up {{ server {upstream}; keepalive 256; keepalive_requests 1000000000; }}")
}

fn start(
    name: &str,
    folder: tempfile::TempDir,
    address: SocketAddr,
    core: &str,
    server: &str,
) -> Result<Peer, Box<dyn Error>> {
    let config = folder.path().join("nginx.conf");
    fs::write(&config, format!("{COMMON}{server}"))?;
    let prefix = folder.path().display().to_string();
    let config = config.display().to_string();
    let process =
        Process::start(folder, core, &["nginx", "-p", &prefix, "-c", &config, "-e", "stderr"], address)?;
    Ok(Peer { name: name.to_owned(), address, process })
}
