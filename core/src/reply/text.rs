//! A text with placeholders, compiled: constant parts are written at load.

use bytes::Bytes;
use serde_json::Value;

use super::escape::{Escape, Medium};
use super::times;
use crate::matching::literal::parts;
use crate::model::{Json, Kind, Phase};
use crate::rules::styles::{Digits, HEX, PlaceholderValue, RenderContext, StyleValue, iso};
use crate::rules::template::{Piece, Placeholder, TemplateMistake, TemplateScope, pieces};

/// A compiled text.
#[derive(Clone)]
pub(super) struct CompiledText(Vec<Part>);

#[derive(Clone)]
enum Part {
    Fixed(Vec<u8>),
    Value(Source, Escape),
}

#[derive(Clone)]
enum Source {
    Placeholder(Placeholder),
    Word(StyleValue),
}

impl CompiledText {
    /// The bytes, when every occasion gives the same.
    pub(super) fn fixed(&self) -> Option<&[u8]> {
        match self.0.as_slice() {
            [] => Some(b""),
            [Part::Fixed(bytes)] => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn write(&self, scene: &RenderContext<'_>, out: &mut Vec<u8>) {
        for part in &self.0 {
            match part {
                Part::Fixed(bytes) => out.extend_from_slice(bytes),
                Part::Value(Source::Placeholder(placeholder), escape) => {
                    escape.write(&value(placeholder, scene), out);
                }
                Part::Value(Source::Word(word), escape) => escape.write(&word(scene), out),
            }
        }
    }
}

/// The context that a text is compiled in.
pub(super) struct Compiler<'c> {
    pub scope: TemplateScope<'c>,
    pub constants: Constants<'c>,
    /// Values that only the style has.
    pub words: &'c [(&'c str, StyleValue)],
    /// Texts that the style chose by kind and status; they may hold placeholders themselves.
    pub fills: &'c [(&'c str, &'c str)],
    /// The phrase of the status, `{reason}` in the texts of styles.
    pub reason: Option<&'c str>,
}

/// Values that are the same on every occasion.
#[derive(Clone, Copy)]
pub(super) struct Constants<'c> {
    pub rule: &'c str,
    pub kind: Kind,
    pub phase: Phase,
    pub status: u16,
    pub detail: &'c str,
    pub wait: Option<u64>,
    /// The requests in a limiter's rate.
    pub limit: Option<u64>,
}

impl Compiler<'_> {
    /// Compiles `text` with values written for `medium`.
    pub(super) fn compile(&self, text: &str, medium: Medium) -> Result<CompiledText, Vec<TemplateMistake>> {
        let mut draft = Draft { parts: Vec::new(), fixed: Vec::new(), medium, quoted: false, escaped: false };
        let mut mistakes = Vec::new();
        self.add(text, self.fills, &mut draft, &mut mistakes);
        if mistakes.is_empty() { Ok(draft.finish()) } else { Err(mistakes) }
    }

    fn add(
        &self,
        text: &str,
        fills: &[(&str, &str)],
        draft: &mut Draft,
        mistakes: &mut Vec<TemplateMistake>,
    ) {
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => draft.own(text),
                Piece::Word { word, at } => {
                    if let Some((_, fill)) = fills.iter().find(|(name, _)| *name == word) {
                        // Its own words are values: a fill holds no fills.
                        self.add(fill, &[], draft, mistakes);
                    } else if let ("reason", Some(reason)) = (word, self.reason) {
                        draft.constant(&PlaceholderValue::text(reason));
                    } else if let Some((_, word)) = self.words.iter().find(|(name, _)| *name == word) {
                        draft.source(Source::Word(*word));
                    } else {
                        match Placeholder::parse(word, &self.scope) {
                            Ok(placeholder) => match self.constants.get(&placeholder) {
                                Some(value) => draft.constant(&value),
                                None => draft.source(Source::Placeholder(placeholder)),
                            },
                            Err(fault) => mistakes.push(fault.at(at, word)),
                        }
                    }
                }
            }
        }
    }
}

impl Constants<'_> {
    fn get(&self, placeholder: &Placeholder) -> Option<PlaceholderValue<'_>> {
        match placeholder {
            Placeholder::Rule => Some(PlaceholderValue::text(self.rule)),
            Placeholder::Kind => Some(PlaceholderValue::text(self.kind.as_str())),
            Placeholder::Phase => Some(PlaceholderValue::text(self.phase.as_str())),
            Placeholder::Status => Some(PlaceholderValue::Number(u64::from(self.status))),
            Placeholder::Detail => Some(PlaceholderValue::text(self.detail)),
            Placeholder::RetryAfter => self.wait.map(PlaceholderValue::Number),
            Placeholder::Limit => self.limit.map(PlaceholderValue::Number),
            // A request is refused when nothing of the rate is left.
            Placeholder::Remaining => Some(PlaceholderValue::Number(0)),
            _ => None,
        }
    }
}

