//! A client that has seen the upstream's own URL may have bypassed the proxy: every report says so.

use serde_json::{Value, json};

use super::super::support::program::{Serving, folder, fracas, run, text};
use super::super::support::socket::Socket;
use super::super::support::upstream::{Talk, Upstream};

#[test]
fn the_summary_and_reports_of_every_format_name_clients_that_may_have_left_the_proxy() {
    let upstream = Upstream::playing(|talk: &mut Talk| {
        let address = talk.socket.local_address();
        while talk.request().is_some() {
            let page = format!("<a href=\"http://{address}/b\">");
            let length = page.len();
            talk.socket.send(format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n{page}"
            ));
        }
    });
    const SAID: &str = "probe/1.0 may have left the proxy: 1 response held the upstream's own URL";
    for rewrites in [false, true] {
        let folder = folder(&[("fracas.toml", &format!("rewrite_bodies = {rewrites}\n"))]);
        let mut command = fracas(folder.path());
        command.args(["-r", "fracas.toml", "-l", "127.0.0.1:0", "--journal", "j.jsonl"]);
        command.args(["-u", &format!("http://{}", upstream.address)]);
        let serving = Serving::start(command);
        let mut socket = Socket::connect(serving.address);
        socket
            .send("GET /a HTTP/1.1\r\nHost: localhost\r\nUser-Agent: probe/1.0\r\nConnection: close\r\n\r\n");
        let page = socket.response().text();
        assert_eq!(page.contains("http://localhost/b"), rewrites, "{page}");
        serving.signal("INT");
        let (_, out, err) = serving.end();
        assert_eq!((out + &err).contains(SAID), !rewrites, "{err}");
        for format in ["text", "junit", "markdown", "html", "github", "har"] {
            let report = run(folder.path(), &["report", "j.jsonl", "--format", format]);
            let report = text(&report.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
            let report = report.replace("&#39;", "'").replace("&apos;", "'");
            assert_eq!(report.contains("may have left the proxy"), !rewrites, "{format}: {report}");
        }
        let report = run(folder.path(), &["report", "j.jsonl", "--format", "json"]);
        let report: Value = serde_json::from_slice(&report.stdout).expect("JSON");
        let around = if rewrites { json!([]) } else { json!([{ "agent": "probe/1.0", "responses": 1 }]) };
        assert_eq!(report["around"], around);
    }
}
