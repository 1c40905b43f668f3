//! Rules of the repository that rustc and clippy do not check: a pure core, names, lengths, imports, no loose ends.

mod circles;
mod modules;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use self::circles::circles_across_folders;
use self::modules::{Module, ModulePath, modules};
use self::source::{Source, sources};

/// Lines of the longest source file. Longer ones hold more than one thing.
const LONGEST: usize = 400;
/// Lines of a file in the middle.
const MEDIAN: usize = 150;

/// Lines of the longest function of the product.
const LONGEST_FUNCTION: usize = 80;

/// The folders of the crates' sources.
const CRATES: [&str; 2] = ["core/src/", "src/"];

#[test]
fn the_core_depends_on_no_runtime() {
    const IMPURE: [&str; 12] = [
        "getrandom",
        "h2",
        "hyper",
        "hyper-util",
        "mio",
        "rand",
        "rustix",
        "rustls",
        "socket2",
        "tokio",
        "tokio-rustls",
        "tracing",
    ];
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = Command::new(cargo)
        .args(["tree", "--package", "fracas-core", "--edges", "normal", "--prefix", "none", "--offline"])
        .current_dir(source::root())
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8_lossy(&tree.stdout);
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"serde_json"), "cargo tree lists no dependencies:\n{tree}");
    let impure: Vec<&&str> = names.iter().filter(|name| IMPURE.contains(name)).collect();
    assert!(impure.is_empty(), "core/Cargo.toml brings in {impure:?}");
}

