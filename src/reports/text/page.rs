//! Lines of at most 80 columns, wrapped, with colours where a terminal wants them.

use std::fmt::Write as _;

use crate::judgement::grading::Verdict;
use crate::reports::phrases;
use crate::rules::Paint;

/// Columns of a page.
pub const WIDTH: usize = 80;

/// The text so far.
pub struct Page {
    text: String,
    paint: Paint,
}

/// What a colour says, which words say too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Verdict(Verdict),
    Strong,
    Faint,
}

impl Page {
    /// An empty one.
    pub fn new(paint: Paint) -> Page {
        Page { text: String::new(), paint }
    }

    /// Everything that was written.
    pub fn finish(self) -> String {
        self.text
    }

    /// An empty line, but for the first and after another one.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A line of pieces, as they are.
    pub fn line(&mut self, pieces: &[&str]) {
        let line = pieces.concat();
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    /// `head`, and `text` beside it, wrapped, each further line below the first. `head` is as wide as
    /// `indent` says, whatever colours it has.
    pub fn hanging(&mut self, head: &str, indent: usize, text: &str) {
        let mut head = head.to_owned();
        for line in wrapped(text, WIDTH.saturating_sub(indent)) {
            self.line(&[&head, &line]);
            head = " ".repeat(indent);
        }
    }

    /// The text in a colour.
    pub fn toned(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            _ if self.paint == Paint::Plain || text.is_empty() => return text.to_owned(),
            Tone::Verdict(Verdict::Pass) => "32",
            Tone::Verdict(Verdict::Warn) => "33",
            Tone::Verdict(Verdict::Fail) => "1;31",
            Tone::Verdict(Verdict::Undetermined) | Tone::Faint => "2",
            Tone::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// The verdict's word of four letters.
    pub fn mark(&self, verdict: Verdict) -> String {
        self.toned(Tone::Verdict(verdict), phrases::mark(verdict))
    }
}

/// The text in lines of at most `width` characters, broken between words where that can be done. One
/// line at least.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        if length > 0 && length + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        while word.len() > width {
            let rest = word.split_off(width);
            lines.push(word.into_iter().collect());
            word = rest;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        length += word.len();
        line.extend(word);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_between_words_and_through_words_that_are_too_long() {
        for (text, lines) in [
            ("", &[""][..]),
            ("a bc", &["a bc"]),
            ("abc de f", &["abc", "de f"]),
            ("abcdefghij k", &["abcd", "efgh", "ij k"]),
            ("ab cdefgh", &["ab", "cdef", "gh"]),
        ] {
            assert_eq!(wrapped(text, 4), lines, "{text}");
        }
    }
}
