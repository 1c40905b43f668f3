//! A message as it stood on the wire, in a form that can be compared.

use std::fmt;

/// One request or response. `Debug` and `Display` show it as text, headers sorted.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The request line or status line.
    pub start: String,
    /// Names as they were spelt, sorted by name.
    pub headers: Vec<(String, String)>,
    /// Without its framing.
    pub body: Vec<u8>,
    pub trailers: Vec<(String, String)>,
    /// Sizes of chunks, when it was chunked.
    pub chunks: Option<Vec<usize>>,
}

impl Message {
    /// A message without its body.
    pub fn parse_head(head: &str) -> Message {
        let mut lines = head.trim_end_matches("\r\n").split("\r\n");
        let start = lines.next().unwrap_or_default().to_owned();
        Message { start, headers: parse_fields(lines), ..Message::default() }
    }

    /// The only value of a header; panics when there are more.
    pub fn header(&self, name: &str) -> Option<&str> {
        let values = self.all(name);
        assert!(values.len() <= 1, "{name} is there {} times: {values:?}", values.len());
        values.first().copied()
    }

    /// Every value of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let is_it = |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
        self.headers.iter().filter(is_it).map(|(_, value)| &**value).collect()
    }

    /// The status of a response.
    pub fn status(&self) -> u16 {
        let code = self.start.split(' ').nth(1).and_then(|code| code.parse().ok());
        code.unwrap_or_else(|| panic!("not a status line: {:?}", self.start))
    }

    /// The method of a request.
    pub fn method(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    /// The target of a request.
    pub fn target(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Start and headers without those named, one a line.
    pub fn lines_without(&self, names: &[&str]) -> Vec<String> {
        let is_shown = |name: &str| !names.iter().any(|hidden| hidden.eq_ignore_ascii_case(name));
        let headers = self.headers.iter().filter(|(name, _)| is_shown(name));
        let lines = headers.map(|(name, value)| format!("{name}: {value}"));
        std::iter::once(self.start.clone()).chain(lines).collect()
    }
}

/// Header lines as pairs, sorted by name; those of one name keep their order.
pub fn parse_fields<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("not a header: {line:?}"));
            (name.to_owned(), without_pseudonym(value.trim()))
        })
        .collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields
}

/// The proxy's name in `Via` without its random part.
pub fn without_pseudonym(value: &str) -> String {
    let Some((before, after)) = value.split_once(" fracas-") else { return value.to_owned() };
    let digits = after.bytes().take_while(u8::is_ascii_hexdigit).count();
    assert_eq!(digits, 16, "{value}");
    format!("{before} fracas{}", &after[digits..])
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.lines_without(&[]) {
            writeln!(f, "{line}")?;
        }
        write!(f, "\n{} bytes: {}", self.body.len(), self.text().chars().take(200).collect::<String>())
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
