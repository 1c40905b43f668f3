//! Values of the report as HTML, each with its place in the JSON report.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use askama::FastWritable;
use askama::filters::HtmlSafe;

use crate::grading::Verdict;
use crate::report::phrases::{self, shown};
use crate::rules::grouped;

/// A value with its place, escaped.
pub struct Marked(String);

impl Marked {
    /// A number of things.
    pub fn count(at: &str, field: &str, number: u64) -> Marked {
        Marked(format!(r#"<data data-at="{at}/{field}" value="{number}">{}</data>"#, grouped(number)))
    }

    /// A length of time, from milliseconds.
    pub fn span(at: &str, field: &str, milliseconds: f64) -> Marked {
        let text = phrases::span(milliseconds);
        Marked(format!(r#"<data data-at="{at}/{field}" value="{milliseconds}">{text}</data>"#))
    }

    /// A share, from 0 to 1.
    pub fn percent(at: &str, field: &str, share: f64) -> Marked {
        Marked(format!(r#"<data data-at="{at}/{field}" value="{share}">{}</data>"#, phrases::percent(share)))
    }

    /// A factor.
    pub fn factor(at: &str, field: &str, factor: f64) -> Marked {
        Marked(format!(
            r#"<data data-at="{at}/{field}" value="{factor}">{}</data>"#,
            phrases::trimmed(factor)
        ))
    }

    /// Untrusted text.
    pub fn text(at: &str, field: &str, text: &str) -> Marked {
        Marked(format!(r#"<span data-at="{at}/{field}">{}</span>"#, escaped(&shown(text))))
    }

    /// A sentence, with text between backticks as code.
    pub fn prose(at: &str, field: &str, text: &str) -> Marked {
        Marked(format!(r#"<span data-at="{at}/{field}">{}</span>"#, prose(&shown(text))))
    }

    /// A sentence that is worked out from the report; tests find it by `name`.
    pub fn sentence(name: &str, text: &str) -> Marked {
        Marked(format!(r#"<span data-derived="{name}">{}</span>"#, prose(text)))
    }

    /// A verdict as a coloured word.
    pub fn verdict(at: &str, verdict: Verdict) -> Marked {
        let word = phrases::verdict(verdict);
        Marked(format!(r#"<span class="verdict {word}" data-at="{at}">{word}</span>"#))
    }

    /// The verdict of the headline, where it is not the report's.
    pub fn headline(verdict: Verdict) -> Marked {
        let word = phrases::verdict(verdict);
        Marked(format!(r#"<span class="verdict {word}" data-derived="mark">{word}</span>"#))
    }

    /// A value that is worked out from others: how, a test knows by `name`.
    pub fn derived(name: &str, at: &str, text: &str) -> Marked {
        Marked(format!(r#"<span data-derived="{name}" data-of="{at}">{}</span>"#, escaped(text)))
    }
}

impl fmt::Display for Marked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FastWritable for Marked {
    fn write_into(&self, into: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        Ok(into.write_str(&self.0)?)
    }
}

impl HtmlSafe for Marked {}

/// Text without markup, except that text between backticks becomes code.
fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // An odd number of backticks pairs with nothing: the last one is itself.
    let pairs = (parts.len() - 1) / 2 * 2;
    let mut prose = String::with_capacity(text.len() + 16);
    for (at, part) in parts.into_iter().enumerate() {
        match at {
            _ if at > pairs => _ = write!(prose, "`{}", escaped(part)),
            _ if at % 2 == 1 => _ = write!(prose, "<code>{}</code>", escaped(part)),
            _ => prose.push_str(&escaped(part)),
        }
    }
    prose
}

/// Text in which nothing is markup, in elements and in attributes.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '>', '&', '"', '\'']) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code_and_nothing_else_is_markup() {
        for (text, html) in [
            ("send `If-Match`, then read", "send <code>If-Match</code>, then read"),
            ("`a` and `b`", "<code>a</code> and <code>b</code>"),
            ("one ` alone", "one ` alone"),
            ("`<b>` `", "<code>&lt;b&gt;</code> `"),
            ("", ""),
        ] {
            assert_eq!(prose(text), html, "{text}");
        }
    }
}
