//! The keys that say which requests.

use http::{HeaderName, Method};
use toml::de::DeValue;

use super::Reader;
use super::fields::{Fields, GivenKey};
use super::habits;
use super::values::title;
use crate::matching::{Cidr, Match, Methods, PathMatch, PathPattern, PathRegex, Presence, TextPattern};
use crate::rules::diagnostic::shown;
use crate::rules::keys::{NOT, nearest};
use crate::rules::{Code, Diagnostic};

impl Reader<'_> {
    /// The match of a rule, `not` included.
    pub fn requests(&mut self, fields: &mut Fields) -> Match {
        let mut requests = self.plain_match(fields);
        if let Some(given) = fields.take("not")
            && let Some(mut not) = self.fields(&given, &NOT)
        {
            if not.is_empty() {
                let title = "an empty `not` leaves no request out";
                self.report(
                    Diagnostic::warning(Code::NoEffect, title).at(given.key.clone(), "changes nothing"),
                );
            } else {
                requests.not = Some(Box::new(self.plain_match(&mut not)));
            }
            not.finish(self);
        }
        requests
    }

    pub fn plain_match(&mut self, fields: &mut Fields) -> Match {
        let method = self.methods(fields);
        let path = self.path(fields);
        let host = fields.take("host").and_then(|given| self.host(&given));
        let headers = fields.take("header").map(|given| self.header_patterns(&given)).unwrap_or_default();
        let queries = fields.take("query").map(|given| self.named_patterns(&given)).unwrap_or_default();
        let cookies = fields.take("cookie").map(|given| self.named_patterns(&given)).unwrap_or_default();
        let body = fields.take("body").map(|given| self.body_conditions(&given)).unwrap_or_default();
        let client = fields.take("client").map(|given| self.networks(&given)).unwrap_or_default();
        let form = fields.take("form").map(|given| self.named_patterns(&given)).unwrap_or_default();
        let text = fields.take("text").map(|given| self.one_of(&given));
        Match { method, path, host, headers, queries, cookies, body, form, text, client, not: None }
    }

    pub fn methods(&mut self, fields: &mut Fields) -> Methods {
        let Some(given) = fields.take("method") else { return Methods::Any };
        let texts = self.texts(&given);
        Methods::Only(texts.iter().filter_map(|(item, text)| self.method(item, text)).collect())
    }

    fn method(&mut self, item: &GivenKey, text: &str) -> Option<Method> {
        const KNOWN: [&str; 9] =
            ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];
        if let Some(advice) = habits::methods::advice(text) {
            let title = format!("\"{}\" is not a method", shown(text));
            self.report(Diagnostic::error(Code::BadMethod, title).at(item.span(), advice));
            return None;
        }
        let upper = text.to_ascii_uppercase();
        if text != upper {
            let title = "methods are case-sensitive";
            let label = format!("did you mean \"{}\"?", shown(&upper));
            self.report(Diagnostic::error(Code::BadMethod, title).at(item.span(), label));
            return None;
        }
        let method = Method::from_bytes(text.as_bytes()).ok().filter(|_| text.len() <= 64);
        if method.is_none() {
            let title = format!("\"{}\" is not a method", shown(text));
            let label = match nearest(text.trim(), KNOWN) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => "a method is a word such as GET".to_owned(),
            };
            self.report(Diagnostic::error(Code::BadMethod, title).at(item.span(), label));
        }
        method
    }

    fn path(&mut self, fields: &mut Fields) -> PathMatch {
        let (path, regex) = (fields.take("path"), fields.take("path_regex"));
        if let (Some(path), Some(regex)) = (&path, &regex) {
            self.report(
                Diagnostic::error(Code::NotTogether, "`path` and `path_regex` both say which paths")
                    .at(regex.key.clone(), "leave one of them out")
                    .also(path.key.clone(), "the other one"),
            );
        }
        if let Some(given) = path {
            return self.path_pattern(&given);
        }
        let Some(given) = regex else { return PathMatch::Any };
        let Some(text) = self.text(&given) else { return PathMatch::Any };
        if let Some(mistake) = habits::paths::check_regex(text) {
            let span = self.within(given.value, mistake.at);
            self.report(Diagnostic::error(Code::BadRegex, title(&given)).at(span, mistake.message));
            return PathMatch::Any;
        }
        match PathRegex::parse(&self.regex_text(&given, text)) {
            Ok(regex) => PathMatch::Regex(regex),
            Err(mistake) => {
                self.bad_text(Code::BadRegex, &given, mistake.into());
                PathMatch::Any
            }
        }
    }

    /// One path pattern, or a list of them.
    pub fn path_pattern(&mut self, given: &GivenKey) -> PathMatch {
        let texts = self.texts(given);
        let patterns: Vec<PathPattern> =
            texts.iter().filter_map(|(item, text)| self.one_path_pattern(item, text)).collect();
        if patterns.is_empty() { PathMatch::Any } else { PathMatch::one_of(patterns) }
    }

    fn one_path_pattern(&mut self, item: &GivenKey, text: &str) -> Option<PathPattern> {
        let text = &*self.path_text(item, text);
        if let Some(mistake) = habits::paths::check(text) {
            let span = self.within(item.value, mistake.at);
            self.report(Diagnostic::error(Code::BadPattern, title(item)).at(span, mistake.message));
            return None;
        }
        let parsed = PathPattern::parse(text);
        parsed.map_err(|mistake| self.bad_text(Code::BadPattern, item, mistake.into())).ok()
    }

    fn host(&mut self, given: &GivenKey) -> Option<TextPattern> {
        let texts = self.texts(given);
        for (item, _) in texts.iter().filter(|(_, text)| text.is_empty()) {
            let mistake = Diagnostic::error(Code::OutOfRange, "no request has an empty host");
            self.report(mistake.at(item.span(), "name a host, or leave `host` out"));
        }
        Some(self.text_pattern(&texts))
    }

    fn one_of(&mut self, given: &GivenKey) -> TextPattern {
        let texts = self.texts(given);
        self.text_pattern(&texts)
    }

    fn presence(&mut self, given: &GivenKey) -> Option<Presence> {
        Some(match given.value.get_ref() {
            DeValue::Boolean(true) => Presence::Present,
            DeValue::Boolean(false) => Presence::Absent,
            DeValue::Array(items) => {
                self.not_empty(given, items.len());
                let items = items.iter().map(|item| given.item(item));
                let texts: Vec<_> =
                    items.filter_map(|item| self.text(&item).map(|text| (item, text))).collect();
                Presence::Like(self.text_pattern(&texts))
            }
            _ => {
                let text = self.text(given)?;
                Presence::Like(self.text_pattern(&[(given.clone(), text)]))
            }
        })
    }

    /// Reports a list of nothing.
    pub fn not_empty(&mut self, given: &GivenKey, length: usize) {
        if length == 0 {
            self.report(
                Diagnostic::error(Code::OutOfRange, title(given))
                    .at(given.span(), "a list of nothing fits no request")
                    .help("write `true` for any value, or `false` for none"),
            );
        }
    }

    pub fn header_patterns(&mut self, given: &GivenKey) -> Vec<(HeaderName, Presence)> {
        let mut headers = Vec::new();
        for (name, span, value) in self.entries_of(given) {
            let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
                self.bad_header_name(name, span);
                continue;
            };
            headers.extend(self.presence(&value).map(|presence| (header, presence)));
        }
        headers
    }

    pub fn bad_header_name(&mut self, name: &str, span: std::ops::Range<usize>) {
        let title = format!("\"{}\" is not a header's name", shown(name));
        let label = "letters, digits and -, at least one";
        self.report(Diagnostic::error(Code::BadHeader, title).at(span, label));
    }

    fn named_patterns(&mut self, given: &GivenKey) -> Vec<(Box<str>, Presence)> {
        let mut patterns = Vec::new();
        for (name, _, value) in self.entries_of(given) {
            let name = self.plain_name(&value, given.name(), name);
            let presence = self.presence(&value);
            patterns.extend(name.zip(presence));
        }
        patterns
    }

    /// Addresses and networks.
    pub fn networks(&mut self, given: &GivenKey) -> Vec<Cidr> {
        let mut networks = Vec::new();
        for (item, text) in self.texts(given) {
            match text.parse::<Cidr>() {
                Ok(network) => networks.push(network),
                Err(mistake) => {
                    let span = self.within(item.value, mistake.at);
                    self.report(Diagnostic::error(Code::BadAddress, title(&item)).at(span, mistake.message));
                }
            }
        }
        networks
    }
}
