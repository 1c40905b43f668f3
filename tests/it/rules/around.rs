//! Files and variables for cases, none of them on disk or in the environment.

use std::path::Path;

use fracas::matching::TextPattern;
use fracas::rules::{BodyFileError, Code, Diagnostic, FoundFile, IncludeError, NotText, Surroundings};

/// What lies around each case.
pub struct Case;

/// Files that a case may include.
const FILES: [(&str, &str); 9] = [
    ("rules.toml", ""),
    (
        "rules.d/good.toml",
        "[[rule]]\nname = \"included\"\nmethod = \"PUT\"\npath = \"/included\"\nfirst = 1\n",
    ),
    ("rules.d/back.toml", "include = [\"../rules.toml\"]\n"),
    ("loop/one.toml", "include = [\"more/two.toml\"]\n"),
    ("loop/more/two.toml", "include = [\"three.toml\"]\n"),
    ("loop/more/three.toml", "include = [\"two.toml\"]\n"),
    ("seed/seed.toml", "listen = \"127.0.0.1:1\"\n\nseed = 2\n[limits]\nkeys = 5\n"),
    ("broken/one.toml", "[[rule]]\nname = \"included\"\nmethod = \"PUT\"\nevry = 5\n"),
    ("broken/two.toml", "[[rule]]\nname = \"included\"\nrate = 25\n"),
];

impl Surroundings for Case {
    fn variable(&self, name: &str) -> Result<Option<String>, NotText> {
        match name {
            "TENANT" => Ok(Some("acme*{x}".to_owned())),
            "SECRET" => Ok(Some("sk_live_0123456789".to_owned())),
            "EMPTY" => Ok(Some(String::new())),
            "SEED" => Ok(Some("42".to_owned())),
            "RATE" => Ok(Some("0.25".to_owned())),
            "YES" => Ok(Some("true".to_owned())),
            "UPSTREAM_URL" => Ok(Some("http://127.0.0.1:9000".to_owned())),
            "LATIN1" => Err(NotText),
            _ => Ok(None),
        }
    }

    /// A body.
    fn body_file(&self, _: &Path, name: &str) -> Result<String, BodyFileError> {
        match name {
            "good.json" => Ok("{\"error\":\"{kind}\"}".to_owned()),
            "placeholder.json" => Ok("{\"error\":\"{sort}\"}".to_owned()),
            "large.json" => Err(BodyFileError::TooLarge),
            "latin1.txt" => Err(BodyFileError::NotText),
            "secret.json" => Err(BodyFileError::Unreadable("permission denied".to_owned())),
            "link.json" => Err(BodyFileError::Outside),
            _ => Err(BodyFileError::Missing),
        }
    }

    fn files(&self, folder: &Path, pattern: &[TextPattern]) -> Result<Vec<FoundFile>, IncludeError> {
        let fits = |path: &Path| {
            let segments: Vec<_> = path.iter().map(std::ffi::OsStr::as_encoded_bytes).collect();
            segments.len() == pattern.len()
                && segments.iter().zip(pattern).all(|(name, fits)| fits.fits(name))
        };
        if pattern.iter().any(|segment| segment.to_string() == "link.toml") {
            return Err(IncludeError::Outside(folder.join("link.toml")));
        }
        let found = FILES.iter().filter(|(name, _)| Path::new(name).strip_prefix(folder).is_ok_and(fits));
        let file =
            |(name, _): &(&str, &str)| FoundFile { path: name.into(), identity: Path::new("/").join(name) };
        Ok(found.map(file).collect())
    }

    fn open(&self, file: &FoundFile) -> Result<String, Diagnostic> {
        let found = FILES.iter().find(|(name, _)| Path::new(name) == file.path);
        found
            .map(|(_, text)| (*text).to_owned())
            .ok_or_else(|| Diagnostic::error(Code::MissingFile, "there is no such file"))
    }
}
