//! slowhttptest, in its modes: many clients that are slow on purpose do not keep others from being served.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::binary::Fracas;

/// Timeouts that end before the ten seconds of the attack do, and nothing else that is not the default.
const RULES: &str = r#"
[timeouts]
request_head = "3s"
request_body = "3s"
write        = "3s"
"#;

/// Starts an attack of ten seconds with 200 connections, which fails when a probe waits for a second.
fn attack(home: &Path, mode: &str, url: &str) -> Child {
    Command::new("slowhttptest")
        .args(mode.split(' '))
        .args(["-c", "200", "-r", "200", "-l", "10", "-p", "1", "-u", url])
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tests/run installs it")
}

#[test]
fn c30_slowhttptest_finds_the_service_available_and_its_connections_closed() {
    let fracas = Fracas::start(RULES);
    let url = format!("http://{}", fracas.address());
    let home = tempfile::tempdir().expect("a folder");
    // Slow heads, slow bodies, slow reading of many responses.
    for mode in ["-H -i 1", "-B -s 8192 -i 9", "-X -k 10 -w 1 -y 1 -n 1 -z 1"] {
        let output = attack(home.path(), mode, &url).wait_with_output().expect("it ends");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "{mode}: {}\n{said}", output.status);
        let probes: Vec<&str> = said.lines().filter(|line| line.contains("service available")).collect();
        assert!(!probes.is_empty() && probes.iter().all(|probe| probe.contains("YES")), "{mode}\n{said}");
        // A slow reader that does read may have its response.
        if !mode.starts_with("-X") {
            assert!(said.contains("No open connections left"), "{mode}: nobody was let go\n{said}");
        }
    }
}
