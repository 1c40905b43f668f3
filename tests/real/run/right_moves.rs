//! Clients that make the right move after a conflict, and are not told otherwise.

use super::{checks, graded_by, python, shown};

/// The findings on growth (R7) and jitter (R8) in a report, and in the client's own line.
fn said_of_waits(report: &serde_json::Value) -> [(String, String); 2] {
    let client = &report["clients"][0];
    let word = |value: &serde_json::Value| value.as_str().unwrap_or("undetermined").to_owned();
    [("R7", "shape"), ("R8", "jitter")].map(|(check, field)| {
        let findings = client["findings"].as_array().expect("findings");
        let finding = findings.iter().find(|found| found["check"] == check && found["rule"].is_null());
        (
            finding.map_or("undetermined".to_owned(), |found| word(&found["verdict"])),
            word(&client["backoff"][field]),
        )
    })
}

#[test]
fn who_waits_before_reading_again_does_not_retry_at_once() {
    const RULES: &str = r#"
        [[rule]]
        name   = "changed"
        method = "PUT"
        path   = "/items/{id}"
        first  = 2
        per    = "path"
        kind   = "version"
        [expect]
        refetch   = true
        max_tries = 4
    "#;
    for library in ["httpx", "requests", "session"] {
        for first_wait in ["0.05", "0.2"] {
            let client = format!("{library} {first_wait}");
            let script = python("rereading_writes.py");
            let (output, report) = graded_by(RULES, &client, &[], &script.each_ref().map(String::as_str));
            let shown = shown(&output);
            assert_eq!(output.status.code(), Some(0), "{client}: {shown}");
            assert_eq!(report["totals"]["recovered"], 6, "{client}: {shown}");
            for verdict in ["fail", "warn"] {
                assert_eq!(checks(&report, verdict), Vec::<String>::new(), "{client}: {shown}");
            }
            for (verdict, word) in said_of_waits(&report) {
                let agrees = (verdict == "undetermined") == (word == "undetermined");
                assert!(agrees, "{client}: {verdict}, but {word}\n{shown}");
            }
        }
    }
}

#[test]
fn a_login_on_a_new_connection_goes_on_with_what_the_session_was_needed_for() {
    for (write, method, path, per) in
        [("put", "PUT", "/items/{id}", "path"), ("post", "POST", "/orders", "body:/item_id")]
    {
        let rules = format!(
            "[[rule]]\nname = 'signed-out'\nmethod = '{method}'\npath = '{path}'\nfirst = 1\nper = '{per}'\n\
             kind = 'session'\n[expect]\nrecovered = 1\n"
        );
        for credential in ["bearer", "cookie"] {
            // At once, and so late that nothing but the conflict's kind says that it is one operation.
            for wait in ["0", "0.4"] {
                let client = format!("{write} {credential} {wait}");
                let script = python("renewed_session.py");
                let (output, report) =
                    graded_by(&rules, &client, &[], &script.each_ref().map(String::as_str));
                let shown = shown(&output);
                assert_eq!(output.status.code(), Some(0), "{client}: {shown}");
                let totals = &report["totals"];
                assert_eq!(
                    (&totals["conflicted"], &totals["recovered"]),
                    (&3.into(), &3.into()),
                    "{client}: {shown}"
                );
                assert_eq!(report["expectations"][0]["verdict"], "pass", "{client}: {shown}");
                assert_eq!(checks(&report, "fail"), Vec::<String>::new(), "{client}: {shown}");
            }
        }
    }
}
