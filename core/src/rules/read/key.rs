//! Texts of the form `source:name`: the scope of counters, the client id, the place of a version.

use http::HeaderName;

use super::Reader;
use super::fields::GivenKey;
use super::habits::words;
use super::values::title;
use crate::model::{ClientIdSource, ClientIdSources, Key, KeyPart};
use crate::rules::diagnostic::shown;
use crate::rules::keys::nearest;
use crate::rules::units::TextMistake;
use crate::rules::{Code, Diagnostic, VersionSource};

/// The longest name of a header, a cookie or a query parameter, in bytes.
const LONGEST_NAME: usize = 256;

impl Reader<'_> {
    /// `per`, for requests with a path that captures `captured`.
    pub fn key(&mut self, given: &GivenKey, captured: &[&str]) -> Key {
        let texts = self.texts(given);
        let several = texts.len() > 1;
        let mut parts = Vec::new();
        for (item, text) in texts {
            match text {
                "rule" if several => {
                    let title = "`per` is the whole rule or parts of the request, not both";
                    let label = "leave this out";
                    self.report(Diagnostic::error(Code::NotTogether, title).at(item.span(), label));
                }
                "rule" => {}
                "path" => parts.push(KeyPart::Path),
                "client" => parts.push(KeyPart::Client),
                _ => parts.extend(self.named_part(&item, text, captured)),
            }
        }
        Key(parts)
    }

    fn named_part(&mut self, item: &GivenKey, text: &str, captured: &[&str]) -> Option<KeyPart> {
        const SOURCES: [&str; 6] = ["header", "cookie", "query", "param", "form", "body"];
        let (source, name) = self.source(item, text, &SOURCES, &["rule", "path", "client"])?;
        Some(match source {
            "header" => KeyPart::Header(self.header_name_in(item, name)?),
            "cookie" => KeyPart::Cookie(self.plain_name(item, source, name)?),
            "query" => KeyPart::Query(self.plain_name(item, source, name)?),
            "body" => KeyPart::Body(self.pointer_in(item, text.len() - name.len(), name)?),
            "form" => KeyPart::Form(self.plain_name(item, source, name)?),
            _ if captured.contains(&name) => KeyPart::Param(name.into()),
            _ => {
                self.not_captured(item, name, captured);
                return None;
            }
        })
    }

    fn not_captured(&mut self, item: &GivenKey, name: &str, captured: &[&str]) {
        let title = format!("the path does not capture `{}`", shown(name));
        let label = match nearest(name, captured.iter().copied()) {
            Some(meant) => format!("did you mean \"param:{meant}\"?"),
            None if captured.is_empty() => format!("a path with {{{}}} would", shown(name)),
            None => format!("it captures {}", captured.join(", ")),
        };
        self.report(Diagnostic::error(Code::NotCaptured, title).at(item.span(), label));
    }

    /// `client_id`.
    pub fn identity(&mut self, given: &GivenKey) -> ClientIdSources {
        let mut sources = Vec::new();
        for (item, text) in self.texts(given) {
            let source = match text {
                "address" => Some(ClientIdSource::Address),
                "address+user-agent" => Some(ClientIdSource::AddressAndUserAgent),
                _ => self.named_identity(&item, text),
            };
            sources.extend(source);
        }
        ClientIdSources(sources)
    }

    fn named_identity(&mut self, item: &GivenKey, text: &str) -> Option<ClientIdSource> {
        let (source, name) =
            self.source(item, text, &["header", "cookie"], &["address", "address+user-agent"])?;
        Some(match source {
            "header" => ClientIdSource::Header(self.header_name_in(item, name)?),
            _ => ClientIdSource::Cookie(self.plain_name(item, source, name)?),
        })
    }

    /// Where a version is.
    pub fn version_source(&mut self, given: &GivenKey) -> Option<VersionSource> {
        let text = self.text(given)?;
        self.version_source_of(given, text)
    }

    /// As [`Reader::version_source`], of a text that may stand in a list.
    pub fn version_source_of(&mut self, given: &GivenKey, text: &str) -> Option<VersionSource> {
        let (source, name) = self.source(given, text, &["header", "query", "body"], &[])?;
        Some(match source {
            "header" => VersionSource::Header(self.header_name_in(given, name)?),
            "query" => VersionSource::Query(self.plain_name(given, source, name)?),
            _ => VersionSource::Body(self.pointer_in(given, text.len() - name.len(), name)?),
        })
    }

    /// Splits `source:name`; `plain` are words that stand alone, for suggestions only.
    fn source<'t>(
        &mut self,
        item: &GivenKey,
        text: &'t str,
        sources: &[&'static str],
        plain: &[&'static str],
    ) -> Option<(&'static str, &'t str)> {
        let (given, name) = text.split_once(':').map_or((text, None), |(source, name)| (source, Some(name)));
        let known = sources.iter().copied().find(|source| *source == given);
        if let (Some(source), Some(name)) = (known, name) {
            return Some((source, name));
        }
        let title = format!("`{}` has no value \"{}\"", item.name(), shown(text));
        let other = plain.contains(&"client").then(|| words::per(text)).flatten();
        let other = other
            .or_else(|| (plain.contains(&"address") && IP.contains(&given)).then(|| "address".to_owned()));
        let label = match other {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => unknown_source(known, given, name, sources, plain),
        };
        let mut words: Vec<String> = plain.iter().map(|word| format!("\"{word}\"")).collect();
        words.extend(sources.iter().map(|source| match *source {
            "body" => "\"body:/pointer\"".to_owned(),
            source => format!("\"{source}:NAME\""),
        }));
        self.report(
            Diagnostic::error(Code::UnknownValue, title)
                .at(item.span(), label)
                .help(format!("it takes {}", words.join(", "))),
        );
        None
    }

    fn header_name_in(&mut self, item: &GivenKey, name: &str) -> Option<HeaderName> {
        let header = HeaderName::from_bytes(name.as_bytes()).ok().filter(|_| name.len() <= LONGEST_NAME);
        if header.is_none() {
            let title = format!("\"{}\" is not a header's name", shown(name));
            let label = "letters, digits and -, at least one";
            self.report(Diagnostic::error(Code::BadHeader, title).at(item.span(), label));
        }
        header
    }

    /// The name of a cookie or of a query parameter.
    pub fn plain_name(&mut self, item: &GivenKey, source: &str, name: &str) -> Option<Box<str>> {
        if !name.is_empty() && name.len() <= LONGEST_NAME {
            return Some(name.into());
        }
        let label = if name.is_empty() { format!("which {source}?") } else { "too long".to_owned() };
        self.report(Diagnostic::error(Code::OutOfRange, title(item)).at(item.span(), label));
        None
    }

    /// A JSON pointer that begins `at` bytes into a value's text.
    pub fn pointer_in(&mut self, item: &GivenKey, at: usize, text: &str) -> Option<Box<str>> {
        match pointer(text) {
            Ok(()) => Some(text.into()),
            Err(mistake) => {
                let mistake = TextMistake::new(at + mistake.at.start..at + mistake.at.end, mistake.message);
                let span = self.within(item.value, mistake.at);
                let title = format!("\"{}\" is not a JSON pointer", shown(text));
                self.report(Diagnostic::error(Code::BadPointer, title).at(span, mistake.message));
                None
            }
        }
    }
}

