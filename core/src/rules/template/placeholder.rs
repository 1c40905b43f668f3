//! The known placeholders, and the diagnostics of others.

use std::num::NonZeroU32;
use std::ops::Range;

use http::HeaderName;

use super::TemplateMistake;

/// One value that a reply can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placeholder {
    Method,
    Path,
    Query,
    Host,
    Param(Box<str>),
    Header(HeaderName),
    Rule,
    Kind,
    Phase,
    N,
    Key,
    Now,
    NowHttp,
    Unix,
    Uuid,
    /// How many digits: 1 to 64.
    Hex(u8),
    RetryAfter,
    Status,
    Detail,
    VersionSent,
    VersionCurrent,
    Reset,
    Limit,
    Remaining,
    /// The newest representation, or the value at a JSON pointer in it.
    Current(Option<Box<str>>),
}

/// Every placeholder as it is written, with its replacement; `NAME` and `N` are the reader's to
/// choose.
pub const WORDS: [(&str, &str); 26] = [
    ("method", "the request's method"),
    ("path", "the request's path, as forwarded"),
    ("query", "the request's query, without the question mark"),
    ("host", "the host that the client asked for"),
    ("param.NAME", "what the rule's path captured as NAME"),
    ("header.NAME", "the request's header NAME; nothing when it has none"),
    ("rule", "the rule's name"),
    ("kind", "the rule's kind"),
    ("phase", "the rule's phase"),
    ("n", "the position of the request in its key's sequence, from 1"),
    ("key", "what the rule counts per, for this request; credentials are shown as a hash"),
    ("now", "the time, as 2026-01-31T23:59:59.000Z"),
    ("now.http", "the time, as Sat, 31 Jan 2026 23:59:59 GMT"),
    ("unix", "the time, in seconds since 1970"),
    ("uuid", "a random UUID, the same wherever one answer holds it"),
    ("hex:N", "N random hexadecimal digits (1 to 64), the same wherever one answer holds them"),
    ("retry_after", "the seconds of `Retry-After`"),
    ("status", "the status code"),
    ("detail", "a sentence that says what happened and what to do next"),
    ("version.sent", "the version that the request carries; nothing when it has none"),
    ("version.current", "the newest version seen; nothing when none was"),
    (
        "current",
        "the newest representation seen of the resource at the request's path, as JSON where it is JSON; nothing, or \
         `null`, when none is known",
    ),
    ("current./POINTER", "the value at that JSON pointer of it"),
    ("reset", "with `above`: whole seconds until there is room below the rate again"),
    ("limit", "with `above`: the number of requests in the rate"),
    ("remaining", "with `above`: how many requests of the rate are left, which is 0 for a refused one"),
];

/// The values that the texts of one reply can be filled with, beside those of every request.
#[derive(Clone, Copy, Debug, Default)]
pub struct TemplateScope<'s> {
    /// The names that the rule's path captures.
    pub params: &'s [&'s str],
    /// Whether the reply has a `retry_after`.
    pub retry_after: bool,
    /// The requests in the rate of a rule with `above`.
    pub limit: Option<NonZeroU32>,
    /// Whether the upstream applies the request before the client is refused, so that no representation is current.
    pub is_late: bool,
}

/// Why a word is refused.
#[derive(Debug)]
pub struct Fault {
    message: String,
    /// Without the common end of suggestions: how to write the text itself.
    suggestion: Option<String>,
}

