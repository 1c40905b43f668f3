//! The ready file, which scripts wait for. It is there whole or not at all, as long as requests are served.

use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::startup_error::StartupError;
use super::whole_file::PendingFile;
use crate::proxy::OwnCertificate;

/// Facts about a proxy that serves.
#[derive(Debug)]
pub struct Ready<'r> {
    pub listen: SocketAddr,
    /// Base of clients' URLs.
    pub url: String,
    pub upstream: &'r str,
    /// The certificate that clients have to trust.
    pub certificate: Option<&'r OwnCertificate>,
}

/// A ready file that is not there yet. Dropped before it is published, it leaves nothing behind.
#[derive(Debug)]
pub struct ReadyFile {
    path: PathBuf,
    beside: PendingFile,
    text: String,
}

/// A ready file that is there; dropping it removes it.
#[derive(Debug)]
pub struct Published {
    path: PathBuf,
    text: String,
}

impl ReadyFile {
    /// Writes the file beside its place. Removes an older run's file: a script that waits for this run must
    /// not read it.
    pub fn prepare(path: &Path, ready: &Ready<'_>) -> Result<ReadyFile, StartupError> {
        let Ready { url, listen, upstream, certificate } = ready;
        let text = serde_json::json!({
            "pid": std::process::id(),
            "listen": listen.to_string(),
            "admin": null,
            "upstream": upstream,
            "url": url,
            "certificate": certificate.map(|certificate| &certificate.pem),
        });
        let text = format!("{text}\n");
        let beside = write(path, &text).map_err(|error| {
            let title = format!("the ready file {} cannot be written: {error}", path.display());
            StartupError::new(
                "ready-file",
                title,
                "give `--ready-file` a new file in a folder that this user may write to",
            )
        })?;
        Ok(ReadyFile { path: path.to_owned(), beside, text })
    }

    /// Makes it appear.
    pub fn publish(self) -> io::Result<Published> {
        self.beside.persist()?;
        Ok(Published { path: self.path, text: self.text })
    }
}

fn write(path: &Path, text: &str) -> io::Result<PendingFile> {
    remove_older(path)?;
    let beside = PendingFile::new(path)?;
    beside.file().write_all(text.as_bytes())?;
    Ok(beside)
}

/// Removes an older run's file, or an empty one as `mktemp` makes it, and nothing else.
fn remove_older(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    /// Bytes of a ready file; a longer one is something else.
    const LARGEST: u64 = 64 * 1024;
    let is_ours = found.is_file()
        && found.len() <= LARGEST
        && fs::read(path).is_ok_and(|bytes| {
            let value = serde_json::from_slice::<serde_json::Value>(&bytes).unwrap_or_default();
            bytes.is_empty() || ["pid", "listen", "upstream"].iter().all(|key| value.get(key).is_some())
        });
    if !is_ours {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "something else is there"));
    }
    fs::remove_file(path)
}

impl Drop for Published {
    fn drop(&mut self) {
        // A later run's file, under the same name, stays.
        if fs::read_to_string(&self.path).is_ok_and(|text| text == self.text) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPSTREAM: &str = "http://127.0.0.1:9000";

    fn prepare(path: &Path) -> Result<ReadyFile, StartupError> {
        let listen = SocketAddr::from(([127, 0, 0, 1], 4090));
        let url = format!("http://{listen}");
        ReadyFile::prepare(path, &Ready { listen, url, upstream: UPSTREAM, certificate: None })
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder").flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn it_appears_when_published_and_goes_with_the_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ready.json");
        let prepared = prepare(&path).expect("prepared");
        assert!(!path.exists());
        let published = prepared.publish().expect("published");
        let text = fs::read_to_string(&path).expect("a file");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["listen"], "127.0.0.1:4090");
        assert_eq!(value["admin"], serde_json::Value::Null);
        assert_eq!(names(folder.path()), ["ready.json"]);
        drop(published);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn only_an_older_ready_file_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let older = r#"{"pid":1,"listen":"127.0.0.1:1","admin":null,"upstream":"http://a"}"#;
        for (name, text, replaced) in
            [("empty", "", true), ("older", older, true), ("rules.toml", "seed = 1", false)]
        {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("written");
            assert_eq!(prepare(&path).is_ok(), replaced, "{name}");
            assert_eq!(path.exists(), !replaced, "{name}");
        }
        assert!(prepare(folder.path()).is_err());
        assert!(prepare(&folder.path().join("no/such/folder")).is_err());
        assert_eq!(names(folder.path()), ["rules.toml"]);
    }

    #[test]
    fn a_later_runs_file_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ready.json");
        let published = prepare(&path).map(ReadyFile::publish).expect("prepared").expect("published");
        fs::write(&path, "another").expect("written");
        drop(published);
        assert!(path.exists());
    }
}
