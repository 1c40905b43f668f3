//! Texts with values from the environment, as patterns and templates take them: the values stand for themselves.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::Reader;
use super::fields::GivenKey;
use super::variables::Filled;
use crate::matching::TextPattern;
use crate::matching::literal::{protect, protect_value};

/// Characters that paths carry encoded (RFC 3986 §3.3); a `%` may begin an escape already.
const NOT_IN_PATHS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

impl Reader<'_> {
    /// A pattern for these texts.
    pub fn text_pattern(&self, texts: &[(GivenKey, &str)]) -> TextPattern {
        let filled: Vec<(Cow<str>, &str)> = texts
            .iter()
            .map(|(given, text)| match self.filled_of(given) {
                Some(filled) => (filled.with(protect).into(), &*filled.written),
                None => (Cow::Borrowed(*text), *text),
            })
            .collect();
        TextPattern::shown_as(filled.iter().map(|(text, shown)| (&**text, *shown)))
    }

    /// The text of a path pattern.
    pub fn path_text<'t>(&self, given: &GivenKey, text: &'t str) -> Cow<'t, str> {
        let encode = |value: &str| protect(&utf8_percent_encode(value, NOT_IN_PATHS).to_string());
        self.exchanged(given, text, encode)
    }

    /// The text of a regular expression.
    pub fn regex_text<'t>(&self, given: &GivenKey, text: &'t str) -> Cow<'t, str> {
        self.exchanged(given, text, regex_syntax::escape)
    }

    /// The text of a template.
    pub fn template_text<'t>(&self, given: &GivenKey, text: &'t str) -> Cow<'t, str> {
        self.exchanged(given, text, protect_value)
    }

    fn exchanged<'t>(
        &self,
        given: &GivenKey,
        text: &'t str,
        exchange: impl Fn(&str) -> String,
    ) -> Cow<'t, str> {
        self.filled_of(given).map_or(Cow::Borrowed(text), |filled| filled.with(exchange).into())
    }

    fn filled_of(&self, given: &GivenKey) -> Option<&Filled> {
        self.filled.get(&given.span().start)
    }

    /// The text of a number, or of true or false, that comes whole from the environment.
    pub fn bare_text<'t>(&self, given: &GivenKey<'t, '_>) -> Option<&'t str> {
        let text = given.value.get_ref().as_str()?;
        self.filled_of(given).filter(|filled| filled.is_one_value()).map(|_| text)
    }

    /// Where names of files are looked up that stand at the byte `at`.
    pub fn folder_of(&self, at: usize) -> PathBuf {
        self.sources.source(at).map_or_else(|| PathBuf::from("."), |source| source.folder.clone())
    }

    /// A file that is named at the byte `at`: an included file names files from its own folder.
    pub fn beside_own_file(&self, at: usize, path: PathBuf) -> PathBuf {
        match self.sources.source(at).filter(|source| source.is_included) {
            Some(source) if source.folder != Path::new("") => source.folder.join(path),
            _ => path,
        }
    }
}
