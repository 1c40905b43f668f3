//! The rules file with the flags and variables that go over it.

use std::io;
use std::path::{Path, PathBuf};

use super::arguments::{Rules, SettingOverride};
use super::init::SHIPPED;
use super::output::{paint, talk};
use super::spelling::listen_address;
use crate::proxy;
use crate::rules::{Admin, Config, Diagnostic, Mistakes, Settings, check_settings, read};
use crate::rules_file::{self, RulesFile, RulesOrigin};

/// Read when no file is named.
pub const DEFAULT_FILE: &str = "rules.toml";

/// The rules and settings of a run.
pub struct Loaded {
    pub config: Config,
    /// Every file that they come from, first those that were asked for; empty where there is none at the default path.
    pub files: Vec<PathBuf>,
    /// How many rules the command line gives.
    pub words: usize,
    /// Digest of all texts.
    pub sha256: Option<String>,
    /// There is no file, and the rules are those of `fracas init`.
    pub is_sample: bool,
    /// Files with the bodies of replies.
    pub body_files: Vec<PathBuf>,
    /// Likely mistakes that do not keep the proxy from starting.
    pub warnings: Vec<Diagnostic>,
}

/// Reads the rules and settings, or every mistake in them.
pub fn load(rules: &Rules, given: &[SettingOverride]) -> Result<Loaded, Mistakes> {
    let mut found = Mistakes { list: Vec::new(), errors: 0 };
    let mut loaded = texts(rules).unwrap_or_else(|mistakes| {
        add(&mut found, mistakes);
        Loaded::without_file(Config::builtin())
    });
    let is_demo = given.iter().all(|given| given.key != "upstream" || given.text == "demo");
    if loaded.is_empty() && is_demo && found.errors == 0 {
        // Without rules nothing would happen; the sample rules are about the sample API.
        loaded = Loaded { is_sample: true, ..Loaded::without_file(sample()?) };
    }
    for given in given {
        match value_of(given) {
            Ok(settings) => take_over(&mut loaded.config.settings, settings, given.key),
            Err(mistakes) => add(&mut found, mistakes),
        }
    }
    if found.errors > 0 {
        return Err(found);
    }
    // Not served yet, so that nothing can conflict with it.
    loaded.config.settings.admin = Admin::Off;
    check_settings(&loaded.config.settings)?;
    Ok(loaded)
}

fn add(found: &mut Mistakes, more: Mistakes) {
    found.list.extend(more.list);
    found.errors += more.errors;
}

/// The rules that `fracas init` writes.
fn sample() -> Result<Config, Mistakes> {
    let no_files = |_: &str| Err(crate::rules::BodyFileError::Missing);
    Ok(read("the rules of `fracas init`", SHIPPED, &no_files)?.config)
}

