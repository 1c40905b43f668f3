//! The shape of the table of keys: sections, their groups, and the entry of one key.

use super::value::ValueType;

/// One kind of table.
#[derive(Debug)]
pub(in crate::rules) struct Section {
    /// As in "`evry` is not a key of …".
    pub name: &'static str,
    /// Its heading in the reference.
    pub heading: &'static str,
    /// The text before its keys in a whole file; tests try every example there.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests build whole files"))]
    pub frame: &'static str,
    /// A few sentences for the reference.
    pub about: &'static str,
    pub groups: &'static [Group],
}

/// Keys of a section that belong to one question.
#[derive(Debug)]
pub(in crate::rules) struct Group {
    /// As in "keys that say which requests conflict: …".
    pub say: &'static str,
    pub entries: &'static [KeyEntry],
}

/// One key.
#[derive(Debug)]
pub(in crate::rules) struct KeyEntry {
    pub name: &'static str,
    pub value: ValueType,
    pub default: Fallback,
    /// The meaning of the key, with units; bounds are in the value. Markdown, whole sentences.
    pub meaning: &'static str,
    /// Lines that are valid after the section's frame.
    pub example: &'static str,
    pub place: Place,
}

/// The rules that a key can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Place {
    /// Any. The key's meaning is whole sentences.
    Anywhere,
    /// Those with a state trigger that has it among its keys. The key's meaning follows a colon.
    BesideOn,
}

/// The meaning of a file without the key.
#[derive(Debug)]
pub(in crate::rules) enum Fallback {
    /// The same as with this TOML value.
    Is(&'static str),
    /// In words.
    Words(&'static str),
    /// Such a file is a mistake.
    Required,
}

impl Section {
    pub fn entries(&self) -> impl Iterator<Item = &'static KeyEntry> + use<> {
        self.groups.iter().flat_map(|group| group.entries)
    }

    pub fn entry(&self, name: &str) -> Option<&'static KeyEntry> {
        self.entries().find(|entry| entry.name == name)
    }

    /// The group that `name` is in.
    pub fn group_of(&self, name: &str) -> Option<&'static Group> {
        self.groups.iter().find(|group| group.entries.iter().any(|entry| entry.name == name))
    }
}

impl Group {
    /// "keys that say which requests conflict: rate, first, …".
    pub fn listing(&self) -> String {
        let names: Vec<&str> = self.entries.iter().map(|entry| entry.name).collect();
        format!("keys that say {}: {}", self.say, names.join(", "))
    }
}

impl KeyEntry {
    /// "for example `rate = 0.25`", with the line of the example that is about this key.
    pub fn for_example(&self) -> String {
        let line = self.example.lines().find(|line| line.starts_with(self.name)).unwrap_or(self.example);
        format!("for example `{line}`")
    }
}

/// An entry with the default left to words or to TOML.
pub(in crate::rules) const fn entry(
    name: &'static str,
    value: ValueType,
    default: Fallback,
    meaning: &'static str,
    example: &'static str,
) -> KeyEntry {
    KeyEntry { name, value, default, meaning, example, place: Place::Anywhere }
}

/// The entry of a key of state triggers.
pub(in crate::rules) const fn companion(
    name: &'static str,
    value: ValueType,
    default: Fallback,
    meaning: &'static str,
    example: &'static str,
) -> KeyEntry {
    KeyEntry { name, value, default, meaning, example, place: Place::BesideOn }
}
