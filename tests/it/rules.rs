//! Rules files as people write them: which are accepted, and the diagnostics of the others.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fracas::rules::{self, Code, Mistakes};
use fracas::store::RESPONSES;
use proptest::prelude::*;

pub mod around;

fn blessing() -> bool {
    std::env::var_os("FRACAS_BLESS").is_some()
}

/// Compares with a file, or writes it when `FRACAS_BLESS` is set.
pub fn assert_same_as(file: &Path, actual: &str) {
    if blessing() {
        fs::write(file, actual).expect("the expected text is writable");
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    assert!(
        expected == actual,
        "{} differs; look at it and run with FRACAS_BLESS=1\n--- expected\n{expected}\n--- actual\n{actual}",
        file.display()
    );
}

fn cases(folder: &str) -> Vec<PathBuf> {
    toml_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/rules").join(folder))
}

fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    files
}

fn read(text: &str) -> Result<rules::Accepted, Mistakes> {
    rules::read_all(
        vec![rules::RulesText { identity: Some("/rules.toml".into()), ..named(text) }],
        &around::Case,
    )
}

fn named(text: &str) -> rules::RulesText {
    rules::RulesText { folder: "".into(), ..rules::RulesText::alone("rules.toml", text) }
}

#[test]
fn every_mistake_is_told_in_its_place_with_what_to_write_instead() {
    // Found in the files that a rules file names, which these cases have not: `wire/http2/tls.rs`.
    let mut codes = BTreeSet::from([Code::BadCertificate]);
    let files = cases("invalid");
    for file in &files {
        let text = fs::read_to_string(file).expect("a case");
        let (rendered, found) = match read(&text) {
            Err(mistakes) => (mistakes.to_string(), mistakes.list),
            Ok(accepted) => {
                let name = file.file_stem().unwrap_or_default().to_string_lossy();
                assert!(name.starts_with("warning-") && !accepted.warnings.is_empty(), "{name} is accepted");
                let rendered: Vec<String> = accepted.warnings.iter().map(ToString::to_string).collect();
                (rendered.join("\n"), accepted.warnings)
            }
        };
        codes.extend(found.iter().map(|mistake| mistake.code));
        let is_habit = file.file_stem().is_some_and(|name| name.to_string_lossy().starts_with("habit-"));
        assert!(!is_habit || !rendered.contains("no such key"), "{}: no word of help", file.display());
        assert_same_as(&file.with_extension("txt"), &rendered);
    }
    assert!(files.len() >= 60, "only {} cases", files.len());
    let name =
        |file: &&PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("habit-"));
    let habits = files.iter().filter(name).count();
    assert!(habits >= 100, "only {habits} of those that other programs teach");
    let missing: Vec<&Code> = Code::ALL.iter().filter(|code| !codes.contains(code)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[test]
fn valid_files_are_accepted_without_a_warning() {
    let files = cases("valid");
    assert!(files.len() >= 4, "only {} cases", files.len());
    for file in &files {
        let text = fs::read_to_string(file).expect("a case");
        assert_accepted_without_a_warning(file, &text);
    }
}

fn assert_accepted_without_a_warning(file: &Path, text: &str) {
    let accepted = read(text).unwrap_or_else(|mistakes| panic!("{}\n{mistakes}", file.display()));
    let warnings: Vec<String> = accepted.warnings.iter().map(ToString::to_string).collect();
    assert!(warnings.is_empty(), "{}\n{}", file.display(), warnings.join("\n"));
}

#[test]
fn what_is_too_large_is_refused() {
    let code = |text: &str| read(text).err().map(|mistakes| mistakes.list[0].code);
    assert_eq!(code(&" ".repeat(rules::LARGEST_FILE + 1)), Some(Code::TooLarge));
    let body = "x".repeat(rules::LARGEST_BODY + 1);
    assert_eq!(code(&format!("[[rule]]\nreply = {{ body = \"{body}\" }}\n")), Some(Code::TooLarge));
    assert_eq!(code(&"[[rule]]\n".repeat(rules::MOST_RULES + 1)), Some(Code::TooLarge));
}

#[test]
fn a_file_full_of_mistakes_is_told_in_part() {
    let text: String = (0..5_000).map(|n| format!("x{n} = 1\n")).collect();
    let mistakes = read(&text).expect_err("no key of ours");
    assert_eq!((mistakes.list.len(), mistakes.errors), (Mistakes::MOST, 5_000));
    assert!(mistakes.to_string().ends_with("… and 4900 more\n"));
}

#[test]
fn a_long_line_is_trimmed_around_its_mistake() {
    let text = format!("trusted = [{} 5]\n", "\"::1\",".repeat(10_000));
    let rendered = read(&text).expect_err("not a key").to_string();
    assert!(rendered.contains("--> rules.toml:1:60013"), "{rendered}");
    assert!(rendered.contains("5]\n"), "{rendered}");
    assert!(rendered.lines().all(|line| line.chars().count() < 160), "{rendered}");
}

#[test]
fn colours_only_carry_what_words_say() {
    let mistakes = read("sed = 1\n").expect_err("unknown");
    let coloured = mistakes.render(rules::Paint::Coloured);
    assert!(coloured.contains("\u{1b}["));
    assert!(!mistakes.render(rules::Paint::Plain).contains('\u{1b}'));
}

#[test]
fn the_documents_are_those_of_the_table_of_keys() {
    let document = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    assert_same_as(&document("RULES.md"), &rules::reference());
    assert_same_as(&document("rules.schema.json"), &format!("{:#}\n", rules::schema()));
}

#[test]
fn the_reference_tells_how_many_answers_are_kept() {
    let bound = format!("the {},{:03} newest responses", RESPONSES / 1_000, RESPONSES % 1_000);
    assert!(rules::reference().contains(&bound), "{bound}");
}

#[test]
fn what_is_shipped_is_accepted_without_a_warning() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = toml_files(&root.join("examples"));
    assert!(files.len() >= 9, "only {} examples", files.len());
    files.push(root.join("rules.toml"));
    for file in &files {
        let text = fs::read_to_string(file).expect("rules");
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with('#'), "{} does not begin with what it is about", file.display());
        assert_accepted_without_a_warning(file, &text);
        assert!(text.contains("[[rule]]"), "{} has no rule", file.display());
    }
}

