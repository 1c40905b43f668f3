//! The types of values that keys take, and how they are called.

use std::time::Duration;

use super::entry::Section;

/// Longest time that a key takes.
pub(in crate::rules) const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Status of a refusal.
pub(in crate::rules) const ERROR_STATUS: ValueType = ValueType::Integer { least: 400, most: 599 };

/// The type of a key's value. Bounds include both ends.
#[derive(Debug)]
pub(in crate::rules) enum ValueType {
    Boolean,
    Integer {
        least: u64,
        most: u64,
    },
    /// A number from 0 to 1.
    Share,
    Number {
        least: u32,
    },
    Duration {
        least: Duration,
        most: Duration,
    },
    /// Bytes.
    Size {
        least: u64,
        most: u64,
    },
    Rate,
    /// One of these words.
    Choice(&'static [&'static str]),
    Text(Form),
    List(Form),
    /// One text, or a list of them.
    OneOrList(Form),
    Table(&'static Section),
    /// `[[…]]`.
    Tables(&'static Section),
    /// One value, or a list of them.
    OneOrMore(&'static ValueType),
    /// A table with names of the file's own.
    Map {
        name: &'static str,
        value: &'static ValueType,
    },
    /// A pattern, a number or a boolean, or a list of such.
    Scalars,
    Any(&'static [ValueType]),
}

/// The meaning of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Form {
    /// A rule's name.
    Name,
    Method,
    PathPattern,
    Regex,
    TextPattern,
    /// An address or a network.
    Network,
    /// An address with a port.
    Socket,
    HttpUrl,
    /// The protocol that a connection is upgraded to.
    Protocol,
    RedisUrl,
    /// The scope of counters.
    Key,
    /// The source of the client id.
    Identity,
    /// Where a version is.
    Version,
    Pointer,
    /// `..xx.`
    Sequence,
    /// `4xx`
    StatusClass,
    /// `4 KiB/s`
    ByteRate,
    File,
    /// Files' names, with `*`.
    Files,
    Template,
}

impl ValueType {
    /// The value with its article: "a whole number from 1 to 100".
    pub fn noun(&self) -> String {
        match self {
            ValueType::Boolean => "true or false".to_owned(),
            ValueType::Integer { least, most: u64::MAX } => format!("a whole number, at least {least}"),
            ValueType::Integer { least, most } => {
                format!("a whole number from {} to {}", grouped(*least), grouped(*most))
            }
            ValueType::Share => "a share from 0 to 1".to_owned(),
            ValueType::Number { least } => format!("a number, at least {least}"),
            ValueType::Duration { .. } => "a duration".to_owned(),
            ValueType::Size { .. } => "a size in bytes".to_owned(),
            ValueType::Rate => "a rate of requests".to_owned(),
            ValueType::Choice([one]) => format!("\"{one}\""),
            ValueType::Choice(words) => format!("one of {}", quoted_list(words)),
            ValueType::Text(form) => form.noun().to_owned(),
            ValueType::List(form) => format!("a list, each of it {}", form.noun()),
            ValueType::OneOrList(form) => format!("{}, or a list of such", form.noun()),
            ValueType::Table(_) => "a table".to_owned(),
            ValueType::Tables(_) => "a list of tables".to_owned(),
            ValueType::OneOrMore(value) => format!("{}, or a list of such", value.noun()),
            ValueType::Map { name, value } => format!("a table of {name} to {}", value.noun()),
            ValueType::Scalars => "a pattern, a number, a list of such, or true or false".to_owned(),
            ValueType::Any(values) => values.iter().map(ValueType::noun).collect::<Vec<_>>().join(", or "),
        }
    }
}

/// How a value that may be several things is looked into.
impl ValueType {
    /// Whether a text of this form is a value of it.
    pub fn takes(&self, form: Form) -> bool {
        match self {
            ValueType::Text(own) | ValueType::List(own) | ValueType::OneOrList(own) => *own == form,
            ValueType::Any(values) => values.iter().any(|value| value.takes(form)),
            _ => false,
        }
    }

    /// The keys of a table that is a value of it.
    pub fn section(&self) -> Option<&'static Section> {
        match self {
            ValueType::Table(section) | ValueType::Tables(section) => Some(section),
            ValueType::Any(values) => values.iter().find_map(ValueType::section),
            _ => None,
        }
    }

    /// The values of a table with names of the file's own.
    pub fn of_entries(&self) -> Option<&'static ValueType> {
        match self {
            ValueType::Map { value, .. } => Some(value),
            ValueType::Any(values) => values.iter().find_map(ValueType::of_entries),
            _ => None,
        }
    }
}

impl Form {
    /// The text with its article.
    pub fn noun(self) -> &'static str {
        match self {
            Form::Name => "a word that is safe in a header",
            Form::Method => "a method",
            Form::PathPattern => "a path pattern",
            Form::Regex => "a regular expression",
            Form::TextPattern => "a pattern",
            Form::Network => "an address or a network",
            Form::Socket => "an address with a port",
            Form::Protocol => "a protocol",
            Form::HttpUrl => "an http, https or h2c URL",
            Form::RedisUrl => "a redis URL",
            Form::Key => "a key",
            Form::Identity => "a client's mark",
            Form::Version => "a version's place",
            Form::Pointer => "a JSON pointer",
            Form::Sequence => "a sequence of `.` and `x`",
            Form::StatusClass => "a class such as `4xx`",
            Form::ByteRate => "bytes per second",
            Form::File => "a file's name",
            Form::Files => "names of files",
            Form::Template => "a text",
        }
    }

    /// A regular expression (ECMA-262) that every valid text fits; editors use it while one types.
    pub fn shape(self) -> Option<&'static str> {
        match self {
            Form::Name => Some("^[A-Za-z0-9_.-]{1,64}$"),
            Form::Method => Some("^[!#$%&'*+.^_`|~0-9A-Z-]+$"),
            Form::PathPattern => Some("^/"),
            Form::HttpUrl => Some("^(https?|h2c)://"),
            Form::RedisUrl => Some("^rediss?://"),
            Form::Key => Some("^(rule|path|client|(header|cookie|query|param|form):.+|body:(/.*)?)$"),
            Form::Identity => Some("^(address|address\\+user-agent|(header|cookie):.+)$"),
            Form::Version => Some("^((header|query):.+|body:(/.*)?)$"),
            Form::Pointer => Some("^(/.*)?$"),
            Form::Sequence => Some("^[.x]{1,10000}$"),
            Form::StatusClass => Some("^[2-5][xX]{2}$"),
            Form::ByteRate => Some("^[0-9]+ *(B|KiB|MiB|GiB)/s$"),
            Form::Socket => Some(":[0-9]{1,5}$"),
            Form::Protocol => Some("^[!#$%&'*+.^_`|~0-9A-Za-z-]+(/[^/]+)?$"),
            Form::Regex | Form::TextPattern | Form::Network | Form::File | Form::Files | Form::Template => {
                None
            }
        }
    }
}

/// A number with its thousands set apart: `12345` as `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `"a", "b" or "c"`.
pub(in crate::rules) fn quoted_list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    listed(&quoted)
}

/// `a, b or c`.
pub(in crate::rules) fn listed(words: &[String]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