impl Placeholder {
    /// The placeholder written `{word}`.
    ///
    /// # Errors
    /// When there is none of that name, or when `scope` says that nothing would fill it.
    pub fn parse(word: &str, scope: &TemplateScope<'_>) -> Result<Placeholder, Fault> {
        if let Some((family, name)) = word.split_once(['.', ':'])
            && let Some(placeholder) = Placeholder::in_family(family, name, scope)
        {
            return placeholder;
        }
        Ok(match word {
            "method" => Placeholder::Method,
            "path" => Placeholder::Path,
            "query" => Placeholder::Query,
            "host" => Placeholder::Host,
            "rule" => Placeholder::Rule,
            "kind" => Placeholder::Kind,
            "phase" => Placeholder::Phase,
            "n" => Placeholder::N,
            "key" => Placeholder::Key,
            "now" => Placeholder::Now,
            "now.http" => Placeholder::NowHttp,
            "unix" => Placeholder::Unix,
            "uuid" => Placeholder::Uuid,
            "retry_after" if scope.retry_after => Placeholder::RetryAfter,
            "retry_after" => {
                return Err(Fault {
                    message: "this reply has no `retry_after`".to_owned(),
                    suggestion: Some("give it one, such as `retry_after = \"2s\"`".to_owned()),
                });
            }
            "current" => Placeholder::current(None, scope)?,
            "reset" | "limit" | "remaining" if scope.limit.is_none() => {
                return Err(Fault {
                    message: format!("`{{{word}}}` is a limiter's, and this rule has no `above`"),
                    suggestion: Some("give the rule a rate, such as `above = \"20/s\"`".to_owned()),
                });
            }
            "reset" => Placeholder::Reset,
            "limit" => Placeholder::Limit,
            "remaining" => Placeholder::Remaining,
            "status" => Placeholder::Status,
            "detail" => Placeholder::Detail,
            "version.sent" => Placeholder::VersionSent,
            "version.current" => Placeholder::VersionCurrent,
            _ => return Err(unknown(word)),
        })
    }

    fn current(pointer: Option<&str>, scope: &TemplateScope<'_>) -> Result<Placeholder, Fault> {
        if scope.is_late {
            return Err(Fault {
                message: "no representation is current once the upstream has applied the request".to_owned(),
                suggestion: Some("leave `phase` out, or the placeholder".to_owned()),
            });
        }
        Ok(Placeholder::Current(pointer.map(Into::into)))
    }

    /// Reads `family.name` and `family:name`; `None` where that is no family.
    fn in_family(family: &str, name: &str, scope: &TemplateScope<'_>) -> Option<Result<Placeholder, Fault>> {
        let fault =
            |message: String, suggestion: String| Err(Fault { message, suggestion: Some(suggestion) });
        Some(match family {
            "param" if scope.params.contains(&name) => Ok(Placeholder::Param(name.into())),
            "param" => fault(
                format!("the path of this rule captures nothing called `{name}`"),
                match (scope.params, nearest(name, scope.params.iter().copied())) {
                    ([], _) => format!("capture it: path = \"/…/{{{name}}}\""),
                    (_, Some(near)) => format!("did you mean `{{param.{near}}}`?"),
                    (params, None) => format!("it captures: {}", params.join(", ")),
                },
            ),
            "current" if name.starts_with('/') => Placeholder::current(Some(name), scope),
            "header" => match HeaderName::from_bytes(name.as_bytes()) {
                Ok(name) => Ok(Placeholder::Header(name)),
                Err(_) => fault(
                    format!("`{name}` is not a header's name"),
                    "write a name such as `{header.user-agent}`".to_owned(),
                ),
            },
            "hex" => match name.parse() {
                Ok(digits @ 1..=64) => Ok(Placeholder::Hex(digits)),
                _ => fault(
                    "`{hex:N}` takes a number of digits from 1 to 64".to_owned(),
                    "write `{hex:16}`, for instance".to_owned(),
                ),
            },
            "body" | "cookie" => fault(
                format!("a reply cannot repeat the request's {family}"),
                "it can repeat the path and the headers: `{path}`, `{header.NAME}`".to_owned(),
            ),
            _ => return None,
        })
    }
}

