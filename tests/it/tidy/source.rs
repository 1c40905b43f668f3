//! The repository's Rust files, and which part of each is tests.

use std::fs;
use std::path::{Path, PathBuf};

/// One Rust file.
pub struct Source {
    /// From the repository's root, with slashes.
    pub path: String,
    pub text: String,
}

impl Source {
    /// How long the file is, tests and comments included.
    pub fn lines(&self) -> usize {
        self.text.lines().count()
    }

    /// The lines without comments and quoted text, with their numbers from 1.
    pub fn everything(&self) -> Vec<(usize, String)> {
        (1..).zip(self.text.lines()).map(|(number, line)| (number, code(line))).collect()
    }

    /// The lines that are tests.
    pub fn tests(&self) -> Vec<(usize, String)> {
        let first_test = self.first_test();
        self.everything().into_iter().filter(|(number, _)| *number >= first_test).collect()
    }

    /// A complaint for each of `lines` that contains one of `words`.
    pub fn naming(&self, lines: &[(usize, String)], words: &[&str]) -> Vec<String> {
        let named = |line: &str| words.iter().find(|word| line.contains(**word)).copied();
        let complaint =
            |(number, line): &(usize, String)| Some(format!("{}:{number}: {}", self.path, named(line)?));
        lines.iter().filter_map(complaint).collect()
    }

    /// Tests come last in a file, or are files of their own.
    fn first_test(&self) -> usize {
        // An example is written as a user would, pauses and all; a benchmark keeps a pace.
        let is_test_file = self.path.starts_with("tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.contains("/tests/");
        let mut pairs = self.text.lines().zip(self.text.lines().skip(1));
        let mut marker = || pairs.position(|(line, next)| line == "#[cfg(test)]" && next.ends_with('{'));
        if is_test_file { 1 } else { marker().map_or(usize::MAX, |at| at + 1) }
    }
}

/// A line without its comment and its quoted text. Text over several lines is taken for code: the
/// test complains too much rather than too little.
fn code(line: &str) -> String {
    let mut code = String::new();
    let mut is_quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if is_quoted => _ = characters.next(),
            '\'' if !is_quoted && characters.next_if_eq(&'"').is_some() => {}
            '/' if !is_quoted && characters.peek() == Some(&'/') => break,
            '"' => is_quoted = !is_quoted,
            _ if !is_quoted => code.push(character),
            _ => {}
        }
    }
    code
}

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of the repository.
pub fn sources() -> Vec<Source> {
    let mut folders: Vec<PathBuf> =
        ["src", "core", "tests", "benches", "examples"].map(|folder| root().join(folder)).into();
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.expect("a folder of the repository can be read").path()) {
            if path.is_dir() && !path.ends_with("node_modules") && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file is UTF-8");
                let path = path.strip_prefix(root()).expect("it is below the root");
                sources.push(Source { path: path.to_string_lossy().replace('\\', "/"), text });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

#[test]
fn tests_are_told_from_the_product() {
    let source = |path: &str| Source {
        path: path.to_owned(),
        text: "#[cfg(test)]\nmod tests;\nuse a; // use b;\n// use c;\n#[cfg(test)]\nmod tests {\n".to_owned(),
    };
    let of_file = source("core/src/model/key.rs");
    let lines = |lines: &[(usize, &str)]| lines.iter().map(|(n, line)| (*n, (*line).to_owned())).collect();
    let tests: Vec<_> = lines(&[(5, "#[cfg(test)]"), (6, "mod tests {")]);
    assert_eq!(of_file.tests(), tests);
    assert_eq!(
        of_file.naming(&of_file.everything(), &["b;", "mod tests {"]),
        ["core/src/model/key.rs:6: mod tests {"]
    );
    for path in ["tests/it/main.rs", "src/store/tests.rs", "core/src/rules/tests/units.rs"] {
        assert_eq!(source(path).tests().len(), 6, "{path}");
    }
}

#[test]
fn comments_and_quotes_are_not_code() {
    for (line, expected) in [
        ("let a = b; // c", "let a = b; "),
        (r#"let url = "http://a"; c"#, "let url = ; c"),
        (r#"f("a\"b", '"', "c") // d"#, "f(, ', ) "),
        ("a / b", "a / b"),
    ] {
        assert_eq!(code(line), expected, "{line}");
    }
}