impl Loaded {
    fn without_file(config: Config) -> Loaded {
        Loaded {
            config,
            files: Vec::new(),
            words: 0,
            sha256: None,
            is_sample: false,
            body_files: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Whether no rules were given, neither in a file nor on the command line.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.words == 0
    }

    /// Where the rules come from: `rules.toml`, `a.toml and 2 more`.
    pub fn origin(&self) -> Option<String> {
        let line = (self.words > 0).then(|| "--rule".to_owned());
        let mut names: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        if names.len() > 2 {
            let more = names.len() - 1;
            names.truncate(1);
            names.push(format!("{more} more"));
        }
        let names: Vec<String> = line.into_iter().chain(names).collect();
        let (last, before) = names.split_last()?;
        Some(if before.is_empty() { last.clone() } else { format!("{} and {last}", before.join(", ")) })
    }

    /// Prints warnings.
    pub fn warn(&self) {
        let paint = paint(&io::stderr());
        for warning in &self.warnings {
            talk(format_args!("{}\n", warning.render(paint)));
        }
    }
}

fn texts(rules: &Rules) -> Result<Loaded, Mistakes> {
    let mut files = rules.files();
    let default = Path::new(DEFAULT_FILE);
    // Any error but its absence, a folder of that name say, is reported.
    let is_absent =
        matches!(default.symlink_metadata(), Err(error) if error.kind() == io::ErrorKind::NotFound);
    if files.is_empty() && !is_absent {
        files.push(default.to_owned());
    }
    if files.is_empty() && rules.words.is_empty() {
        return Ok(Loaded::without_file(Config::builtin()));
    }
    let origin = RulesOrigin { words: &rules.words, files: &files };
    let RulesFile { config, warnings, sha256, files, body_files } =
        rules_file::load_all(origin, &proxy::check_files)?;
    let sha256 = Some(sha256);
    Ok(Loaded { config, files, words: rules.words.len(), sha256, is_sample: false, body_files, warnings })
}

/// Reads a flag or a variable as a rules file of one line, so that it means the same as there, and a
/// mistake in it looks the same.
fn value_of(given: &SettingOverride) -> Result<Settings, Mistakes> {
    let key = given.key;
    let given = &SettingOverride {
        text: if key == "listen" { listen_address(&given.text) } else { given.text.clone() },
        ..given.clone()
    };
    let is_number = !given.text.is_empty() && given.text.bytes().all(|byte| byte.is_ascii_digit());
    let value = if is_number { given.text.clone() } else { quoted(&given.text) };
    // Whether addresses go together is asked when all are known.
    let apart = match key {
        "listen" => "upstream = \"demo\"\nadmin = \"off\"\n",
        "upstream" => "listen = \"127.0.0.1:0\"\nadmin = \"off\"\n",
        _ => "",
    };
    let text = format!("{key} = {value}\n{apart}");
    let no_files = |_: &str| Err(crate::rules::BodyFileError::Missing);
    Ok(read(&given.by, &text, &no_files)?.config.settings)
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            _ if character.is_control() => quoted.push_str(&format!("\\U{:08X}", u32::from(character))),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

fn take_over(settings: &mut Settings, given: Settings, key: &str) {
    match key {
        "upstream" => settings.upstream = given.upstream,
        "listen" => settings.listen = given.listen,
        "admin" => settings.admin = given.admin,
        "seed" => settings.seed = given.seed,
        _ => settings.workers = given.workers,
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::rules::Code;

    fn given(key: &'static str, text: &str) -> SettingOverride {
        SettingOverride { key, by: format!("--{key}"), text: text.to_owned() }
    }

    fn load_from(text: &str, given: &[SettingOverride]) -> Result<Settings, Vec<Code>> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("r.toml");
        std::fs::write(&file, text).expect("written");
        let rules = Rules { files: vec![file], words: Vec::new(), seed: None };
        load(&rules, given)
            .map(|loaded| loaded.config.settings)
            .map_err(|mistakes| mistakes.list.iter().map(|mistake| mistake.code).collect())
    }

    #[test]
    fn what_is_given_goes_over_the_file() {
        let file = "listen = \"127.0.0.1:1\"\nseed = 2\nworkers = 3\n";
        let settings =
            load_from(file, &[given("listen", "127.0.0.1:4"), given("seed", "5")]).expect("usable");
        assert_eq!((settings.listen.port(), settings.seed), (4, 5));
        assert_eq!(settings.workers, NonZeroUsize::new(3));
    }

    #[test]
    fn wrong_values_are_mistakes_all_at_once() {
        for (file, pairs, codes) in [
            ("seed = 1", &[("listen", "nowhere")][..], &[Code::BadAddress][..]),
            ("seed = 1", &[("upstream", "localhost:9000")], &[Code::BadUrl]),
            ("seed = 1", &[("upstream", "a\"\nseed = 2 #\u{1b}")], &[Code::BadUrl]),
            ("seed = 1", &[("seed", "many")], &[Code::WrongType]),
            ("seed = 1", &[("seed", "")], &[Code::WrongType]),
            ("seed = 1", &[("workers", "0")], &[Code::OutOfRange]),
            ("seed = 1", &[("admin", "127.0.0.1:1")], &[Code::NotYet]),
            (
                "evry = 1",
                &[("listen", "nowhere"), ("seed", "x")],
                &[Code::UnknownKey, Code::BadAddress, Code::WrongType],
            ),
            // On their own both are fine.
            ("listen = \"127.0.0.1:9\"", &[("upstream", "http://localhost:9")], &[Code::OwnListener]),
            ("upstream = \"http://127.0.0.1:9\"", &[("listen", "0.0.0.0:9")], &[Code::OwnListener]),
        ] {
            let given: Vec<SettingOverride> = pairs.iter().map(|(key, text)| given(key, text)).collect();
            let found = load_from(file, &given).map(drop);
            let mut sorted = found.expect_err(file);
            sorted.sort();
            let mut codes = codes.to_vec();
            codes.sort();
            assert_eq!(sorted, codes, "{pairs:?}");
        }
    }

    #[test]
    fn addresses_that_only_meet_by_default_do_not() {
        let upstream = [given("upstream", "http://127.0.0.1:4090"), given("listen", "127.0.0.1:4091")];
        assert!(load_from("", &upstream).is_ok());
    }
}
