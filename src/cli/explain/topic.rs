//! `fracas explain R5` and `fracas explain bad-duration`: the question of a check, and the meaning of a code.

use super::examples;
use crate::cli::startup_error::StartupError;
use crate::grading::CHECKS;
use crate::rules::Code;

/// The document with the sections shown.
const GRADING: &str = include_str!("../../../docs/GRADING.md");

/// Codes of failures outside of a rules file, and their meanings.
const SURROUNDINGS: [(&str, &str); 21] = [
    ("bad-method", "The word in the place of a method is none."),
    ("bad-path", "The word in the place of a path is none that a request could have."),
    ("bad-reply", "A reply that can never be made from its template."),
    ("cannot-listen", "The address cannot be listened on, for a reason that the system gives."),
    ("cannot-read", "`init --from` finds nothing in the file that rules could be written from."),
    ("cannot-run", "The command behind `run` is not there (exit code 127), or may not be executed (126)."),
    ("cannot-write", "A file cannot be written, for a reason that the system gives."),
    ("file-exists", "A file would be overwritten that may be somebody's work; `--force` does so."),
    ("journal", "The journal's file cannot be appended to, or cannot be read as one."),
    ("no-permission", "This user may not listen on the address: ports below 1024 are the administrator's."),
    ("no-randomness", "The system gives no random bytes, which the run's own key is made of."),
    (
        "no-roots",
        "The system has no certificates to check the upstream's by; `[upstream_tls] ca` names some.",
    ),
    ("no-such-address", "The address to listen on is not one of this machine."),
    ("no-such-command", "The command does not exist; `fracas help` lists those that do."),
    ("no-such-topic", "Neither a check nor a code; `fracas explain R1` and `fracas explain syntax` are."),
    ("no-thread", "The system gives no thread, or no event queue."),
    ("not-yet", "A flag or a key that is understood, but whose behaviour is not built yet."),
    ("port-taken", "Something else listens on the port; port 0 takes a free one."),
    ("ready-file", "The ready file cannot be written, or another file that is none is in its place."),
    ("same-file", "Two outputs, or an output and an input, are one file: one would destroy the other."),
    ("report", "A report cannot be written where it is asked for."),
];

/// The meaning of `name`.
pub fn about(name: &str) -> Result<String, StartupError> {
    // The form in messages: `error[bad-duration]`.
    let inside = name.split_once('[').and_then(|(_, rest)| rest.strip_suffix(']'));
    let word = inside.unwrap_or(name).to_ascii_lowercase();
    let check = CHECKS.iter().find(|check| check.id.to_string().eq_ignore_ascii_case(&word));
    if let Some(check) = check {
        return Ok(section(&format!("### {} ", check.id))
            .unwrap_or_else(|| format!("{}: {}\n", check.id, check.id.title())));
    }
    if let Some(code) = Code::ALL.iter().find(|code| code.as_str() == word) {
        let meaning = code.meaning();
        let example = examples::of(*code).map(|(text, said)| {
            let indented = |text: &str| format!("    {}\n", text.trim_end().replace('\n', "\n    "));
            format!("For example, of\n\n{}\nit is said:\n\n{}\n", indented(text), indented(&said))
        });
        let example = example.unwrap_or_default();
        return Ok(format!(
            "{code}\n\n{meaning}\n\n{example}It is about a rules file, or a flag that stands for a key of one: `fracas check` \
             shows each place,\nand what to write instead. docs/RULES.md describes every key.\n"
        ));
    }
    if let Some((code, meaning)) = SURROUNDINGS.iter().find(|(code, _)| *code == word) {
        return Ok(format!("{code}\n\n{meaning}\n"));
    }
    Err(unknown(name, &word))
}

/// The section of the document under a heading that begins so, to the next heading of its level or above.
fn section(heading: &str) -> Option<String> {
    let start = GRADING.lines().position(|line| line.starts_with(heading))?;
    let is_next = |line: &&str| line.starts_with("### ") || line.starts_with("## ");
    let lines = GRADING.lines().skip(start);
    let lines: Vec<&str> =
        lines.clone().take(1).chain(lines.skip(1).take_while(|line| !is_next(line))).collect();
    Some(format!("{}\n", lines.join("\n").trim_start_matches("### ").trim_end()))
}

fn unknown(name: &str, word: &str) -> StartupError {
    if http::Method::from_bytes(name.as_bytes())
        .is_ok_and(|method| method.as_str().bytes().all(|byte| byte.is_ascii_uppercase()))
    {
        let title = format!("which path? `{name}` is a method");
        return StartupError::new(
            "bad-path",
            title,
            format!("the path comes after it: `fracas explain {name} /items/7`"),
        );
    }
    let known = Code::ALL.iter().map(|code| code.as_str()).chain(SURROUNDINGS.map(|(code, _)| code));
    let nearest = known.min_by_key(|code| strsim::damerau_levenshtein(code, word)).unwrap_or("syntax");
    let title = format!("`{name}` is neither a check nor a code of a mistake");
    StartupError::new(
        "no-such-topic",
        title,
        format!(
            "checks are R1 to R17; of the codes, `{nearest}` is the nearest; a request has a path: `fracas explain PUT /items/7`"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_its_section_and_no_other() {
        for check in CHECKS {
            let text = about(&check.id.to_string().to_lowercase()).expect("a check");
            assert!(text.starts_with(&format!("{} ", check.id)), "{text}");
            assert!(text.lines().count() > 3 && !text.contains("\n#"), "{text}");
        }
    }

    #[test]
    fn every_code_that_is_shown_is_explained() {
        for code in Code::ALL {
            let text = about(&format!("error[{code}]")).expect("a code");
            assert!(text.contains(code.meaning()), "{text}");
        }
        // Codes of the command line are the first argument of a refusal in its sources.
        let mut files = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli"))];
        let mut codes = 0;
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(std::fs::read_dir(&path).expect("a folder").flatten().map(|entry| entry.path()));
                continue;
            }
            let source = std::fs::read_to_string(&path).expect("a source");
            for after in source.split("StartupError::new(").skip(1) {
                let Some(code) = after.trim_start().strip_prefix('"').and_then(|text| text.split('"').next())
                else {
                    continue;
                };
                if !code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
                    continue;
                }
                assert!(about(code).is_ok(), "{code} of {}", path.display());
                codes += 1;
            }
        }
        assert!(codes > 15, "{codes}");
    }

    #[test]
    fn what_is_none_says_what_there_is() {
        for (name, said) in [
            ("bad-duratoin", "`bad-duration`"),
            ("R99", "R1 to R17"),
            ("PUT", "`fracas explain PUT /items/7`"),
        ] {
            let Err(StartupError::Start { help, .. }) = about(name) else { panic!("{name}") };
            assert!(help.contains(said), "{help}");
        }
    }
}
