//! A mistake in a rules file as a person sees it: where, what, and what to write instead.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::Code;

/// One mistake, or one thing that is odd.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    /// One line, lower case, without a full stop.
    pub title: String,
    /// The file it is in; `None` for a mistake outside every file, in a flag say.
    pub file: Option<Arc<Source>>,
    /// Where in the file, in bytes.
    pub span: Option<Range<usize>>,
    /// Stands beside the underlined span.
    pub label: String,
    /// Another place that explains it, with its own label.
    pub also: Option<Box<(Range<usize>, String)>>,
    /// What to do about it.
    pub help: Option<String>,
}

/// A file's name and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub name: String,
    pub text: String,
}

/// Whether the file can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can; somebody may not have meant what it says.
    Warning,
}

/// Everything that is wrong with a rules file, in its order; never empty.
#[derive(Clone, Debug)]
pub struct Mistakes {
    /// At least one error; warnings among them. At most [`Mistakes::MOST`].
    pub list: Vec<Diagnostic>,
    /// How many errors there are in all, those beyond the list included.
    pub errors: usize,
}

impl Diagnostic {
    pub fn error(code: Code, title: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            title: title.into(),
            file: None,
            span: None,
            label: String::new(),
            also: None,
            help: None,
        }
    }

    pub fn warning(code: Code, title: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, title) }
    }

    /// Underlines `span` and writes `label` beside it.
    pub fn at(mut self, span: Range<usize>, label: impl Into<String>) -> Diagnostic {
        self.span = Some(span);
        self.label = label.into();
        self
    }

    /// Words for whatever span it gets.
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = label.into();
        self
    }

    /// Shows another place that explains it.
    pub fn also(mut self, span: Range<usize>, label: impl Into<String>) -> Diagnostic {
        self.also = Some(Box::new((span, label.into())));
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    pub fn of(mut self, file: &Arc<Source>) -> Diagnostic {
        self.file = Some(Arc::clone(file));
        self
    }

    /// Line and column, both from 1, the column in characters.
    pub fn position(&self) -> Option<(usize, usize)> {
        let (file, span) = (self.file.as_ref()?, self.span.as_ref()?);
        Some(file.position(span.start))
    }

    /// In the style of rustc, ending with a line break.
    pub fn render(&self, paint: Paint) -> String {
        let renderer = match paint {
            Paint::Plain => Renderer::plain(),
            Paint::Coloured => Renderer::styled(),
        };
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(&self.title).id(self.code.as_str()));
        let mut notes = Vec::new();
        match (&self.file, &self.span) {
            (Some(file), Some(span)) => {
                let first = file.clamp(span.clone());
                let mut shown = file.lines(first.clone());
                let also = self.also.as_deref().map(|(span, label)| (file.clamp(span.clone()), label));
                if let Some((also, label)) = &also {
                    let both = first.start.min(also.start)..first.end.max(also.end);
                    if both.len() <= FAR {
                        shown = file.lines(both);
                    } else {
                        let (line, column) = file.position(also.start);
                        notes.push(format!("{label}: {}:{line}:{column}", file.name));
                    }
                }
                let within = |span: Range<usize>| span.start - shown.start..span.end - shown.start;
                // A Windows line ends with a carriage return, which is nobody's mistake.
                let excerpt = file.text.get(shown.clone()).unwrap_or_default().replace('\r', " ");
                let mut snippet = Snippet::source(excerpt)
                    .path(&file.name)
                    .line_start(file.position(shown.start).0)
                    .annotation(AnnotationKind::Primary.span(within(first)).label(&self.label));
                if let Some((also, label)) = also.filter(|_| notes.is_empty()) {
                    snippet = snippet.annotation(AnnotationKind::Context.span(within(also)).label(label));
                }
                group = group.element(snippet);
            }
            (Some(file), None) => group = group.element(Origin::path(&file.name)),
            (None, _) => {}
        }
        for note in &notes {
            group = group.element(Level::NOTE.message(note));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help));
        }
        let rendered = renderer.term_width(WIDTH).render(&[group]);
        rendered.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
    }
}

/// Columns of a terminal that long source lines are trimmed to.
const WIDTH: usize = 100;

/// Two places of one mistake that lie further apart than this many bytes are not shown in one
/// excerpt, so that rendering does not depend on the file's length.
const FAR: usize = 16 * 1024;

/// Whether a rendered text may hold colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Plain,
    Coloured,
}

impl Source {
    fn position(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |line_break| line_break + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// The span, cut to its first line and to the text.
    fn clamp(&self, span: Range<usize>) -> Range<usize> {
        let start = span.start.min(self.text.len());
        let end = span.end.clamp(start, self.text.len());
        let line = self.text.get(start..end).unwrap_or_default();
        start..start + line.find('\n').unwrap_or(line.len())
    }

    /// The whole lines that hold `span`, without their last line break.
    fn lines(&self, span: Range<usize>) -> Range<usize> {
        let start = self.text.get(..span.start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        let end = self.text.get(span.end..).and_then(|after| after.find('\n'));
        start..end.map_or(self.text.len(), |length| span.end + length)
    }
}

impl Mistakes {
    /// Mistakes listed at most; a person mends these first.
    pub const MOST: usize = 100;

    /// Sorts by place and cuts at [`Mistakes::MOST`], warnings first to go. `Err` without an error.
    pub fn collect(mut list: Vec<Diagnostic>) -> Result<Mistakes, Vec<Diagnostic>> {
        let place = |diagnostic: &Diagnostic| diagnostic.span.as_ref().map_or(0, |span| span.start);
        list.sort_by_key(place);
        let errors = list.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        if list.len() > Mistakes::MOST {
            list.sort_by_key(|diagnostic| diagnostic.severity);
            list.truncate(Mistakes::MOST);
            list.sort_by_key(place);
        }
        if errors == 0 { Err(list) } else { Ok(Mistakes { list, errors }) }
    }

    /// All of them, a blank line between two.
    pub fn render(&self, paint: Paint) -> String {
        let mut text = self.list.iter().map(|mistake| mistake.render(paint)).collect::<Vec<_>>().join("\n");
        let listed = self.list.iter().filter(|mistake| mistake.severity == Severity::Error).count();
        if self.errors > listed {
            text.push_str(&format!("\n… and {} more\n", self.errors - listed));
        }
        text
    }
}

impl From<Diagnostic> for Mistakes {
    fn from(mistake: Diagnostic) -> Mistakes {
        Mistakes { list: vec![mistake], errors: 1 }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Paint::Plain))
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Paint::Plain))
    }
}

impl std::error::Error for Diagnostic {}
impl std::error::Error for Mistakes {}

/// A file's own words, quoted in a message: on one line, not endless, harmless to a terminal.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 48;
    let mut line = String::new();
    for character in text.chars().take(LONGEST) {
        if character.is_control() {
            line.extend(character.escape_debug());
        } else {
            line.push(character);
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}
