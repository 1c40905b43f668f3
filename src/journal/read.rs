//! Reading a journal file back, line by line: one that a killed process left behind too.

use std::io::{self, BufRead, Read as _};

use super::line::{Header, JournalLine};

/// Maximum length of a line in bytes: a header with as many rules as a file may have.
const LONGEST: u64 = 256 << 20;

/// Calls `each` with every line of `journal`, from its first header on.
///
/// # Errors
/// The reader's errors; [`io::ErrorKind::InvalidData`] when this is no journal of a known format.
pub fn read(mut journal: impl BufRead, each: &mut dyn FnMut(JournalLine)) -> io::Result<()> {
    let mut text = Vec::new();
    let mut has_header = false;
    loop {
        text.clear();
        if journal.by_ref().take(LONGEST).read_until(b'\n', &mut text)? == 0 {
            break;
        }
        match JournalLine::parse(text.trim_ascii()) {
            Some(JournalLine::Header(header)) if header.journal != Header::FORMAT => {
                return Err(invalid(format!(
                    "it is a journal of format {}, which fracas {} wrote; this one reads format {}",
                    header.journal,
                    header.fracas,
                    Header::FORMAT
                )));
            }
            Some(line) => {
                has_header |= matches!(line, JournalLine::Header(_));
                if !has_header {
                    return Err(invalid("it does not begin as a journal does".to_owned()));
                }
                each(line);
            }
            None if text.trim_ascii().is_empty() => {}
            None if has_header => each(JournalLine::Torn),
            None => {}
        }
    }
    if !has_header {
        return Err(invalid("it is no journal of fracas".to_owned()));
    }
    Ok(())
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::RuleCounts;
    use crate::model::Attempt;
    use crate::rules::Config;

    fn json(line: &impl serde::Serialize) -> String {
        serde_json::to_string(line).expect("JSON")
    }

    fn lines(text: &str) -> io::Result<Vec<JournalLine>> {
        let mut lines = Vec::new();
        read(text.as_bytes(), &mut |line| lines.push(line)).map(|()| lines)
    }

    #[test]
    fn what_was_written_is_read_and_torn_lines_are_told() {
        let header = Header::new(&Config::builtin(), "2026-01-31T00:00:00Z".to_owned());
        let attempt = Attempt { id: 7, method: "PUT".into(), ..Attempt::default() };
        let tallies = RuleCounts {
            tallies: vec![(0, 2, 1)],
            dropped: 3,
            lost: 4,
            ended: true,
            clients_gone: true,
            ..RuleCounts::default()
        };
        let whole = format!("{}\n{}\n{}\n", json(&header), json(&attempt), json(&tallies));
        let all = [
            JournalLine::Header(Box::new(header)),
            JournalLine::Attempt(Box::new(attempt.clone())),
            JournalLine::Tallies(tallies),
        ];
        let with_torn = [&all[..], &[JournalLine::Torn]].concat();
        assert_eq!(lines(&whole).expect("a journal"), all);
        // Torn at each of its bytes, all but the torn line is there.
        let torn = json(&attempt);
        for end in 1..torn.len() {
            let read = lines(&format!("{whole}{}", &torn[..end])).expect("a journal");
            assert_eq!(read, with_torn, "{}", &torn[..end]);
        }
        // The next run goes on below it.
        let read = lines(&format!("{whole}{}\n{whole}", &torn[..9])).expect("a journal");
        assert_eq!(read, [&with_torn[..], &all].concat());
        // A header that is torn begins nothing; it was written again.
        let read = lines(&format!("{}\n{whole}", &whole[..30])).expect("a journal");
        assert_eq!(read, all);
    }

    #[test]
    fn what_is_no_journal_is_refused() {
        let attempt = json(&Attempt::default());
        for text in ["", "\n", "# rules", "{}", &attempt, r#"{"tallies":[],"dropped":0}"#] {
            assert_eq!(lines(text).expect_err(text).kind(), io::ErrorKind::InvalidData);
        }
        let mut header = Header::new(&Config::builtin(), String::new());
        header.journal = 1;
        assert!(lines(&json(&header)).expect_err("another format").to_string().contains("format 1"));
    }
}
