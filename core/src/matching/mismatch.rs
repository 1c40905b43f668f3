//! The reason why a request does not match, as text.

use std::fmt;

use http::{HeaderName, header};

use super::methods::list;
use super::{BodyCondition, Cidr, Methods, PathMatch, Presence, TextPattern};
use crate::content_coding::UndecodableBody;
use crate::model::{Facts, FormFields, Json, JsonValues};

/// The reason why a request does not match. Cheap to make: only [`fmt::Display`] finds the details, and writes
/// `method is PUT, the rule wants POST`. Values that may be credentials, and bodies, are not shown.
pub struct Mismatch<'r> {
    pub(super) facts: &'r Facts<'r>,
    pub(super) reason: Reason<'r>,
}

/// The condition that failed.
#[derive(Clone, Copy)]
pub(super) enum Reason<'r> {
    Method(&'r Methods),
    Path(&'r PathMatch),
    Host(&'r TextPattern),
    Header(&'r HeaderName, &'r Presence),
    Query(&'r str, &'r Presence),
    Cookie(&'r str, &'r Presence),
    Client(&'r [Cidr]),
    BodyUnread,
    BodyTooLong,
    BodyUndecodable(UndecodableBody),
    /// It is no longer than `body_limit`, and longer than JSON is looked at.
    JsonTooLong,
    BodyNotJson,
    /// It is NDJSON, longer than each rule reads anew.
    LinesTooLong,
    /// No line of NDJSON has all that is asked.
    NoLine,
    Body(&'r str, &'r BodyCondition),
    BodyNotForm,
    /// It is no longer than `body_limit`, and longer than forms are looked at.
    FormTooLong,
    Form(&'r str, &'r Presence),
    Text(&'r TextPattern),
    Excluded,
}

impl Mismatch<'_> {
    /// The missing part of a request that had the rule's method and path. Contains no value of the request,
    /// as it may be a credential.
    pub fn near_miss(&self) -> Option<String> {
        let named = |what: &str, name: &str, sent: bool, wanted: &Presence| match wanted {
            Presence::Absent => format!("{what} {name} is there, the rule wants it absent"),
            _ if !sent => format!("no {what} {name}"),
            Presence::Like(wanted) => format!("{what} {name} is not {wanted}"),
            Presence::Present => format!("no {what} {name}"),
        };
        let facts = self.facts;
        Some(match self.reason {
            Reason::Method(_) | Reason::Path(_) => return None,
            Reason::Header(name, wanted) => {
                named("header", name.as_str(), facts.header(name).is_some(), wanted)
            }
            Reason::Query(name, wanted) => named("query", name, facts.queries(name).next().is_some(), wanted),
            Reason::Cookie(name, wanted) => {
                named("cookie", name, facts.cookies(name).next().is_some(), wanted)
            }
            Reason::BodyNotJson | Reason::BodyNotForm => format!("the {self}{}", MediaType(facts)),
            Reason::BodyUnread | Reason::BodyTooLong => "the body is longer than body_limit".to_owned(),
            Reason::Body(..)
            | Reason::JsonTooLong
            | Reason::LinesTooLong
            | Reason::FormTooLong
            | Reason::Text(_)
            | Reason::BodyUndecodable(_) => format!("the {self}"),
            Reason::Form(..) | Reason::NoLine => self.to_string(),
            Reason::Host(_) | Reason::Client(_) | Reason::Excluded => self.to_string(),
        })
    }

    /// Whether the body, had it been known, might have made the request match.
    pub(super) fn is_for_want_of_a_body(&self) -> bool {
        matches!(
            self.reason,
            Reason::BodyUnread
                | Reason::BodyTooLong
                | Reason::BodyUndecodable(_)
                | Reason::JsonTooLong
                | Reason::LinesTooLong
                | Reason::FormTooLong
        )
    }
}

impl fmt::Display for Mismatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts;
        match self.reason {
            Reason::Method(Methods::Any) => {
                write!(f, "method is {}, which only a rule that names it wants", facts.method)
            }
            Reason::Method(wanted) => write!(f, "method is {}, the rule wants {wanted}", facts.method),
            Reason::Path(wanted) => {
                let path = Shown(facts.path.as_bytes());
                match wanted {
                    PathMatch::Pattern(pattern) if pattern.is_literal() => {
                        write!(f, "path {path} is not {pattern}")
                    }
                    _ => write!(f, "path {path} does not fit {wanted}"),
                }
            }
            Reason::Host(wanted) => {
                write!(f, "host is {}, the rule wants {wanted}", Shown(facts.host().as_bytes()))
            }
            Reason::Header(name, wanted) => {
                let first = facts.header(name);
                let shown = first.filter(|_| {
                    !is_secret(name.as_str())
                        && !facts.headers.get_all(name).iter().any(http::HeaderValue::is_sensitive)
                });
                field(f, "header", name.as_str(), first.is_some(), shown, wanted)
            }
            Reason::Query(name, wanted) => {
                let first = facts.queries(name).next();
                let shown = first.as_ref().map(|value| value.as_bytes()).filter(|_| !is_secret(name));
                field(f, "query", name, first.is_some(), shown, wanted)
            }
            Reason::Cookie(name, wanted) => {
                let sent = facts.cookies(name).next().is_some();
                field(f, "cookie", name, sent, None, wanted)
            }
            Reason::Client(wanted) => {
                write!(f, "client is {}, the rule wants ", facts.address)?;
                list(f, wanted)
            }
            _ => self.describe_body(f),
        }
    }
}

impl Mismatch<'_> {
    /// What is wrong with the body; and with all, what `not` says.
    fn describe_body(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts;
        let longer = |f: &mut fmt::Formatter<'_>, most: usize, of: &str| {
            let (number, unit) = if most < 1 << 20 { (most >> 10, "KiB") } else { (most >> 20, "MiB") };
            write!(f, "body is longer than {number} {unit}, the most of {of} that is looked at")
        };
        match self.reason {
            Reason::BodyUnread => f.write_str("body was not read"),
            Reason::BodyTooLong => f.write_str("body is longer than body_limit"),
            Reason::BodyUndecodable(why) => write!(f, "{why}"),
            Reason::JsonTooLong => longer(f, Json::MOST, "JSON"),
            Reason::LinesTooLong => longer(f, JsonValues::MOST_LINES, "NDJSON"),
            Reason::FormTooLong => longer(f, FormFields::MOST, "a form"),
            Reason::BodyNotJson => f.write_str("body is not JSON"),
            Reason::NoLine => f.write_str("no line of the body has all that `body` asks"),
            Reason::BodyNotForm => f.write_str("body is not a form"),
            Reason::Body(pointer, wanted) => {
                let (what, at) = if pointer.is_empty() { ("body", "") } else { ("body at ", pointer) };
                let is_there = facts.body.json().is_some_and(|body| body.has(pointer));
                match wanted {
                    BodyCondition::Absent => write!(f, "{what}{at} is there, the rule wants it absent"),
                    _ if is_there => write!(f, "{what}{at} is not {wanted}"),
                    _ => write!(f, "body has nothing at {pointer}"),
                }
            }
            Reason::Form(name, wanted) => {
                let is_sent = facts.form().is_some_and(|form| form.values(name).next().is_some());
                match wanted {
                    Presence::Like(wanted) if is_sent && !is_secret(name) => {
                        write!(f, "form field {name} is not {wanted}")
                    }
                    wanted => field(f, "form field", name, is_sent, None, wanted),
                }
            }
            Reason::Text(wanted) => write!(f, "body is not like {wanted}"),
            _ => f.write_str("all that `not` asks holds"),
        }
    }
}

