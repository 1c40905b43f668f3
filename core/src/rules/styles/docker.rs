//! Docker Engine: one sentence, and a line break after the JSON.

use std::borrow::Cow;

use super::occasion::{HEX, RenderContext};
use super::resource::{self, segments};
use super::{PlaceholderValue, ResponseShape, Style};
use crate::model::Kind;

pub(super) const STYLE: Style = Style {
    word: "docker",
    title: "Docker Engine",
    about: "One sentence in `message`.",
    statuses: &[],
    agents: &["docker-"],
    reads_body: |_| false,
    examples: &[("POST", "/v1.43/containers/create?name=web", ""), ("DELETE", "/v1.43/volumes/data", "")],
    content_type: "application/json",
    words: &[
        ("docker.name", |scene| PlaceholderValue::text(name(scene))),
        // A property of the container: the same in every response about it.
        ("docker.id", |scene| PlaceholderValue::text(scene.occasion.id_of(&name(scene), HEX, 64))),
    ],
    shapes: |kind, _| match kind {
        Kind::Duplicate => vec![message(concat!(
            r#"{"message":"Conflict. The container name \"/{docker.name}\" is already in use by container \"{docker.id}\". You have to remove (or rename) that container to be able to reuse that name."}"#,
            "\n"
        ))],
        Kind::Referenced => vec![message(IN_USE)],
        _ => vec![
            message(IN_USE).when(|facts| segments(facts).any(|segment| segment == "volumes")),
            message(concat!(
                r#"{"message":"removal of container {docker.name} is already in progress"}"#,
                "\n"
            )),
        ],
    },
};

const IN_USE: &str = concat!(r#"{"message":"remove {docker.name}: volume is in use - [{docker.id}]"}"#, "\n");

fn message(body: &'static str) -> ResponseShape {
    ResponseShape::new("application/json", body)
        .headers(&[("docker-experimental", "false"), ("ostype", "linux")])
}

/// `?name=` of a container that is created, else the segment after the collection:
/// `/v1.43/containers/{name}/start`.
fn name<'s>(scene: &'s RenderContext<'s>) -> Cow<'s, str> {
    let facts = scene.occasion.facts;
    if let Some(name) = facts.queries("name").next() {
        return name.trim_start_matches('/').to_owned().into();
    }
    let mut rest = segments(facts)
        .skip_while(|segment| !matches!(*segment, "containers" | "volumes" | "networks" | "images"));
    match rest.nth(1) {
        Some(name) if name != "create" => resource::decode(name),
        _ => resource::last(facts),
    }
}
