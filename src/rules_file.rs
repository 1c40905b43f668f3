//! Floor 3: rules files on disk, and the files that they name.

mod disk;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use self::disk::Disk;
use crate::rules::{
    Accepted, Code, Config, Diagnostic, LARGEST_FILE, Mistakes, RulesText, Settings, SourceText, TextForm,
    read_all,
};

/// Rules without a mistake.
#[derive(Debug)]
pub struct RulesFile {
    pub config: Config,
    /// Likely mistakes, in the files' order.
    pub warnings: Vec<Diagnostic>,
    /// SHA-256 in hexadecimal digits: of the file's bytes; of several texts, of their own hashes, a line each.
    pub sha256: String,
    /// Every rules file that was read, those that others include as well.
    pub files: Vec<PathBuf>,
    /// Files that the rules name for the bodies of replies.
    pub body_files: Vec<PathBuf>,
}

/// The texts that rules are read from.
#[derive(Clone, Copy, Debug, Default)]
pub struct RulesOrigin<'o> {
    /// Rules on one line each, which are tried first.
    pub words: &'o [String],
    /// Rules files; `-` is standard input.
    pub files: &'o [PathBuf],
}

/// Whether the files that settings name, such as certificates, can be used by what is to use them.
pub type CheckFiles<'c> = &'c dyn Fn(&Settings) -> Result<(), Diagnostic>;

/// Reads the rules file at `path`, reporting every mistake in it; `check_files` looks at the files that its settings
/// name.
pub fn load(path: &Path, check_files: CheckFiles<'_>) -> Result<RulesFile, Mistakes> {
    load_all(RulesOrigin { words: &[], files: &[path.to_owned()] }, check_files)
}

/// As [`load`], of several texts as one set of rules.
///
/// Standard input and pipes are read to their end, which may come late, and no further than a file may be long.
pub fn load_all(origin: RulesOrigin<'_>, check_files: CheckFiles<'_>) -> Result<RulesFile, Mistakes> {
    let mut found = Mistakes { list: Vec::new(), errors: 0 };
    let mut disk = Disk::default();
    let mut given: Vec<RulesText> =
        origin.words.iter().enumerate().map(|(at, text)| words(at, text)).collect();
    disk.hashes.get_mut().extend(given.iter().map(|given| sha256(given.source.text.as_bytes())));
    let identities: Vec<PathBuf> = origin.files.iter().map(|path| identity(path)).collect();
    for (at, (path, identity)) in origin.files.iter().zip(&identities).enumerate() {
        let earlier = identities.iter().take(at).position(|earlier| earlier == identity);
        let text = match earlier {
            Some(earlier) => Err(given_twice(origin.files, earlier, at).into()),
            None => text_of(path),
        };
        match text {
            Ok(text) => {
                disk.know(path, &text);
                given.push(rules_text(path, identity, text));
            }
            Err(mistakes) => {
                found.errors += mistakes.errors;
                found.list.extend(mistakes.list);
            }
        }
    }
    if found.errors > 0 {
        return Err(found);
    }
    let Accepted { config, warnings, sources } = read_all(given, &disk)?;
    check_files(&config.settings).map_err(|mistake| sources.locate(mistake))?;
    let hashes = disk.hashes.into_inner();
    let sha256 = match hashes.as_slice() {
        [only] => only.clone(),
        several => sha256(several.iter().flat_map(|hash| [hash, "\n"]).collect::<String>().as_bytes()),
    };
    Ok(RulesFile {
        config,
        warnings,
        sha256,
        files: disk.files.into_inner(),
        body_files: disk.body_files.into_inner(),
    })
}

/// A rule of the command line.
fn words(at: usize, text: &str) -> RulesText {
    let name = if at == 0 { "--rule".to_owned() } else { format!("--rule, number {}", at + 1) };
    RulesText { form: TextForm::Words, ..RulesText::alone(&name, text) }
}

fn rules_text(path: &Path, identity: &Path, text: String) -> RulesText {
    RulesText {
        source: SourceText { name: shown(path), text },
        form: TextForm::File,
        folder: if is_standard_input(path) { PathBuf::new() } else { folder_of(path) },
        identity: Some(identity.to_owned()),
    }
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// A file as messages call it.
pub fn shown(path: &Path) -> String {
    if is_standard_input(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// The folder of a file, empty for the working folder.
fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}

/// A path by which a file is known whatever links lead to it. A pipe without a name has none but its own.
fn identity(path: &Path) -> PathBuf {
    if is_standard_input(path) {
        path.to_owned()
    } else {
        path.canonicalize().unwrap_or_else(|_| path.to_owned())
    }
}

/// A file that the command line gives twice, shown on a line as it could have been written.
fn given_twice(files: &[PathBuf], first: usize, second: usize) -> Diagnostic {
    const FLAG: &str = "--rules ";
    let mut text = String::new();
    let mut spans = Vec::new();
    for path in files {
        text.push_str(FLAG);
        spans.push(text.len()..text.len() + path.display().to_string().len());
        text.push_str(&format!("{} ", path.display()));
    }
    let title = format!("`{}` is given twice", files.get(second).map(|path| shown(path)).unwrap_or_default());
    let span = |at: usize| spans.get(at).cloned().unwrap_or_default();
    Diagnostic::error(Code::FileTwice, title)
        .at(span(second), "the same file again")
        .also(span(first), "given here")
        .help("give each file once")
        .of(&SourceText { name: "the command line".to_owned(), text: text.trim_end().to_owned() }.into())
}

/// The text of a rules file.
fn text_of(path: &Path) -> Result<String, Mistakes> {
    let name = shown(path);
    let bytes = bytes_of(path).map_err(|error| unreadable(&name, &error))?;
    let Some(bytes) = bytes else {
        return Err(at_file(&name, Diagnostic::error(Code::TooLarge, "a rules file is at most 16 MiB")));
    };
    String::from_utf8(bytes).map_err(|error| not_utf8(&name, &error))
}

/// The bytes of a file, of a pipe or of standard input; `None` when there are more than a rules file has.
fn bytes_of(path: &Path) -> io::Result<Option<Vec<u8>>> {
    if is_standard_input(path) {
        return at_most(io::stdin().lock(), LARGEST_FILE);
    }
    if path.metadata()?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    at_most(File::open(path)?, LARGEST_FILE)
}

/// Everything that `source` has; `None` when that is more than `most` bytes.
fn at_most(source: impl io::Read, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    source.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then_some(bytes))
}

/// The SHA-256 of `bytes`, as `sha256sum` writes it.
pub fn sha256(bytes: &[u8]) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
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
    use crate::rules::LARGEST_BODY;

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
