//! Reports where they were asked for: on standard output, in files, in a job's summary on GitHub.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::output::{Counted, counted, paint, width};
use super::startup_error::StartupError;
use super::whole_file;
use crate::grading::Report;
use crate::journal::JournalResult;
use crate::report::{self, Format, ReportInput, Width};
use crate::rules::Paint;

/// A report that was asked for: `FORMAT`, or `FORMAT=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub format: Format,
    pub file: Option<PathBuf>,
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Wanted, String> {
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err("which file?".to_owned()),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text, None),
        };
        Ok(Wanted { format: format.parse()?, file })
    }
}

/// Destination of a report.
#[derive(Debug, PartialEq, Eq)]
enum Place<'w> {
    Output,
    File(&'w Path),
    /// Appended to: other steps of the job have theirs in it.
    Summary(PathBuf),
}

impl Wanted {
    /// `step_summary` is the value of `GITHUB_STEP_SUMMARY`.
    fn place(&self, step_summary: Option<OsString>) -> Place<'_> {
        match (&self.file, step_summary) {
            (Some(file), _) => Place::File(file),
            (None, Some(summary)) if self.format == Format::Markdown && !summary.is_empty() => {
                Place::Summary(PathBuf::from(summary))
            }
            (None, _) => Place::Output,
        }
    }
}

/// Whether standard output carries a report for a program: then nothing else may be written there.
pub fn needs_output(wanted: &[Wanted]) -> bool {
    let summary = || std::env::var_os("GITHUB_STEP_SUMMARY");
    wanted.iter().any(|wanted| wanted.format != Format::Text && wanted.place(summary()) == Place::Output)
}

/// Refuses several reports on standard output, which no program could tell apart.
fn check_output(wanted: &[Wanted]) -> Result<(), StartupError> {
    let summary = || std::env::var_os("GITHUB_STEP_SUMMARY");
    let mut printed = wanted.iter().filter(|wanted| wanted.place(summary()) == Place::Output);
    let (Some(one), Some(other)) = (printed.next(), printed.next()) else { return Ok(()) };
    let (one, other) = (one.format, other.format);
    Err(StartupError::new(
        "same-file",
        format!("the {one} report and the {other} report both go to standard output"),
        format!("give one of them a file: `--report {other}=report.{other}`"),
    ))
}

/// Makes the folders of reports, and refuses those that could not be written at the end, when it would be too late.
pub fn check(wanted: &[Wanted]) -> Result<(), StartupError> {
    check_output(wanted)?;
    for file in wanted.iter().filter_map(|wanted| wanted.file.as_deref()) {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let why = if file.is_dir() {
            "is a folder".to_owned()
        } else if let Some(Err(error)) = folder.map(fs::create_dir_all) {
            format!("has no folder, and none can be made: {error}")
        } else {
            continue;
        };
        let title = format!("the report {} {why}", file.display());
        return Err(StartupError::new(
            "report",
            title,
            "give `--report` a file in a folder that may be written to",
        ));
    }
    Ok(())
}

/// Destination of a report that may have to wait for a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A file has none.
    Nobody,
    /// Standard output, a pipe or a device: its reader may stop reading.
    Somebody,
}

impl Place<'_> {
    fn reader(&self) -> Reader {
        match self {
            Place::Output => Reader::Somebody,
            Place::File(path) if fs::metadata(path).is_ok_and(|found| !found.is_file()) => Reader::Somebody,
            Place::File(_) | Place::Summary(_) => Reader::Nobody,
        }
    }
}

