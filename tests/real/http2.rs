//! HTTP/2 with clients that are not ours: curl, h2load, httpx and gRPC through the proxy.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::binary::Fracas;
use crate::client::{Runs, command, run};

const TLS: &str = "tls = { self_signed = true }\n";

/// Runs a program to its end; returns its output.
pub fn printed(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let output = command.stdin(Stdio::null()).output().expect("tests/run installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {}\n{said}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

/// Each way to reach a proxy: rules that open it, and its URL's scheme.
const WAYS: [(&str, &str); 2] = [("", "http"), (TLS, "https")];

#[test]
fn h2load_gets_nothing_but_2xx() {
    for (rules, scheme) in WAYS {
        let fracas = Fracas::start(rules);
        let url = format!("{scheme}://{}/orders", fracas.address());
        let said = printed("h2load", &["-n", "5000", "-c", "8", "-m", "50", &url]);
        assert!(said.contains("Application protocol: h2"), "{said}");
        assert!(said.contains("status codes: 5000 2xx, 0 3xx, 0 4xx, 0 5xx"), "{scheme}\n{said}");
    }
}

#[test]
fn curl_speaks_it_with_prior_knowledge_and_by_alpn() {
    let rules = "[[rule]]\npath = \"/orders\"\nfirst = 1\n";
    for ((open, scheme), how) in WAYS.into_iter().zip(["--http2-prior-knowledge", "--http2"]) {
        let fracas = Fracas::start(&format!("{open}{rules}"));
        let url = format!("{scheme}://{}/orders", fracas.address());
        let write = "%{http_version} %{http_code}\n";
        let ask = || printed("curl", &["-sSk", how, "-o", "/dev/null", "-w", write, &url]);
        assert_eq!([ask(), ask()], ["2 409\n", "2 200\n"]);
    }
}

#[test]
fn httpx_is_refused_and_then_served() {
    let rules = "[[rule]]\nname = \"busy\"\nmethod = \"POST\"\nfirst = 1\n";
    for (open, scheme) in WAYS {
        let fracas = Fracas::start(&format!("{open}{rules}"));
        let url = format!("{scheme}://{}", fracas.address());
        let marker = "rule=\"busy\", kind=transient, phase=before, n=1";
        let seen = run(Runs::Python, "http2_httpx.py", &[&url]);
        assert_eq!(
            seen,
            json!([["HTTP/2", 200, null], ["HTTP/2", 409, marker], ["HTTP/2", 201, null]]),
            "{scheme}"
        );
    }
}

/// A gRPC server, until it is dropped.
pub struct Server {
    child: Child,
    pub port: String,
}

impl Server {
    pub fn start() -> Server {
        let mut command = command(Runs::Python, "grpc_server.py", Path::new("/"));
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("tests/run installs it");
        let mut port = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut port).expect("it serves");
        Server { child, port: port.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub const CONFLICTS: &str = r#"
[[rule]]
path  = "/shop.Orders/Place"
first = 1

[[rule]]
path  = "/shop.Orders/Create"
first = 1
kind  = "duplicate"

[[rule]]
path  = "/shop.Orders/Refuse"
first = 1
phase = "after"
"#;

#[test]
fn grpc_clients_get_conflicts_as_statuses_and_answers_with_trailers() {
    let server = Server::start();
    let fracas = Fracas::start(&format!("upstream = \"h2c://127.0.0.1:{}\"\n{CONFLICTS}", server.port));
    let seen = run(Runs::Python, "grpc_client.py", &[&fracas.address().to_string()]);
    let code = |call: &str, at: usize| seen[call][at]["code"].as_str().map(str::to_owned);
    let details = seen["Place"][0]["details"].as_str().expect("details");
    assert!(!details.is_empty(), "{seen}");
    assert_eq!(code("Place", 0).as_deref(), Some("ABORTED"), "{seen}");
    assert_eq!(code("Create", 0).as_deref(), Some("ALREADY_EXISTS"), "{seen}");
    for call in ["Place", "Create"] {
        assert_eq!(code(call, 1).as_deref(), Some("OK"), "{seen}");
        assert_eq!(seen[call][1]["answer"], "done: one", "{seen}");
        assert_eq!(seen[call][1]["trailers"]["placed"], "yes", "{seen}");
    }
    // The upstream's own refusal passes.
    for at in 0..2 {
        assert_eq!(code("Refuse", at).as_deref(), Some("NOT_FOUND"), "{seen}");
        assert_eq!(seen["Refuse"][at]["details"], "no such order", "{seen}");
    }
    assert_eq!(seen["Watch"], Value::from(vec!["0", "1", "2"]), "{seen}");
}
