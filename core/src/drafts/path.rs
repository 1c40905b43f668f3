//! Paths of other notations as path patterns.

use crate::matching::PathPattern;

/// The path template of an OpenAPI description, as a pattern; `None` where no pattern says the same.
pub(super) fn of_template(template: &str) -> Option<String> {
    let path = template.split(['?', '#']).next().unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    let mut pattern = String::new();
    for segment in path.split('/').skip(1) {
        pattern.push('/');
        pattern.push_str(&of_segment(segment, &mut names));
    }
    (path.starts_with('/') && PathPattern::parse(&pattern).is_ok()).then_some(pattern)
}

/// `{user-id}` becomes `{user_id}`, and a name that is there already gets a number.
fn of_segment(segment: &str, names: &mut Vec<String>) -> String {
    let mut written = String::new();
    let mut rest = segment;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else { break };
        written.push_str(before);
        // Two names side by side, with nothing that says where one ends.
        if before.is_empty() && !written.is_empty() {
            return "*".to_owned();
        }
        if name.ends_with(['*', '+']) || name.starts_with(['*', '+']) {
            return if before.is_empty() && after.is_empty() { "**".to_owned() } else { "*".to_owned() };
        }
        let mut plain: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        if plain.is_empty() || plain.starts_with(|c: char| c.is_ascii_digit()) {
            plain.insert(0, '_');
        }
        let same = names.iter().filter(|name| **name == plain).count();
        names.push(plain.clone());
        let number = if same > 0 { format!("_{}", same + 1) } else { String::new() };
        written.push_str(&format!("{{{plain}{number}}}"));
        rest = after;
    }
    written + rest
}

/// The path of a request that was seen, with `{id}` for segments that look like one resource's id.
pub(super) fn of_request(path: &str) -> Option<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut ids = 0;
    let mut pattern = String::new();
    for segment in path.split('/').skip(1) {
        pattern.push('/');
        if !is_id(segment) {
            pattern.push_str(&segment.replace('{', "%7B").replace('}', "%7D"));
            continue;
        }
        ids += 1;
        match ids {
            1 => pattern.push_str("{id}"),
            more => pattern.push_str(&format!("{{id{more}}}")),
        }
    }
    (path.starts_with('/') && PathPattern::parse(&pattern).is_ok()).then_some(pattern)
}

/// Digits, a UUID, or a long word with digits and letters, as ids are.
fn is_id(segment: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let digits = segment.chars().filter(char::is_ascii_digit).count();
    let is_number = !segment.is_empty() && digits == segment.len();
    // `v1` and `oauth2` are names.
    is_number || segment.len() >= 8 && segment.chars().all(is_word) && digits >= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_become_patterns() {
        for (template, pattern) in [
            ("/items/{id}", Some("/items/{id}")),
            ("/users/{user-id}/x/{user.id}", Some("/users/{user_id}/x/{user_id_2}")),
            ("/a/{1st}", Some("/a/{_1st}")),
            ("/compare/{base}...{head}", Some("/compare/{base}...{head}")),
            ("/x/{a}{b}", Some("/x/*")),
            ("/files/{path*}", Some("/files/**")),
            ("/v1/{name}:cancel", Some("/v1/{name}:cancel")),
            ("/a?x=1", Some("/a")),
            ("a", None),
            ("/a b", None),
        ] {
            assert_eq!(of_template(template).as_deref(), pattern, "{template}");
        }
    }

    #[test]
    fn ids_in_paths_are_told_from_names() {
        for (path, pattern) in [
            ("/items/7", "/items/{id}"),
            ("/v1/orders/42/lines/3?x=1", "/v1/orders/{id}/lines/{id2}"),
            ("/x/0f8fad5b-d9cb-469f-a165-70867728950e", "/x/{id}"),
            ("/charges/ch_3MqLiJLkdIwHu7ix0snN0B15", "/charges/{id}"),
            ("/oauth2/token", "/oauth2/token"),
            ("/a{b", "/a%7Bb"),
            ("/", "/"),
        ] {
            assert_eq!(of_request(path).as_deref(), Some(pattern), "{path}");
        }
    }
}