/// Other words for the address.
const IP: [&str; 4] = ["ip", "remote_addr", "client_ip", "source_ip"];

/// The probable meaning of a source that is not known, or lacks its name.
fn unknown_source(
    known: Option<&str>,
    given: &str,
    name: Option<&str>,
    sources: &[&'static str],
    plain: &[&'static str],
) -> String {
    match (known, nearest(given, sources.iter().chain(plain).copied())) {
        (Some("body"), _) => "which field? write \"body:/pointer\"".to_owned(),
        (Some(source), _) => format!("which {source}? write \"{source}:NAME\""),
        (None, Some(meant)) if plain.contains(&meant) => format!("did you mean \"{meant}\"?"),
        (None, Some(meant)) => {
            format!("did you mean \"{meant}:{}\"?", name.map(shown).unwrap_or_else(|| "NAME".to_owned()))
        }
        (None, None) => "no such value".to_owned(),
    }
}

/// Whether a text is a JSON pointer (RFC 6901 §3), in which a name may be `*`.
pub(super) fn pointer(text: &str) -> Result<(), TextMistake> {
    if !text.is_empty() && !text.starts_with('/') {
        let meant = words::pointer(text).unwrap_or_else(|| format!("/{text}"));
        return Err(TextMistake::new(0..text.len(), format!("did you mean \"{}\"?", shown(&meant))));
    }
    let escape = text
        .match_indices('~')
        .find(|(at, _)| !text.get(at + 1..).unwrap_or_default().starts_with(['0', '1', '2']));
    match escape {
        Some((at, _)) => {
            Err(TextMistake::new(at..at + 1, "in a name, write ~0 for ~, ~1 for /, and ~2 for a * alone"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::pointer;

    #[test]
    fn pointers_begin_with_a_slash_and_escape_their_tildes() {
        for text in ["", "/", "/a/0/b", "/a~1b~0c", "//", "/*/~2"] {
            assert_eq!(pointer(text), Ok(()), "{text}");
        }
        for (text, at) in [("a", 0..1), ("a/b", 0..3), ("/a~b", 2..3), ("/~", 1..2)] {
            assert_eq!(pointer(text).map_err(|mistake| mistake.at), Err(at), "{text}");
        }
    }
}
