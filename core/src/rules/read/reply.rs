//! Reads the responses to refused clients.

use std::fmt;
use std::ops::Range;
use std::path::{Component, Path};
use std::sync::Arc;

use http::{HeaderName, HeaderValue, StatusCode, header};
use toml::de::DeValue;

use super::Reader;
use super::fields::{Fields, GivenKey};
use crate::model::Phase;
use crate::rules::diagnostic::shown;
use crate::rules::keys::{DATE, REMAINING, REPLY};
use crate::rules::template::{TemplateMistake, TemplateScope};
use crate::rules::{
    Code, Diagnostic, LostResponse, ReplyBody, ReplySettings, ReplyStyle, RetryAfterSetting, WaitLength,
    template,
};

/// Why the text of a `body_file` cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyFileError {
    /// There is no such file.
    Missing,
    /// It lies, perhaps by a link, outside the folder of the rules file.
    Outside,
    /// It is longer than [`LARGEST_BODY`].
    TooLarge,
    /// It is not UTF-8.
    NotText,
    /// The operating system says why, in its own words.
    Unreadable(String),
}

impl fmt::Display for BodyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BodyFileError::Missing => "there is no such file",
            BodyFileError::Outside => "the file lies outside the folder of the rules file",
            BodyFileError::TooLarge => "the file is longer than 1 MiB",
            BodyFileError::NotText => "the file is not UTF-8",
            BodyFileError::Unreadable(why) => why,
        })
    }
}

impl std::error::Error for BodyFileError {}

/// Bytes of a reply's body at most.
pub const LARGEST_BODY: usize = 1024 * 1024;

/// Headers that frame a message or belong to one connection (RFC 9110 §7.6.1, §8.6; RFC 9112 §6),
/// and the one that marks an injected response.
const OWN_HEADERS: [&str; 10] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "fracas",
];

