//! The tables of several files as one: rules one after the other, and settings side by side.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::line;
use super::sources::{PlacedText, TextForm};
use super::syntax::{self, Broken};
use super::variables::Filler;
use super::{Reader, habits};
use crate::rules::diagnostic::shown;
use crate::rules::{Code, Diagnostic};

impl Reader<'_> {
    /// The table of one text, with its places among all texts and without `include`; `None` when it is no rules file.
    /// `is_valid` says whether a text by itself is one.
    pub fn table_of_text<'t>(
        &mut self,
        source: &'t PlacedText,
        broken: &mut Broken,
        is_valid: &dyn Fn(&str) -> bool,
    ) -> Option<DeTable<'t>> {
        let text = &source.text.text;
        let mut table = match source.form {
            TextForm::File => {
                let (table, errors) = DeTable::parse_recoverable(text);
                if !errors.is_empty()
                    && let Some(mistake) = habits::other_formats::check(text, is_valid)
                {
                    self.report(mistake.shifted(source.base()));
                    return None;
                }
                broken.add(text, &errors, source.base());
                self.syntax.extend(
                    syntax::mistakes(text, &errors).into_iter().map(|mistake| mistake.shifted(source.base())),
                );
                table.into_inner()
            }
            TextForm::Words => line::table(text, &mut |mistake| self.report(mistake.shifted(source.base()))),
        };
        table.remove("include");
        if source.base() > 0 {
            relocate_table(&mut table, &|at| at + source.base());
        }
        let mut filler = Filler {
            surroundings: self.surroundings,
            source,
            filled: &mut self.filled,
            unfilled: &mut self.unfilled,
        };
        filler.file(&mut table);
        Some(table)
    }

    /// Adds the table of a later text.
    pub fn merge<'t>(&mut self, into: &mut DeTable<'t>, table: DeTable<'t>) {
        for (key, value) in table {
            let Some((earlier, _)) = into.get_key_value(&key) else {
                into.insert(key, value);
                continue;
            };
            let earlier = earlier.span();
            let Some(there) = into.get_mut(&key) else { continue };
            match (there.get_mut(), value.into_inner()) {
                (DeValue::Array(rules), DeValue::Array(more)) if key.get_ref() == "rule" => {
                    more.iter().for_each(|rule| rules.push(rule.clone()));
                }
                (DeValue::Table(table), DeValue::Table(more)) if key.get_ref() != "rule" => {
                    self.merge(table, more);
                }
                (there, value) if key.get_ref() != "rule" && is_same(there, &value) => {}
                _ if key.get_ref() == "rule" => {
                    let title = "`rule` is a list of tables";
                    let label = "write two brackets in every file: [[rule]]";
                    self.report(Diagnostic::error(Code::WrongType, title).at(key.span(), label));
                }
                _ => {
                    let title = format!("two files give `{}` different values", shown(key.get_ref()));
                    self.report(
                        Diagnostic::error(Code::GivenTwice, title)
                            .at(key.span(), "keep one of them")
                            .also(earlier, "the other one"),
                    );
                }
            }
        }
    }
}

/// Whether two values are the same, wherever they stand.
fn is_same(one: &DeValue<'_>, other: &DeValue<'_>) -> bool {
    match (one, other) {
        (DeValue::String(one), DeValue::String(other)) => one == other,
        (DeValue::Integer(one), DeValue::Integer(other)) => {
            (one.as_str(), one.radix()) == (other.as_str(), other.radix())
        }
        (DeValue::Float(one), DeValue::Float(other)) => one.as_str() == other.as_str(),
        (DeValue::Boolean(one), DeValue::Boolean(other)) => one == other,
        (DeValue::Array(one), DeValue::Array(other)) => {
            one.len() == other.len()
                && one.iter().zip(other.iter()).all(|(one, other)| is_same(one.get_ref(), other.get_ref()))
        }
        _ => false,
    }
}

/// Moves a value and everything in it to where its text stands among all.
pub(super) fn relocate(value: &mut Spanned<DeValue<'_>>, to: &dyn Fn(usize) -> usize) {
    let Range { start, end } = value.span();
    let mut inner = std::mem::replace(value.get_mut(), DeValue::Boolean(false));
    match &mut inner {
        DeValue::Array(items) => items.iter_mut().for_each(|item| relocate(item, to)),
        DeValue::Table(table) => relocate_table(table, to),
        _ => {}
    }
    *value = Spanned::new(to(start)..to(end), inner);
}

fn relocate_table(table: &mut DeTable<'_>, to: &dyn Fn(usize) -> usize) {
    for (key, mut value) in std::mem::take(table) {
        relocate(&mut value, to);
        let Range { start, end } = key.span();
        table.insert(Spanned::new(to(start)..to(end), key.into_inner()), value);
    }
}
