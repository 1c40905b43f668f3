//! `fracas init --from`.

use super::tree;
use crate::support::program::{Serving, fracas, run, text};
use crate::support::socket::Socket;

const OPENAPI: &str = "\
openapi: 3.0.3
info: { title: Items }
paths:
  /items/{id}:
    get: { operationId: getItem, responses: { '200': { description: one } } }
    put:
      operationId: putItem
      parameters: [{ in: header, name: If-Match, schema: { type: string } }]
      responses: { '409': { description: the version is old } }
";

#[test]
fn rules_are_written_where_they_are_asked_for() {
    let folder = tree(&[("openapi.yaml", OPENAPI)]);
    let written = run(folder.path(), &["init", "--from", "openapi.yaml"]);
    assert_eq!(written.status.code(), Some(0), "{}", text(&written.stderr));
    assert!(text(&written.stderr).starts_with("wrote rules.toml with 1 rule"), "{}", text(&written.stderr));
    assert_eq!(text(&run(folder.path(), &["check"]).stdout), "rules.toml: 1 rule, no mistakes\n");
    let again = run(folder.path(), &["init", "--from", "openapi.yaml"]);
    assert!(again.status.code() == Some(2) && text(&again.stderr).contains("--force"), "{again:?}");
    let elsewhere = run(folder.path(), &["init", "--from", "openapi.yaml", "-o", "other.toml"]);
    assert_eq!(elsewhere.status.code(), Some(0));
    let out = run(folder.path(), &["init", "--from", "openapi.yaml", "--output", "-"]);
    let rules = std::fs::read_to_string(folder.path().join("other.toml")).expect("written");
    assert_eq!(text(&out.stdout), rules);
    assert!(rules.contains("# From operationId putItem: its response 409."), "{rules}");
}

#[test]
fn rules_from_the_journal_of_a_run_refuse_what_the_service_refused() {
    let folder = tree(&[("rules.toml", "")]);
    let request = |serving: &Serving, method: &str, header: &str| {
        let mut socket = Socket::connect(serving.address);
        let head = format!("{method} /items/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        socket.send(format!(
            "{head}{header}Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{{\"name\":\"x\"}}"
        ));
        socket.response().status()
    };
    let start = |arguments: &[&str]| {
        let mut command = fracas(folder.path());
        command.args(["-l", "127.0.0.1:0"]).args(arguments);
        Serving::start(command)
    };
    let serving = start(&["--journal", "j.jsonl"]);
    assert_eq!(request(&serving, "GET", ""), 200);
    assert_eq!(request(&serving, "PUT", "If-Match: \"none\"\r\n"), 412);
    serving.signal("INT");
    assert_eq!(serving.end().0, Some(0));
    let written = run(folder.path(), &["init", "--from", "j.jsonl", "-o", "drafts.toml"]);
    assert_eq!(written.status.code(), Some(0), "{}", text(&written.stderr));
    let serving = start(&["-r", "drafts.toml"]);
    assert_eq!(request(&serving, "PUT", ""), 412);
    assert_eq!(request(&serving, "GET", ""), 200);
    assert_eq!(request(&serving, "PUT", ""), 200);
    serving.signal("INT");
    assert_eq!(serving.end().0, Some(0));
}

#[test]
fn sources_that_cannot_be_used_are_refused_with_advice() {
    let folder = tree(&[("swagger.json", "{\"swagger\":\"2.0\"}"), ("x.bin", "x")]);
    std::fs::write(folder.path().join("latin1"), b"caf\xe9").expect("written");
    for (file, said) in [
        ("swagger.json", "this is Swagger 2.0"),
        ("x.bin", "neither OpenAPI 3, nor HAR, nor a journal"),
        ("latin1", "is not UTF-8"),
        ("nowhere.yaml", "cannot be read"),
        ("/dev/zero", "is longer than 64 MiB"),
    ] {
        let output = run(folder.path(), &["init", "--from", file]);
        let err = text(&output.stderr);
        assert!(
            output.status.code() == Some(2) && err.contains(said) && err.contains("help:"),
            "{file}: {err}"
        );
        assert!(!folder.path().join("rules.toml").exists());
    }
}