impl Reader<'_> {
    /// `reply` of a rule in `phase`, whose texts may hold the placeholders of `scope`; and the response of the phase `lost`: none
    /// unless the file gives a status.
    pub fn reply(
        &mut self,
        rule: &mut Fields,
        phase: Phase,
        scope: TemplateScope<'_>,
    ) -> (ReplySettings, LostResponse) {
        let fields = rule.take("reply").and_then(|given| match given.value.get_ref() {
            DeValue::Array(_) => {
                let mistake = Diagnostic::error(Code::WrongType, "`reply` is one reply");
                let help = "several, in turn or by `weight`, are `replies = [{ … }, { … }]`";
                self.report(mistake.at(given.span(), "this is a list").help(help));
                None
            }
            _ => self.fields(&given, &REPLY),
        });
        let Some(mut fields) = fields else { return (ReplySettings::default(), LostResponse::Closed) };
        let read = self.reply_of(&mut fields, phase, scope);
        fields.finish(self);
        read
    }

    /// One reply, from the keys of `reply` or of an element of `replies`.
    pub(super) fn reply_of(
        &mut self,
        fields: &mut Fields,
        phase: Phase,
        scope: TemplateScope<'_>,
    ) -> (ReplySettings, LostResponse) {
        let mut reply = ReplySettings::default();
        let mut lost = LostResponse::Closed;
        if let Some(status) = fields.take("status").and_then(|given| self.reply_status(&given, phase)) {
            reply.status = status;
            lost = LostResponse::Status;
        }
        let scope = TemplateScope { retry_after: fields.key_span("retry_after").is_some(), ..scope };
        let style = fields.take("style").and_then(|given| self.style(&given)).unwrap_or_default();
        reply.body = match self.reply_text(fields, &scope) {
            Some(text) => ReplyBody::Text { text, style },
            None => ReplyBody::Style(style),
        };
        reply.headers = fields.take("headers").map(|given| self.headers(&given, &scope)).unwrap_or_default();
        self.coming_back(fields, &mut reply);
        reply.delay = fields.take("delay").and_then(|given| self.duration(&given)).unwrap_or_default();
        self.warn_of_silence(fields, phase, lost);
        (reply, lost)
    }

    fn style(&mut self, given: &GivenKey) -> Option<ReplyStyle> {
        let word = self.text(given)?;
        let style = ReplyStyle::named(word);
        if style.is_none() {
            self.unknown_value(given, word, ReplyStyle::WORDS);
        }
        style
    }

    /// A lost response without a status is no response, so that nothing else of it matters.
    fn warn_of_silence(&mut self, fields: &Fields, phase: Phase, lost: LostResponse) {
        if phase != Phase::Lost || lost == LostResponse::Status {
            return;
        }
        let silent = ["style", "body", "body_file", "headers", "retry_after"];
        if let Some((name, span)) = silent.iter().find_map(|name| Some((name, fields.key_span(name)?))) {
            let title = format!("nobody sees the `{name}` of a lost answer");
            self.report(
                Diagnostic::warning(Code::NoEffect, title)
                    .at(span, "changes nothing")
                    .help("with `status = 504` there is an answer, as if from a gateway"),
            );
        }
    }

    /// The status of an error.
    pub fn status(&mut self, given: &GivenKey) -> Option<StatusCode> {
        let title = format!("`{}` is an error's status, from 400 to 599", given.name());
        self.status_within(given, 400, title, "a client takes this for something else than a refusal")
    }

    fn status_within(
        &mut self,
        given: &GivenKey,
        least: u16,
        title: String,
        label: &str,
    ) -> Option<StatusCode> {
        let number = match (given.value.get_ref(), self.bare_text(given)) {
            (DeValue::Integer(number), _) => number.as_str(),
            (_, Some(text)) => text,
            _ => {
                self.wrong_type(given);
                return None;
            }
        };
        let number = number.parse::<u16>().ok().filter(|number| (least..=599).contains(number));
        if number.is_none() {
            self.report(Diagnostic::error(Code::BadStatus, title).at(given.span(), label));
        }
        number.and_then(|number| StatusCode::from_u16(number).ok())
    }

    /// The status of a refusal: bulk endpoints and GraphQL refuse with a 200.
    fn reply_status(&mut self, given: &GivenKey, phase: Phase) -> Option<StatusCode> {
        let title = "`status` is a final status, from 200 to 599".to_owned();
        let label = "no client takes this for the end of its request";
        let status = self.status_within(given, 200, title, label)?;
        if phase == Phase::Lost && !status.is_server_error() {
            self.report(
                Diagnostic::error(Code::BadStatus, "with `phase = \"lost\"` the status is that of a gateway, 500 to 599")
                    .at(given.span(), "with this answer nothing would be lost")
                    .help("for a client that is refused after the upstream applied its request, write `phase = \"after\"`"),
            );
        }
        Some(status)
    }

    fn reply_text(&mut self, fields: &mut Fields, scope: &TemplateScope) -> Option<Arc<str>> {
        let (body, file) = (fields.take("body"), fields.take("body_file"));
        if let (Some(body), Some(file)) = (&body, &file) {
            self.report(
                Diagnostic::error(Code::NotTogether, "`body` and `body_file` are both the answer's text")
                    .at(file.key.clone(), "leave one of them out")
                    .also(body.key.clone(), "the other one"),
            );
        }
        let from_file = file.and_then(|given| self.body_file(&given, scope));
        let written = body.and_then(|given| {
            let text = self.text(&given)?;
            if text.len() > LARGEST_BODY {
                let mistake = Diagnostic::error(Code::TooLarge, "a reply's body is at most 1 MiB");
                self.report(mistake.at(given.key.clone(), "longer than that"));
                return None;
            }
            let text = self.template_text(&given, text);
            self.check_template(&given, &text, scope);
            Some(Arc::from(text))
        });
        written.or(from_file)
    }

    fn check_template(&mut self, given: &GivenKey, text: &str, scope: &TemplateScope) {
        for mistake in template::check(text, scope) {
            let span = self.within(given.value, mistake.at.clone());
            self.report(unknown_placeholder(mistake, span, ""));
        }
    }

    fn body_file(&mut self, given: &GivenKey, scope: &TemplateScope) -> Option<Arc<str>> {
        let name = self.text(given)?;
        let below = !name.is_empty()
            && !name.contains(['\\', '\0'])
            && Path::new(name)
                .components()
                .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let text = if below {
            self.surroundings.body_file(&self.folder_of(given.span().start), name)
        } else {
            Err(BodyFileError::Outside)
        };
        match text {
            Ok(text) => {
                for mistake in template::check(&text, scope) {
                    self.report(unknown_placeholder(mistake, given.span(), "in this file: "));
                }
                Some(Arc::from(text))
            }
            Err(error) => {
                self.report(no_body(given, name, error));
                None
            }
        }
    }

    fn headers(&mut self, given: &GivenKey, scope: &TemplateScope) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Vec::new();
        for (name, span, value) in self.entries_of(given) {
            let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
                self.bad_header_name(name, span);
                continue;
            };
            if OWN_HEADERS.contains(&header.as_str()) {
                let title = format!("`{header}` is not for the file to set");
                let label = match header.as_str() {
                    "content-length" | "transfer-encoding" | "trailer" => {
                        "fracas frames the answer by its body"
                    }
                    "fracas" => "marks injected answers; switch it off with `mark = false`",
                    _ => "belongs to one connection, not to an answer",
                };
                self.report(Diagnostic::error(Code::BadHeader, title).at(span, label));
                continue;
            }
            let Some(text) = self.text(&value) else { continue };
            match HeaderValue::from_str(text) {
                // `HeaderValue` takes bytes beyond ASCII, which clients read in one of several ways.
                Ok(line) if text.is_ascii() => {
                    let text = self.template_text(&value, text);
                    self.check_template(&value, &text, scope);
                    headers.push((header, HeaderValue::from_str(&text).unwrap_or(line)));
                }
                _ => {
                    let title = format!("the value of `{header}` is not one that HTTP allows");
                    let label = "only visible ASCII characters, spaces and tabs";
                    self.report(Diagnostic::error(Code::BadHeader, title).at(value.span(), label));
                }
            }
        }
        headers
    }

    fn coming_back(&mut self, fields: &mut Fields, reply: &mut ReplySettings) {
        let given = fields.take("retry_after");
        reply.retry_after = given.as_ref().and_then(|given| self.retry_after(given));
        if let Some(jitter) = fields.take("retry_after_jitter") {
            reply.retry_after_jitter = self.whole_seconds(&jitter).unwrap_or_default();
            if given.is_none() {
                self.report(
                    Diagnostic::error(Code::MissingKey, "`retry_after_jitter` needs `retry_after`")
                        .at(jitter.key.clone(), "added to what?")
                        .help(jitter.entry.for_example()),
                );
            }
        }
        let twice = reply.headers.iter().any(|(name, _)| *name == header::RETRY_AFTER);
        if let (Some(given), true) = (given, twice) {
            let title = "`retry_after` and `headers` both set `Retry-After`";
            self.report(
                Diagnostic::error(Code::NotTogether, title).at(given.key.clone(), "leave one of them out"),
            );
        }
    }

    fn retry_after(&mut self, given: &GivenKey) -> Option<RetryAfterSetting> {
        if !given.value.get_ref().is_table() {
            return self.wait_length(given).map(RetryAfterSetting::Seconds);
        }
        let mut fields = self.fields(given, &DATE)?;
        let date = fields.take("date");
        if date.is_none() {
            let mistake = Diagnostic::error(Code::MissingKey, "`retry_after` as a table needs `date`");
            self.report(
                mistake.at(given.span(), "when?").help("for example `retry_after = { date = \"2s\" }`"),
            );
        }
        fields.finish(self);
        date.and_then(|date| self.wait_length(&date)).map(RetryAfterSetting::Date)
    }

    fn wait_length(&mut self, given: &GivenKey) -> Option<WaitLength> {
        match given.value.get_ref().as_str() {
            Some(REMAINING) => Some(WaitLength::Remaining),
            Some(text) if text.starts_with(|c: char| c.is_alphabetic()) => {
                self.unknown_value(given, text, &[REMAINING, "2s"]);
                None
            }
            _ => self.whole_seconds(given).map(WaitLength::Fixed),
        }
    }
}

