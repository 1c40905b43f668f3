//! GitHub's REST API: a message, a link to its documentation, and the status as a string.

use std::borrow::Cow;

use http::Method;

use super::occasion::{HEX, RenderContext, UPPER_HEX};
use super::resource::{self, segments};
use super::{PlaceholderValue, ResponseShape, Style};
use crate::model::Kind;

pub(super) const STYLE: Style = Style {
    word: "github",
    title: "GitHub REST API",
    about: "A message, a link to its documentation, and the status as a string.",
    statuses: &[],
    agents: &["octokit", "pygithub"],
    reads_body: |facts| !matches!(*facts.method, Method::GET | Method::HEAD),
    examples: &[(
        "PUT",
        "/repos/o/r/contents/docs/read%20me.md",
        r#"{"sha":"95b966ae1c166bd92f8ae7d1c313e738c731dfc3"}"#,
    )],
    content_type: "application/json; charset=utf-8",
    words: &[
        ("github.file", |scene| PlaceholderValue::text(file(scene))),
        ("github.sent", |scene| PlaceholderValue::text(sent(scene))),
        ("github.current", |scene| match scene.occasion.version_current {
            Some(version) => PlaceholderValue::text(version.trim_matches('"')),
            None => PlaceholderValue::text(scene.occasion.id("github.current", HEX, 40)),
        }),
        ("github.request", |scene| {
            let id = scene.occasion.id("github.request", UPPER_HEX, 33);
            let part = |from: usize, to: usize| id.get(from..to).unwrap_or_default();
            PlaceholderValue::text(format!(
                "{}:{}:{}:{}:{}",
                part(0, 4),
                part(4, 10),
                part(10, 17),
                part(17, 25),
                part(25, 33)
            ))
        }),
    ],
    shapes: |kind, _| {
        vec![
            ResponseShape::new(
                "application/json; charset=utf-8",
                r#"{"message":"{message}","documentation_url":"https://docs.github.com/rest/{page}","status":"{status}"}"#,
            )
            .headers(&[
                ("server", "github.com"),
                ("x-github-media-type", "github.v3; format=json"),
                ("x-github-request-id", "{github.request}"),
            ])
            .fills(match kind {
                Kind::Version => &[
                    ("message", "{github.file} does not match {github.sent}"),
                    ("page", "repos/contents#create-or-update-file-contents"),
                ],
                Kind::Overlap => &[
                    ("message", "is at {github.current} but expected {github.sent}"),
                    ("page", "repos/contents#create-or-update-file-contents"),
                ],
                Kind::Duplicate => {
                    &[("message", "Reference already exists"), ("page", "git/refs#create-a-reference")]
                }
                Kind::Referenced => &[("message", "Merge conflict"), ("page", "branches/branches#merge-a-branch")],
                _ => &[
                    ("message", "Head branch was modified. Review and try the merge again."),
                    ("page", "pulls/pulls#merge-a-pull-request"),
                ],
            }),
        ]
    },
};

/// The part after `/repos/{owner}/{repo}/contents/`; any other path's last segment.
fn file<'s>(scene: &'s RenderContext<'s>) -> Cow<'s, str> {
    let facts = scene.occasion.facts;
    match segments(facts).nth(3) {
        Some("contents") => {
            let file = facts.path.split_once("/contents/").map_or("", |(_, file)| file);
            resource::decode(file)
        }
        _ => resource::last(facts),
    }
}

/// The blob that the request replaces: `sha` in its body.
fn sent<'s>(scene: &'s RenderContext<'s>) -> Cow<'s, str> {
    let occasion = scene.occasion;
    resource::body(occasion.facts, "/sha")
        .or_else(|| occasion.version_sent().map(|version| version.trim_matches('"').into()))
        .unwrap_or_else(|| occasion.id("github.sent", HEX, 40).into())
}
