//! Texts of rules files, read by hand from a tree in which every key and value knows its place.
//!
//! Nothing here gives up: each mistake is reported, a stand-in takes the value's place, and reading
//! goes on. Callers of [`read`] never see a stand-in.

mod body;
mod expect;
mod expected;
mod fields;
mod habits;
mod hidden;
mod include;
mod key;
mod lasting;
mod line;
mod literal;
mod matches;
mod merge;
mod pass;
mod replies;
mod reply;
mod response;
mod rule;
mod settings;
mod sources;
mod syntax;
mod trigger;
mod unmatched;
mod unreachable;
pub(super) mod upstream;
mod upstream_tls;
mod values;
mod variables;
mod version;
mod waiting;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::diagnostic::shown;
use super::keys::{RULE, TOP};
use super::{Code, Config, Diagnostic, Mistakes, Severity, Upstream, addresses, unsupported};
use fields::Fields;
use variables::{FilledTexts, Unfilled};

pub use reply::{BodyFileError, LARGEST_BODY};
pub use sources::{FoundFile, IncludeError, MOST_FILES, NotText, RulesText, Sources, Surroundings, TextForm};

/// Bytes of a rules file at most.
pub const LARGEST_FILE: usize = 16 * 1024 * 1024;

/// Rules of a file at most.
pub const MOST_RULES: usize = 100_000;

/// A file that can be used.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub config: Config,
    /// Texts that may not be meant; in the file's order.
    pub warnings: Vec<Diagnostic>,
    /// The texts that it was read from.
    pub sources: Sources,
}

/// Where the text of a `body_file` comes from: its name in, its text out.
pub type BodyFiles<'f> = &'f dyn Fn(&str) -> Result<String, BodyFileError>;

/// Reads the text of a rules file called `name`, reporting every mistake in it. It includes no other file, and finds
/// no environment.
pub fn read(name: &str, text: &str, body_files: BodyFiles<'_>) -> Result<Accepted, Mistakes> {
    read_all(vec![RulesText::alone(name, text)], &sources::Alone(body_files))
}

/// Reads texts of rules as one set of rules, reporting every mistake in them. Rules are tried in the order of `given`.
pub fn read_all(given: Vec<RulesText>, surroundings: &dyn Surroundings) -> Result<Accepted, Mistakes> {
    let mut reader = Reader::new(surroundings);
    let order = reader.find_files(given);
    let sources = reader.sources.clone();
    let mut broken = syntax::Broken::default();
    let mut merged = DeTable::new();
    let is_valid = |text: &str| read("", text, &|_| Err(BodyFileError::Missing)).is_ok();
    for source in order.iter().filter_map(|at| sources.at(*at)) {
        if let Some(table) = reader.table_of_text(source, &mut broken, &is_valid) {
            reader.merge(&mut merged, table);
        }
    }
    let config = reader.config(&merged);
    unsupported::refuse(&merged, &mut |mistake| reader.report(mistake));
    for Unfilled { text, mistake } in std::mem::take(&mut reader.unfilled) {
        let inside = |span: &Range<usize>| text.start <= span.start && span.end <= text.end;
        reader.found.retain(|mistake| !mistake.span.as_ref().is_some_and(inside));
        reader.report(mistake);
    }
    // Where a file is no TOML, its parsed form is a guess; complaints about guesses mislead.
    reader.found.retain(|mistake| !broken.explains(mistake));
    for mistake in std::mem::take(&mut reader.syntax) {
        reader.report(mistake);
    }
    reader.finish(config)
}

/// Reads a URL that requests go to, as `upstream` takes it: from a flag, say.
pub fn upstream_from(text: &str) -> Result<Upstream, Diagnostic> {
    if text == "demo" {
        return Ok(Upstream::Demo);
    }
    upstream::parse(text).map(Upstream::Url).map_err(|mistake| {
        let title = format!("`{}` is not an upstream", shown(text));
        Diagnostic::error(Code::BadUrl, title).help(mistake.message)
    })
}

/// Collects mistakes while it reads.
struct Reader<'f> {
    sources: Sources,
    surroundings: &'f dyn Surroundings,
    /// Texts with values from the environment.
    filled: FilledTexts,
    unfilled: Vec<Unfilled>,
    found: Vec<Diagnostic>,
    /// Mistakes of the parser.
    syntax: Vec<Diagnostic>,
    /// Errors beyond the shown ones, which are only counted.
    untold: usize,
}

