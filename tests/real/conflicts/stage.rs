//! A server in a process of its own, and a proxy in front of it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use fracas::proxy::{Proxy, RuleSummary, Running};
use fracas::rules::{Upstream, read, upstream_from};
use serde_json::Value;
use tempfile::TempDir;

use crate::client::{Runs, command, run};

/// A server's word once it serves, before its URL.
const SERVES: &str = "serves ";

/// A server and a proxy. Dropping it ends both.
pub struct Stage {
    proxy: Running,
    server: Server,
}

/// A server in a process of its own. Dropping it ends it.
pub struct Server {
    child: Child,
    pub url: String,
    _home: TempDir,
}

impl Stage {
    /// Starts the server in `script`, and a proxy with these rules in front of it.
    pub fn start(runs: Runs, script: &str, rules: &str) -> Stage {
        let server = Server::start(runs, script);
        let rules = format!("listen = \"127.0.0.1:0\"\nadmin = \"off\"\n{rules}");
        let accepted = read("rules.toml", &rules, &|_| Ok(String::new()))
            .unwrap_or_else(|mistakes| panic!("{mistakes:?}\n{rules}"));
        assert!(accepted.warnings.is_empty(), "{:?}", accepted.warnings);
        let Ok(Upstream::Url(upstream)) = upstream_from(&server.url) else {
            panic!("{} is no URL", server.url)
        };
        let bound = Proxy::bind(accepted.config, upstream).map_err(|error| format!("{error:?}"));
        let proxy = bound.expect("a free port").start().map_err(|error| format!("{error:?}"));
        Stage { proxy: proxy.expect("threads"), server }
    }

    /// Runs a client to its end. Its arguments are the proxy's URL, the server's own, and these.
    pub fn run(&self, runs: Runs, script: &str, arguments: &[&str]) -> Value {
        let proxy = format!("http://{}", self.proxy.address());
        run(runs, script, &[&[proxy.as_str(), &self.server.url], arguments].concat())
    }

    /// How many conflicts the rule has injected.
    pub fn fired(&self, rule: &str) -> u64 {
        let rules: Vec<RuleSummary> = self.proxy.summary().rules;
        rules.iter().find(|summary| *summary.name == *rule).expect("a rule of this name").fired
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.proxy.stop();
    }
}

impl Server {
    /// Starts the server in `script`, once it serves.
    pub fn start(runs: Runs, script: &str) -> Server {
        let home = tempfile::tempdir().expect("a temporary folder");
        let mut child = command(runs, script, home.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{script}: {error}; tests/run installs it"));
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let url = lines.find_map(|line| Some(line.strip_prefix(SERVES)?.to_owned()));
        let Some(url) = url else { panic!("{script} does not serve: {:?}", child.wait()) };
        // Its other output is read, so that it never waits for a reader.
        std::thread::Builder::new().spawn(move || lines.for_each(drop)).expect("a thread");
        Server { child, url, _home: home }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
