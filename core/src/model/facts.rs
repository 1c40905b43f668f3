//! The facts of one request that rules can read.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Uri, header, request::Parts};
use percent_encoding::percent_decode_str;

use super::body_text::utf8;
use super::{ClientId, FormFields, Json, JsonValues, KeyHash};
use crate::content_coding::{self, ContentCodings, UndecodableBody};

/// One request as the rules see it: borrowed from its head; only an escaped path is
/// copied.
pub struct Facts<'r> {
    /// The request's method.
    pub method: &'r Method,
    /// The path as forwarded, with percent-encoded unreserved characters decoded (RFC 3986 §2.3:
    /// the two spellings are equivalent). Nothing else is normalised.
    pub path: Cow<'r, str>,
    /// The query as it arrived, without the question mark.
    pub query: Option<&'r str>,
    /// The header as it arrived.
    pub headers: &'r HeaderMap,
    /// The client's address: the peer's, or the one that a trusted peer states.
    pub address: IpAddr,
    /// The client, where it is known already.
    pub who: Option<ClientId>,
    /// The state of the body.
    pub body: BodyFacts,
    /// The target, which may name the host.
    pub uri: &'r Uri,
}

impl<'r> Facts<'r> {
    /// The facts of a request whose body was not read.
    pub fn new(head: &'r Parts, address: IpAddr) -> Facts<'r> {
        Facts {
            method: &head.method,
            path: decode_unreserved(head.uri.path()),
            query: head.uri.query(),
            headers: &head.headers,
            address,
            who: None,
            body: BodyFacts::Unread,
            uri: &head.uri,
        }
    }

    /// The host that the client asked for, without the port.
    pub fn host(&self) -> &'r str {
        if let Some(host) = self.uri.host() {
            return host;
        }
        let host = self
            .headers
            .get(header::HOST)
            .and_then(|host| std::str::from_utf8(host.as_bytes()).ok())
            .unwrap_or_default();
        match host.rsplit_once(':') {
            // The colons of an IPv6 address are inside brackets.
            Some((name, port)) if !port.contains(']') => name,
            _ => host,
        }
    }

    /// The hash of the client's identity.
    pub fn client(&self, identity: &ClientIdSources) -> KeyHash {
        self.who.map_or_else(|| identity.hash(self.headers, self.address), |who| who.hash)
    }

    /// The value of the header `name`; the first one where it is repeated.
    pub fn header(&self, name: &HeaderName) -> Option<&'r [u8]> {
        self.headers.get(name).map(http::HeaderValue::as_bytes)
    }

    /// The values of every cookie called `name`, in the order sent.
    pub fn cookies<'n>(&self, name: &'n str) -> impl Iterator<Item = &'r [u8]> + use<'r, 'n> {
        cookies(self.headers, name)
    }

    /// The decoded values of every query parameter called `name`, in the order sent.
    pub fn queries<'n>(&self, name: &'n str) -> impl Iterator<Item = Cow<'r, str>> + use<'r, 'n> {
        let pairs = form_urlencoded::parse(self.query.unwrap_or_default().as_bytes());
        pairs.filter_map(move |(key, value)| (key == name).then_some(value))
    }
}

impl Facts<'_> {
    /// The body as a form; `None` when it is unread, too long, or no form.
    pub fn form(&self) -> Option<&FormFields> {
        let BodyFacts::Read { bytes, form, .. } = &self.body else { return None };
        form.get_or_init(|| FormFields::read(self.headers, bytes)).as_ref()
    }

    /// The values of a JSON body, one for each line where it is NDJSON.
    pub fn json_values(&self) -> JsonValues<'_> {
        match (&self.body, self.body.json()) {
            (_, Some(json)) => JsonValues::One(json),
            (BodyFacts::Read { bytes, .. }, None) => JsonValues::of_lines(self.headers, bytes),
            _ => JsonValues::None,
        }
    }
}

/// The state of a request's body.
#[derive(Default)]
pub enum BodyFacts {
    /// Not read, as no rule needed it so far.
    #[default]
    Unread,
    /// It is longer than `body_limit`, so that rules that read bodies do not match.
    TooLong,
    /// It cannot be decoded, so that rules that read bodies do not match.
    Undecodable { bytes: Bytes, why: UndecodableBody },
    /// The whole body. JSON and form are parsed at most once, when a rule first reads them.
    Read { bytes: Bytes, json: OnceCell<Option<Json>>, form: OnceCell<Option<FormFields>> },
}

impl BodyFacts {
    /// A body that was read whole.
    pub fn read(bytes: Bytes) -> BodyFacts {
        BodyFacts::Read { bytes, json: OnceCell::new(), form: OnceCell::new() }
    }

    /// The body that was read, as rules see it: decoded by its `Content-Encoding` to at most `limit` bytes, and a text
    /// in UTF-8 without a byte order mark. The bytes that are forwarded are not these.
    pub fn decoded(&self, headers: &HeaderMap, limit: u64) -> BodyFacts {
        match self {
            BodyFacts::Unread => BodyFacts::Unread,
            BodyFacts::TooLong => BodyFacts::TooLong,
            BodyFacts::Undecodable { bytes, why } => {
                BodyFacts::Undecodable { bytes: bytes.clone(), why: *why }
            }
            BodyFacts::Read { bytes, .. } => match decode(headers, bytes, limit) {
                Ok(plain) => BodyFacts::read(utf8(headers, plain)),
                Err(why) => BodyFacts::Undecodable { bytes: bytes.clone(), why },
            },
        }
    }

    /// Whether the body was not read yet.
    pub fn is_unread(&self) -> bool {
        matches!(self, BodyFacts::Unread)
    }

