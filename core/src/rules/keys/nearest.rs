//! Which word was meant.

/// The word of `words` that is nearest to `given`, when one is near enough to be meant.
pub(in crate::rules) fn nearest<'w>(
    given: &str,
    words: impl IntoIterator<Item = &'w str>,
) -> Option<&'w str> {
    // A longer word is not a slip of one of ours, and comparing it would take its length times ours.
    const LONGEST: usize = 64;
    if given.len() > LONGEST {
        return None;
    }
    let folded = given.to_ascii_lowercase().replace('-', "_");
    words
        .into_iter()
        .map(|word| {
            (strsim::damerau_levenshtein(&folded, &word.to_ascii_lowercase().replace('-', "_")), word)
        })
        .filter(|(distance, word)| *distance <= slips(word))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// How many slips of the keyboard still leave a word recognisable.
fn slips(word: &str) -> usize {
    match word.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        6..=8 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_word_that_was_meant_is_found_and_no_other() {
        let words = ["rate", "every", "retry_after", "path", "per", "on", "body_file"];
        for (given, meant) in [
            ("evry", Some("every")),
            ("Rate", Some("rate")),
            ("retry-after", Some("retry_after")),
            ("retryAfter", Some("retry_after")),
            ("bodyfile", Some("body_file")),
            ("paht", Some("path")),
            ("in", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, words), meant, "{given}");
        }
        assert_eq!(nearest(&"x".repeat(1_000_000), words), None);
    }
}
