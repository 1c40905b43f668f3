//! Reports as people and machines read them, all made from one [`Report`]. Pure: the record and its
//! start are arguments, and the caller writes the bytes.
//!
//! Texts of a client or a rules file are untrusted in every format: escaped, and cut.

mod conflicts;
mod evidence;
mod github;
mod har;
mod html;
mod json;
mod junit;
mod markdown;
mod phrases;
mod run;
pub mod table;
mod text;
mod width;

use std::fmt::Display;
use std::io;
use std::str::FromStr;
use std::sync::Arc;

pub use self::conflicts::{MET_OWN_LABEL, met_label};
pub use self::json::schema;
pub use self::phrases::RULE_HEADS;
pub use self::run::around;
pub use self::width::Width;
use crate::grading::Report;
use crate::model::Attempt;
use crate::rules::Paint;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A score card for a terminal.
    Text,
    /// The report itself; [`schema`] describes it.
    Json,
    /// A suite per class of clients, a case per check and rule: CI systems show it.
    Junit,
    /// A job summary on GitHub.
    Markdown,
    /// One page that needs nothing else.
    Html,
    /// Annotations of a job on GitHub.
    Github,
    /// The attempts as an HTTP archive, for a browser's network panel.
    Har,
}

/// The report to write, and the time it begins at.
#[derive(Clone, Copy, Debug)]
pub struct ReportInput<'a> {
    pub report: &'a Report,
    /// The attempts that the report was made from; only [`Format::Har`] reads them.
    pub attempts: &'a [Arc<Attempt>],
    /// The moment 0 of the report's and the attempts' times.
    pub started: jiff::Timestamp,
    /// Whether [`Format::Text`] may hold colours.
    pub paint: Paint,
    /// How wide the lines of [`Format::Text`] may be.
    pub width: Width,
}

/// Writes the report.
///
/// # Errors
/// Those of `out`.
pub fn write(format: Format, subject: ReportInput, out: &mut impl io::Write) -> io::Result<()> {
    match format {
        Format::Text => out.write_all(text::render(subject.report, subject.paint, subject.width).as_bytes()),
        Format::Json => json::write(subject.report, out),
        Format::Junit => out.write_all(junit::render(subject.report).map_err(io::Error::other)?.as_bytes()),
        Format::Markdown => out.write_all(markdown::render(subject.report).as_bytes()),
        Format::Html => {
            let page = html::render(subject.report, subject.started).map_err(io::Error::other)?;
            out.write_all(page.as_bytes())
        }
        Format::Github => out.write_all(github::render(subject.report).as_bytes()),
        Format::Har => har::write(subject, out),
    }
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 7] = [
        Format::Text,
        Format::Json,
        Format::Junit,
        Format::Markdown,
        Format::Html,
        Format::Har,
        Format::Github,
    ];

    /// The word that the command line has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Junit => "junit",
            Format::Markdown => "markdown",
            Format::Html => "html",
            Format::Har => "har",
            Format::Github => "github",
        }
    }
}

impl Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Format, String> {
        let known = |format: &Format| format.as_str() == word;
        Format::ALL.into_iter().find(known).ok_or_else(|| {
            let words = Format::ALL.map(Format::as_str).join(", ");
            format!("a report is one of {words}")
        })
    }
}
