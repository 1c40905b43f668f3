//! The proxies compared, each set up to do the same.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;

use crate::load::{LOAD_CORE, Work};
use crate::process::{Process, free_address};

/// A proxy that serves.
pub struct Peer {
    pub name: &'static str,
    pub address: SocketAddr,
    pub process: Process,
}

/// The core that the proxy under test has to itself.
const PROXY_CORE: usize = 0;

const NGINX: &str = "
daemon off; worker_processes 1; pid nginx.pid; error_log stderr error;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000000; client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
";

/// What both sides answer with.
const CONFLICT: &str = r#"{"type":"about:blank","title":"Conflict","status":409,"detail":"The request conflicts with the current state of the resource."}"#;

/// What everything is forwarded to: nginx with a small answer from memory.
pub fn upstream() -> Result<Peer, Box<dyn Error>> {
    let address = free_address()?;
    let server = format!(
        r#"server {{ listen {address}; default_type application/json;
           location / {{ return 200 '{{"id":7,"name":"lamp","price_in_cents":2900,"rev":3}}'; }} }} }}"#
    );
    nginx("upstream", address, LOAD_CORE, &server)
}

/// Every proxy found, nginx first: it is the control.
pub fn all(work: Work, upstream: SocketAddr) -> Result<Vec<Peer>, Box<dyn Error>> {
    let mut peers = vec![nginx_proxy(work, upstream)?, fracas(work, upstream)?];
    if work == Work::Forward && has("haproxy") {
        peers.push(haproxy(upstream)?);
    }
    Ok(peers)
}

fn nginx_proxy(work: Work, upstream: SocketAddr) -> Result<Peer, Box<dyn Error>> {
    let address = free_address()?;
    let server = match work {
        Work::Forward => format!(
            r#"upstream up {{ server {upstream}; keepalive 256; keepalive_requests 1000000000; }}
               server {{ listen {address}; location / {{
                 proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection "";
                 proxy_set_header Host {upstream}; proxy_set_header Via "1.1 nginx";
                 proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                 proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
                 add_header Via "1.1 nginx"; }} }} }}"#
        ),
        Work::Inject => format!(
            r#"server {{ listen {address}; default_type application/problem+json; location / {{
                 add_header Cache-Control no-store always; add_header Fracas 'rule="fixed", kind=transient, phase=before' always;
                 return 409 '{CONFLICT}'; }} }} }}"#
        ),
    };
    nginx("nginx", address, PROXY_CORE, &server)
}

fn nginx(name: &'static str, address: SocketAddr, core: usize, server: &str) -> Result<Peer, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("nginx.conf");
    fs::write(&config, format!("{NGINX}{server}"))?;
    let prefix = folder.path().display().to_string();
    let config = config.display().to_string();
    let process =
        Process::start(folder, core, &["nginx", "-p", &prefix, "-c", &config, "-e", "stderr"], address)?;
    Ok(Peer { name, address, process })
}

fn fracas(work: Work, upstream: SocketAddr) -> Result<Peer, Box<dyn Error>> {
    let address = free_address()?;
    let folder = tempfile::tempdir()?;
    let rules = match work {
        // The shipped rules, none of which fires here: what a request costs that is let through.
        Work::Forward => include_str!("../../rules.toml")
            .lines()
            .filter(|line| !line.starts_with("above"))
            .map(|line| {
                if line.starts_with("name   = \"scraper-block\"") {
                    "name = \"scraper-block\"\nabove = \"4000000000/s\""
                } else {
                    line
                }
            })
            .collect::<Vec<_>>()
            .join("\n"),
        Work::Inject => {
            format!("[[rule]]\nname = \"fixed\"\nreply = {{ style = \"problem\", body = '{CONFLICT}' }}\n")
        }
    };
    fs::write(folder.path().join("rules.toml"), rules)?;
    let listen = address.to_string();
    let upstream = format!("http://{upstream}");
    let program = env!("CARGO_BIN_EXE_fracas");
    let command = [program, "-q", "-w", "1", "-r", "rules.toml", "-l", &listen, "-u", &upstream, "-a", "off"];
    let process = Process::start(folder, PROXY_CORE, &command, address)?;
    Ok(Peer { name: "fracas", address, process })
}

fn haproxy(upstream: SocketAddr) -> Result<Peer, Box<dyn Error>> {
    let address = free_address()?;
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("haproxy.cfg");
    fs::write(
        &config,
        format!(
            "global\n  nbthread 1\n  maxconn 4096\ndefaults\n  mode http\n  http-reuse always\n  timeout connect 5s\n  \
             timeout client 60s\n  timeout server 60s\nfrontend front\n  bind {address}\n  option forwardfor\n  \
             http-request set-header X-Forwarded-Proto http\n  \
             http-request set-header X-Forwarded-Host %[req.hdr(host)]\n  http-request set-header Via '1.1 haproxy'\n  \
             http-request set-header Host {upstream}\n  http-response set-header Via '1.1 haproxy'\n  \
             default_backend back\nbackend back\n  server up {upstream}\n"
        ),
    )?;
    let config = config.display().to_string();
    let process = Process::start(folder, PROXY_CORE, &["haproxy", "-db", "-f", &config], address)?;
    Ok(Peer { name: "HAProxy", address, process })
}

fn has(program: &str) -> bool {
    std::process::Command::new(program).arg("-v").output().is_ok()
}