fn unknown_placeholder(mistake: TemplateMistake, span: Range<usize>, place: &str) -> Diagnostic {
    let TemplateMistake { message, suggestion, .. } = mistake;
    let unknown = Diagnostic::error(Code::UnknownPlaceholder, message);
    // The probable meaning comes first, how to write the text itself after it.
    let both = suggestion.split_inclusive(['?', ';']).next().filter(|first| first.len() < suggestion.len());
    let Some(meant) = both else {
        let words: Vec<String> = template::WORDS.iter().map(|(word, _)| format!("{{{word}}}")).collect();
        let label = format!("{place}nothing fills this");
        return unknown.at(span, label).help(format!("{suggestion}\nplaceholders: {}", words.join(" ")));
    };
    let label = format!("{place}{}", meant.trim_end_matches(';'));
    let mut rest = suggestion.get(meant.len()..).unwrap_or_default().trim_start().to_owned();
    if let Some(first) = rest.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    unknown.at(span, label).help(rest)
}

fn no_body(given: &GivenKey, name: &str, error: BodyFileError) -> Diagnostic {
    let (code, title, label) = match error {
        BodyFileError::Missing => (
            Code::MissingFile,
            format!("there is no file `{}`", shown(name)),
            "looked for beside the rules file".to_owned(),
        ),
        BodyFileError::Outside => {
            let title = "a `body_file` lies below the folder of its rules file".to_owned();
            (
                Code::OutsideFolder,
                title,
                "neither `..`, nor an absolute path, nor a link that leads out".to_owned(),
            )
        }
        BodyFileError::TooLarge => {
            (Code::TooLarge, "a reply's body is at most 1 MiB".to_owned(), "longer than that".to_owned())
        }
        BodyFileError::NotText => {
            (Code::BadUtf8, format!("`{}` is not UTF-8", shown(name)), "replies are text".to_owned())
        }
        BodyFileError::Unreadable(why) => {
            (Code::MissingFile, format!("`{}` cannot be read", shown(name)), why)
        }
    };
    Diagnostic::error(code, title).at(given.span(), label)
}
