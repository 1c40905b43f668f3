//! With one rule, the checks over all rules are that rule's: a report says them once.
#![cfg(unix)]

use serde_json::Value;

use crate::support::program::{Serving, folder, fracas, run, text};
use crate::support::socket::Socket;

#[test]
fn with_one_rule_nothing_is_said_twice_and_with_two_each_has_its_line() {
    for (second, rules_told) in
        [("", 0), ("[[rule]]\nname = \"other\"\nmethod = \"PATCH\"\nkind = \"version\"\n", 1)]
    {
        let rules = format!("[[rule]]\nname = \"won\"\nmethod = \"PUT\"\nkind = \"version\"\n{second}");
        let folder = folder(&[("rules.toml", &rules)]);
        let mut command = fracas(folder.path());
        command.args(["-l", "127.0.0.1:0", "--journal", "j.jsonl"]);
        let serving = Serving::start(command);
        let mut socket = Socket::connect(serving.address);
        let methods =
            if second.is_empty() { &["PUT"; 4][..] } else { &["PUT", "PUT", "PUT", "PATCH", "PATCH"] };
        for method in methods {
            socket.send(format!(
                "{method} /items/{} HTTP/1.1\r\nHost: localhost\r\nIf-Match: \"1\"\r\nUser-Agent: blind/1\r\n\
                 Content-Length: 2\r\n\r\n{{}}",
                method.len()
            ));
            socket.response();
        }
        drop(socket);
        serving.signal("INT");
        assert_eq!(serving.end().0, Some(0));
        let report = |format: &str| {
            text(&run(folder.path(), &["report", "j.jsonl", "--format", format]).stdout).to_owned()
        };
        let json: Value = serde_json::from_str(&report("json")).expect("JSON");
        let findings = json["clients"][0]["findings"].as_array().expect("a list");
        let failed: Vec<&Value> = findings.iter().filter(|found| found["verdict"] == "fail").collect();
        let overall: Vec<&&Value> = failed.iter().filter(|found| found["rule"].is_null()).collect();
        assert!(!overall.is_empty(), "{json:#}");
        let words = |text: &str| text.split_whitespace().collect::<String>();
        // A table's columns are wrapped beside each other in the terminal: there the lines of rules are counted.
        let card = report("text");
        assert_eq!(card.contains("\n             won: "), rules_told > 0, "{card}");
        for format in ["markdown", "html", "github"] {
            let said = words(&report(format));
            for found in &overall {
                let measured = words(found["measured"].as_str().expect("text"));
                assert_eq!(said.matches(&measured).count(), 1, "{format}: {measured}: {said}");
            }
            if format != "github" {
                assert_eq!(
                    said.contains("<code>won</code>:") || said.contains(">won</span>:"),
                    rules_told > 0,
                    "{said}"
                );
            }
        }
    }
}
