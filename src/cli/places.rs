//! Files that are read and files that are written: no output may fall on an input, or on another output.

use std::fs;
use std::path::{Path, PathBuf};

use super::arguments::{ReportArguments, ServeArguments};
use super::load::Loaded;
use super::reporting::Wanted;
use super::startup_error::StartupError;
use crate::report::Format;
use crate::rules::{ClientCertificate, Tls, Trust};

/// A file, by the name that people know it by.
struct Named {
    /// `the journal`.
    what: String,
    path: PathBuf,
}

fn named(what: impl Into<String>, path: &Path) -> Named {
    Named { what: what.into(), path: path.to_owned() }
}

/// Refuses outputs that `serve` and `run` would write over their own files.
pub fn check(arguments: &ServeArguments, loaded: &Loaded) -> Result<(), StartupError> {
    let settings = &loaded.config.settings;
    let mut outputs: Vec<Named> =
        settings.journal.file.iter().map(|path| named("the journal", path)).collect();
    outputs.extend(arguments.ready_file().map(|path| named("the ready file", path)));
    outputs.extend(arguments.report.iter().filter_map(report));
    apart(&inputs(loaded), &with_standard_output(outputs))
}

/// Refuses a report that would be written over the journal it is made from.
pub fn check_report(arguments: &ReportArguments) -> Result<(), StartupError> {
    let outputs = arguments.output.iter().map(|path| named("the report", path)).collect();
    apart(&[named("the journal", &arguments.journal)], &with_standard_output(outputs))
}

/// Refuses a report that would be written over the rules of the runs that it is about.
pub fn check_report_of(arguments: &ReportArguments, rules_files: &[&str]) -> Result<(), StartupError> {
    let outputs: Vec<Named> = arguments.output.iter().map(|path| named("the report", path)).collect();
    let inputs: Vec<Named> =
        rules_files.iter().map(|file| named("the rules file", Path::new(file))).collect();
    apart(&inputs, &outputs)
}

fn inputs(loaded: &Loaded) -> Vec<Named> {
    let settings = &loaded.config.settings;
    let mut inputs: Vec<Named> = loaded.files.iter().map(|path| named("the rules file", path)).collect();
    inputs.extend(loaded.body_files.iter().map(|path| named("a `body_file`", path)));
    let mut identity = |of: &str, identity: &ClientCertificate| {
        inputs.push(named(format!("`cert` of [{of}]"), &identity.cert.path));
        inputs.push(named(format!("`key` of [{of}]"), &identity.key.path));
    };
    if let Some(Tls::Files(files)) = &settings.tls {
        identity("tls", files);
    }
    if let Some(files) = &settings.upstream_tls.identity {
        identity("upstream_tls", files);
    }
    if let Trust::File(file) = &settings.upstream_tls.trust {
        inputs.push(named("`ca` of [upstream_tls]", &file.path));
    }
    inputs
}

fn report(wanted: &Wanted) -> Option<Named> {
    let what = format!("the {} report", wanted.format);
    match &wanted.file {
        Some(file) => Some(named(what, file)),
        None if wanted.format == Format::Markdown => {
            let summary = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|summary| !summary.is_empty())?;
            Some(named(what, Path::new(&summary)))
        }
        None => None,
    }
}

/// Standard output may be a file as well.
fn with_standard_output(mut outputs: Vec<Named>) -> Vec<Named> {
    let path = Path::new("/dev/stdout");
    if cfg!(unix) && path.metadata().is_ok_and(|found| found.is_file()) {
        outputs.push(named("standard output", path));
    }
    outputs
}

fn apart(inputs: &[Named], outputs: &[Named]) -> Result<(), StartupError> {
    let mut taken: Vec<(&Named, Place)> =
        inputs.iter().filter_map(|input| Some((input, Place::of(&input.path)?))).collect();
    for output in outputs {
        let Some(place) = Place::of(&output.path) else { continue };
        if let Some((other, _)) = taken.iter().find(|(_, other)| place.is(other)) {
            let title = format!("{} and {} are one file: {}", output.what, other.what, output.path.display());
            let help = format!("give {} a file of its own", output.what);
            return Err(StartupError::new("same-file", title, help));
        }
        taken.push((output, place));
    }
    Ok(())
}

/// Identity of a file, independent of the links that lead to it.
struct Place {
    path: PathBuf,
    /// Device and number of an existing file, which its hard links share.
    #[cfg(unix)]
    number: Option<(u64, u64)>,
}

impl Place {
    /// `None` for a device and other non-files: many may write to it.
    fn of(path: &Path) -> Option<Place> {
        match fs::metadata(path) {
            Ok(found) => {
                #[cfg(unix)]
                let is_pipe = std::os::unix::fs::FileTypeExt::is_fifo(&found.file_type());
                #[cfg(not(unix))]
                let is_pipe = false;
                (found.is_file() || is_pipe).then(|| Place {
                    path: path.canonicalize().unwrap_or_else(|_| path.to_owned()),
                    #[cfg(unix)]
                    number: Some((
                        std::os::unix::fs::MetadataExt::dev(&found),
                        std::os::unix::fs::MetadataExt::ino(&found),
                    )),
                })
            }
            Err(_) => Some(Place {
                path: to_be(path),
                #[cfg(unix)]
                number: None,
            }),
        }
    }

    fn is(&self, other: &Place) -> bool {
        #[cfg(unix)]
        if self.number.is_some() && self.number == other.number {
            return true;
        }
        self.path == other.path
    }
}

/// The path of a file that does not exist yet.
fn to_be(path: &Path) -> PathBuf {
    /// Links that lead to links, as many as Linux follows.
    const MOST_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(to) => path = path.parent().unwrap_or(Path::new("")).join(to),
            Err(_) => break,
        }
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => std::path::absolute(&path).unwrap_or(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_known_by_whatever_path() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("deep")).expect("a folder");
        fs::write(at("there"), "x").expect("written");
        fs::hard_link(at("there"), at("hard")).expect("a link");
        symlink("there", at("soft")).expect("a link");
        symlink("deep", at("shortcut")).expect("a link");
        symlink("../new", at("deep/dangling")).expect("a link");
        for (one, other, same) in [
            ("there", "there", true),
            ("there", "deep/../there", true),
            ("there", "hard", true),
            ("there", "soft", true),
            ("soft", "hard", true),
            ("new", "new", true),
            ("new", "deep/dangling", true),
            ("new", "shortcut/dangling", true),
            ("deep/other", "shortcut/other", true),
            ("no/folder", "no/../no/folder", false),
            ("there", "new", false),
            ("new", "newer", false),
            ("deep/new", "new", false),
        ] {
            let found = apart(&[named("one", &at(one))], &[named("other", &at(other))]);
            assert_eq!(found.is_err(), same, "{one} {other}");
            let found = apart(&[], &[named("one", &at(one)), named("other", &at(other))]);
            assert_eq!(found.is_err(), same, "{one} {other}");
        }
        let null = Path::new("/dev/null");
        assert!(apart(&[named("one", null)], &[named("other", null), named("more", null)]).is_ok());
    }
}