impl Fault {
    /// The fault as a mistake at `at`.
    pub fn at(self, at: Range<usize>, word: &str) -> TemplateMistake {
        let itself = format!("or the text itself, write `{{{{{word}}}}}`");
        let suggestion = match self.suggestion {
            Some(text) if text.ends_with('?') => format!("{text} F{itself}"),
            Some(text) => format!("{text}; f{itself}"),
            None => format!("f{itself}"),
        };
        TemplateMistake { at, message: self.message, suggestion }
    }
}

fn unknown(word: &str) -> Fault {
    let near = nearest(word, WORDS.iter().map(|(known, _)| *known));
    Fault {
        message: format!("`{{{word}}}` is not a placeholder"),
        suggestion: near.map(|near| format!("did you mean `{{{near}}}`?")),
    }
}

/// The name most like `word`, if any is alike enough to be meant.
fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    names
        .map(|name| (strsim::jaro_winkler(word, name), name))
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_word_is_a_placeholder() {
        let scope = TemplateScope {
            params: &["id"],
            retry_after: true,
            limit: Some(NonZeroU32::MIN),
            is_late: false,
        };
        for (word, _) in WORDS {
            let word = word
                .replace("param.NAME", "param.id")
                .replace("header.NAME", "header.accept")
                .replace("hex:N", "hex:8")
                .replace("POINTER", "rev");
            assert!(Placeholder::parse(&word, &scope).is_ok(), "{word}");
        }
    }

    #[test]
    fn a_word_that_nothing_can_fill_is_refused_with_what_to_write() {
        let mistake = |word: &str, scope: TemplateScope<'_>| {
            let mistake = Placeholder::parse(word, &scope).expect_err(word).at(0..1, word);
            (mistake.message, mistake.suggestion)
        };
        let none = TemplateScope::default();
        let id = TemplateScope { params: &["id", "owner"], ..none };
        for (word, scope, message, suggestion) in [
            (
                "pth",
                none,
                "`{pth}` is not a placeholder",
                "did you mean `{path}`? For the text itself, write `{{pth}}`",
            ),
            ("zzz", none, "`{zzz}` is not a placeholder", "for the text itself, write `{{zzz}}`"),
            (
                "param.id",
                none,
                "the path of this rule captures nothing called `id`",
                "capture it: path = \"/…/{id}\"; for the text itself, write `{{param.id}}`",
            ),
            (
                "param.ownr",
                id,
                "the path of this rule captures nothing called `ownr`",
                "did you mean `{param.owner}`? For the text itself, write `{{param.ownr}}`",
            ),
            (
                "param.zz",
                id,
                "the path of this rule captures nothing called `zz`",
                "it captures: id, owner; for the text itself, write `{{param.zz}}`",
            ),
            (
                "body.name",
                none,
                "a reply cannot repeat the request's body",
                "it can repeat the path and the headers: `{path}`, `{header.NAME}`; for the text itself, write `{{body.name}}`",
            ),
            (
                "hex:65",
                none,
                "`{hex:N}` takes a number of digits from 1 to 64",
                "write `{hex:16}`, for instance; for the text itself, write `{{hex:65}}`",
            ),
            (
                "retry_after",
                none,
                "this reply has no `retry_after`",
                "give it one, such as `retry_after = \"2s\"`; for the text itself, write `{{retry_after}}`",
            ),
            (
                "reset",
                none,
                "`{reset}` is a limiter's, and this rule has no `above`",
                "give the rule a rate, such as `above = \"20/s\"`; for the text itself, write `{{reset}}`",
            ),
            (
                "header.a:b",
                none,
                "`a:b` is not a header's name",
                "write a name such as `{header.user-agent}`; for the text itself, write `{{header.a:b}}`",
            ),
        ] {
            assert_eq!(mistake(word, scope), (message.to_owned(), suggestion.to_owned()), "{word}");
        }
        for word in ["hex:0", "hex:x", "hex:", "param.", "header.", "now.htp", "query.x"] {
            assert!(Placeholder::parse(word, &none).is_err(), "{word}");
        }
    }
}
