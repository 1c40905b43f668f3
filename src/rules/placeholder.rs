//! `{{placeholders}}` in the replies of a rules file: which there are, and where they stand in a text.

use std::ops::Range;

use super::keys::nearest;
use super::units::TextMistake;
use super::{diagnostic::shown, read::pointer};

/// Those without an argument, and what each is filled with.
pub(super) const PLAIN: [(&str, &str); 10] = [
    ("rule", "the rule's name"),
    ("kind", "the situation played, `version` say"),
    ("phase", "`before`, `after` or `lost`"),
    ("n", "the number of the request under its key, from 1"),
    ("status", "the answer's status"),
    ("retry_after", "the seconds of `Retry-After`; nothing without one"),
    ("method", "the request's method"),
    ("path", "the request's path"),
    ("host", "the host that the client asked for"),
    ("uuid", "a UUID drawn for this conflict"),
];

/// Those with a name, `{{header:x-request-id}}`, and what each is filled with; nothing when the
/// request lacks it.
pub(super) const NAMED: [(&str, &str); 5] = [
    ("param", "a segment or group that the rule's path captures"),
    ("header", "a header of the request"),
    ("query", "a query parameter of the request"),
    ("cookie", "a cookie of the request"),
    ("body", "what a JSON pointer finds in the request's body"),
];

/// Where the placeholders of a text stand, braces included, and what is between the braces.
pub fn placeholders(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let open = at + text.get(at..)?.find("{{")?;
        let close = open + text.get(open..)?.find("}}")?;
        at = close + 2;
        Some((open..at, text.get(open + 2..close)?.trim()))
    })
}

/// The first placeholder of a text that nothing fills.
pub(super) fn check(text: &str, captured: &[&str]) -> Result<(), TextMistake> {
    for (span, inside) in placeholders(text) {
        let problem = match inside.split_once(':') {
            None => plain_problem(inside),
            Some(("param", name)) if !captured.contains(&name) => {
                Some(format!("the path does not capture `{}`", shown(name)))
            }
            Some(("body", at)) => pointer(at).err().map(|mistake| mistake.message),
            Some((source, "")) => Some(format!("which {}? write {{{{{source}:NAME}}}}", shown(source))),
            Some((source, _)) if NAMED.iter().any(|(name, _)| *name == source) => None,
            Some((source, _)) => Some(match nearest(source, NAMED.map(|(name, _)| name)) {
                Some(meant) => format!("did you mean `{meant}:`?"),
                None => "nothing fills this".to_owned(),
            }),
        };
        if let Some(problem) = problem {
            return Err(TextMistake::new(span, problem));
        }
    }
    Ok(())
}

fn plain_problem(inside: &str) -> Option<String> {
    let words = PLAIN.map(|(name, _)| name);
    if words.contains(&inside) {
        return None;
    }
    if NAMED.iter().any(|(name, _)| *name == inside) {
        return Some(format!("which {inside}? write {{{{{inside}:NAME}}}}"));
    }
    Some(match nearest(inside, words) {
        Some(meant) => format!("did you mean {{{{{meant}}}}}?"),
        None => "nothing fills this".to_owned(),
    })
}

/// "one of {{rule}}, …" for help.
pub(super) fn listing() -> String {
    let plain = PLAIN.iter().map(|(name, _)| format!("{{{{{name}}}}}"));
    let named = NAMED
        .iter()
        .map(|(name, _)| format!("{{{{{name}:{}}}}}", if *name == "body" { "/pointer" } else { "NAME" }));
    format!("placeholders: {}", plain.chain(named).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_stand_between_double_braces() {
        for (text, found) in [
            ("", vec![]),
            ("{\"a\":{}}", vec![]),
            ("{{rule}}", vec![(0..8, "rule")]),
            ("a{{ n }}b{{header:x}}", vec![(1..8, "n"), (9..21, "header:x")]),
            ("{{open", vec![]),
            ("}}{{n}}", vec![(2..7, "n")]),
        ] {
            assert_eq!(placeholders(text).collect::<Vec<_>>(), found, "{text}");
        }
    }

    #[test]
    fn a_placeholder_that_nothing_fills_is_found() {
        for text in ["{{rule}} {{n}}", "{{param:id}}", "{{header:x-id}}", "{{body:/a}}", "{ }"] {
            assert_eq!(check(text, &["id"]), Ok(()), "{text}");
        }
        for text in
            ["{{rle}}", "{{param:name}}", "{{headr:x}}", "{{header:}}", "{{header}}", "{{body:a}}", "{{}}"]
        {
            let whole = 0..text.len();
            assert_eq!(check(text, &["id"]).map_err(|mistake| mistake.at), Err(whole), "{text}");
        }
    }
}
