//! The journal as a file: JSON Lines, appended whole. Lines that cannot be written are lost and counted; the
//! count goes into the file as soon as writing works again. No request ever waits for the file.
//!
//! A run holds a lock on its file. A pipe may have no reader, or a slow one: `sink.rs` opens both.

use std::io;
use std::path::Path;

use serde::Serialize;

use super::line::{Header, RuleCounts};
use super::sink::Sink;
use crate::model::SanitizedJson;

/// A journal file that is appended to.
pub struct JournalFile {
    sink: Sink,
    /// The run's header, until the file has it.
    header: Vec<u8>,
    /// Lines that wait to be written together.
    lines: Vec<u8>,
    /// Number of waiting lines.
    waiting: u64,
    /// The last line may lack its end: the next line must not become a part of it.
    is_torn: bool,
    /// Lines that could not be written, and the number of them already recorded in the file.
    lost: u64,
    told: u64,
    is_warned: bool,
}

impl JournalFile {
    /// Opens the file, or makes one that its owner alone may read.
    ///
    /// # Errors
    /// Beside the system's: [`io::ErrorKind::InvalidData`] when something else than a journal is there,
    /// [`io::ErrorKind::ResourceBusy`] when another run writes it.
    pub fn open(path: &Path) -> io::Result<JournalFile> {
        let (sink, is_torn) = Sink::open(path)?;
        let (header, lines) = (Vec::new(), Vec::new());
        Ok(JournalFile { sink, header, lines, waiting: 0, is_torn, lost: 0, told: 0, is_warned: false })
    }

    /// Begins a run: its header comes before every line of it, whenever writing works.
    pub fn begin(&mut self, header: &Header) {
        self.header.clear();
        add_to(&mut self.header, header);
        self.write();
    }

    /// Adds a line to those that [`JournalFile::write`] writes.
    pub fn add(&mut self, line: &impl Serialize) {
        self.waiting += u64::from(add_to(&mut self.lines, line));
    }

    /// Writes the added lines. Those that cannot be written are lost and counted; the first loss is logged.
    pub fn write(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let mut lines = std::mem::take(&mut self.lines);
        let mut whole = 0;
        let written = match self.catch_up(!lines.is_empty()) {
            Err(error) => Err(error),
            Ok(()) => self.sink.write(&lines).map_err(|(taken, error)| {
                let taken = lines.get(..taken).unwrap_or_default();
                self.is_torn = taken.last().is_some_and(|last| *last != b'\n');
                whole = taken.iter().filter(|byte| **byte == b'\n').count() as u64;
                error
            }),
        };
        if let Err(error) = written {
            if !std::mem::replace(&mut self.is_warned, true) {
                tracing::warn!("the journal cannot be written, its lines are lost: {error}");
            }
            self.lost += waiting.saturating_sub(whole);
        }
        lines.clear();
        self.lines = lines;
    }

    /// Writes the run's last line, its end mark, and waits a while for a slow reader.
    pub fn end(&mut self, mark: &RuleCounts) {
        self.sink.be_patient();
        self.add(&RuleCounts { ended: true, lost: self.lost, ..mark.clone() });
        self.write();
    }

    /// Lines that could not be written. A header that was not is one of them.
    pub fn lost(&self) -> u64 {
        self.lost + u64::from(!self.header.is_empty())
    }

    /// Writes the overdue prefix of the next lines: the end of a torn one, the header, the count of lost ones.
    fn catch_up(&mut self, is_more: bool) -> io::Result<()> {
        let is_behind = !self.header.is_empty() || self.lost > self.told;
        if !(is_behind || self.is_torn && is_more) {
            return Ok(());
        }
        let mut first = Vec::new();
        if self.is_torn {
            first.push(b'\n');
        }
        first.extend_from_slice(&self.header);
        if self.lost > self.told {
            add_to(&mut first, &RuleCounts { lost: self.lost, ..RuleCounts::default() });
        }
        self.sink.write(&first).map_err(|(taken, error)| {
            // The written part may end within a line; readers recognise the repeated header by its id.
            self.is_torn |= taken > 0;
            error
        })?;
        self.is_torn = false;
        self.header.clear();
        self.told = self.lost;
        Ok(())
    }
}