#[test]
fn a_public_type_has_a_name_of_its_own() {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let crates = crates();
    for module in crates.iter().flat_map(BTreeMap::values) {
        // One file may define it once for each operating system.
        let names: BTreeSet<&str> = module.public_types.iter().map(String::as_str).collect();
        names.into_iter().for_each(|name| places.entry(name).or_default().push(module.source_path.clone()));
    }
    assert!(places.len() > 300, "only {} public types", places.len());
    let complaints: Vec<String> = places
        .iter()
        .filter(|(_, places)| places.len() > 1)
        .map(|(name, places)| format!("{name} is defined at {}", places.join(", ")))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn files_of_different_folders_do_not_use_each_other() {
    let complaints: Vec<String> = crates().iter().flat_map(circles_across_folders).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn functions_are_short() {
    let crates = crates();
    let all = crates.iter().flat_map(BTreeMap::values);
    let functions = all.flat_map(|module| module.functions.iter().map(move |function| (module, function)));
    let long: Vec<String> = functions
        .filter(|(_, (_, _, lines))| *lines > LONGEST_FUNCTION)
        .map(|(module, (name, line, lines))| {
            format!("{}:{line}: {name} has {lines} lines", module.source_path)
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn files_are_short() {
    let sources = looked_at();
    let long: Vec<String> = sources
        .iter()
        .filter(|source| source.lines() > LONGEST)
        .map(|source| format!("{}: {} lines, at most {LONGEST}", source.path, source.lines()))
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));

    let mut lengths: Vec<usize> = sources
        .iter()
        .filter(|source| CRATES.iter().any(|root| source.path.starts_with(root)))
        .map(Source::lines)
        .collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= MEDIAN, "the median file has {median} lines, at most {MEDIAN}");
}

#[test]
fn nothing_is_left_unfinished_or_unchecked() {
    const NOWHERE: [&str; 6] =
        ["todo!", "unimplemented!", "dbg!", "#[ignore", "#[should_panic", "#![allow(dead_code"];
    // A test that sleeps is slow when all is well, and fails when the machine is busy.
    const NOT_IN_TESTS: [&str; 3] = ["thread::sleep", "time::sleep", "sleep_until"];
    let mut complaints = Vec::new();
    for source in &looked_at() {
        complaints.extend(source.naming(&source.everything(), &NOWHERE));
        complaints.extend(source.naming(&source.tests(), &NOT_IN_TESTS));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Every public error type implements `Error`: it prints itself and keeps its cause.
#[test]
fn every_public_error_implements_the_trait() {
    /// How the names of such types end.
    const ENDINGS: [&str; 7] =
        ["Error", "Failure", "Mistake", "Mistakes", "Refusal", "CannotRun", "Diagnostic"];
    let sources = looked_at();
    let (mut found, mut missing) = (0, Vec::new());
    for source in sources.iter().filter(|source| !source.path.starts_with("tests/")) {
        let text = fs::read_to_string(source::root().join(&source.path)).expect("read before");
        for line in text.lines() {
            let Some(name) = ["pub enum ", "pub struct "].iter().find_map(|head| line.strip_prefix(head))
            else {
                continue;
            };
            let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            if ENDINGS.iter().any(|ending| name.ends_with(ending)) {
                found += 1;
                if !text.contains(&format!("Error for {name} {{")) {
                    missing.push(format!("{}: `{name}` does not implement std::error::Error", source.path));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(found >= 14, "only {found} errors");
}

/// Tests named `c05_…` are about a requirement of the checklist, which names their files.
#[test]
fn the_checklist_and_the_tests_name_each_other() {
    let folder = source::root().join("tests");
    let checklist = fs::read_to_string(folder.join("it/wire/checklist.md")).expect("the checklist");
    let mut rows = BTreeMap::new();
    for row in checklist.lines().filter(|line| line.starts_with("| c")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, number, requirement, files, _] = cells[..] else { panic!("{row}: three cells") };
        assert!(requirement.ends_with(['.', ')']), "{row}: a sentence");
        let files: BTreeSet<String> = files.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        assert!(rows.insert(number.to_owned(), files).is_none(), "{number} stands there twice");
    }
    let numbers: Vec<String> = (1..=rows.len()).map(|number| format!("c{number:02}")).collect();
    assert_eq!(rows.keys().cloned().collect::<Vec<_>>(), numbers);

    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in looked_at() {
        let Some(path) = source.path.strip_prefix("tests/") else { continue };
        let text = fs::read_to_string(folder.join(path)).expect("read before");
        for name in text.split("fn ").skip(1).filter_map(|rest| rest.split('(').next()) {
            let is_number = |part: &&str| {
                part.len() == 3
                    && part.starts_with('c')
                    && part.bytes().skip(1).all(|byte| byte.is_ascii_digit())
            };
            for part in name.split('_').take_while(is_number) {
                named.entry(part.to_owned()).or_default().insert(path.to_owned());
            }
        }
    }
    for (number, files) in &rows {
        match named.get(number) {
            Some(tests) => assert_eq!(files, tests, "{number}: the files of its tests"),
            None => assert_eq!(number, "c36", "it has no test"),
        }
    }
    assert!(
        named.keys().all(|number| rows.contains_key(number)),
        "a test carries a number that is not listed"
    );
}

#[test]
fn the_map_fits_on_two_pages() {
    let map = fs::read_to_string(source::root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    assert!(map.lines().count() <= 150, "ARCHITECTURE.md: {} lines, at most 150", map.lines().count());
    let wide = map.lines().find(|line| line.chars().count() > 120);
    assert_eq!(wide, None, "ARCHITECTURE.md: a line has at most 120 characters");
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut links = 0;
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "docs/GRADING.md",
        "docs/RULES.md",
        "examples/README.md",
        "tests/it/wire/checklist.md",
    ] {
        let file = source::root().join(document);
        let text = fs::read_to_string(&file).expect(document);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            if link.is_empty() || link.contains("://") {
                continue;
            }
            links += 1;
            let target = file.parent().expect("a folder").join(link);
            assert!(target.exists(), "{document} links to {link}, which is not there");
        }
    }
    assert!(links >= 15, "only {links} links");
}

#[test]
fn what_pins_versions_names_no_place_to_fetch_them_from() {
    let read = |path: &str| fs::read_to_string(source::root().join(path)).expect(path);
    let index = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let lock = read("Cargo.lock");
    let mut sources = lock.lines().filter(|line| line.starts_with("source = ")).peekable();
    assert!(sources.peek().is_some(), "Cargo.lock names no source at all");
    assert_eq!(sources.find(|line| *line != index), None, "Cargo.lock: only crates.io itself");

    for (path, places) in [
        ("tests/real/package-lock.json", &["\"resolved\"", "registry."][..]),
        ("tests/real/package.json", &["://", "git+"]),
        ("tests/real/.npmrc", &["registry=", "://", "_auth"]),
        ("tests/real/requirements.txt", &["://", "index", "find-links", "-r "]),
    ] {
        let text = read(path);
        let text: String = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(!text.is_empty(), "{path} is empty");
        let named = places.iter().find(|place| text.contains(**place));
        assert_eq!(named, None, "{path} names a place to fetch from");
    }
}

/// The modules of each crate.
fn crates() -> Vec<BTreeMap<ModulePath, Module>> {
    let sources = looked_at();
    CRATES.iter().map(|root| modules(root, &sources)).collect()
}

/// Every Rust file of the repository.
fn looked_at() -> Vec<Source> {
    let sources = sources();
    let in_folder = |folder: &str| sources.iter().filter(|source| source.path.starts_with(folder)).count();
    assert!(
        CRATES.iter().all(|root| in_folder(root) > 20) && in_folder("tests/") > 2,
        "the checks look at too few files"
    );
    sources
}
