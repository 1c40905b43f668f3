//! PostgREST: PostgreSQL's own errors, with `SQLSTATE` as the code.

use std::borrow::Cow;

use super::occasion::{RenderContext, ReplyContext};
use super::resource::{self, resource};
use super::{PlaceholderValue, ResponseShape, Style};
use crate::model::{Key, KeyPart, Kind};

pub(super) const STYLE: Style = Style {
    word: "postgrest",
    title: "PostgREST",
    about: "PostgreSQL's own errors, with `SQLSTATE` as the code.",
    statuses: &[],
    agents: &[],
    reads_body: |_| false,
    examples: &[
        ("POST", "/users", r#"{"username":"ada"}"#),
        ("DELETE", "/users?id=eq.7", ""),
        ("PUT", "/users/7", ""),
    ],
    content_type: "application/json; charset=utf-8",
    words: &[
        ("pg.table", |scene| PlaceholderValue::text(table(scene))),
        ("pg.column", |scene| PlaceholderValue::text(taken(scene).0)),
        ("pg.value", |scene| PlaceholderValue::text(taken(scene).1)),
        ("pg.id", |scene| PlaceholderValue::text(id(scene))),
    ],
    shapes: |kind, _| {
        vec![ResponseShape::new(
            "application/json; charset=utf-8",
            match kind {
                Kind::Referenced => {
                    r#"{"code":"23503","details":"Key (id)=({pg.id}) is still referenced from table \"{pg.table}_details\".","hint":null,"message":"update or delete on table \"{pg.table}\" violates foreign key constraint \"{pg.table}_details_id_fkey\" on table \"{pg.table}_details\""}"#
                }
                // The only other error that PostgREST sends as 409.
                _ => {
                    r#"{"code":"23505","details":"Key ({pg.column})=({pg.value}) already exists.","hint":null,"message":"duplicate key value violates unique constraint \"{pg.table}_{pg.column}_key\""}"#
                }
            },
        )]
    },
};

/// `/users?id=eq.7` is how PostgREST names a row, `/users/7` how others do.
fn table<'s>(scene: &'s RenderContext<'s>) -> Cow<'s, str> {
    let facts = scene.occasion.facts;
    if facts.query.is_some() { resource::last(facts) } else { resource(facts).collection }
}

fn id<'s>(scene: &'s RenderContext<'s>) -> Cow<'s, str> {
    let facts = scene.occasion.facts;
    match facts.queries("id").next() {
        Some(id) => id.strip_prefix("eq.").unwrap_or(&id).to_owned().into(),
        None => resource(facts).id.unwrap_or("1".into()),
    }
}

/// The column and the value that exist already: those of the rule's `per`, if that names a column
/// (`body:/username` is `username`), else the id.
fn taken<'s>(scene: &'s RenderContext<'s>) -> (&'s str, Cow<'s, str>) {
    let ReplyContext { facts, captures, identity, .. } = *scene.occasion;
    let named = scene.per.0.iter().find_map(|part| {
        let name = match part {
            KeyPart::Body(pointer) => pointer.rsplit('/').next().unwrap_or(pointer),
            KeyPart::Param(name) | KeyPart::Query(name) => &**name,
            _ => return None,
        };
        Some((name, Key(vec![part.clone()]).describe(facts, &captures.get(facts), identity)?.into()))
    });
    named.unwrap_or_else(|| ("id", id(scene)))
}
