//! Floor 3: a rules file on disk, and the files beside it that it names.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::rules::{
    Accepted, BodyFileError, Code, Config, Diagnostic, LARGEST_BODY, LARGEST_FILE, Mistakes, Settings,
    SourceText, read,
};

/// A rules file without a mistake.
#[derive(Debug)]
pub struct RulesFile {
    pub config: Config,
    /// Likely mistakes, in the file's order.
    pub warnings: Vec<Diagnostic>,
    /// SHA-256 of the file's bytes, in hexadecimal digits.
    pub sha256: String,
    /// Files that the rules name for the bodies of replies.
    pub body_files: Vec<PathBuf>,
}

/// Whether the files that settings name, such as certificates, can be used by what is to use them.
pub type CheckFiles<'c> = &'c dyn Fn(&Settings) -> Result<(), Diagnostic>;

/// Reads the rules file at `path`, reporting every mistake in it; `check_files` looks at the files that its settings
/// name.
pub fn load(path: &Path, check_files: CheckFiles<'_>) -> Result<RulesFile, Mistakes> {
    let name = path.display().to_string();
    let bytes = bounded(path, LARGEST_FILE).map_err(|error| unreadable(&name, &error))?;
    let Some(bytes) = bytes else {
        return Err(at_file(&name, Diagnostic::error(Code::TooLarge, "a rules file is at most 16 MiB")));
    };
    let sha256 = sha256(&bytes);
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8(&name, &error)),
    };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let named = RefCell::new(Vec::new());
    let accepted = read(&name, &text, &|file| {
        named.borrow_mut().push(folder.join(file));
        body_file(folder, file)
    })?;
    if let Err(mistake) = check_files(&accepted.config.settings) {
        return Err(at_text(&name, text, mistake));
    }
    let Accepted { config, warnings } = accepted;
    Ok(RulesFile { config, warnings, sha256, body_files: named.into_inner() })
}

/// The SHA-256 of `bytes`, as `sha256sum` writes it.
pub fn sha256(bytes: &[u8]) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The text of a file below `folder`, links resolved.
fn body_file(folder: &Path, name: &str) -> Result<String, BodyFileError> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => BodyFileError::Missing,
        _ => BodyFileError::Unreadable(error.to_string()),
    };
    let folder = folder.canonicalize().map_err(unreadable)?;
    let path = folder.join(name).canonicalize().map_err(unreadable)?;
    if !path.starts_with(&folder) {
        return Err(BodyFileError::Outside);
    }
    let bytes = bounded(&path, LARGEST_BODY).map_err(unreadable)?.ok_or(BodyFileError::TooLarge)?;
    String::from_utf8(bytes).map_err(|_| BodyFileError::NotText)
}

/// A regular file's bytes; `None` when there are more than `most`.
fn bounded(path: &Path, most: usize) -> io::Result<Option<Vec<u8>>> {
    // A pipe or a device might never end, and opening a pipe might never return.
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then_some(bytes))
}

fn unreadable(name: &str, error: &io::Error) -> Mistakes {
    let title = match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file `{name}`"),
        _ => format!("`{name}` cannot be read: {error}"),
    };
    let mistake = Diagnostic::error(Code::MissingFile, title);
    match error.kind() {
        io::ErrorKind::NotFound => mistake.help("`fracas init` writes one to begin with").into(),
        io::ErrorKind::PermissionDenied => {
            mistake.help("let this user read it, or name another file with `--rules FILE`").into()
        }
        _ => mistake.help("a rules file is a plain file: name another one with `--rules FILE`").into(),
    }
}