/// Pieces of rules files, right and wrong, so that chance gets beyond the parser.
fn pieces() -> impl Strategy<Value = String> {
    let keys = prop::sample::select(vec![
        "name",
        "method",
        "path",
        "path_regex",
        "header",
        "query",
        "body",
        "not",
        "client",
        "rate",
        "first",
        "every",
        "pattern",
        "above",
        "on",
        "by",
        "release",
        "hold",
        "per",
        "during",
        "kind",
        "phase",
        "clear",
        "reply",
        "expect",
        "listen",
        "upstream",
        "admin",
        "rule",
        "timeouts",
        "limits",
        "tls",
        "client_id",
        "reply.status",
        "reply.body",
        "reply.headers",
        "reply.retry_after",
        "during.every",
        "\"\"",
        "é",
    ]);
    let values = prop::sample::select(vec![
        "1",
        "-1",
        "0.5",
        "nan",
        "1e999",
        "99999999999999999999",
        "true",
        "\"\"",
        "\"GET\"",
        "\"2s\"",
        "\"demo\"",
        "\"stale\"",
        "\"header:\"",
        "\"param:id\"",
        "\"/{id}\"",
        "\"{rule}{{n}\"",
        "\"http://[\"",
        "\"é\\u0000\"",
        "[]",
        "[1, \"x\"]",
        "{}",
        "{ for = \"1s\" }",
        "{ path = \"/\" }",
        "{ \"/a\" = 1 }",
        "'''\nx'''",
        "1979-05-27",
        "",
        "[[",
        "\"",
    ]);
    let line = (keys, values).prop_map(|(key, value)| format!("{key} = {value}"));
    let heading =
        prop::sample::select(vec!["[[rule]]", "[rule]", "[rule.reply]", "[timeouts]", "[[rule", "# é", "="]);
    let lines = prop_oneof![4 => line, 1 => heading.prop_map(str::to_owned)];
    prop::collection::vec(lines, 0..12).prop_map(|lines| lines.join("\n"))
}

/// Texts that look like JSON or YAML.
fn trees() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "\"path\"",
        "path",
        "rules",
        "request",
        "method",
        "first",
        "\"/items/:id\"",
        "/x",
        "PUT",
        "3",
        "0.5",
        "null",
        "&a ",
        "*a",
        "? ",
        "|",
        "'",
        "#",
        "---\n",
        "{{",
        "${X}",
        "\u{feff}",
        "é",
    ]);
    let begins = prop::sample::select(vec!["{", "[{", "rules:\n", "- ", "---\n", "a:\n- ", "\u{feff}{"]);
    (begins, prop::collection::vec(piece, 0..40))
        .prop_map(|(begins, pieces)| begins.to_owned() + &pieces.concat())
}

proptest! {
    #[test]
    fn reading_and_rendering_end_for_any_text(text in prop_oneof![any::<String>(), ".{0,64}", pieces(), trees()]) {
        if let Err(mistakes) = read(&text) {
            prop_assert!(!mistakes.list.is_empty() && mistakes.errors > 0);
            prop_assert!(mistakes.to_string().starts_with("error") || mistakes.to_string().starts_with("warning"));
            mistakes.render(rules::Paint::Coloured);
        }
    }

    #[test]
    fn a_file_is_accepted_or_every_error_has_a_place(text in pieces()) {
        if let Err(mistakes) = read(&text) {
            for mistake in &mistakes.list {
                let span = mistake.span.clone();
                prop_assert!(span.is_some_and(|span| text.get(span).is_some()), "{mistake:?}");
            }
        }
    }
}
