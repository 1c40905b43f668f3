//! The clients of `examples/clients`: they come through the conflicts of the shipped rules, lose no
//! update and place one order; and they stop when there is no coming through.

use crate::binary::Fracas;
use crate::client::{Runs, command_of};

const SHIPPED: &str = include_str!("../../rules.toml");

const HOPELESS: &str = r#"
[[rule]]
method = ["PUT", "POST"]
reply  = { retry_after = "0s" }
"#;

fn converse(runs: Runs, script: &str) {
    let play = |rules: &str| {
        let fracas = Fracas::start(rules);
        let url = format!("http://{}", fracas.address());
        let home = tempfile::tempdir().expect("a temporary folder");
        let mut client = command_of(runs, &format!("examples/clients/{script}"), home.path());
        let output = client.arg(url).output().expect("tests/run installs it");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (fracas, output.status.code(), text(&output.stdout), text(&output.stderr))
    };

    let (fracas, code, printed, said) = play(SHIPPED);
    assert_eq!(code, Some(0), "{printed}{said}");
    // The first write of an item, and the first order of a key, meet a conflict.
    assert_eq!(printed, "item: 200, tries: 2\norder: 201, tries: 2\n", "{said}");
    assert_eq!(fracas.upstream_saw("GET /items/{id}"), (2, 0), "it reads again before it writes again");
    assert_eq!(fracas.upstream_saw("PUT /items/{id}"), (1, 1));
    // The second try gets the response of the first, which was lost: the key is the same.
    assert_eq!(fracas.upstream_saw("POST /orders"), (2, 1), "one order");

    let (fracas, code, printed, said) = play(HOPELESS);
    assert_eq!((code, printed.as_str()), (Some(1), ""), "{said}");
    assert!(said.starts_with("item: gave up after 5 tries: 409"), "{said}");
    assert_eq!(fracas.upstream_saw("GET /items/{id}"), (5, 0));
    assert_eq!(fracas.upstream_saw("PUT /items/{id}"), (0, 0));
}

#[test]
fn python_httpx() {
    converse(Runs::Python, "refetch.py");
}

#[test]
fn node_fetch() {
    converse(Runs::Node, "refetch.mjs");
}

#[test]
fn curl() {
    converse(Runs::Bash, "refetch.sh");
}
