//! Destinations of a journal: a file locked by one run, a device, or a pipe.
//!
//! A pipe never makes the journal wait for long: without a reader, or with one that has stopped reading,
//! writes fail.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use serde::Deserialize;

use super::line::Header;

pub(super) enum Sink {
    File(File),
    #[cfg(unix)]
    Pipe(pipe::Pipe),
}

impl Sink {
    /// Opens the destination; also returns whether its last line lacks its end.
    pub fn open(path: &Path) -> io::Result<(Sink, bool)> {
        #[cfg(unix)]
        if path.metadata().is_ok_and(|found| std::os::unix::fs::FileTypeExt::is_fifo(&found.file_type())) {
            return Ok((Sink::Pipe(pipe::Pipe::new(path)), false));
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        if !file.metadata()?.is_file() {
            return Ok((Sink::File(file), false));
        }
        lock(&file)?;
        check(&mut file)?;
        let is_torn = is_torn(&mut file);
        Ok((Sink::File(file), is_torn))
    }

    /// Writes all bytes.
    ///
    /// # Errors
    /// The number of bytes written, and the reason for stopping there.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), (usize, io::Error)> {
        let whole = bytes.len();
        while !bytes.is_empty() {
            let taken = match self {
                Sink::File(file) => file.write(bytes),
                #[cfg(unix)]
                Sink::Pipe(pipe) => pipe.write(bytes),
            };
            match taken {
                Ok(0) => return Err((whole - bytes.len(), io::ErrorKind::WriteZero.into())),
                Ok(taken) => bytes = bytes.get(taken..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err((whole - bytes.len(), error)),
            }
        }
        Ok(())
    }

    /// Grants a slow reader another deadline for the last lines.
    pub fn be_patient(&mut self) {
        #[cfg(unix)]
        if let Sink::Pipe(pipe) = self {
            pipe.be_patient();
        }
    }
}

/// Locks the file: a reader could not separate two concurrent runs.
fn lock(file: &File) -> io::Result<()> {
    // On other systems a lock would keep `fracas report` from reading. Some file systems have no locks.
    if cfg!(unix) && matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)) {
        return Err(io::Error::new(io::ErrorKind::ResourceBusy, "another run of fracas is writing it"));
    }
    Ok(())
}

/// Refuses to append to a file that is no journal, or one of another format. A torn first line is accepted.
fn check(file: &mut File) -> io::Result<()> {
    #[derive(Deserialize)]
    struct Brief {
        fracas: String,
        journal: u32,
    }
    const START: &[u8] = b"{\"fracas\":";
    /// A header with as many rules as a file may have.
    const LONGEST: u64 = 256 << 20;
    let mut first = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(&mut *file);
    while first.trim_ascii().is_empty() {
        first.clear();
        if reader.by_ref().take(LONGEST).read_until(b'\n', &mut first)? == 0 {
            return Ok(());
        }
    }
    let told = match serde_json::from_slice::<Brief>(&first) {
        Ok(header) if header.journal == Header::FORMAT => return Ok(()),
        Ok(Brief { fracas, journal }) => {
            format!("it is a journal of format {journal}, which fracas {fracas} wrote")
        }
        Err(_)
            if START.starts_with(first.get(..START.len()).unwrap_or(&first))
                && first.last() != Some(&b'\n') =>
        {
            return Ok(());
        }
        Err(_) if first.starts_with(START) => return Ok(()),
        Err(_) => "there is something in it that is no journal".to_owned(),
    };
    Err(io::Error::new(io::ErrorKind::InvalidData, told))
}

/// Whether the last line of an earlier run lacks its end. Unreadable files count as empty.
fn is_torn(file: &mut File) -> bool {
    let mut last = [b'\n'];
    file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last)).is_ok() && last != [b'\n']
}

#[cfg(unix)]
mod pipe {
    use std::fs::{File, OpenOptions};
    use std::io::{self, Write as _};
    use std::os::unix::fs::OpenOptionsExt as _;
    use std::path::{Path, PathBuf};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    /// A named pipe, opened as soon as it has a reader.
    pub struct Pipe {
        path: PathBuf,
        file: Option<File>,
        /// Deadline for the reader to make room; zero after it missed one, until it has
        /// made some.
        patience: Timespec,
    }

    /// Far longer than a busy reader takes, and short enough for the end of a run.
    const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };
    const NONE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

    impl Pipe {
        pub fn new(path: &Path) -> Pipe {
            Pipe { path: path.to_owned(), file: None, patience: PATIENCE }
        }

        pub fn be_patient(&mut self) {
            self.patience = PATIENCE;
        }

        pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut file = match self.file.take() {
                Some(file) => file,
                None => self.open()?,
            };
            let mut taken = file.write(bytes);
            if matches!(&taken, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
                let mut ready = [PollFd::new(&file, PollFlags::OUT)];
                // If polling fails or times out, the next write reports it.
                let _ = poll(&mut ready, Some(&self.patience));
                taken = file.write(bytes);
            }
            match taken {
                Ok(taken) => {
                    self.patience = PATIENCE;
                    self.file = Some(file);
                    Ok(taken)
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.patience = NONE;
                    self.file = Some(file);
                    Err(io::Error::new(io::ErrorKind::TimedOut, "the pipe is full, and not read"))
                }
                // The reader has gone. Another one may come.
                Err(error) => Err(error),
            }
        }

        fn open(&self) -> io::Result<File> {
            let flags = rustix::fs::OFlags::NONBLOCK.bits();
            let flags = i32::try_from(flags).unwrap_or_default();
            let opened = OpenOptions::new().write(true).custom_flags(flags).open(&self.path);
            opened.map_err(|error| match error.raw_os_error() {
                Some(code) if code == rustix::io::Errno::NXIO.raw_os_error() => {
                    io::Error::new(io::ErrorKind::NotConnected, "the pipe has no reader")
                }
                _ => error,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::rules::Config;

    #[cfg(unix)]
    #[test]
    fn it_is_its_owners_alone_and_one_runs_at_a_time() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let first = Sink::open(&path).map_err(|error| error.kind());
        assert!(first.is_ok());
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        assert_eq!(Sink::open(&path).err().map(|error| error.kind()), Some(io::ErrorKind::ResourceBusy));
        drop(first);
        assert!(Sink::open(&path).is_ok());
    }

    #[test]
    fn only_a_journal_is_appended_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let mut header = Header::new(&Config::builtin(), String::new());
        let ours = serde_json::to_string(&header).expect("JSON");
        header.journal = 1;
        let older = serde_json::to_string(&header).expect("JSON") + "\n";
        for (text, is_ours) in [
            ("", true),
            ("\n", true),
            (&*ours, true),
            (&ours[..1], true),
            (&ours[..50], true),
            (&*format!("\n{}\n{ours}\n", &ours[..50]), true),
            (&*older, false),
            ("[[rule]]\nrate = 1\n", false),
            ("notes", false),
            ("{", true),
            ("{}\n", false),
            ("{\"version\":1}", false),
            ("\u{1b}\0", false),
        ] {
            fs::write(&path, text).expect("written");
            let found = Sink::open(&path).map(drop).map_err(|error| error.kind());
            let expected = if is_ours { Ok(()) } else { Err(io::ErrorKind::InvalidData) };
            assert_eq!(found, expected, "{text:?}");
            assert_eq!(fs::read_to_string(&path).expect("text"), text);
        }
    }
}