impl fmt::Debug for Mismatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mismatch({self})")
    }
}

fn field(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    name: &str,
    sent: bool,
    shown: Option<&[u8]>,
    wanted: &Presence,
) -> fmt::Result {
    match (wanted, shown) {
        (Presence::Absent, _) => write!(f, "{what} {name} is there, the rule wants it absent"),
        _ if !sent => write!(f, "no {what} {name}"),
        (Presence::Like(_), None) => write!(f, "{what} {name} is not what the rule wants"),
        (Presence::Like(wanted), Some(seen)) => {
            write!(f, "{what} {name} is {}, the rule wants {wanted}", Shown(seen))
        }
        (Presence::Present, _) => write!(f, "no {what} {name}"),
    }
}

/// Whether a header or query parameter of this name may hold a credential.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION]
        .iter()
        .any(|known| known.as_str() == name)
        || ["token", "secret", "password", "api-key", "api_key", "apikey"]
            .iter()
            .any(|part| name.contains(part))
}

/// The request's content type in brackets: ` (application/x-www-form-urlencoded)`.
struct MediaType<'r>(&'r Facts<'r>);

impl fmt::Display for MediaType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let media =
            self.0.header(&header::CONTENT_TYPE).and_then(|media| media.split(|byte| *byte == b';').next());
        match media.map(<[u8]>::trim_ascii) {
            Some(media) if !media.is_empty() => write!(f, " ({})", Shown(media)),
            _ => Ok(()),
        }
    }
}

/// Text of a client on one line: escaped, cut at 80 bytes, quoted where it is empty.
struct Shown<'r>(&'r [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST_BYTES: usize = 80;
        let (start, cut) = match self.0.get(..MOST_BYTES) {
            Some(start) if self.0.len() > MOST_BYTES => (start, "…"),
            _ => (self.0, ""),
        };
        if start.is_empty() {
            return f.write_str("\"\"");
        }
        for chunk in start.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() { write!(f, "{}", c.escape_default())? } else { write!(f, "{c}")? }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        f.write_str(cut)
    }
}
