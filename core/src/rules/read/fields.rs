//! A table with keys that are taken one by one; a key left at the end is a mistake.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Reader;
use super::habits::words;
use crate::rules::diagnostic::shown;
use crate::rules::keys::value::ValueType;
use crate::rules::keys::{Group, KeyEntry, RULE, SECTIONS, Section, TOP, nearest};
use crate::rules::{Code, Diagnostic, Mistakes};

/// The keys of one table.
pub(super) struct Fields<'t, 'i> {
    pub section: &'static Section,
    table: &'t DeTable<'i>,
    /// Of the table, or of its heading.
    pub span: Range<usize>,
    taken: Vec<&'static str>,
}

/// One key that is there, with its entry in the table of keys.
#[derive(Clone)]
pub(super) struct GivenKey<'t, 'i> {
    pub entry: &'static KeyEntry,
    /// Of the key.
    pub key: Range<usize>,
    pub value: &'t Spanned<DeValue<'i>>,
}

impl<'t, 'i> GivenKey<'t, 'i> {
    /// Of the value.
    pub fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// A part of the value, under the same key.
    pub fn item(&self, value: &'t Spanned<DeValue<'i>>) -> GivenKey<'t, 'i> {
        GivenKey { value, ..self.clone() }
    }

    pub fn name(&self) -> &'static str {
        self.entry.name
    }
}

impl<'t, 'i> Fields<'t, 'i> {
    pub fn new(section: &'static Section, table: &'t DeTable<'i>, span: Range<usize>) -> Fields<'t, 'i> {
        Fields { section, table, span, taken: Vec::new() }
    }

    /// Whether the file has the key called `name`.
    pub fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// The key called `name`, if the file has it.
    pub fn take(&mut self, name: &str) -> Option<GivenKey<'t, 'i>> {
        let entry = self.section.entry(name);
        debug_assert!(entry.is_some(), "{name} is not in the table of keys");
        let entry = entry?;
        let (key, value) = self.table.get_key_value(name)?;
        self.taken.push(entry.name);
        Some(GivenKey { entry, key: key.span(), value })
    }

    /// Leaves out a key that is no key, and was told of.
    pub fn pass_over(&mut self, name: &'static str) {
        self.taken.push(name);
    }

    /// Whether the file gives no key at all.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Where the key called `name` stands.
    pub fn key_span(&self, name: &str) -> Option<Range<usize>> {
        self.table.get_key_value(name).map(|(key, _)| key.span())
    }

    /// The text of `name`, if it is one.
    pub fn word(&self, name: &str) -> Option<&str> {
        self.table.get(name)?.get_ref().as_str()
    }

    /// Where the value of `name` stands.
    pub fn value_span(&self, name: &str) -> Option<Range<usize>> {
        self.table.get(name).map(Spanned::span)
    }

    /// Reports the keys that were not taken.
    pub fn finish(self, reader: &mut Reader) {
        let names =
            self.table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value.get_ref()));
        let mut left: Vec<(&str, Range<usize>, &DeValue)> =
            names.filter(|(name, ..)| !self.taken.contains(name)).collect();
        left.sort_by_key(|(_, span, _)| span.start);
        reader.untold += left.len().saturating_sub(Mistakes::MOST);
        for (name, span, value) in left.into_iter().take(Mistakes::MOST) {
            reader.report(unknown(self.section, name, span, value));
        }
    }
}

fn unknown(section: &Section, name: &str, span: Range<usize>, value: &DeValue) -> Diagnostic {
    let title = format!("`{}` is not a key of {}", shown(name), section.name);
    let mistake = Diagnostic::error(Code::UnknownKey, title);
    if let Some(advice) = words::advice(section, name, value) {
        return mistake.at(span, advice);
    }
    if let Some(meant) = nearest(name, section.entries().map(|entry| entry.name)) {
        let mistake = mistake.at(span, format!("did you mean `{meant}`?"));
        return match section.group_of(meant) {
            Some(group) if group.entries.len() > 1 => mistake.help(group.listing()),
            _ => mistake,
        };
    }
    let homes = SECTIONS.iter().filter(|home| !std::ptr::eq(**home, section));
    // `retry-after`, `retryAfter`.
    let folded = |name: &str| name.replace(['-', '_'], "").to_ascii_lowercase();
    let is_same =
        |entry: &KeyEntry| entry.name == name || name.len() <= 40 && folded(entry.name) == folded(name);
    // A key of several tables is meant where it takes such a value: `pass` is a table in a rule, and true in `replies`.
    let is_flag = matches!(value, DeValue::Boolean(_));
    let found = |fits: bool| {
        let fits = move |entry: &KeyEntry| !fits || is_flag == matches!(entry.value, ValueType::Boolean);
        homes
            .clone()
            .find_map(|home| Some((home, home.entries().find(|entry| is_same(entry) && fits(entry))?.name)))
    };
    let found = found(true).or_else(|| found(false));
    if let Some((home, name)) = found {
        return mistake.at(span, format!("belongs in {}: {}", home.name, placed(home, name, value)));
    }
    let listings: Vec<String> = section.groups.iter().map(Group::listing).collect();
    mistake.at(span, "no such key").help(listings.join("\n"))
}

/// How a key stands where it belongs.
fn placed(home: &Section, name: &str, value: &DeValue) -> String {
    let written = match value {
        DeValue::String(text) if text.len() <= 60 && !text.contains(['"', '\\', '\n']) => {
            format!("\"{text}\"")
        }
        DeValue::Integer(number) => number.to_string(),
        DeValue::Boolean(word) => word.to_string(),
        _ => "…".to_owned(),
    };
    match home.name.strip_prefix('`').and_then(|home| home.strip_suffix('`')) {
        Some("replies") => format!("write `replies = [{{ {name} = {written} }}, …]`"),
        Some(table @ ("reply" | "not" | "read" | "upstream_response")) => {
            format!("write `{table} = {{ {name} = {written} }}`")
        }
        Some(table) if !table.contains('`') => format!("write `{name} = {written}` below `[{table}]`"),
        _ if home.name == TOP.name => format!("write `{name} = {written}` above the first `[…]`"),
        _ if home.name == RULE.name => format!("write `{name} = {written}` below a `[[rule]]`"),
        _ => format!("write `{name} = {written}` there"),
    }
}

impl Reader<'_> {
    /// The table in a value; reported when it is something else.
    pub fn table_of<'t, 'i>(&mut self, given: &GivenKey<'t, 'i>) -> Option<&'t DeTable<'i>> {
        let table = given.value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(given);
        }
        table
    }

    /// The keys of the table in a value.
    pub fn fields<'t, 'i>(
        &mut self,
        given: &GivenKey<'t, 'i>,
        section: &'static Section,
    ) -> Option<Fields<'t, 'i>> {
        let table = self.table_of(given)?;
        Some(Fields::new(section, table, given.span()))
    }

    /// The names and values of a table with names of the file's own, in the file's order.
    pub fn entries_of<'t, 'i>(
        &mut self,
        given: &GivenKey<'t, 'i>,
    ) -> Vec<(&'t str, Range<usize>, GivenKey<'t, 'i>)> {
        let Some(table) = self.table_of(given) else { return Vec::new() };
        let mut entries: Vec<_> = table
            .iter()
            .map(|(key, value)| (key.get_ref().as_ref(), key.span(), given.item(value)))
            .collect();
        entries.sort_by_key(|(_, span, _)| span.start);
        entries
    }
}
