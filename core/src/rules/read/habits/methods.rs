//! Methods as other programs write them.

/// The correction of a method that is none, or that stands for several.
pub fn advice(text: &str) -> Option<String> {
    let bare = text.trim();
    if matches!(&*bare.to_ascii_uppercase(), "*" | "**" | ".*" | "ANY" | "ALL" | "EVERY" | "") {
        return Some(
            "leave `method` out: without it a rule is about any method but OPTIONS and CONNECT".to_owned(),
        );
    }
    let negated = ["!", "-", "not ", "NOT ", "~"].iter().find_map(|sign| bare.strip_prefix(sign));
    if let Some(method) = negated.filter(|method| is_word(method)) {
        return Some(format!("write `not = {{ method = \"{}\" }}`", method.to_ascii_uppercase()));
    }
    let signs = [',', ' ', '|', '/', ';', '+', '(', ')', '^', '$', '[', ']', '"', '\''];
    let methods: Vec<&str> = bare.split(signs).filter(|piece| !piece.is_empty()).collect();
    if methods.len() < 2 || methods.len() > MOST || !methods.iter().all(|method| is_word(method)) {
        return None;
    }
    let listed: Vec<String> =
        methods.iter().map(|method| format!("\"{}\"", method.to_ascii_uppercase())).collect();
    Some(format!("several methods are a list: [{}]", listed.join(", ")))
}

/// Longer lists are not repeated.
const MOST: usize = 12;

fn is_word(text: &str) -> bool {
    (3..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn several_any_and_all_but_one_have_their_own_words() {
        for (text, part) in [
            ("GET|POST", "[\"GET\", \"POST\"]"),
            ("PUT, PATCH", "[\"PUT\", \"PATCH\"]"),
            ("put patch delete", "[\"PUT\", \"PATCH\", \"DELETE\"]"),
            ("GET/HEAD", "[\"GET\", \"HEAD\"]"),
            ("^(GET|POST)$", "[\"GET\", \"POST\"]"),
            ("[\"GET\",\"POST\"]", "[\"GET\", \"POST\"]"),
            ("*", "leave `method` out"),
            ("ANY", "leave `method` out"),
            ("any", "leave `method` out"),
            ("All", "leave `method` out"),
            (".*", "leave `method` out"),
            ("", "leave `method` out"),
            ("!GET", "not = { method = \"GET\" }"),
            ("not get", "not = { method = \"GET\" }"),
        ] {
            let told = advice(text).unwrap_or_default();
            assert!(told.contains(part), "{text}: {told}");
        }
        for text in ["GET", "get", "PURGE", "VERSION-CONTROL", "M-SEARCH", "G E T", "é|è"] {
            assert_eq!(advice(text), None, "{text}");
        }
    }
}
