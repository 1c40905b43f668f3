//! Any text is either rules or a list of mistakes that can be shown.

use fracas::engine::RuleSet;
use fracas::rules::{BodyFileError, Paint, read};

pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match read("rules.toml", &text, &|_| Err(BodyFileError::Missing)) {
        Ok(accepted) => {
            for warning in accepted.warnings {
                assert!(!warning.render(Paint::Plain).is_empty());
            }
            // Reading must find every mistake in the text of a reply.
            let config = accepted.config;
            assert!(RuleSet::new(config.rules, config.settings.seed, true).is_ok(), "valid, and yet not");
        }
        Err(mistakes) => {
            assert!(mistakes.errors > 0, "no mistake, and yet not accepted");
            for mistake in &mistakes.list {
                assert!(mistake.render(Paint::Plain).contains(&mistake.title), "{mistake:?}");
                if let (Some(file), Some(span)) = (&mistake.file, &mistake.span) {
                    let is_place = |at| file.text.is_char_boundary(at);
                    assert!(
                        span.start <= span.end && is_place(span.start) && is_place(span.end),
                        "{mistake:?}"
                    );
                }
            }
            assert!(!mistakes.render(Paint::Coloured).is_empty());
        }
    }
}