/// Writes the reports for `reader`, each in its place, and returns the failures.
pub fn write_for(reader: Reader, wanted: &[Wanted], report: &Report, kept: &JournalResult) -> Vec<String> {
    let attempts: Vec<_> = if wanted.iter().any(|wanted| wanted.format == Format::Har) {
        kept.attempts.iter().cloned().collect()
    } else {
        Vec::new()
    };
    let mut failures = Vec::new();
    for wanted in wanted {
        let place = wanted.place(std::env::var_os("GITHUB_STEP_SUMMARY"));
        if place.reader() != reader {
            continue;
        }
        let subject = ReportInput {
            report,
            attempts: &attempts,
            started: kept.began,
            paint: Paint::Plain,
            width: Width::of(None),
        };
        if let Err(error) = write(wanted.format, &[subject], &place) {
            failures.push(format!("error: the {} report cannot be written: {error}\n", wanted.format));
        }
    }
    failures
}

/// Error text for a journal that hangs, which leaves no verdict.
pub fn hung(wanted: &[Wanted]) -> String {
    let no_report = if wanted.is_empty() { "" } else { ", and there is no report" };
    format!(
        "error: the journal did not end in time: nothing can be said of the clients{no_report}; \
         give `--journal` a disk that answers\n"
    )
}

/// Attempts that the journal's file lacks.
pub fn losses(kept: &JournalResult) -> Vec<String> {
    let mut losses = Vec::new();
    if kept.lost_lines > 0 {
        let lines = counted(kept.lost_lines, "line");
        losses.push(format!(
            "error: {lines} of the journal could not be written: a report made from it will be incomplete; \
             make room, or give `--journal` another file\n"
        ));
    }
    if kept.dropped > 0 {
        let attempts = counted(kept.dropped, "attempt");
        losses.push(format!(
            "error: {attempts} came faster than the journal could take: what they show is unknown; \
             send more slowly, or give `--journal` a faster disk\n"
        ));
    }
    losses
}

/// Writes reports to a file, or else to standard output, one after the other.
pub fn write_to(format: Format, subjects: &[ReportInput], file: Option<&Path>) -> io::Result<()> {
    write(format, subjects, &file.map_or(Place::Output, Place::File))
}

fn write(format: Format, subjects: &[ReportInput], place: &Place) -> io::Result<()> {
    match place {
        Place::Output => {
            let out = io::stdout().lock();
            let (paint, width) = (paint(&out), width(&out));
            let painted: Vec<ReportInput> =
                subjects.iter().map(|subject| ReportInput { paint, width, ..*subject }).collect();
            match into(format, &painted, out) {
                // A reader that has seen enough (`| head`) is no failure.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                written => written,
            }
        }
        Place::File(path) => in_its_folder(path, |file| into(format, subjects, file)),
        Place::Summary(path) => {
            into(format, subjects, OpenOptions::new().append(true).create(true).open(path)?)
        }
    }
}

/// Writes a file, in a folder that is made if need be.
fn in_its_folder(path: &Path, write: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    whole_file::write(path, write)
}

fn into(format: Format, subjects: &[ReportInput], out: impl Write) -> io::Result<()> {
    let mut out = BufWriter::new(Counted(out));
    for subject in subjects {
        report::write(format, *subject, &mut out)?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_its_format_and_where_it_goes() {
        for (text, format, file) in [
            ("text", Format::Text, None),
            ("junit=a/b.xml", Format::Junit, Some("a/b.xml")),
            ("html=a=b.html", Format::Html, Some("a=b.html")),
        ] {
            let wanted = Wanted { format, file: file.map(PathBuf::from) };
            assert_eq!(text.parse(), Ok(wanted), "{text}");
        }
        for text in ["", "xml", "json=", "=a"] {
            assert!(text.parse::<Wanted>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_summary_goes_to_the_job_unless_it_has_a_file() {
        let place = |text: &str, summary: Option<&str>| {
            let wanted: Wanted = text.parse().expect("valid");
            format!("{:?}", wanted.place(summary.map(OsString::from)))
        };
        assert_eq!(place("markdown", Some("/s.md")), r#"Summary("/s.md")"#);
        assert_eq!(place("markdown", Some("")), "Output");
        assert_eq!(place("markdown", None), "Output");
        assert_eq!(place("markdown=a.md", Some("/s.md")), r#"File("a.md")"#);
        assert_eq!(place("text", Some("/s.md")), "Output");
    }
}
