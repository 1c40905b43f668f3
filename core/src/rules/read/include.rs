//! `include`: the files that belong to a rules file, found before any of them is read.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::merge::relocate;
use super::sources::{FoundFile, IncludeError, MOST_FILES, RulesText, TextForm};
use super::variables::{Filler, Unfilled};
use super::{LARGEST_FILE, Reader};
use crate::matching::TextPattern;
use crate::matching::literal::protect;
use crate::rules::diagnostic::shown;
use crate::rules::keys::TOP;
use crate::rules::{Code, Diagnostic, SourceText};

/// Files under way, from the given one to the one that is looked at, and those that are known.
struct Search {
    /// Where each file was included; `None`: it was given.
    known: HashMap<PathBuf, Option<Range<usize>>>,
    open: Vec<PathBuf>,
    /// Positions of texts in the order in which their rules are tried.
    order: Vec<usize>,
}

impl Reader<'_> {
    /// Finds every file that belongs to those given, and says in which order their rules are tried.
    pub fn find_files(&mut self, given: Vec<RulesText>) -> Vec<usize> {
        let known = given.iter().filter_map(|given| Some((given.identity.clone()?, None))).collect();
        let mut search = Search { known, open: Vec::new(), order: Vec::new() };
        for text in given {
            self.find(text, &mut search, false);
        }
        search.order
    }

    fn find(&mut self, text: RulesText, search: &mut Search, is_included: bool) {
        let at = self.sources.count();
        let identity = text.identity.clone();
        if self.sources.size() + text.source.text.len() > LARGEST_FILE {
            let title = match at {
                0 => "a rules file is at most 16 MiB",
                _ => "all files of one set of rules are at most 16 MiB",
            };
            let name = SourceText { name: text.source.name, text: String::new() };
            self.report(Diagnostic::error(Code::TooLarge, title).of(&name.into()));
            return;
        }
        self.sources.push(text, is_included);
        search.open.extend(identity.clone());
        for (pattern, span) in self.include_of(at) {
            self.include(at, &pattern, span, search);
        }
        if identity.is_some() {
            search.open.pop();
        }
        search.order.push(at);
    }

    /// Patterns of the `include` of a file, with their places.
    fn include_of(&mut self, at: usize) -> Vec<(Vec<TextPattern>, Range<usize>)> {
        let Some(source) = self.sources.at(at).cloned() else { return Vec::new() };
        let text = &source.text.text;
        if source.form != TextForm::File || !text.contains("include") {
            return Vec::new();
        }
        let (mut table, _) = DeTable::parse_recoverable(text);
        let Some((_, mut value)) = table.get_mut().remove_entry("include") else { return Vec::new() };
        relocate(&mut value, &|at| at + source.base());
        let DeValue::Array(items) = value.get_ref() else {
            self.not_a_list(&value);
            return Vec::new();
        };
        let items: Vec<_> = items.iter().cloned().collect();
        items.iter().filter_map(|item| Some((self.file_pattern(item, &source)?, item.span()))).collect()
    }

    fn file_pattern(
        &mut self,
        item: &Spanned<DeValue<'_>>,
        source: &super::sources::PlacedText,
    ) -> Option<Vec<TextPattern>> {
        let Some(text) = item.get_ref().as_str() else {
            self.not_a_list(item);
            return None;
        };
        let mut unfilled: Vec<Unfilled> = Vec::new();
        let mut filled = HashMap::new();
        let mut filler =
            Filler { surroundings: self.surroundings, source, filled: &mut filled, unfilled: &mut unfilled };
        let filled = filler.text(text, item.span(), None);
        if !unfilled.is_empty() {
            unfilled.into_iter().for_each(|unfilled| self.report(unfilled.mistake));
            return None;
        }
        let text = filled.map_or_else(|| text.to_owned(), |filled| filled.with(protect));
        let mistake = match &*text {
            "" => {
                Diagnostic::error(Code::OutOfRange, "an `include` names files").at(item.span(), "which ones?")
            }
            text if text.contains("**") => {
                let title = "an `include` names its folders: `**` is not understood";
                Diagnostic::error(Code::BadPattern, title).at(item.span(), "write `*` for a part of one name")
            }
            text if text.starts_with('/')
                || text.contains(['\\', '\0'])
                || text.split('/').any(|part| part == "..") =>
            {
                outside(item.span(), "neither `..` nor an absolute path")
            }
            text => {
                let segments = text.split('/').filter(|segment| !matches!(*segment, "" | "."));
                return Some(segments.map(TextPattern::new).collect());
            }
        };
        self.report(mistake);
        None
    }

    fn not_a_list(&mut self, value: &Spanned<DeValue<'_>>) {
        let title = "`include` is a list, each of it names of files";
        let label = match value.get_ref() {
            DeValue::String(text) => format!("write `include = [\"{}\"]`", shown(text)),
            _ => "not names of files".to_owned(),
        };
        let mistake = Diagnostic::error(Code::WrongType, title).at(value.span(), label);
        self.report(match TOP.entry("include") {
            Some(entry) => mistake.help(entry.for_example()),
            None => mistake,
        });
    }

    fn include(&mut self, from: usize, pattern: &[TextPattern], span: Range<usize>, search: &mut Search) {
        let Some(folder) = self.sources.at(from).map(|source| source.folder.clone()) else { return };
        let files = match self.surroundings.files(&folder, pattern) {
            Ok(files) if files.is_empty() => {
                let title = "this `include` names no file";
                let label = format!("nothing of that name in {}", folder_name(&folder));
                self.report(Diagnostic::error(Code::MissingFile, title).at(span, label));
                return;
            }
            Ok(files) => files,
            Err(error) => {
                self.report(refused(error, span));
                return;
            }
        };
        for file in files {
            if self.sources.count() >= MOST_FILES {
                self.report(refused(IncludeError::TooMany, span));
                return;
            }
            if let Some(mistake) = again(&file, &span, search) {
                self.report(mistake);
                continue;
            }
            search.known.insert(file.identity.clone(), Some(span.clone()));
            match self.surroundings.open(&file) {
                Ok(text) => {
                    let source = SourceText { name: file.path.display().to_string(), text };
                    let folder = file.path.parent().unwrap_or(Path::new(".")).to_owned();
                    let text =
                        RulesText { source, form: TextForm::File, folder, identity: Some(file.identity) };
                    self.find(text, search, true);
                }
                Err(mistake) if mistake.file.is_some() => self.report(mistake),
                Err(mistake) => {
                    let label = mistake.label.clone();
                    self.report(mistake.at(span.clone(), label));
                }
            }
        }
    }
}

