//! Regular expressions over whole paths.

mod outline;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Input, PatternID, meta};
use regex_syntax::ast::parse::Parser;
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::hir::{Hir, Look};

use super::PatternMistake;
use super::outline::Outline;
use crate::model::Captures;

/// Maximum length of an expression in bytes.
const MOST_BYTES: usize = 4096;

/// Bytes of compiled automaton; an expression that needs more is refused. The engine is linear in
/// the path, and this bounds the factor.
const MOST_COMPILED_BYTES: usize = 1 << 20;

/// A regular expression for whole paths: anchored at both ends, named groups capture.
///
/// Paths are ASCII, as other characters arrive percent-encoded, so classes like `\w` and `\d` are
/// ASCII, too. No look-around and no back-references: matching is linear in the path.
#[derive(Clone)]
pub struct PathRegex(Arc<Compiled>);

struct Compiled {
    /// As written.
    text: Box<str>,
    regex: meta::Regex,
    /// Named groups: their numbers and names.
    names: Box<[(usize, Box<str>)]>,
    outline: Outline,
}

impl std::fmt::Debug for PathRegex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PathRegex").field(&self.0.text).finish()
    }
}

impl PathRegex {
    /// At most 4 KiB, and 1 MiB when compiled.
    pub fn parse(text: &str) -> Result<PathRegex, PatternMistake> {
        let hir = parse_hir(text)?;
        let outline = outline::of(&hir);
        let named = hir.properties().explicit_captures_len() > 0;
        let anchored = Hir::concat(vec![Hir::look(Look::Start), hir, Hir::look(Look::End)]);
        let config = meta::Config::new()
            .utf8_empty(false)
            // Candidates come from the index; a search for literals would find them again.
            .auto_prefilter(false)
            .which_captures(if named { WhichCaptures::All } else { WhichCaptures::Implicit })
            .nfa_size_limit(Some(MOST_COMPILED_BYTES));
        let regex = meta::Builder::new().configure(config).build_from_hir(&anchored).map_err(|_| {
            let message = "this expression is too big: compiled, it needs more than 1 MiB";
            PatternMistake::new(0..text.len(), message)
        })?;
        let names = regex
            .group_info()
            .pattern_names(PatternID::ZERO)
            .enumerate()
            .filter_map(|(group, name)| Some((group, name?.into())))
            .collect();
        Ok(PathRegex(Arc::new(Compiled { text: text.into(), regex, names, outline })))
    }

    /// Returns the captures from `path`; `None` when it does not match.
    pub fn captures<'r>(&'r self, path: &'r str) -> Option<Captures<'r>> {
        let input = Input::new(path);
        if self.0.names.is_empty() {
            return self.0.regex.is_match(input).then(Captures::default);
        }
        let mut slots = vec![None; self.0.regex.group_info().slot_len()];
        self.0.regex.search_slots(&input, &mut slots)?;
        let at = |slot: usize| slots.get(slot).copied().flatten().map(NonMaxUsize::get);
        let captured = self.0.names.iter().filter_map(|(group, name)| {
            // Groups that took no part in the match capture nothing.
            let value = path.get(at(2 * group)?..at(2 * group + 1)?)?;
            Some((&**name, value))
        });
        Some(Captures(captured.collect()))
    }

    /// Names of the captures, in the expression's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.names.iter().map(|(_, name)| &**name)
    }

    /// Outline of every path that matches.
    pub(super) fn outline(&self) -> &Outline {
        &self.0.outline
    }
}

impl PartialEq for PathRegex {
    fn eq(&self, other: &PathRegex) -> bool {
        self.0.text == other.0.text
    }
}

/// As written.
impl fmt::Display for PathRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

fn parse_hir(text: &str) -> Result<Hir, PatternMistake> {
    if text.len() > MOST_BYTES {
        let message = "a regular expression for a path has at most 4,096 bytes";
        return Err(PatternMistake::new(MOST_BYTES..text.len(), message));
    }
    let mistake = |span: &regex_syntax::ast::Span, message: String| {
        PatternMistake::new(span.start.offset..span.end.offset, message)
    };
    let ast = Parser::new().parse(text).map_err(|error| mistake(error.span(), error.kind().to_string()))?;
    TranslatorBuilder::new().unicode(false).utf8(false).build().translate(text, &ast).map_err(|error| {
        let message = match error.kind() {
            regex_syntax::hir::ErrorKind::UnicodeNotAllowed => {
                "paths are ASCII, other characters arrive percent-encoded".to_owned()
            }
            kind => kind.to_string(),
        };
        mistake(error.span(), message)
    })
}
