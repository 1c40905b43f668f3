//! `${NAME}`: other programs fill it from the environment, and here it stands for itself.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::rules::diagnostic::shown;
use crate::rules::{Code, Diagnostic};

/// A variable that stands in a text: the place of the text, and the correction.
pub struct Variable {
    pub text: Range<usize>,
    pub mistake: Diagnostic,
}

/// Every text of the file that holds a variable, one mistake each.
pub fn find(file: &DeTable<'_>) -> Vec<Variable> {
    let mut found = Vec::new();
    in_table(file, &mut Vec::new(), &mut found);
    found
}

fn in_table<'t>(table: &'t DeTable<'_>, at: &mut Vec<&'t str>, found: &mut Vec<Variable>) {
    for (key, value) in table {
        at.push(key.get_ref());
        in_value(value, at, found);
        at.pop();
    }
}

fn in_value<'t>(value: &'t Spanned<DeValue<'_>>, at: &mut Vec<&'t str>, found: &mut Vec<Variable>) {
    match value.get_ref() {
        DeValue::String(text) => {
            if let Some(name) = variable(text, is_text_of_reply(at)) {
                found.push(Variable { text: value.span(), mistake: mistake(at, name, text, value.span()) });
            }
        }
        DeValue::Array(items) => items.iter().for_each(|item| in_value(item, at, found)),
        DeValue::Table(table) => in_table(table, at, found),
        _ => {}
    }
}

/// There `{name}` is a placeholder, and one that is unknown is told of as such; a dollar before it may be money.
fn is_text_of_reply(at: &[&str]) -> bool {
    matches!(at, [.., "reply", "body"] | [.., "reply", "headers", _])
}

/// The name of the first variable in `text`: `${NAME}`, `${NAME:-default}`, `$NAME` alone. Where lower case
/// would be a captured name, or a placeholder, only capitals are taken for a variable.
fn variable(text: &str, is_template: bool) -> Option<&str> {
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let is_loud = |name: &str| is_name(name) && !name.bytes().any(|byte| byte.is_ascii_lowercase());
    if let Some(name) = text.strip_prefix('$').filter(|name| is_loud(name)) {
        return Some(name);
    }
    let is_strict = is_template || text.contains('/');
    text.match_indices("${").find_map(|(start, sign)| {
        let inside = text.get(start + sign.len()..)?.split_once('}')?.0;
        let (name, rest) = inside.split_at(inside.find([':', '-', '?', '+', '=']).unwrap_or(inside.len()));
        let is_variable = if is_strict && rest.is_empty() { is_loud(name) } else { is_name(name) };
        is_variable.then_some(name)
    })
}

fn mistake(at: &[&str], name: &str, text: &str, span: Range<usize>) -> Diagnostic {
    let title = format!("nothing fills `${{{}}}` in", shown(name));
    let key = at.last().copied().unwrap_or_default();
    let by_flag = match at {
        ["upstream" | "listen" | "seed" | "workers"] => {
            let key = shown(key);
            format!(
                "`--{key}` and the variable `FRACAS_{}` go over the file: leave `{key}` out;\n",
                key.to_uppercase()
            )
        }
        [.., "header" | "query" | "cookie", _] if text.starts_with('$') => {
            format!("for any value write `{} = true`;\n", shown(key))
        }
        _ => String::new(),
    };
    let help = format!(
        "{by_flag}to fill it in beforehand: `envsubst '${}' < rules.toml > filled.toml`, then `--rules filled.toml`",
        shown(name)
    );
    Diagnostic::error(Code::UnknownPlaceholder, title)
        .at(span, "a rules file does not read the environment")
        .help(help)
}

#[cfg(test)]
mod tests {
    use super::variable;

    #[test]
    fn variables_are_told_from_names_and_placeholders() {
        for (text, is_template, name) in [
            ("${TENANT}", false, Some("TENANT")),
            ("x-${TENANT}-y", false, Some("TENANT")),
            ("${tenant}", false, Some("tenant")),
            ("${HOST:-localhost}", false, Some("HOST")),
            ("$TENANT", false, Some("TENANT")),
            ("http://${HOST}:80", false, Some("HOST")),
            ("/t/${TENANT}/x", false, Some("TENANT")),
            ("/t/${id}/x", false, None),
            ("{\"price\":\"${key}\"}", true, None),
            ("${TENANT}", true, Some("TENANT")),
            ("$", false, None),
            ("$5", false, None),
            ("${}", false, None),
            ("${a b}", false, None),
            ("$ref", false, None),
            ("a$$b", false, None),
        ] {
            assert_eq!(variable(text, is_template), name, "{text}");
        }
    }
}