    /// Whether it takes long to look through as JSON.
    pub fn is_slow(&self) -> bool {
        matches!(self, BodyFacts::Read { bytes, .. } if (Json::QUICK + 1..=Json::MOST).contains(&bytes.len()))
    }

    /// The body as JSON; `None` when it is unread, too long, or not JSON.
    pub fn json(&self) -> Option<&Json> {
        match self {
            BodyFacts::Read { bytes, json, .. } => json.get_or_init(|| Json::read(bytes)).as_ref(),
            BodyFacts::Unread | BodyFacts::TooLong | BodyFacts::Undecodable { .. } => None,
        }
    }
}

/// A plain body was read within its limit.
fn decode(headers: &HeaderMap, bytes: &Bytes, limit: u64) -> Result<Bytes, UndecodableBody> {
    if !headers.contains_key(header::CONTENT_ENCODING) {
        return Ok(bytes.clone());
    }
    let codings = ContentCodings::of(headers)?;
    if codings.is_identity() { Ok(bytes.clone()) } else { content_coding::decode(&codings, bytes, limit) }
}

/// Sources of the client id: the first that a request has counts (`client_id`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdSources(pub Vec<ClientIdSource>);

/// One thing that may identify a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientIdSource {
    /// A header's value.
    Header(HeaderName),
    /// A cookie's value.
    Cookie(Box<str>),
    /// The client's address alone.
    Address,
    /// The client's address together with its `User-Agent`.
    AddressAndUserAgent,
}

/// The values of every cookie called `name`, in the order sent.
pub(super) fn cookies<'r, 'n>(
    headers: &'r HeaderMap,
    name: &'n str,
) -> impl Iterator<Item = &'r [u8]> + use<'r, 'n> {
    let pairs =
        headers.get_all(header::COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| {
        let (key, value) = pair.split_at_checked(pair.iter().position(|byte| *byte == b'=')?)?;
        (key.trim_ascii() == name.as_bytes()).then(|| value.get(1..).unwrap_or_default().trim_ascii())
    })
}

/// Decodes `%XX` of unreserved characters only (`A-Z a-z 0-9 - . _ ~`).
pub fn decode_unreserved(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let (before, escaped) = rest.split_at(at);
        decoded.push_str(before);
        // Of three bytes that are no escape, the sign itself comes first, which is not unreserved.
        let first = escaped.get(..3).and_then(|escape| percent_decode_str(escape).next()).map(char::from);
        let unreserved = first.filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~'));
        decoded.push(unreserved.unwrap_or('%'));
        rest = escaped.get(if unreserved.is_some() { 3 } else { 1 }..).unwrap_or_default();
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a valid request").into_parts().0
    }

    #[test]
    fn only_unreserved_characters_are_decoded() {
        for (raw, seen) in [
            ("/items/7", "/items/7"),
            ("/it%65ms/%7E", "/items/~"),
            ("/a%2Fb", "/a%2Fb"),
            ("/a%2", "/a%2"),
            ("/a%zz%41", "/a%zzA"),
            ("/%2565%", "/%2565%"),
            ("/%e9%4", "/%e9%4"),
            ("/%é1", "/%é1"),
            ("/a//b/../c;d", "/a//b/../c;d"),
        ] {
            assert_eq!(decode_unreserved(raw), seen, "{raw}");
        }
    }

    #[test]
    fn hosts_come_without_their_port() {
        let host_of = |uri: &str, host: &str| {
            let head = head(uri, &[("host", host)]);
            Facts::new(&head, IpAddr::from([127, 0, 0, 1])).host().to_owned()
        };
        for (host, seen) in [("a.b", "a.b"), ("a.b:80", "a.b"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]")] {
            assert_eq!(host_of("/", host), seen);
        }
        assert_eq!(host_of("http://x.y:8/", "a.b"), "x.y");
    }

    #[test]
    fn cookies_and_queries_are_found_by_name_however_often_they_are_sent() {
        let head = head("/?a=1&b=x+y%21&a=2&c", &[("cookie", "s=1; t=2"), ("cookie", "s=3")]);
        let facts = Facts::new(&head, IpAddr::from([127, 0, 0, 1]));
        assert_eq!(facts.cookies("s").collect::<Vec<_>>(), [b"1", b"3"]);
        assert_eq!(facts.cookies("t").collect::<Vec<_>>(), [b"2"]);
        assert_eq!(facts.queries("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(facts.queries("b").collect::<Vec<_>>(), ["x y!"]);
        assert_eq!(facts.queries("c").collect::<Vec<_>>(), [""]);
        assert_eq!(facts.queries("d").count(), 0);
        let mut head = self::head("/", &[]);
        let line = http::HeaderValue::from_bytes(b"n=Zo\xeb; s=1;n = Zo\xc3\xab").expect("a value");
        head.headers.insert(header::COOKIE, line);
        let facts = Facts::new(&head, IpAddr::from([127, 0, 0, 1]));
        assert_eq!(facts.cookies("s").collect::<Vec<_>>(), [b"1"], "one odd byte hides no other cookie");
        assert_eq!(facts.cookies("n").collect::<Vec<_>>(), [&b"Zo\xeb"[..], b"Zo\xc3\xab"]);
        let head = self::head("/?n%61me=%zz%4&&name=%c3%A9%ff&name=a=b", &[]);
        let facts = Facts::new(&head, IpAddr::from([127, 0, 0, 1]));
        assert_eq!(facts.queries("name").collect::<Vec<_>>(), ["%zz%4", "é\u{fffd}", "a=b"]);
    }
}