impl<'f> Reader<'f> {
    fn new(surroundings: &'f dyn Surroundings) -> Reader<'f> {
        Reader {
            sources: Sources::default(),
            surroundings,
            filled: FilledTexts::new(),
            unfilled: Vec::new(),
            found: Vec::new(),
            syntax: Vec::new(),
            untold: 0,
        }
    }

    fn report(&mut self, mistake: Diagnostic) {
        self.found.push(mistake);
    }

    fn finish(self, config: Config) -> Result<Accepted, Mistakes> {
        let Reader { sources, filled, .. } = self;
        let located = |list: Vec<Diagnostic>| {
            let told = list.into_iter().map(|mut mistake| {
                hidden::hide(&mut mistake, &filled);
                sources.locate(mistake)
            });
            told.collect()
        };
        match Mistakes::collect(self.found, self.untold) {
            Ok(mistakes) => Err(Mistakes { list: located(mistakes.list), ..mistakes }),
            Err(warnings) => Ok(Accepted { config, warnings: located(warnings), sources }),
        }
    }

    fn config(&mut self, table: &DeTable<'_>) -> Config {
        let mut fields = Fields::new(&TOP, table, 0..0);
        let settings = self.settings(&mut fields);
        let span_of = |name: &str| fields.value_span(name);
        if let Err(mistake) = addresses::check_settings(&settings) {
            // Where nothing in the file says so, a flag will have to, and is checked then.
            let blamed = [addresses::blamed(mistake.code), "listen"].iter().find_map(|name| span_of(name));
            if let Some(span) = blamed {
                let label = mistake.label.clone();
                self.report(mistake.at(span, label));
            }
        }
        let mut tables: Vec<_> =
            fields.take("rule").map(|given| self.rule_tables(&given)).unwrap_or_default();
        tables.extend(self.misnamed_rules(table, &mut fields));
        fields.finish(self);
        if tables.len() > MOST_RULES {
            let title = format!("a rules file has at most 100,000 rules; this one has {}", tables.len());
            let beyond = tables.get(MOST_RULES).map_or(0..0, |(_, span)| span.clone());
            self.report(Diagnostic::error(Code::TooLarge, title).at(beyond, "one too many"));
            return Config { settings, rules: Vec::new() };
        }
        let mut names = HashMap::new();
        let mut rules = Vec::with_capacity(tables.len());
        // Which requests a rule with a mistake is about is a guess.
        let mut unsound = HashSet::new();
        for (at, (table, span)) in tables.iter().enumerate() {
            let before = self.found.len();
            rules.push(self.rule(at + 1, table, span.clone(), &mut names));
            let mut found = self.found.iter().skip(before);
            if found.any(|found| found.severity == Severity::Error) {
                unsound.insert(at);
            }
        }
        unreachable::warn(self, &rules, &tables, &unsound);
        unmatched::warn(self, &settings.client_id, &rules, &tables, &unsound);
        expected::warn(self, table, &settings, &rules, &tables);
        waiting::check(self, &rules, &tables);
        lasting::warn(self, settings.limits.key_ttl, &rules, &tables);
        Config { settings, rules }
    }

    fn rule_tables<'t, 'i>(
        &mut self,
        given: &fields::GivenKey<'t, 'i>,
    ) -> Vec<(&'t DeTable<'i>, Range<usize>)> {
        match given.value.get_ref() {
            DeValue::Array(items) => {
                let items = items.iter().map(|item| given.item(item));
                items.filter_map(|item| Some((self.table_of(&item)?, item.span()))).collect()
            }
            DeValue::Table(table) => {
                let title = "`rule` is a list of tables";
                let (label, tables) = rules_of(table, given.span());
                self.report(Diagnostic::error(Code::WrongType, title).at(given.span(), label));
                tables
            }
            _ => {
                self.wrong_type(given);
                Vec::new()
            }
        }
    }

    /// Rules under another name, as in `[[rules]]`: their contents are read all the same.
    fn misnamed_rules<'t, 'i>(
        &mut self,
        table: &'t DeTable<'i>,
        fields: &mut Fields<'t, 'i>,
    ) -> Vec<(&'t DeTable<'i>, Range<usize>)> {
        let mut tables = Vec::new();
        for name in RULES {
            let Some((key, value)) = table.get_key_value(name) else { continue };
            let (label, inside) = match value.get_ref() {
                DeValue::Array(items) => {
                    let tables =
                        items.iter().filter_map(|item| Some((item.get_ref().as_table()?, item.span())));
                    ("did you mean `[[rule]]`?".to_owned(), tables.collect())
                }
                DeValue::Table(table) => rules_of(table, value.span()),
                _ => continue,
            };
            fields.pass_over(name);
            let title = format!("`{name}` is not a key of {}", TOP.name);
            self.report(Diagnostic::error(Code::UnknownKey, title).at(key.span(), label));
            tables.extend(inside);
        }
        tables
    }
}

/// Words of other programs for a list of rules.
const RULES: [&str; 22] = [
    "rules",
    "Rule",
    "Rules",
    "mappings",
    "mapping",
    "stubs",
    "stub",
    "mocks",
    "routes",
    "route",
    "interactions",
    "location",
    "locations",
    "handlers",
    "toxic",
    "toxics",
    "faults",
    "errors",
    "expectations",
    "pairs",
    "matches",
    "scenarios",
];

/// The rules in a table where there should be a list of tables: itself, or each table in it under a name.
fn rules_of<'t, 'i>(
    table: &'t DeTable<'i>,
    span: Range<usize>,
) -> (String, Vec<(&'t DeTable<'i>, Range<usize>)>) {
    let named: Option<Vec<_>> = table
        .iter()
        .map(|(_, value)| value.get_ref().as_table().map(|table| (table, value.span())))
        .collect();
    let is_key = |name: &str| RULE.entry(name).is_some();
    match (named, table.keys().next()) {
        (Some(named), Some(first)) if !table.keys().any(|key| is_key(key.get_ref())) => (
            format!(
                "write two brackets, and the name inside: [[rule]], `name = \"{}\"`",
                shown(first.get_ref())
            ),
            named,
        ),
        _ => ("write two brackets: [[rule]]".to_owned(), vec![(table, span)]),
    }
}
