//! Reading a journal file back, line by line: one that a killed process left behind too.

use std::io::{self, BufRead, Read as _};

use super::line::{Header, Line};

/// Lines that are none: the last one of a process that was killed, or of a full disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    pub lines: u64,
}

/// The longest line that is read: a header with as many rules as a file may have.
const LONGEST: u64 = 256 << 20;

/// Calls `each` with every line of `journal`. A torn line is left out and counted.
///
/// # Errors
/// What reading fails with; [`io::ErrorKind::InvalidData`] when this is no journal of a known format.
pub fn read(mut journal: impl BufRead, each: &mut dyn FnMut(Line)) -> io::Result<Damage> {
    let mut damage = Damage::default();
    let mut text = Vec::new();
    let mut has_header = false;
    loop {
        text.clear();
        if journal.by_ref().take(LONGEST).read_until(b'\n', &mut text)? == 0 {
            break;
        }
        match Line::parse(text.trim_ascii()) {
            Some(Line::Header(header)) if header.journal != Header::FORMAT => {
                return Err(invalid(format!(
                    "it is a journal of format {}, which fracas {} wrote; this one reads format {}",
                    header.journal,
                    header.fracas,
                    Header::FORMAT
                )));
            }
            Some(line) => {
                has_header |= matches!(line, Line::Header(_));
                if !has_header {
                    return Err(invalid("it does not begin as a journal does".to_owned()));
                }
                each(line);
            }
            None if text.trim_ascii().is_empty() => {}
            None => damage.lines += 1,
        }
    }
    if !has_header {
        return Err(invalid("it is no journal of fracas".to_owned()));
    }
    Ok(damage)
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Tallies;
    use crate::rules::Config;
    use crate::words::Attempt;

    fn json(line: &impl serde::Serialize) -> String {
        serde_json::to_string(line).expect("JSON")
    }

    fn lines(text: &str) -> io::Result<(Vec<Line>, Damage)> {
        let mut lines = Vec::new();
        let damage = read(text.as_bytes(), &mut |line| lines.push(line))?;
        Ok((lines, damage))
    }

    #[test]
    fn what_was_written_is_read_but_for_torn_lines() {
        let header = Header::new(&Config::builtin(), "2026-01-31T00:00:00Z".to_owned());
        let attempt = Attempt { id: 7, method: "PUT".into(), ..Attempt::default() };
        let tallies =
            Tallies { tallies: vec![(0, 2, 1)], dropped: 3, clients_gone: true, ..Tallies::default() };
        let whole = format!("{}\n{}\n{}\n", json(&header), json(&attempt), json(&tallies));
        let all = [
            Line::Header(Box::new(header)),
            Line::Attempt(Box::new(attempt.clone())),
            Line::Tallies(tallies),
        ];
        assert_eq!(lines(&whole).expect("a journal"), (all.to_vec(), Damage::default()));
        // Torn at each of its bytes, all but the torn line is there.
        let torn = json(&attempt);
        for end in 1..torn.len() {
            let (read, damage) = lines(&format!("{whole}{}", &torn[..end])).expect("a journal");
            assert_eq!((read.as_slice(), damage.lines), (&all[..], 1), "{}", &torn[..end]);
        }
        // The next run goes on below it.
        let (read, damage) = lines(&format!("{whole}{}\n{whole}", &torn[..9])).expect("a journal");
        assert_eq!((read.len(), damage.lines), (6, 1));
    }

    #[test]
    fn what_is_no_journal_is_refused() {
        let attempt = json(&Attempt::default());
        for text in ["", "\n", "# rules", "{}", &attempt, r#"{"tallies":[],"dropped":0}"#] {
            assert_eq!(lines(text).expect_err(text).kind(), io::ErrorKind::InvalidData);
        }
        let mut header = Header::new(&Config::builtin(), String::new());
        header.journal = 2;
        assert!(lines(&json(&header)).expect_err("another format").to_string().contains("format 2"));
    }
}