/// The mistake of a file that was read before, or is being read.
fn again(file: &FoundFile, span: &Range<usize>, search: &Search) -> Option<Diagnostic> {
    let earlier = search.known.get(&file.identity)?;
    let name = shown(&file.path.display().to_string());
    if let Some(at) = search.open.iter().position(|open| *open == file.identity) {
        let mut through: Vec<String> = search.open.iter().skip(at + 1).map(|open| file_name(open)).collect();
        through.push(file_name(&file.identity));
        let mistake = Diagnostic::error(Code::IncludeCycle, format!("`{name}` includes itself"));
        let mistake = match through.len() {
            1 => mistake.at(span.clone(), "names this file, too"),
            _ => mistake.at(span.clone(), format!("by way of {}", through.join(", then "))),
        };
        return Some(mistake.help(
            "put files that are included into a folder of their own: `include = [\"rules.d/*.toml\"]`",
        ));
    }
    let mistake = Diagnostic::error(Code::FileTwice, format!("`{name}` is read twice"));
    let mistake = mistake.at(span.clone(), "its rules are there already").help("name each file once");
    Some(match earlier {
        Some(earlier) if earlier != span => mistake.also(earlier.clone(), "included here"),
        Some(_) => mistake,
        None => mistake.help("it is given by `--rules` as well: leave one of them out"),
    })
}

fn refused(error: IncludeError, span: Range<usize>) -> Diagnostic {
    match error {
        IncludeError::Outside(path) => {
            outside(span, &format!("`{}` lies elsewhere", shown(&path.display().to_string())))
        }
        IncludeError::TooMany => {
            let title = "a set of rules has at most 1,000 files";
            Diagnostic::error(Code::TooLarge, title).at(span, "names more than that")
        }
        IncludeError::Unreadable(why) => {
            Diagnostic::error(Code::MissingFile, "this `include` cannot be read").at(span, why)
        }
    }
}

fn outside(span: Range<usize>, label: &str) -> Diagnostic {
    Diagnostic::error(Code::OutsideFolder, "an included file lies below the folder of the file that names it")
        .at(span, label)
        .help("put it below that folder, or give it by a `--rules` of its own")
}

fn file_name(path: &Path) -> String {
    shown(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy())
}

fn folder_name(folder: &Path) -> String {
    match folder.as_os_str().is_empty() || folder == Path::new(".") {
        true => "the working folder".to_owned(),
        false => format!("`{}`", shown(&folder.display().to_string())),
    }
}
