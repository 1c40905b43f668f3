//! The texts that one set of rules is read from, as if they were one: every place in them is an offset into all of
//! them, one after the other, and becomes a place in one file where a mistake is told.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::BodyFileError;
use crate::matching::TextPattern;
use crate::rules::diagnostic::Also;
use crate::rules::{Diagnostic, SourceText};

/// A text of rules that was given.
#[derive(Clone, Debug)]
pub struct RulesText {
    pub source: SourceText,
    pub form: TextForm,
    /// Names of files in it are looked up here.
    pub folder: PathBuf,
    /// Its path without links and dots; `None` for a pipe, or a text from elsewhere.
    pub identity: Option<PathBuf>,
}

impl RulesText {
    /// A rules file by itself, in the working folder.
    pub fn alone(name: &str, text: &str) -> RulesText {
        let source = SourceText { name: name.to_owned(), text: text.to_owned() };
        RulesText { source, form: TextForm::File, folder: PathBuf::from("."), identity: None }
    }
}

/// How a text of rules is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextForm {
    /// TOML.
    File,
    /// One rule on one line: `PUT /items/{id} first=1 kind=version`.
    Words,
}

/// Things around rules files that they may name: other files, and the environment.
pub trait Surroundings {
    /// The value of an environment variable; `None` when it is not set.
    fn variable(&self, name: &str) -> Result<Option<String>, NotText>;

    /// The text of a `body_file`, below the folder of the rules file that names it.
    fn body_file(&self, folder: &Path, name: &str) -> Result<String, BodyFileError>;

    /// Files below `folder` whose names fit `pattern`, segment by segment, sorted.
    fn files(&self, folder: &Path, pattern: &[TextPattern]) -> Result<Vec<FoundFile>, IncludeError>;

    /// The text of a found file, or why there is none.
    fn open(&self, file: &FoundFile) -> Result<String, Diagnostic>;
}

/// A text by itself: without other files but those of bodies, and without an environment.
pub(super) struct Alone<'f>(pub super::BodyFiles<'f>);

impl Surroundings for Alone<'_> {
    fn variable(&self, _: &str) -> Result<Option<String>, NotText> {
        Ok(None)
    }

    fn body_file(&self, _: &Path, name: &str) -> Result<String, BodyFileError> {
        (self.0)(name)
    }

    fn files(&self, _: &Path, _: &[TextPattern]) -> Result<Vec<FoundFile>, IncludeError> {
        Ok(Vec::new())
    }

    fn open(&self, _: &FoundFile) -> Result<String, Diagnostic> {
        Ok(String::new())
    }
}

/// A variable whose value is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotText;

/// A file that `include` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// As messages call it.
    pub path: PathBuf,
    /// Its path without links and dots.
    pub identity: PathBuf,
}

/// Why the files of an `include` cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IncludeError {
    /// This one lies, perhaps by a link, outside the folder of the file that includes it.
    Outside(PathBuf),
    /// There are more than [`MOST_FILES`].
    TooMany,
    /// The operating system says why, in its own words.
    Unreadable(String),
}

impl fmt::Display for IncludeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IncludeError::Outside(path) => write!(f, "{} lies outside the folder", path.display()),
            IncludeError::TooMany => f.write_str("there are more than 1,000 files"),
            IncludeError::Unreadable(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for IncludeError {}

/// Files of one set of rules at most.
pub const MOST_FILES: usize = 1_000;

/// One text, and where it begins among all.
#[derive(Clone, Debug)]
pub(super) struct PlacedText {
    pub text: Arc<SourceText>,
    pub form: TextForm,
    pub folder: PathBuf,
    pub is_included: bool,
    base: usize,
}

impl PlacedText {
    /// Where the text begins among all texts.
    pub fn base(&self) -> usize {
        self.base
    }
}

/// Every text, in the order in which their rules are tried.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<PlacedText>);

impl Sources {
    pub(super) fn push(&mut self, given: RulesText, is_included: bool) {
        let base = self.size();
        let RulesText { source, form, folder, .. } = given;
        self.0.push(PlacedText { text: Arc::new(source), form, folder, is_included, base });
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn at(&self, position: usize) -> Option<&PlacedText> {
        self.0.get(position)
    }

    /// Bytes of all texts, each with one more that keeps its end from the next one's beginning.
    pub(super) fn size(&self) -> usize {
        self.0.last().map_or(0, |last| last.base + last.text.text.len() + 1)
    }

    /// The text that holds the byte `at`.
    pub(super) fn source(&self, at: usize) -> Option<&PlacedText> {
        let after = self.0.partition_point(|source| source.base <= at);
        self.0.get(after.checked_sub(1)?)
    }

    /// The piece of a text in which it stands.
    pub(super) fn get(&self, span: Range<usize>) -> Option<&str> {
        let source = self.source(span.start)?;
        source.text.text.get(span.start - source.base..span.end.checked_sub(source.base)?)
    }

    /// `mistake` in its own file, where a file of its own was not said yet.
    pub fn locate(&self, mut mistake: Diagnostic) -> Diagnostic {
        if mistake.file.is_some() {
            return mistake;
        }
        if let Some(Also { file, span, .. }) = mistake.also.as_deref_mut()
            && let Some(source) = self.source(span.start)
        {
            *file = Some(Arc::clone(&source.text));
            *span = shifted_down(span, source.base);
        }
        let at = mistake.span.as_ref().map_or(0, |span| span.start);
        if let Some(source) = self.source(at) {
            mistake.span = mistake.span.map(|span| shifted_down(&span, source.base));
            mistake.file = Some(Arc::clone(&source.text));
        }
        mistake
    }
}

fn shifted_down(span: &Range<usize>, by: usize) -> Range<usize> {
    span.start.saturating_sub(by)..span.end.saturating_sub(by)
}