/// Adds a line; returns whether it could be serialised, which no type of line fails. Leaves no partial line.
fn add_to(lines: &mut Vec<u8>, line: &impl Serialize) -> bool {
    let start = lines.len();
    // A reader may `cat` the file: no text of a client may move a terminal's cursor or turn its direction.
    let is_json = serde_json::to_writer(SanitizedJson(&mut *lines), line).is_ok();
    if is_json {
        lines.push(b'\n');
    } else {
        lines.truncate(start);
    }
    is_json
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::rules::Config;

    fn header() -> Header {
        Header { run: "r1".to_owned(), ..Header::new(&Config::builtin(), String::new()) }
    }

    #[test]
    fn lines_are_appended_whole_after_a_torn_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let first = serde_json::to_string(&header()).expect("JSON");
        let torn = &first[..40];
        for before in ["".to_owned(), format!("{first}\n"), format!("{first}\n{{\"to"), torn.to_owned()] {
            fs::write(&path, &before).expect("written");
            let mut file = JournalFile::open(&path).expect("a file");
            for line in [1, 2] {
                file.add(&line);
                file.write();
            }
            file.write();
            let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
            assert_eq!(fs::read_to_string(&path).expect("text"), format!("{before}{end}1\n2\n"));
            assert_eq!(file.lost(), 0);
        }
    }

    #[test]
    fn characters_that_a_terminal_obeys_are_escaped_and_mean_the_same() {
        let obeyed =
            ['\u{61c}', '\u{200b}', '\u{202e}', '\u{2060}', '\u{feff}', '\u{85}', '\u{7f}', '\u{e0041}'];
        for character in obeyed {
            let (mut lines, path) = (Vec::new(), format!("/items/{character}"));
            assert!(add_to(&mut lines, &path));
            let line = String::from_utf8(lines).expect("text");
            assert!(!line.contains(character) && line.contains("\\u"), "{line}");
            assert_eq!(serde_json::from_str::<String>(&line).expect("JSON"), path);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_loses_lines_and_counts_them() {
        let mut file = JournalFile::open(Path::new("/dev/full")).expect("a device");
        file.begin(&header());
        for _ in 0..3 {
            file.add(&1);
            file.add(&2);
            file.write();
        }
        assert_eq!(file.lost(), 6 + 1, "the header is a line as well");
    }

    /// A pipe takes 64 KiB on Linux, and then nothing until it is read.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_is_told_what_it_lost_once_it_is_read() {
        use std::io::{BufRead as _, BufReader};
        use std::os::unix::fs::OpenOptionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
            .expect("a pipe");
        let mut file = JournalFile::open(&path).expect("a pipe without a reader");
        file.begin(&header());
        file.add(&"before anybody reads");
        file.write();
        assert_eq!(file.lost(), 2);

        let nonblock = rustix::fs::OFlags::NONBLOCK.bits() as i32;
        let reader = fs::File::options().read(true).custom_flags(nonblock).open(&path).expect("a reader");
        let long = "x".repeat(10_000);
        let mut written = 0;
        while written == 0 || file.lost() == 1 {
            file.add(&long);
            file.write();
            written += 1;
        }
        let mut read = BufReader::new(reader);
        let mut lines = Vec::new();
        let mut take = |lines: &mut Vec<String>| {
            let mut line = String::new();
            while read.read_line(&mut line).is_ok_and(|length| length > 0) && line.ends_with('\n') {
                lines.push(std::mem::take(&mut line));
            }
            // The torn line gets its line end later.
            line
        };
        let torn = take(&mut lines);
        assert!(lines[0].starts_with("{\"fracas\":") && lines[1].contains("\"lost\":1"), "{:.80}", lines[1]);
        let kept = lines.len() as u64 - 2;
        assert_eq!(file.lost(), 1 + written - kept);
        file.end(&RuleCounts::default());
        let mut more = Vec::new();
        assert_eq!(take(&mut more), "");
        // The end of the torn line.
        let told = if torn.is_empty() { &more[..] } else { &more[1..] };
        assert!(told[0].contains(&format!("\"lost\":{}", file.lost())), "{}", told[0]);
        assert!(told[1].contains("\"ended\":true") && told.len() == 2, "{}", told[1]);
    }
}
