//! Files that are there whole or not at all: written beside their place, and moved there in one step.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// Writes a file atomically: a reader finds all of it, or the file that was there before. Links stay, and
/// lead to it; an older file's mode stays. A device such as `/dev/stderr` is written as it is.
pub fn write(path: &Path, write: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return write(&OpenOptions::new().write(true).open(path)?);
    }
    let beside = PendingFile::new(path)?;
    write(beside.file())?;
    beside.persist()
}

/// A file that is written beside its place. Dropped before it is moved there, it is removed.
#[derive(Debug)]
pub struct PendingFile {
    file: NamedTempFile,
    /// Its place, links followed.
    place: PathBuf,
}

impl PendingFile {
    /// A new file at a name that nothing else can have taken before.
    pub fn new(path: &Path) -> io::Result<PendingFile> {
        let place = match fs::canonicalize(path) {
            Ok(place) => place,
            // A link that leads nowhere is made to lead somewhere.
            Err(_) => fs::read_link(path).map_or_else(|_| path.to_owned(), |to| path.with_file_name(to)),
        };
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(place.file_name().unwrap_or_default());
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(".tmp");
        // The mode of any new file; the umask restricts it.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
        if let Some(older) = permissions(&place) {
            file.as_file().set_permissions(older)?;
        }
        Ok(PendingFile { file, place })
    }

    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Moves it to its place.
    pub fn persist(self) -> io::Result<()> {
        match self.file.persist(&self.place) {
            Ok(_) => Ok(()),
            // A file that is mounted by itself (`docker run -v file:file`) cannot be replaced, only written.
            Err(refused) if refused.error.kind() == io::ErrorKind::ResourceBusy => {
                let mut text = Vec::new();
                let mut file = refused.file.as_file();
                file.rewind()?;
                file.read_to_end(&mut text)?;
                OpenOptions::new().write(true).truncate(true).open(&self.place)?.write_all(&text)
            }
            Err(refused) => Err(refused.error),
        }
    }
}

/// Permissions of the existing file. Elsewhere than on Unix they only say whether it may be written.
fn permissions(place: &Path) -> Option<Permissions> {
    let older = fs::metadata(place).ok().filter(|_| cfg!(unix))?;
    Some(older.permissions())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder").flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn say(text: &'static str) -> impl FnOnce(&File) -> io::Result<()> {
        move |mut file| file.write_all(text.as_bytes())
    }

    #[test]
    fn a_file_is_there_whole_or_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.txt");
        write(&path, say("one")).expect("written");
        let failed = write(&path, |mut file| {
            file.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&path).expect("text"), "one");
        write(&path, say("two")).expect("written");
        assert_eq!(fs::read_to_string(&path).expect("text"), "two");
        assert!(write(&folder.path().join("no/such"), say("x")).is_err());
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[cfg(unix)]
    #[test]
    fn an_older_files_mode_and_the_links_to_it_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("deep")).expect("a folder");
        for (link, to) in [("link", "real"), ("relative", "deep/new")] {
            symlink(to, at(link)).expect("a link");
        }
        for mode in [0o666, 0o600, 0o640] {
            fs::write(at("real"), "old").expect("written");
            fs::set_permissions(at("real"), Permissions::from_mode(mode)).expect("set");
            write(&at("link"), say("new")).expect("written");
            assert!(fs::symlink_metadata(at("link")).expect("a link").is_symlink());
            assert_eq!(fs::read_to_string(at("real")).expect("text"), "new");
            assert_eq!(fs::metadata(at("real")).expect("a file").permissions().mode() & 0o777, mode);
        }
        write(&at("relative"), say("new")).expect("written");
        assert_eq!(fs::read_to_string(at("deep/new")).expect("text"), "new");
        assert_eq!(names(folder.path()), ["deep", "link", "real", "relative"]);
    }
}
