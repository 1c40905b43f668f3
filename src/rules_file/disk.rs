//! Files that rules files name, and the environment.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{at_most, sha256, text_of};
use crate::matching::TextPattern;
use crate::rules::{
    BodyFileError, Diagnostic, FoundFile, IncludeError, LARGEST_BODY, MOST_FILES, NotText, Surroundings,
};

/// The disk, and everything that was read from it.
#[derive(Default)]
pub(super) struct Disk {
    pub files: RefCell<Vec<PathBuf>>,
    pub body_files: RefCell<Vec<PathBuf>>,
    /// Of every text of rules, in the order in which they were read.
    pub hashes: RefCell<Vec<String>>,
}

impl Disk {
    /// Notes a rules file that was read.
    pub fn know(&self, path: &Path, text: &str) {
        self.files.borrow_mut().push(path.to_owned());
        self.hashes.borrow_mut().push(sha256(text.as_bytes()));
    }
}

impl Surroundings for Disk {
    fn variable(&self, name: &str) -> Result<Option<String>, NotText> {
        match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(NotText),
        }
    }

    fn body_file(&self, folder: &Path, name: &str) -> Result<String, BodyFileError> {
        self.body_files.borrow_mut().push(folder.join(name));
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => BodyFileError::Missing,
            _ => BodyFileError::Unreadable(error.to_string()),
        };
        let folder = canonical(folder).map_err(unreadable)?;
        let path = folder.join(name).canonicalize().map_err(unreadable)?;
        if !path.starts_with(&folder) {
            return Err(BodyFileError::Outside);
        }
        let bytes = regular(&path).map_err(unreadable)?.ok_or(BodyFileError::TooLarge)?;
        String::from_utf8(bytes).map_err(|_| BodyFileError::NotText)
    }

    fn files(&self, folder: &Path, pattern: &[TextPattern]) -> Result<Vec<FoundFile>, IncludeError> {
        let root = canonical(folder).map_err(|error| IncludeError::Unreadable(error.to_string()))?;
        let mut paths = vec![folder.to_owned()];
        for segment in pattern {
            paths = below(&paths, segment)?;
        }
        let mut found = Vec::new();
        for path in paths {
            let unreadable =
                |error: io::Error| IncludeError::Unreadable(format!("{}: {error}", path.display()));
            let identity = path.canonicalize().map_err(unreadable)?;
            if !identity.starts_with(&root) {
                return Err(IncludeError::Outside(path));
            }
            let is_named = pattern.last().is_some_and(|last| last.exact().is_some());
            match identity.metadata().map_err(unreadable)?.is_file() {
                true => found.push(FoundFile { path, identity }),
                false if is_named => {
                    return Err(IncludeError::Unreadable(format!("{}: not a file", path.display())));
                }
                false => {}
            }
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    fn open(&self, file: &FoundFile) -> Result<String, Diagnostic> {
        let text = text_of(&file.path).map_err(|mistakes| {
            let first = mistakes.list.into_iter().next();
            first.unwrap_or_else(|| Diagnostic::error(crate::rules::Code::MissingFile, "it cannot be read"))
        })?;
        self.know(&file.path, &text);
        Ok(text)
    }
}

/// What is there below `folders` and fits one segment. A `*` at the beginning leaves hidden files out, as in shells:
/// editors keep copies there.
fn below(folders: &[PathBuf], segment: &TextPattern) -> Result<Vec<PathBuf>, IncludeError> {
    let mut paths = Vec::new();
    for folder in folders {
        if let Some(names) = segment.exact() {
            let named = names.map(|name| folder.join(name));
            paths.extend(named.filter(|path| path.symlink_metadata().is_ok()));
            continue;
        }
        let unreadable =
            |error: io::Error| IncludeError::Unreadable(format!("{}: {error}", folder.display()));
        let entries = match fs::read_dir(or_working(folder)) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                continue;
            }
            Err(error) => return Err(unreadable(error)),
        };
        for entry in entries {
            let name = entry.map_err(unreadable)?.file_name();
            let is_hidden =
                name.as_encoded_bytes().starts_with(b".") && !segment.to_string().starts_with('.');
            if !is_hidden && segment.fits(name.as_encoded_bytes()) {
                paths.push(folder.join(name));
            }
            if paths.len() > MOST_FILES {
                return Err(IncludeError::TooMany);
            }
        }
    }
    Ok(paths)
}

fn or_working(folder: &Path) -> &Path {
    if folder == Path::new("") { Path::new(".") } else { folder }
}

fn canonical(folder: &Path) -> io::Result<PathBuf> {
    or_working(folder).canonicalize()
}

/// A regular file's bytes; `None` when there are more than a body has.
fn regular(path: &Path) -> io::Result<Option<Vec<u8>>> {
    // A pipe or a device might never end, and opening a pipe might never return.
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    at_most(File::open(path)?, LARGEST_BODY)
}