/// The text before the first odd byte is shown, and the byte as a replacement character.
fn not_utf8(name: &str, error: &std::string::FromUtf8Error) -> Mistakes {
    let at = error.utf8_error().valid_up_to();
    let byte = error.as_bytes().get(at).copied().unwrap_or_default();
    let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
    let mark = at..at + char::REPLACEMENT_CHARACTER.len_utf8();
    let mistake = Diagnostic::error(Code::BadUtf8, "a rules file is UTF-8");
    // As `>` of older PowerShells writes it.
    if error.as_bytes().starts_with(&[0xff, 0xfe]) || error.as_bytes().starts_with(&[0xfe, 0xff]) {
        let help = "save it as UTF-8; in PowerShell: `Out-File -Encoding utf8`";
        return at_text(name, text, mistake.at(mark, "this is UTF-16").help(help));
    }
    let mistake = mistake.at(mark, format!("the byte 0x{byte:02X} is not"));
    at_text(name, text, mistake)
}

fn at_file(name: &str, mistake: Diagnostic) -> Mistakes {
    at_text(name, String::new(), mistake)
}

fn at_text(name: &str, text: String, mistake: Diagnostic) -> Mistakes {
    mistake.of(&SourceText { name: name.to_owned(), text }.into()).into()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn load(path: &Path) -> Result<RulesFile, Mistakes> {
        super::load(path, &|_| Ok(()))
    }

    #[test]
    fn a_file_and_what_it_names_are_read_from_its_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rules.toml");
        fs::create_dir(folder.path().join("bodies")).expect("a folder");
        fs::write(folder.path().join("bodies/x.json"), "{}").expect("written");
        fs::write(&file, "[[rule]]\nreply = { body_file = \"bodies/x.json\" }\n").expect("written");
        assert_eq!(load(&file).expect("accepted").config.rules.len(), 1);
    }

    #[test]
    fn a_file_is_known_by_its_hash() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
    }

    #[test]
    fn files_that_cannot_be_used_have_their_codes() {
        let outer = tempfile::tempdir().expect("a folder");
        let folder = outer.path().join("rules");
        fs::create_dir(&folder).expect("a folder");
        fs::write(outer.path().join("secret"), "s").expect("written");
        fs::write(folder.join("large"), vec![b'x'; LARGEST_BODY + 1]).expect("written");
        fs::write(folder.join("latin1"), b"caf\xe9").expect("written");
        #[cfg(unix)]
        std::os::unix::fs::symlink(outer.path().join("secret"), folder.join("link")).expect("a link");
        for (name, code) in [
            ("nowhere", Code::MissingFile),
            (".", Code::MissingFile),
            ("large", Code::TooLarge),
            ("latin1", Code::BadUtf8),
            ("../secret", Code::OutsideFolder),
            #[cfg(unix)]
            ("link", Code::OutsideFolder),
        ] {
            let file = folder.join("rules.toml");
            fs::write(&file, format!("[[rule]]\nreply = {{ body_file = \"{name}\" }}\n")).expect("written");
            let codes: Vec<Code> =
                load(&file).expect_err(name).list.iter().map(|mistake| mistake.code).collect();
            assert_eq!(codes, [code], "{name}");
        }
    }

    #[test]
    fn a_rules_file_that_is_no_text_or_not_there_is_a_mistake() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rules.toml");
        let rendered = load(&file).expect_err("missing").to_string();
        assert!(rendered.contains("error[missing-file]: there is no file"), "{rendered}");
        fs::write(&file, b"seed = 1\nlisten = \"caf\xe9\"\n").expect("written");
        let mistakes = load(&file).expect_err("latin 1");
        assert_eq!(mistakes.list[0].position(), Some((2, 14)));
        assert!(mistakes.to_string().contains("the byte 0xE9 is not"), "{mistakes}");
        fs::write(&file, b"\xff\xfes\x00=\x001\x00").expect("written");
        assert!(load(&file).expect_err("UTF-16").to_string().contains("this is UTF-16"));
        fs::write(&file, vec![b'#'; LARGEST_FILE + 1]).expect("written");
        assert_eq!(load(&file).expect_err("large").list[0].code, Code::TooLarge);
        assert_eq!(load(folder.path()).expect_err("a folder").list[0].code, Code::MissingFile);
    }
}
