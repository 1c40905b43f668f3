//! A mistake in a rules file as a person sees it: the place, the mistake, and its correction.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::Code;

/// One mistake, or one thing that is odd.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    /// One line, lower case, without a full stop.
    pub title: String,
    /// The file it is in; `None` for a mistake outside every file, in a flag say.
    pub file: Option<Arc<SourceText>>,
    /// Where in the file, in bytes.
    pub span: Option<Range<usize>>,
    /// Stands beside the underlined span.
    pub label: String,
    /// Another place that explains it, with its own label.
    pub also: Option<Box<Also>>,
    /// The next step.
    pub help: Option<String>,
}

/// Another place that explains a mistake.
#[derive(Clone, Debug)]
pub struct Also {
    /// The file it is in; `None`: that of the mistake.
    pub file: Option<Arc<SourceText>>,
    pub span: Range<usize>,
    pub label: String,
}

/// A file's name and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    pub name: String,
    pub text: String,
}

/// Whether the file can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can; but its text may not be meant.
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

    /// Words for the span that it gets.
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = label.into();
        self
    }

    /// Shows another place that explains it.
    pub fn also(mut self, span: Range<usize>, label: impl Into<String>) -> Diagnostic {
        self.also = Some(Box::new(Also { file: None, span, label: label.into() }));
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// The same in a text that begins `by` bytes further on.
    pub(super) fn shifted(mut self, by: usize) -> Diagnostic {
        let shift = |span: &mut Range<usize>| *span = span.start + by..span.end + by;
        self.span.iter_mut().for_each(shift);
        self.also.iter_mut().for_each(|also| shift(&mut also.span));
        self
    }

    pub fn of(mut self, file: &Arc<SourceText>) -> Diagnostic {
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
        let title = Group::with_title(level.primary_title(&self.title).id(self.code.as_str()));
        let mut group = match (&self.file, &self.span) {
            (Some(file), Some(span)) => self.excerpt(title, file, span),
            (Some(file), None) => title.element(Origin::path(&file.name)),
            (None, _) => title,
        };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help));
        }
        let rendered = renderer.term_width(WIDTH).render(&[group]);
        rendered.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
    }

    /// The lines in question, underlined.
    fn excerpt<'d>(&'d self, title: Group<'d>, file: &'d SourceText, span: &Range<usize>) -> Group<'d> {
        let first = file.clamp(span.clone());
        let also = self.also.as_deref();
        let elsewhere = also.and_then(|also| Some((also, also.file.as_deref()?)));
        let elsewhere = elsewhere.filter(|(_, other)| *other != file);
        let also =
            also.filter(|_| elsewhere.is_none()).map(|also| (file.clamp(also.span.clone()), &also.label));
        let (near, far) = match also {
            Some((also, label)) if first.start.max(also.start) - first.start.min(also.start) <= FAR => {
                (Some((also, label)), None)
            }
            other => (None, other),
        };
        let both = near
            .as_ref()
            .map_or(first.clone(), |(also, _)| first.start.min(also.start)..first.end.max(also.end));
        let shown = file.around(both);
        let within = |span: Range<usize>| {
            let at = |at: usize| at.clamp(shown.start, shown.end) - shown.start;
            at(span.start)..at(span.end)
        };
        // A Windows line ends with a carriage return, which is no mistake.
        let text = file.text.get(shown.clone()).unwrap_or_default().replace('\r', " ");
        let (line, column) = file.position(first.start);
        let mut snippet = Snippet::source(text)
            .line_start(file.position(shown.start).0)
            .annotation(AnnotationKind::Primary.span(within(first)).label(&self.label));
        if let Some((also, label)) = near {
            snippet = snippet.annotation(AnnotationKind::Context.span(within(also)).label(label));
        }
        // A snippet counts columns from its own start, which is wrong within a line.
        let is_whole =
            file.text.get(..shown.start).is_none_or(|before| before.is_empty() || before.ends_with('\n'));
        let group = if is_whole {
            title.element(snippet.path(&file.name))
        } else {
            title.element(Origin::path(&file.name).line(line).char_column(column)).element(snippet)
        };
        if let Some((also, other)) = elsewhere {
            return group.element(other.piece(&also.span, &also.label));
        }
        match far {
            Some((also, label)) => {
                let (line, column) = file.position(also.start);
                group.element(Level::NOTE.message(format!("{label}: {}:{line}:{column}", file.name)))
            }
            None => group,
        }
    }
}

/// Columns of a terminal that long source lines are trimmed to.
const WIDTH: usize = 100;

/// Rendering takes time with the bytes it is given, so it is not given more than about this many
/// on either side of a mistake; two places further apart than this are not shown in one excerpt.
const FAR: usize = 4 * 1024;

/// Whether a rendered text may hold colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Plain,
    Coloured,
}

impl SourceText {
    fn position(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        (before.matches('\n').count() + 1, line.chars().count() + 1)
    }

    /// The lines of `span`, as context.
    fn piece<'d>(&'d self, span: &Range<usize>, label: &'d str) -> Snippet<'d, Annotation<'d>> {
        let span = self.clamp(span.clone());
        let shown = self.around(span.clone());
        let at = |at: usize| at.clamp(shown.start, shown.end) - shown.start;
        let text = self.text.get(shown.clone()).unwrap_or_default().replace('\r', " ");
        Snippet::source(text)
            .line_start(self.position(shown.start).0)
            .path(&self.name)
            .annotation(AnnotationKind::Context.span(at(span.start)..at(span.end)).label(label))
    }

    /// The span, cut to its first line, to the text and to [`FAR`].
    fn clamp(&self, span: Range<usize>) -> Range<usize> {
        let start = span.start.min(self.text.len());
        let end = self.text.floor_char_boundary(span.end.clamp(start, start.saturating_add(FAR)));
        let line = self.text.get(start..end).unwrap_or_default();
        start..start + line.find('\n').unwrap_or(line.len())
    }

    /// The whole lines that hold `span`, without their last line break; of very long ones, a piece.
    fn around(&self, span: Range<usize>) -> Range<usize> {
        let from = self.text.floor_char_boundary(span.start.saturating_sub(FAR));
        let to = self.text.ceil_char_boundary((span.end + FAR).min(self.text.len()));
        let before = self.text.get(from..span.start).unwrap_or_default();
        let after = self.text.get(span.end..to).unwrap_or_default();
        let start = before.rfind('\n').map_or(from, |at| from + at + 1);
        start..span.end + after.find('\n').unwrap_or(after.len())
    }
}

impl Mistakes {
    /// Mistakes listed at most; a person mends these first.
    pub const MOST: usize = 100;

    /// Sorts by place and cuts at [`Mistakes::MOST`], warnings first to go. `Err` without an error.
    /// `untold` errors are counted without being in the list.
    pub fn collect(mut list: Vec<Diagnostic>, untold: usize) -> Result<Mistakes, Vec<Diagnostic>> {
        let place = |diagnostic: &Diagnostic| diagnostic.span.as_ref().map_or(0, |span| span.start);
        list.sort_by_key(place);
        let listed = list.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        let errors = listed + untold;
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
