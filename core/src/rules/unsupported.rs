//! Keys that are not built yet. They are read and checked like all others; refusing them
//! keeps a file from meaning less than it says. A key that gets built leaves this list.

use std::ops::Range;

use toml::de::DeTable;

use super::{Code, Diagnostic};

/// The same in words, for the reference.
pub(super) const LIST: &str = "an `admin` address and `state` in a Redis";

/// Reports each use of a key that is not built yet.
pub(super) fn refuse(file: &DeTable<'_>, report: &mut dyn FnMut(Diagnostic)) {
    if let Some((_, span)) = text(file, "admin").filter(|(text, _)| *text != "off") {
        report(not_yet("an `admin` address", span));
    }
    if let Some((_, span)) = text(file, "state").filter(|(text, _)| text.starts_with("redis")) {
        report(not_yet("`state` in a Redis", span));
    }
}

fn not_yet(what: &str, span: Range<usize>) -> Diagnostic {
    let title = format!("{what} is understood, but not built yet");
    Diagnostic::error(Code::NotYet, title).at(span, "comes in a later version")
}

fn text<'t>(table: &'t DeTable<'_>, name: &str) -> Option<(&'t str, Range<usize>)> {
    let value = table.get(name)?;
    value.get_ref().as_str().map(|text| (text, value.span()))
}
