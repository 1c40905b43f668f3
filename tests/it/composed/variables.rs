//! `${NAME}` in rules files, as requests meet it.

use super::tree;
use crate::support::program::{Serving, fracas, text};
use crate::support::socket::Socket;

const RULES: &str = r#"
upstream = "${UP:-demo}"
seed = "${SEED}"

[[rule]]
name = "path-${N:-1}"
method = "PUT"
path = "/t/${TENANT}/{id}"
reply = { status = 409 }

[[rule]]
name = "header"
path = "/header"
header = { x-key = "${KEY}-*" }
reply = { status = 410, headers = { x-tenant = "${TENANT}" } }

[[rule]]
name = "body"
path = "/body"
reply = { status = 423, body = '{"who":"${QUOTED}","template":"${TEMPLATE}","as it is":"$${TEMPLATE}"}' }

[[rule]]
name = "regex"
path_regex = "/r/${REGEX}/[0-9]+"
reply = { status = "${STATUS}" }
"#;

/// Values with every special character of patterns and templates.
const VALUES: [(&str, &str); 7] = [
    ("SEED", "7"),
    ("TENANT", "a*{b}"),
    ("KEY", "k*y"),
    ("QUOTED", "say \"hi\" \\"),
    ("TEMPLATE", "{n} {{path}}"),
    ("REGEX", "a.b+"),
    ("STATUS", "429"),
];

#[test]
fn what_is_filled_in_stands_for_itself() {
    let folder = tree(&[("rules.toml", RULES)]);
    let mut command = fracas(folder.path());
    command.envs(VALUES).args(["-l", "127.0.0.1:0", "--journal", "j.jsonl"]);
    let serving = Serving::start(command);
    assert!(serving.start.iter().any(|line| line.contains("4 rules, seed 7")), "{:?}", serving.start);
    for (request, status, said) in [
        ("PUT /t/a*%7Bb%7D/7", 409, ""),
        ("PUT /t/axx%7Bb%7D/7", 404, ""),
        ("PUT /t/a*/7", 404, ""),
        ("GET /header HTTP/1.1\r\nX-Key: k*y-1", 410, "x-tenant: a*{b}"),
        ("GET /header HTTP/1.1\r\nX-Key: kxy-1", 404, ""),
        ("GET /body", 423, r#"{"who":"say \"hi\" \\","template":"{n} {{path}}","as it is":"${TEMPLATE}"}"#),
        ("GET /r/a.b+/12", 429, ""),
        ("GET /r/aXbb/12", 404, ""),
    ] {
        let mut socket = Socket::connect(serving.address);
        let head =
            if request.contains("HTTP/1.1") { request.to_owned() } else { format!("{request} HTTP/1.1") };
        socket.send(format!("{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        let answer = socket.response();
        assert_eq!(answer.status(), status, "{request}: {answer:?}");
        if !said.is_empty() {
            let sent =
                answer.header("x-tenant").map(|tenant| format!("x-tenant: {tenant}")).unwrap_or_default();
            assert!(sent == said || answer.text() == said, "{request}: {answer:?}");
        }
    }
    serving.signal("INT");
    assert_eq!(serving.end().0, Some(0));
}

#[test]
fn secrets_are_shown_by_the_names_of_their_variables() {
    const SECRET: &str = "sk_live_0123456789abcdef";
    let rules = "[[rule]]\nname = \"token\"\nmethod = \"GET\"\nheader = { authorization = \"Bearer ${TOKEN}\" }\nfirst = 1\n";
    let broken = "upstream = \"${TOKEN}\"\n[[rule]]\nper = \"${TOKEN}\"\nmethod = \"${TOKEN}\"\n";
    let folder = tree(&[("rules.toml", rules), ("broken.toml", broken)]);
    for line in [
        &["explain", "GET", "/items/7"][..],
        &["explain", "GET", "/items/7", "-H", "authorization: Bearer no"],
        &["check", "rules.toml"],
        &["check", "broken.toml"],
        &["run", "--journal", "j.jsonl", "--report", "text", "--", "true"],
        &["report", "j.jsonl", "--format", "json"],
    ] {
        let output = fracas(folder.path()).env("TOKEN", SECRET).args(line).output().expect("the binary runs");
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(
            !said.is_empty() && !said.contains("sk_live") && !said.contains("SK_LIVE_01"),
            "{line:?}: {said}"
        );
    }
    let journal = std::fs::read_to_string(folder.path().join("j.jsonl")).expect("a journal");
    assert!(!journal.contains(SECRET), "{journal}");
    let output = fracas(folder.path()).args(["check"]).output().expect("the binary runs");
    let said = text(&output.stdout);
    assert!(said.contains("error[unset-variable]") && said.contains("--> rules.toml:4:36"), "{said}");
}
