//! `on = "stale"`, request by request.

use http::StatusCode;

use super::playback::{Playback, on, rule};
use crate::rules::{State, VersionAt, VersionSource};

fn play(version: Option<VersionSource>, missing: Option<StatusCode>, traces: &[&str]) {
    for trace in traces {
        let trigger = on(State::Stale { missing });
        let mut rule = rule(&["PUT", "PATCH", "DELETE"], "/items/{id}", trigger, "path");
        rule.version = version.clone().map(|request| VersionAt { request, responses: Vec::new() });
        Playback::new(rule).play(trace);
    }
}

#[test]
fn tags() {
    play(
        None,
        None,
        &[
            // No version is known before a response shows one.
            r#"A PUT /items/1 if-match:"1" -> 200 etag:"2"      | pass
           A PUT /items/1 if-match:"1"                      | conflict "1" not "2"
           A PUT /items/1 if-match:"2" -> 200 etag:"3"      | pass
           A PUT /items/2 if-match:"1" -> 200               | pass"#,
            // A GET teaches; a list, an asterisk, and nothing.
            r#"A GET /items/1 -> 200 etag:"1"
           B PUT /items/1 if-match:"0","1" -> 412           | pass
           B PUT /items/1 if-match:"0","7"                  | conflict "0" not "1"
           B PUT /items/1 if-match:* -> 412                 | pass
           B PUT /items/1 -> 412                            | pass
           B PUT /items/1 if-match:W/"1"                    | conflict"#,
            // Failed, cancelled and reset writes teach nothing.
            r#"A GET /items/1 -> 200 etag:"1"
           A PUT /items/1 if-match:"1" -> 412 etag:"5"      | pass
           A PUT /items/1 if-match:"1" -> 500 etag:"5"      | pass
           A PUT /items/1 if-match:"1" -> gone              | pass
           A PUT /items/1 if-match:"1" -> reset             | pass
           A PUT /items/1 if-match:"0"                      | conflict "0" not "1"
           A GET /items/1 -> 404 etag:"9"
           A GET /items/1 -> gone
           A GET /items/1 -> 304 etag:"9"
           A PUT /items/1 if-match:"1" -> 200 etag:"2"      | pass"#,
            // Weak tags, parts, and other forms of the resource teach nothing either.
            r#"A GET /items/1 -> 200 etag:W/"1"
           A PUT /items/1 if-match:"0" -> 412               | pass
           A GET /items/1 -> 200 etag:"1"
           A GET /items/1 -> 200 etag:W/"9"
           A GET /items/1 -> 206 etag:"9"
           A GET /items/1?fields=name -> 200 etag:"9"
           A PROPFIND /items/1 -> 207 etag:"9"
           A HEAD /items/1 -> 200 etag:"1"
           A PUT /items/1 if-match:"9"                      | conflict "9" not "1""#,
            // A write whose response has no strong tag, or that is still going on: how it changed is unknown.
            r#"A GET /items/1 -> 200 etag:"1"
           A PUT /items/1 if-match:"1" -> 204               | pass
           A PUT /items/1 if-match:"1" -> 412               | pass
           A GET /items/1 -> 200 etag:"2"
           A PUT /items/1 if-match:"1"                      | conflict "1" not "2"
           A PUT /items/1 if-match:"2" -> 202 etag:"job"    | pass
           A PUT /items/1 if-match:"3" -> 412               | pass"#,
            // Deleted and created again.
            r#"A GET /items/1 -> 200 etag:"1"
           1: B GET /items/1
           A DELETE /items/1 if-match:"1" -> 204            | pass
           1 -> 200 etag:"1"
           A PUT /items/1 if-match:"9" -> 404               | pass
           A PUT /items/1 if-none-match:* -> 201 etag:"2"   | pass
           A PUT /items/1 if-match:"1"                      | conflict "1" not "2""#,
            // Created by a POST elsewhere, which names it.
            r#"A POST /items -> 201 location:/items/7 etag:"1"
           A PUT /items/7 if-match:"0"                      | conflict "0" not "1"
           A POST /items -> 201 location:http://proxy:1/items/8?x=://#y etag:"1"
           A PUT /items/8 if-match:"0"                      | conflict "0" not "1"
           A POST /items -> 201 location:/items/%39 etag:"1"
           A PUT /items/9 if-match:"0"                      | conflict "0" not "1"
           A POST /items -> 500 location:/items/3 etag:"1"
           A POST /items -> gone
           A POST /items -> 200 location:/items/3 etag:"1"
           A POST /items -> 201 location:/other/3 etag:"1"
           A POST /items -> 201 location:3 etag:"1"
           A PUT /items/3 if-match:"0" -> 404               | pass
           A POST /items/7 -> 200 etag:"x"
           A PUT /items/7 if-match:"0" -> 412               | pass"#,
        ],
    );
}

