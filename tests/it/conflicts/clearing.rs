//! `clear`: when a conflict that was opened ends.

use super::{Stage, nothing, rule, stage, upstream};

fn forced(clear: &str) -> Stage {
    stage(&format!(
        "[[rule]]\nname = \"won\"\nmethod = \"PUT\"\npath = \"/items/{{id}}\"\nfirst = 1\nkind = \"version\"\nclear = {clear}"
    ))
}

const ITEM: &str = r#"{"name":"lamp"}"#;

#[test]
fn a_replay_keeps_failing_and_a_rewrite_after_a_read_succeeds_at_the_real_upstream() {
    for clear in ["\"refetch\"", "\"new_version\""] {
        let stage = forced(clear);
        let write = |item: &str, tag: &str| stage.got(&format!("PUT /items/{item}"), &[tag], ITEM);
        assert_eq!(write("1", "If-Match: \"1\""), rule(409, "won"), "{clear}");
        for _ in 0..3 {
            assert_eq!(write("1", "If-Match: \"1\""), rule(409, "won"), "{clear}: a replay");
        }
        assert_eq!(write("2", "If-Match: \"1\""), rule(409, "won"), "{clear}: another item is another story");
        let read = stage.ask("GET /items/1", &[], "").expect("an answer");
        let tag = format!("If-Match: {}", read.header("etag").expect("a tag"));
        assert_eq!(write("1", &tag), upstream(200), "{clear}");
        assert_eq!(stage.writes("PUT /items/{id}"), 1, "{clear}");
    }
}

#[test]
fn only_a_successful_read_of_the_resource_by_the_same_client_clears() {
    let stage = forced("\"refetch\"");
    let me = "User-Agent: me";
    let write = || stage.got("PUT /items/1", &[me], ITEM);
    assert_eq!(write(), rule(409, "won"));
    stage.got("GET /items/2", &[me], "");
    stage.got("GET /items/1", &["User-Agent: another"], "");
    stage.got("OPTIONS /items/1", &[me], "");
    assert_eq!(write(), rule(409, "won"));
    let not_modified = stage.got("GET /items/1", &[me, "If-None-Match: \"1\""], "");
    assert_eq!(not_modified, upstream(304));
    assert_eq!(write(), upstream(200), "to hear that nothing changed is to have read");
}

#[test]
fn a_read_that_could_clear_is_never_refused_itself() {
    for clear in ["refetch", "new_version"] {
        let stage = stage(&format!("[[rule]]\nname = \"won\"\nfirst = 1\nclear = \"{clear}\""));
        assert_eq!(stage.got("GET /items/1", &[], ""), upstream(200), "{clear}: no conflict begins with it");
        assert_eq!(stage.got("PUT /items/1", &[], ITEM), rule(409, "won"), "{clear}");
        assert_eq!(stage.got("GET /items/1", &[], ""), upstream(200), "{clear}");
        assert_eq!(stage.got("PUT /items/1", &[], ITEM), upstream(200), "{clear}");
    }
}

#[test]
fn a_read_whose_answer_is_withheld_clears_nothing() {
    let stage = stage(
        "[[rule]]\nname = \"unread\"\nmethod = \"GET\"\nfirst = 1\nphase = \"lost\"\n\
         [[rule]]\nname = \"won\"\nmethod = \"PUT\"\nfirst = 1\nclear = \"refetch\"",
    );
    assert_eq!(stage.got("PUT /items/1", &[], ITEM), rule(409, "won"));
    assert_eq!(stage.got("GET /items/1", &[], ""), nothing());
    assert_eq!(stage.got("PUT /items/1", &[], ITEM), rule(409, "won"), "the client has read nothing");
    assert_eq!(stage.got("GET /items/1", &[], ""), upstream(200));
    assert_eq!(stage.got("PUT /items/1", &[], ITEM), upstream(200));
}

#[test]
fn another_version_clears_where_that_is_asked_for() {
    let stage = forced("\"new_version\"");
    assert_eq!(stage.got("PUT /items/1", &["If-Match: \"0\""], ITEM), rule(409, "won"));
    assert_eq!(stage.got("PUT /items/1", &["If-Match: \"1\""], ITEM), upstream(200));
}

#[test]
fn tries_are_counted_and_never_is_never() {
    let stage = forced("3");
    let statuses = [(); 5].map(|()| stage.got("PUT /items/1", &[], ITEM).status);
    assert_eq!(statuses, [409, 409, 409, 200, 200]);
    let stage = forced("\"never\"");
    stage.got("PUT /items/1", &[], ITEM);
    stage.got("GET /items/1", &[], "");
    assert_eq!(stage.got("PUT /items/1", &["If-Match: \"9\""], ITEM), rule(409, "won"));
}

#[test]
fn every_style_plays_a_cleared_conflict() {
    for style in ["couchdb", "kubernetes", "s3", "stripe", "elasticsearch", "github", "azure_storage"] {
        let stage = stage(&format!(
            "[[rule]]\nname = \"won\"\nmethod = \"PUT\"\nfirst = 1\nkind = \"version\"\nclear = \"refetch\"\nreply = {{ style = \"{style}\" }}"
        ));
        assert_eq!(stage.got("PUT /items/1", &[], ITEM), rule(409, "won"), "{style}");
        stage.got("GET /items/1", &[], "");
        assert_eq!(stage.got("PUT /items/1", &[], ITEM), upstream(200), "{style}");
    }
}

#[test]
fn the_remaining_time_is_told_to_the_client() {
    for (rule, said) in [("first = 1\nclear = \"1h\"", "3600"), ("during = { for = \"1h\" }", "3600")] {
        let stage = stage(&format!("[[rule]]\n{rule}\nreply = {{ retry_after = \"remaining\" }}"));
        let response = stage.ask("PUT /items/1", &[], ITEM).expect("an answer");
        assert_eq!(response.header("retry-after"), Some(said), "{rule}");
    }
}
