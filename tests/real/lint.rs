//! Every injected response passes a linter of HTTP, and no cache keeps it.

use std::fmt::Write as _;

use fracas::model::Kind;
use fracas::rules::ReplyStyle;
use serde_json::Value;

use crate::binary::Fracas;
use crate::client::{Runs, run};

#[test]
fn c44_every_injected_style_is_clean_and_stays_in_no_cache() {
    let mut rules = String::new();
    let mut paths = Vec::new();
    for style in ReplyStyle::WORDS {
        for kind in Kind::ALL {
            let path = format!("/{style}/{kind}");
            let _ = writeln!(
                rules,
                "[[rule]]\nname = \"{style}-{kind}\"\npath = \"{path}\"\nkind = \"{kind}\"\n\
                 reply = {{ style = \"{style}\", retry_after = \"2s\" }}\n"
            );
            paths.push(path);
        }
    }
    rules.push_str("[[rule]]\npath = \"/date\"\nreply = { retry_after = { date = \"2s\" } }\n");
    paths.push("/date".to_owned());

    let fracas = Fracas::start(&rules);
    let address = fracas.address().to_string();
    for method in ["GET", "HEAD", "PUT", "POST", "DELETE"] {
        let arguments: Vec<&str> =
            [&*address, method].into_iter().chain(paths.iter().map(String::as_str)).collect();
        let Value::Object(told) = run(Runs::Python, "lint.py", &arguments) else { panic!("an object") };
        assert_eq!(told.len(), paths.len());
        let faults: Vec<String> = told
            .iter()
            .filter(|(_, response)| {
                let is_clean = response["notes"].as_array().is_some_and(Vec::is_empty);
                response["status"] != 409 || response["storable"] != false || !is_clean
            })
            .map(|(path, response)| format!("{method} {path}: {response}"))
            .collect();
        assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), told.len(), faults.join("\n"));
    }
}