/// A text while it is compiled.
struct Draft {
    parts: Vec<Part>,
    /// The constant bytes after them, until the next value.
    fixed: Vec<u8>,
    medium: Medium,
    /// In JSON: whether the text so far ends inside a string, and there behind a backslash.
    quoted: bool,
    escaped: bool,
}

impl Draft {
    /// Text of the rules file. Inside a JSON string, parts that were filled in from the environment are data.
    fn own(&mut self, text: &str) {
        for (is_filled, text) in parts(text) {
            match self.escape() {
                Escape::JsonString if is_filled => self.constant(&PlaceholderValue::text(&*text)),
                _ => self.text(&text),
            }
        }
    }

    fn text(&mut self, text: &str) {
        if self.medium == Medium::Json {
            for byte in text.bytes() {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' if self.quoted => self.escaped = true,
                    b'"' => self.quoted = !self.quoted,
                    _ => {}
                }
            }
        }
        self.fixed.extend_from_slice(text.as_bytes());
    }

    fn constant(&mut self, value: &PlaceholderValue<'_>) {
        self.escape().write(value, &mut self.fixed);
    }

    fn source(&mut self, source: Source) {
        let escape = self.escape();
        self.end_fixed();
        self.parts.push(Part::Value(source, escape));
    }

    fn escape(&self) -> Escape {
        match self.medium {
            Medium::Plain => Escape::Plain,
            Medium::Json if self.quoted => Escape::JsonString,
            Medium::Json => Escape::JsonValue,
            Medium::Markup => Escape::Markup,
            Medium::Header => Escape::Header,
        }
    }

    fn end_fixed(&mut self) {
        if !self.fixed.is_empty() {
            self.parts.push(Part::Fixed(std::mem::take(&mut self.fixed)));
        }
    }

    fn finish(mut self) -> CompiledText {
        self.end_fixed();
        CompiledText(self.parts)
    }
}

fn value<'s>(placeholder: &Placeholder, scene: &'s RenderContext<'s>) -> PlaceholderValue<'s> {
    let occasion = scene.occasion;
    let facts = occasion.facts;
    match placeholder {
        Placeholder::Method => PlaceholderValue::text(facts.method.as_str()),
        Placeholder::Path => PlaceholderValue::text(&*facts.path),
        Placeholder::Query => PlaceholderValue::text(facts.query.unwrap_or_default()),
        Placeholder::Host => PlaceholderValue::text(facts.host()),
        Placeholder::Param(name) => PlaceholderValue::maybe(occasion.captures.get(facts).get(name)),
        Placeholder::Header(name) => PlaceholderValue::maybe(facts.header(name).map(String::from_utf8_lossy)),
        Placeholder::N => PlaceholderValue::Number(occasion.n),
        Placeholder::Key => PlaceholderValue::maybe(scene.per.describe(
            facts,
            &occasion.captures.get(facts),
            occasion.identity,
        )),
        Placeholder::Now => PlaceholderValue::text(iso(occasion.now, Digits::Three)),
        Placeholder::NowHttp => PlaceholderValue::text(times::http_date(occasion.now)),
        Placeholder::Unix => {
            PlaceholderValue::Number(u64::try_from(occasion.now.as_second()).unwrap_or_default())
        }
        Placeholder::Uuid => PlaceholderValue::text(occasion.uuid()),
        Placeholder::Hex(digits) => PlaceholderValue::text(occasion.id("hex", HEX, usize::from(*digits))),
        Placeholder::RetryAfter => scene.wait.map_or(PlaceholderValue::Absent, PlaceholderValue::Number),
        Placeholder::Current(pointer) => current(occasion.current, pointer.as_deref()),
        Placeholder::Reset => {
            PlaceholderValue::Number(times::round_up(occasion.remaining.unwrap_or_default()))
        }
        Placeholder::VersionSent => PlaceholderValue::maybe(occasion.version_sent()),
        Placeholder::VersionCurrent => PlaceholderValue::maybe(occasion.version_current),
        // Written at load: see `Constants`.
        Placeholder::Rule
        | Placeholder::Kind
        | Placeholder::Phase
        | Placeholder::Status
        | Placeholder::Limit
        | Placeholder::Remaining
        | Placeholder::Detail => PlaceholderValue::Absent,
    }
}

/// The representation, or the value at a pointer in it: JSON where it is JSON, and else text.
fn current<'s>(body: Option<&'s Bytes>, pointer: Option<&str>) -> PlaceholderValue<'s> {
    let Some(body) = body else { return PlaceholderValue::Absent };
    let json = Json::read_quickly(body);
    let text = || String::from_utf8_lossy(body);
    match (pointer, json) {
        (None, Some(_)) => PlaceholderValue::Json(text()),
        (None, None) => PlaceholderValue::Text(text()),
        (Some(pointer), Some(json)) => match json.pointer(pointer).as_deref() {
            None => PlaceholderValue::Absent,
            Some(Value::String(text)) => PlaceholderValue::text(text.clone()),
            Some(value) => PlaceholderValue::Json(value.to_string().into()),
        },
        (Some(_), None) => PlaceholderValue::Absent,
    }
}
