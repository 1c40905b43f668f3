//! Conflicts that are the upstream's own.

use fracas::grading::{RefusedBy, TryReport};

use super::{Played, play};

fn played(trace: &[&str]) -> Played {
    play("", &trace.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
}

#[test]
fn a_failed_precondition_is_a_version_conflict() {
    for (trace, verdicts) in [
        // RFC 9110 §15.5.13.
        (
            &[r#"PUT /it if-match:"1" {"a":1} -> 412"#, r#"PUT /it if-match:"1" {"a":1} -> 412"#][..],
            "fail fail fail",
        ),
        (
            &[
                r#"PUT /it if-match:"1" {"a":1} -> 412"#,
                "GET /it -> 200 etag:\"2\"",
                r#"PUT /it if-match:"2" {"a":1} -> 200"#,
            ],
            "pass pass pass",
        ),
        (
            &[
                r#"PUT /it if-match:"1" {"a":1} -> 412"#,
                "GET /it -> 200 etag:\"2\"",
                r#"PUT /it if-match:"1" {"a":1} -> 412"#,
            ],
            "pass pass fail",
        ),
        (&[r#"PUT /it if-match:"1" {"a":1} -> 412"#, r#"PUT /it {"a":1} -> 200"#], "fail fail fail"),
        (&[r#"DELETE /it if-match:"1" -> 412"#], "pass - -"),
        (
            &[
                "PUT /it if-unmodified-since:Sun,_06_Nov_1994_08:49:37_GMT {} -> 412",
                "PUT /it if-unmodified-since:Sun,_06_Nov_1994_08:49:37_GMT {} -> 412",
            ],
            "fail fail fail",
        ),
        (
            &[r#"PATCH /it if-match:W/"1" {"a":1} -> 412"#, r#"PATCH /it if-match:W/"1" {"a":1} -> 412"#],
            "fail fail fail",
        ),
        (
            &[
                r#"DELETE /it if-match:W/"1" -> 412"#,
                r#"HEAD /it -> 200 etag:W/"2""#,
                r#"DELETE /it if-match:W/"2" -> 200"#,
            ],
            "pass pass pass",
        ),
        // A 428 asks for a version, and refused none.
        (
            &[
                r#"PUT /it {"a":1} -> 428"#,
                r#"GET /it -> 200 etag:"1""#,
                r#"PUT /it if-match:"1" {"a":1} -> 200"#,
            ],
            "- - -",
        ),
        // A 409 says so once it shows another version.
        (
            &[
                r#"PUT /it if-match:"1" {"a":1} -> 409 etag:"2""#,
                r#"PUT /it if-match:"1" {"a":1} -> 409 etag:"2""#,
            ],
            "fail fail fail",
        ),
        (
            &[r#"PUT /it if-match:"1" {"a":1} -> 409 etag:"2""#, r#"PUT /it if-match:"2" {"a":1} -> 200"#],
            "pass pass pass",
        ),
        // These may be about something else.
        (&[r#"PUT /it if-match:"1" {"a":1} -> 409"#, r#"PUT /it if-match:"1" {"a":1} -> 200"#], "- - -"),
        (
            &[r#"PUT /it if-match:"1" {"a":1} -> 409 etag:"1""#, r#"PUT /it if-match:"1" {"a":1} -> 200"#],
            "- - -",
        ),
        (&[r#"PUT /it {"a":1} -> 409 etag:"2""#, r#"PUT /it {"a":1} -> 200"#], "- - -"),
        (&[r#"PUT /it {"sha":"1"} -> 409"#, r#"PUT /it {"sha":"1"} -> 200"#], "- - -"),
        (&[r#"PUT /it {"sha":"1"} -> 412"#, r#"PUT /it {"sha":"1"} -> 200"#], "- - -"),
        (&["PUT /it if-none-match:* {} -> 412", "PUT /it if-none-match:* {} -> 412"], "- - -"),
        (&["PUT /it if-match:* {} -> 412", "PUT /it if-match:* {} -> 412"], "- - -"),
        (
            &[r#"PUT /it if-match:"1" {"a":1} -> 423 etag:"2""#, r#"PUT /it if-match:"1" {"a":1} -> 200"#],
            "- - -",
        ),
        (
            &[r#"PUT /it if-match:"1" {"a":1} -> 503 etag:"2""#, r#"PUT /it if-match:"1" {"a":1} -> 200"#],
            "- - -",
        ),
    ] {
        assert_eq!(played(trace).verdicts(), verdicts, "{trace:?}");
    }
}

/// Where a rule names the place, a number in a body shows it as well.
#[test]
fn a_409_shows_another_version_where_a_rule_finds_it() {
    let rules = "[[rule]]\nmethod = 'PUT'\npath = '/it'\non = 'stale'\nversion = 'body:/version'\n";
    let write = r#"PUT /it {"version":1} -> 409 {"version":2}"#.to_owned();
    assert_eq!(play(rules, &[write.clone(), write]).verdicts(), "fail fail fail");

    let rules = "[[rule]]\nmethod = 'PATCH'\npath = '/it'\non = 'stale'\nversion = 'body:/meta/lock'\n";
    let write =
        |lock: u8| format!(r#"PATCH /it {{"meta":{{"lock":{lock}}}}} -> 409 {{"meta":{{"lock":2}}}}"#);
    assert_eq!(play(rules, &[write(1), write(1)]).verdicts(), "fail fail fail");
    let read = r#"GET /it -> 200 {"meta":{"lock":2}}"#.to_owned();
    assert_eq!(play(rules, &[write(1), read, write(2)]).verdicts(), "pass pass pass");
}

#[test]
fn they_are_counted_and_told_from_what_rules_injected() {
    let rules = "[[rule]]\nmethod = 'PUT'\npath = '/injected'\nfirst = 1\nkind = 'version'\n";
    let trace = [
        r#"PUT /injected if-match:"1" {} -> 200"#,
        r#"PUT /injected if-match:"1" {} -> 200"#,
        r#"PUT /own if-match:"1" {} -> 412"#,
        r#"PUT /own if-match:"1" {} -> 200"#,
        "PUT /failed {} -> 500",
    ];
    let Played { report, .. } = play(rules, &trace.map(str::to_owned));
    assert_eq!((report.totals.conflicted, report.totals.conflicted_upstream), (1, 1));
    let client = &report.clients[0];
    assert_eq!((client.conflicted, client.conflicted_upstream), (1, 1));
    let first = |path: &str| -> &TryReport {
        let operation = report.operations.iter().find(|operation| operation.path == path);
        &operation.unwrap_or_else(|| panic!("{path}")).tries[0]
    };
    for (path, by, kind) in [
        ("/injected", RefusedBy::Rule, Some("version")),
        ("/own", RefusedBy::Upstream, Some("version")),
        ("/failed", RefusedBy::Upstream, None),
    ] {
        assert_eq!((first(path).refused_by, first(path).kind.as_deref()), (Some(by), kind), "{path}");
    }
}
