//! Outline of a regular expression for the index: its leading segments and its literals.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::super::outline::{Outline, Tail};

/// Maximum number of alternatives in one list of literals; longer lists are left out.
const MOST_ALTERNATIVES: usize = 64;

/// Outline of every path that `hir` matches from end to end.
pub(super) fn of(hir: &Hir) -> Outline {
    let mut segments = Segments::default();
    let (front, tail) = match optional_tail(hir) {
        Some(front) => (front, Tail::Rest),
        None => (std::slice::from_ref(hir), Tail::End),
    };
    let tail = match front.iter().try_for_each(|part| segments.walk(part)) {
        Some(()) => {
            segments.close();
            tail
        }
        None => Tail::Rest,
    };
    let mut literals = Literals::default();
    literals.walk(hir);
    literals.close();
    Outline { segments: segments.done, tail, literals: literals.done }
}

/// Reads leading segments off an expression, as far as slashes can only stand where they are
/// written.
#[derive(Default)]
struct Segments {
    done: Vec<Option<Box<str>>>,
    /// The segment begun; none before the first slash.
    open: Option<Open>,
}

enum Open {
    Text(Vec<u8>),
    Any,
}

impl Segments {
    /// `None` where reading has to stop.
    fn walk(&mut self, hir: &Hir) -> Option<()> {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Some(()),
            HirKind::Literal(literal) => literal.0.iter().try_for_each(|byte| self.push(*byte)),
            HirKind::Capture(capture) => self.walk(&capture.sub),
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.walk(part)),
            HirKind::Class(_) | HirKind::Repetition(_) | HirKind::Alternation(_) => {
                if may_contain_slash(hir) {
                    return None;
                }
                // Without a segment begun, the text does not begin with a slash for sure.
                *self.open.as_mut()? = Open::Any;
                Some(())
            }
        }
    }

    fn push(&mut self, byte: u8) -> Option<()> {
        if byte == b'/' {
            self.close();
            self.open = Some(Open::Text(Vec::new()));
        } else if let Open::Text(text) = self.open.as_mut()? {
            text.push(byte);
        }
        Some(())
    }

    fn close(&mut self) {
        match self.open.take() {
            Some(Open::Text(text)) => self.done.push(String::from_utf8(text).ok().map(Into::into)),
            Some(Open::Any) => self.done.push(None),
            None => {}
        }
    }
}

/// The part before an optional tail that begins with a slash, as in `/items(/.*)?`.
fn optional_tail(hir: &Hir) -> Option<&[Hir]> {
    let HirKind::Concat(parts) = hir.kind() else { return None };
    let (last, front) = parts.split_last()?;
    let HirKind::Repetition(repetition) = last.kind() else { return None };
    begins_with_slash(&repetition.sub).then_some(front)
}

fn begins_with_slash(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.first() == Some(&b'/'),
        HirKind::Capture(capture) => begins_with_slash(&capture.sub),
        HirKind::Concat(parts) => parts.first().is_some_and(begins_with_slash),
        _ => false,
    }
}

fn may_contain_slash(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'/'),
        HirKind::Class(Class::Bytes(class)) => {
            class.iter().any(|range| (range.start()..=range.end()).contains(&b'/'))
        }
        HirKind::Class(Class::Unicode(class)) => {
            class.iter().any(|range| (range.start()..=range.end()).contains(&'/'))
        }
        HirKind::Repetition(repetition) => may_contain_slash(&repetition.sub),
        HirKind::Capture(capture) => may_contain_slash(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(may_contain_slash),
    }
}

/// Collects literals that cannot be absent, joined over groups.
#[derive(Default)]
struct Literals {
    done: Vec<Vec<Box<[u8]>>>,
    /// The literal being read.
    run: Vec<u8>,
}

impl Literals {
    fn walk(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => self.run.extend_from_slice(&literal.0),
            HirKind::Class(class) => match one_letter(class) {
                Some(letter) => self.run.push(letter),
                None => self.close(),
            },
            HirKind::Capture(capture) => self.walk(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.walk(part)),
            HirKind::Repetition(repetition) => {
                self.close();
                if repetition.min > 0 {
                    self.walk(&repetition.sub);
                    self.close();
                }
            }
            HirKind::Alternation(branches) => {
                self.close();
                let alternatives: Option<Vec<Box<[u8]>>> = branches.iter().map(longest).collect();
                self.done.extend(alternatives.filter(|list| list.len() <= MOST_ALTERNATIVES));
            }
        }
    }

    fn close(&mut self) {
        if !self.run.is_empty() {
            self.done.push(vec![std::mem::take(&mut self.run).into()]);
        }
    }
}

/// The longest literal that one branch of an alternation requires.
fn longest(branch: &Hir) -> Option<Box<[u8]>> {
    let mut literals = Literals::default();
    literals.walk(branch);
    literals.close();
    let single = literals.done.into_iter().filter(|list| list.len() == 1).flatten();
    single.max_by_key(|literal| literal.len())
}

/// The letter of a case-insensitive class like `[Aa]`.
fn one_letter(class: &Class) -> Option<u8> {
    let bounds: Vec<u32> = match class {
        Class::Bytes(class) => class.iter().flat_map(|r| [r.start().into(), r.end().into()]).collect(),
        Class::Unicode(class) => class.iter().flat_map(|r| [r.start().into(), r.end().into()]).collect(),
    };
    let single = bounds.chunks(2).all(|range| range.first() == range.last());
    let mut letters = bounds.iter().map(|letter| Some(u8::try_from(*letter).ok()?.to_ascii_lowercase()));
    let first = letters.next()??;
    (single && letters.all(|letter| letter == Some(first))).then_some(first)
}
