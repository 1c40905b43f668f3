//! The journal as a file: JSON Lines, appended whole. A full disk loses lines, never requests.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use serde::Serialize;

/// A journal file that is appended to.
pub struct JournalFile {
    file: File,
    /// Lines that wait to be written together.
    lines: Vec<u8>,
    /// How many they are.
    waiting: u64,
    /// The last line may lack its end: what follows must not become a part of it.
    is_torn: bool,
    lost: u64,
}

impl JournalFile {
    /// Opens the file, or makes one that its owner alone may read.
    pub fn open(path: &Path) -> io::Result<JournalFile> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let is_torn = is_torn(&mut file);
        Ok(JournalFile { file, lines: Vec::new(), waiting: 0, is_torn, lost: 0 })
    }

    /// Adds a line to those that [`JournalFile::write`] writes.
    pub fn add(&mut self, line: &impl Serialize) {
        let start = self.lines.len();
        match serde_json::to_writer(&mut self.lines, line) {
            Ok(()) => {
                self.lines.push(b'\n');
                self.waiting += 1;
            }
            // Nothing that is written can fail to be JSON; a part of it would be none.
            Err(_) => self.lines.truncate(start),
        }
    }

    /// Writes what was added. What cannot be written is lost, and counted; the first time this is told.
    pub fn write(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let mut lines = std::mem::take(&mut self.lines);
        if self.is_torn && !lines.is_empty() {
            lines.insert(0, b'\n');
        }
        match self.file.write_all(&lines) {
            Ok(()) => self.is_torn &= lines.is_empty(),
            Err(error) => {
                self.is_torn = true;
                if self.lost == 0 {
                    tracing::warn!("the journal cannot be written, its lines are lost: {error}");
                }
                self.lost += waiting;
            }
        }
        lines.clear();
        self.lines = lines;
    }

    /// Lines that could not be written.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

/// Whether the last line of an earlier run has no end. What cannot be read is a pipe, or empty.
fn is_torn(file: &mut File) -> bool {
    let mut last = [b'\n'];
    file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last)).is_ok() && last != [b'\n']
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_are_appended_whole_after_a_torn_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        for (before, after) in [("", "1\n2\n"), ("0\n", "0\n1\n2\n"), ("{\"to", "{\"to\n1\n2\n")] {
            fs::write(&path, before).expect("written");
            let mut file = JournalFile::open(&path).expect("a file");
            for line in [1, 2] {
                file.add(&line);
                file.write();
            }
            file.write();
            assert_eq!(fs::read_to_string(&path).expect("text"), after);
            assert_eq!(file.lost(), 0);
        }
    }

    #[cfg(unix)]
    #[test]
    fn it_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        JournalFile::open(&path).expect("a file");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_loses_lines_and_counts_them() {
        let mut file = JournalFile::open(Path::new("/dev/full")).expect("a device");
        for _ in 0..3 {
            file.add(&1);
            file.add(&2);
            file.write();
        }
        assert_eq!(file.lost(), 6);
    }
}
