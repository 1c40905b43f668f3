//! Lines no wider than a terminal, wrapped, with colours where one wants them.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use textwrap::{Options, WordSplitter};

use crate::grading::Verdict;
use crate::report::phrases;
use crate::report::width::Width;
use crate::rules::Paint;

/// The text so far.
pub struct Page {
    text: String,
    paint: Paint,
    width: usize,
}

/// The meaning of a colour, which words say too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Verdict(Verdict),
    Strong,
    Faint,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Tone::Verdict(Verdict::Pass) => AnsiColor::Green.on_default(),
            Tone::Verdict(Verdict::Warn) => AnsiColor::Yellow.on_default(),
            Tone::Verdict(Verdict::Fail) => AnsiColor::Red.on_default().bold(),
            Tone::Verdict(Verdict::Undetermined) | Tone::Faint => Style::new().dimmed(),
            Tone::Strong => Style::new().bold(),
        }
    }
}

impl Page {
    /// An empty one.
    pub fn new(paint: Paint, width: Width) -> Page {
        Page { text: String::new(), paint, width: width.columns() }
    }

    /// Columns of a line.
    pub fn width(&self) -> usize {
        self.width
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
    /// `indent` says, colours not counted.
    pub fn hanging(&mut self, head: &str, indent: usize, text: &str) {
        let mut head = head.to_owned();
        for line in wrapped(text, self.width.saturating_sub(indent)) {
            self.line(&[&head, &line]);
            head = " ".repeat(indent);
        }
    }

    /// The text in a colour.
    pub fn toned(&self, tone: Tone, text: &str) -> String {
        if self.paint == Paint::Plain || text.is_empty() {
            return text.to_owned();
        }
        let style = tone.style();
        format!("{style}{text}{style:#}")
    }

    /// The verdict's word of four letters.
    pub fn mark(&self, verdict: Verdict) -> String {
        self.toned(Tone::Verdict(verdict), phrases::mark(verdict))
    }
}

/// The text in lines of at most `width` columns, broken between words where that can be done. One line at
/// least.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    // A name with hyphens stays whole, so that it can be looked for.
    let options = Options::new(width.max(1)).word_splitter(WordSplitter::NoHyphenation);
    textwrap::wrap(text, options).into_iter().map(|line| line.trim().to_owned()).collect()
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
            ("a-bc-d", &["a-bc", "-d"]),
            // East Asian characters take two columns each (UAX #11).
            ("語語語", &["語語", "語"]),
        ] {
            assert_eq!(wrapped(text, 4), lines, "{text}");
        }
    }
}