#[test]
fn exchanges_that_overlap() {
    play(
        None,
        None,
        &[
            // A read that began before a write ended does not overrule the version that the write showed.
            r#"A GET /items/1 -> 200 etag:"1"
           1: B GET /items/1
           A PUT /items/1 if-match:"1" -> 200 etag:"2"      | pass
           1 -> 200 etag:"1"
           B PUT /items/1 if-match:"1"                      | conflict "1" not "2""#,
            // A read during a write does not keep the old version alive.
            r#"A GET /items/1 -> 200 etag:"1"
           1: A PUT /items/1 if-match:"1"                   | pass
           B GET /items/1 -> 200 etag:"1"
           1 -> 200 etag:"2"
           B PUT /items/1 if-match:"1"                      | conflict "1" not "2""#,
            // Of two concurrent writes, either may have come last; the version before them is stale.
            r#"A GET /items/1 -> 200 etag:"1"
           1: A PUT /items/1 if-match:"1"                   | pass
           2: B PUT /items/1 if-match:"1"                   | pass
           2 -> 200 etag:"3"
           1 -> 200 etag:"2"
           C PUT /items/1 if-match:"1"                      | conflict "1" not "2"
           B PUT /items/1 if-match:"3" -> 412               | pass
           A PUT /items/1 if-match:"2" -> 412               | pass
           A GET /items/1 -> 200 etag:"3"
           A PUT /items/1 if-match:"2"                      | conflict "2" not "3""#,
            // One of two concurrent writes shows no version.
            r#"1: A PUT /items/1                                | pass
           2: B DELETE /items/1                             | pass
           1 -> 200 etag:"2"
           2 -> 204
           A PUT /items/1 if-match:"1" -> 200 etag:"3"      | pass
           A PUT /items/1 if-match:"2"                      | conflict "2" not "3""#,
            // A write was applied, and its client left; a read that went on meanwhile shows it.
            r#"A GET /items/1 -> 200 etag:"1"
           1: A GET /items/1
           2: B PUT /items/1 if-match:"1"                   | pass
           3: C PUT /items/1 if-match:"1"                   | pass
           3 -> gone
           2 -> 200 etag:"2"
           1 -> 200 etag:"3"
           A PUT /items/1 if-match:"3" -> 200 etag:"4"      | pass
           B PUT /items/1 if-match:"2"                      | conflict "2" not "4""#,
            // Changed behind the proxy's back, between two reads that overlap.
            r#"1: A GET /items/1
           B GET /items/1 -> 200 etag:"2"
           1 -> 200 etag:"1"
           B PUT /items/1 if-match:"2" -> 200 etag:"3"      | pass
           A PUT /items/1 if-match:"1"                      | conflict "1" not "3""#,
        ],
    );
}

