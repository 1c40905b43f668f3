//! A rules file to begin with, written from a description or a record of a service: OpenAPI, HAR, or a journal.
//!
//! Each source becomes operations, and each operation the rules for what the service says it does.

mod har;
mod journal;
mod openapi;
mod operation;
mod path;
#[cfg(test)]
mod tests;
mod tree;
mod write;

use std::fmt;

use serde_json::Value as Json;

use operation::DescribedOperation;

/// Bytes of a description at most.
pub const LARGEST_SOURCE: usize = 64 * 1024 * 1024;

/// Rules that are written at most.
pub const MOST_DRAFTS: usize = 10_000;

/// A rules file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drafts {
    /// TOML.
    pub text: String,
    pub rules: usize,
    /// Operations for which no rule was written: those beyond [`MOST_DRAFTS`], and paths that no pattern can say.
    pub left_out: usize,
}

/// Why no rules can be written from a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftError {
    /// One line, lower case, without a full stop.
    pub title: String,
    /// The next step.
    pub help: String,
}

impl DraftError {
    fn new(title: impl Into<String>, help: impl Into<String>) -> DraftError {
        DraftError { title: title.into(), help: help.into() }
    }
}

impl fmt::Display for DraftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

impl std::error::Error for DraftError {}

/// Writes rules from the `text` of a source called `name`.
pub fn drafts(name: &str, text: &str) -> Result<Drafts, DraftError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = if journal::is_journal(text) { journal::read(text)? } else { described(text)? };
    if source.operations.is_empty() {
        return Err(DraftError::new(
            format!("{} has no request that a rule could be about", source.kind),
            "record or describe at least one write (POST, PUT, PATCH, DELETE), or a response of 409, 412, 423 or 429",
        ));
    }
    Ok(write::file(name, &source))
}

/// Operations of a service, and what is known of it as a whole.
#[derive(Clone, Debug, Default)]
struct Service {
    /// As in "an OpenAPI description has …".
    kind: &'static str,
    /// Its own name.
    title: Option<String>,
    /// Where it is served.
    url: Option<String>,
    operations: Vec<DescribedOperation>,
    /// Operations on paths that no pattern can say.
    left_out: usize,
}

fn described(text: &str) -> Result<Service, DraftError> {
    let tree = tree::read(text)?;
    if tree.get("openapi").is_some_and(Json::is_string) {
        return openapi::read(&tree);
    }
    if tree.get("swagger").is_some() {
        return Err(DraftError::new(
            "this is Swagger 2.0, and rules are written from OpenAPI 3",
            "convert it first, for example by `npx swagger2openapi swagger.json -o openapi.json`",
        ));
    }
    if tree.pointer("/log/entries").is_some_and(Json::is_array) {
        return har::read(&tree);
    }
    Err(DraftError::new(
        "this is neither OpenAPI 3, nor HAR, nor a journal",
        "name an openapi.yaml or openapi.json, a run.har that a browser saved, or a journal that `--journal` wrote",
    ))
}
