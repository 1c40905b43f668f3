//! Clients that take versions from responses' bodies, or read by POST, and their verdicts.

use crate::client::Runs::Python;
use crate::conflicts::stage::Server;

use super::{checks, graded_by, python, shown};

#[test]
fn a_sequence_number_that_was_cached_is_told_from_one_that_was_read_again() {
    for (client, verdict, code) in [("careful", "pass", 0), ("caching", "fail", 1)] {
        let server = Server::start(Python, "conflicts/elasticsearch_origin.py");
        let rules = format!(
            r#"
            upstream = "{}"
            [[rule]]
            method  = "PUT"
            path    = "/{{index}}/_doc/{{id}}"
            query   = {{ if_seq_no = true }}
            first   = 1
            per     = "path"
            kind    = "version"
            version = {{ request = "query:if_seq_no", response = "body:/_seq_no" }}
            reply   = {{ style = "elasticsearch" }}
            "#,
            server.url
        );
        let (output, report) = graded_by(
            &rules,
            client,
            &[],
            &python("elasticsearch_rewrites.py").each_ref().map(String::as_str),
        );
        assert_eq!(output.status.code(), Some(code), "{client}: {}", shown(&output));
        let found = checks(&report, verdict);
        assert!(found.iter().any(|id| id == "R3"), "{client}: {found:?}\n{}", shown(&output));
        assert!(checks(&report, "pass").iter().any(|id| id == "R2"), "{client} reads again");
    }
}

#[test]
fn a_client_that_reads_by_post_is_not_taken_for_one_that_does_not_read() {
    const READ: &str = r#"read = { method = "POST", body = { "/method" = "item.get" } }"#;
    for (client, read, verdict) in [
        ("careful", READ, "pass"),
        ("careful", "", "undetermined"),
        ("blind", READ, "fail"),
        ("blind", "", "fail"),
    ] {
        let server = Server::start(Python, "run/rpc_origin.py");
        let rules = format!(
            r#"
            upstream = "{}"
            [[rule]]
            method = "POST"
            path   = "/rpc"
            body   = {{ "/method" = "item.update" }}
            per    = "body:/params/0"
            first  = 1
            kind   = "version"
            {read}
            "#,
            server.url
        );
        let (output, report) =
            graded_by(&rules, client, &[], &python("rpc_rewrites.py").each_ref().map(String::as_str));
        let found = checks(&report, verdict);
        for check in ["R1", "R2"] {
            assert!(found.iter().any(|id| id == check), "{client} {read}: {found:?}\n{}", shown(&output));
        }
    }
}