#[test]
fn missing_versions() {
    play(
        None,
        Some(StatusCode::PRECONDITION_REQUIRED),
        &[r#"A PUT /items/1                                   | conflict 428
           A PUT /items/1 if-none-match:* -> 201            | pass
           A PUT /items/1 if-match:* -> 200                 | pass
           A PUT /items/1 if-match:"1" -> 200               | pass
           A PUT /items/1 if-unmodified-since:Sun,~06~Nov~1994~08:49:37~GMT -> 200   | pass
           A PUT /items/1 if-unmodified-since:yesterday     | conflict 428
           A GET /items/1 -> 200"#],
    );
    let trigger = on(State::Stale { missing: Some(StatusCode::CONFLICT) });
    Playback::new(rule(&[], "/items/{id}", trigger, "path")).play(
        "A GET /items/1 -> 200                              | pass
         A PATCH /items/1                                   | conflict 409",
    );
}

#[test]
fn dates() {
    play(
        None,
        None,
        &[
            r#"A GET /items/1 -> 200 last-modified:Sun,~06~Nov~1994~08:49:37~GMT
           A PUT /items/1 if-unmodified-since:Sun,~06~Nov~1994~08:49:36~GMT          | conflict
           A PUT /items/1 if-unmodified-since:Sun,~06~Nov~1994~08:49:37~GMT -> 204   | pass
           A PUT /items/1 if-unmodified-since:Sun,~06~Nov~1994~08:49:36~GMT -> 412   | pass"#,
            // Compressed on the way, the tag is weak, and the resource the same.
            r#"A GET /items/1 -> 200 etag:"1" last-modified:Sun,~06~Nov~1994~08:49:37~GMT
           A GET /items/1 -> 200 etag:W/"1" last-modified:Sun,~06~Nov~1994~08:49:37~GMT
           A PUT /items/1 if-match:"0"                      | conflict "0" not "1"
           A GET /items/1 -> 200 etag:W/"2" last-modified:Sun,~06~Nov~1994~08:49:38~GMT
           A PUT /items/1 if-match:"0" -> 412               | pass"#,
        ],
    );
}

#[test]
fn versions_in_bodies_queries_and_headers() {
    let body = |pointer: &str| Some(VersionSource::Body(pointer.into()));
    // CouchDB: `_rev` in documents, `rev` in responses and queries, a tag in headers.
    play(
        body("/_rev"),
        None,
        &[r#"A PUT /items/1 {"a":1} -> 201 etag:"1-a" {"ok":true,"rev":"1-a"}        | pass
           A PUT /items/1 {"_rev":"1-a"} -> 201 {"ok":true,"rev":"2-b"}            | pass
           A PUT /items/1 {"_rev":"1-a"}                                           | conflict 1-a not 2-b
           A GET /items/1?rev=1-a -> 200 {"_rev":"1-a"}
           A GET /items/1?conflicts=true -> 200 {"_rev":"2-b"}
           A DELETE /items/1?rev=1-a                                               | conflict 1-a not 2-b
           A DELETE /items/1 if-match:"1-a"                                        | conflict "1-a" not 2-b
           A DELETE /items/1 if-match:"2-b" -> 500                                 | pass
           A PUT /items/1 {"_rev":"2-b"} -> 409 {"rev":"9-x"}                      | pass
           A PUT /items/1 {"_rev":"2-b"} -> gone                                   | pass
           A PUT /items/1 {"_rev":"2-b"} -> 201 gone {"rev":"3-c"}                 | pass
           A PUT /items/1 {"_rev":"1-a"} -> 409                                    | pass"#],
    );
    // Kubernetes: numbers and texts of the same digits are the same.
    play(
        body("/metadata/resourceVersion"),
        Some(StatusCode::CONFLICT),
        &[r#"A GET /items/1 -> 200 {"metadata":{"resourceVersion":"41"}}
           A PUT /items/1 {"metadata":{"resourceVersion":41}} -> 200 {"metadata":{"resourceVersion":"42"}} | pass
           A PUT /items/1 {"metadata":{"resourceVersion":"41"}}                    | conflict 41 not 42
           A PUT /items/1 {"metadata":{}}                                          | conflict 409
           A GET /items/1?resourceVersion=0 -> 200 {"metadata":{"resourceVersion":"41"}}
           A PUT /items/1 {"metadata":{"resourceVersion":"41"}}                    | conflict 41 not 42"#],
    );
    // GitHub: a file's `sha`, below `content` in the response to a write.
    play(
        body("/sha"),
        None,
        &[r#"A GET /items/1 -> 200 {"sha":"a1","content":"aGk="}
           A PUT /items/1 {"sha":"a1"} -> 200 {"content":{"sha":"b2"},"commit":{"sha":"c3"}}   | pass
           A PUT /items/1 {"sha":"a1"}                                             | conflict a1 not b2"#],
    );
    // Elasticsearch: `_seq_no` in responses, `if_seq_no` in queries.
    let seq_no = Some(VersionSource::Query("if_seq_no".into()));
    play(
        seq_no,
        None,
        &[r#"A PUT /items/1 -> 201 {"_seq_no":4,"_primary_term":1}                   | pass
           A PUT /items/1?if_seq_no=4&if_primary_term=1 -> 200 {"_seq_no":6}       | pass
           A PUT /items/1?if_seq_no=4&if_primary_term=1                            | conflict 4 not 6"#],
    );
    let header = |name: &'static str| Some(VersionSource::Header(http::HeaderName::from_static(name)));
    play(
        header("x-revision"),
        None,
        &[r#"A GET /items/1 -> 200 x-revision:7 etag:"e"
           A PUT /items/1 x-revision:6                                             | conflict 6 not 7
           A PUT /items/1 x-revision:7 -> 200 x-revision:8                         | pass"#],
    );
    play(
        header("if-match"),
        None,
        &[r#"A GET /items/1 -> 200 etag:"7"
           A PUT /items/1 if-match:"6","7" -> 200                                  | pass"#],
    );
    // Longer versions than are kept.
    let long = format!(
        "A GET /items/1 -> 200 etag:\"{}\"\nA PUT /items/1 if-match:\"0\" -> 200 | pass",
        "e".repeat(127)
    );
    play(None, None, &[&long]);
}
