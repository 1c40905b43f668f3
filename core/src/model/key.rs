//! Keys of counters and state.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::hash::Hasher as _;
use std::net::IpAddr;

use http::{HeaderMap, HeaderName, header};
use serde_json::Value;
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::facts::cookies;
use super::{ClientIdSource, ClientIdSources, Facts, Fingerprint, Json, RunKey};

/// A key's value as 128 bits. Two values share a hash with a chance of 2⁻¹²⁸ per pair, so that
/// stores need not keep the values, which may be credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyHash(pub u128);

impl KeyHash {
    /// The hash of some pieces, each apart from the next.
    pub fn of<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> KeyHash {
        let mut hasher = KeyHasher::new();
        pieces.into_iter().for_each(|piece| hasher.add(piece));
        hasher.finish()
    }
}

/// Hashes a key's pieces as they come.
struct KeyHasher(SipHasher13);

impl KeyHasher {
    fn new() -> KeyHasher {
        // Fixed keys: a journal's hashes are comparable between runs. A client that forges
        // collisions, in about 2⁶⁴ tries, only confuses its own counters.
        KeyHasher(SipHasher13::new_with_keys(0, 0))
    }

    fn add(&mut self, piece: &[u8]) {
        self.0.write_u64(piece.len() as u64);
        self.0.write(piece);
    }

    fn finish(self) -> KeyHash {
        KeyHash(self.0.finish128().as_u128())
    }
}

/// The key of a rule's counters and state (`per = …`); without parts it is the whole rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key(pub Vec<KeyPart>);

/// One part of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPart {
    Path,
    Client,
    Header(HeaderName),
    Cookie(Box<str>),
    Query(Box<str>),
    /// A segment or group that the rule's path pattern captures.
    Param(Box<str>),
    /// A JSON pointer into the body (RFC 6901): the first element that it leads to, of the first line that has one.
    Body(Box<str>),
    /// A field of a form.
    Form(Box<str>),
}

/// Captures of a path pattern: names and values, in the pattern's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captures<'r>(pub Vec<(&'r str, &'r str)>);

impl<'r> Captures<'r> {
    /// The value captured as `name`.
    pub fn get(&self, name: &str) -> Option<&'r str> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }
}

impl Key {
    /// The key of a whole rule, which every request has.
    pub const RULE: Key = Key(Vec::new());

    /// Whether the key needs the request's body.
    pub fn reads_body(&self) -> bool {
        self.0.iter().any(|part| matches!(part, KeyPart::Body(_) | KeyPart::Form(_)))
    }

    /// The key of a request; `None` when the request lacks a part of it.
    pub fn hash(&self, facts: &Facts, captures: &Captures, identity: &ClientIdSources) -> Option<KeyHash> {
        if let ([KeyPart::Client], Some(who)) = (&*self.0, facts.who) {
            return who.is_told_apart.then_some(who.hash);
        }
        let mut hasher = KeyHasher::new();
        for part in &self.0 {
            part.value(facts, captures, identity, &mut |bytes| hasher.add(bytes))?;
        }
        Some(hasher.finish())
    }

    /// The key of a request for people to read, credentials left out; `None` as for [`Key::hash`].
    pub fn describe(&self, facts: &Facts, captures: &Captures, identity: &ClientIdSources) -> Option<String> {
        let mut text = String::new();
        for part in &self.0 {
            if !text.is_empty() {
                text.push(' ');
            }
            if part.is_secret() {
                let hash = Key(vec![part.clone()]).hash(facts, captures, identity)?;
                let _ = write!(text, "{part}#{:08x}", hash.0 as u32);
            } else {
                part.value(facts, captures, identity, &mut |bytes| {
                    text.push_str(&String::from_utf8_lossy(bytes));
                })?;
            }
        }
        Some(if text.is_empty() { "rule".to_owned() } else { text })
    }
}

impl KeyPart {
    /// Calls `each` with the pieces of the value; `None` when the request lacks it.
    fn value(
        &self,
        facts: &Facts,
        captures: &Captures,
        identity: &ClientIdSources,
        each: &mut dyn FnMut(&[u8]),
    ) -> Option<()> {
        match self {
            KeyPart::Path => each(facts.path.as_bytes()),
            KeyPart::Client => return identity.each(facts.headers, facts.address, each).then_some(()),
            KeyPart::Header(name) => each(facts.header(name)?),
            KeyPart::Cookie(name) => each(facts.cookies(name).next()?),
            KeyPart::Query(name) => each(facts.queries(name).next()?.as_bytes()),
            KeyPart::Param(name) => each(captures.get(name)?.as_bytes()),
            KeyPart::Body(pointer) => {
                let found = |json: &Json| json.pointer(pointer).map(Cow::into_owned);
                match facts.json_values().find(found)? {
                    Value::Null => return None,
                    Value::String(text) => each(text.as_bytes()),
                    other => each(other.to_string().as_bytes()),
                }
            }
            KeyPart::Form(name) => each(facts.form()?.values(name).next()?),
        }
        Some(())
    }

    /// Whether the value may be a credential: never shown, only hashed.
    fn is_secret(&self) -> bool {
        match self {
            KeyPart::Client | KeyPart::Cookie(_) => true,
            KeyPart::Header(name) => {
                *name == header::AUTHORIZATION
                    || *name == header::COOKIE
                    || *name == header::PROXY_AUTHORIZATION
            }
            KeyPart::Form(name) => {
                let name = name.to_ascii_lowercase();
                ["pass", "token", "secret", "assertion"].iter().any(|part| name.contains(part))
            }
            _ => false,
        }
    }
}

impl std::fmt::Display for KeyPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeyPart::Path => f.write_str("path"),
            KeyPart::Client => f.write_str("client"),
            KeyPart::Header(name) => write!(f, "header:{name}"),
            KeyPart::Cookie(name) => write!(f, "cookie:{name}"),
            KeyPart::Query(name) => write!(f, "query:{name}"),
            KeyPart::Param(name) => write!(f, "param:{name}"),
            KeyPart::Body(pointer) => write!(f, "body:{pointer}"),
            KeyPart::Form(name) => write!(f, "form:{name}"),
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str("rule");
        }
        for (at, part) in self.0.iter().enumerate() {
            let separator = if at > 0 { " and " } else { "" };
            write!(f, "{separator}{part}")?;
        }
        Ok(())
    }
}

impl ClientIdSources {
    /// Hash of the client's identity; the same for all requests that have none of the
    /// sources.
    pub fn hash(&self, headers: &HeaderMap, address: IpAddr) -> KeyHash {
        let mut hasher = KeyHasher::new();
        self.each(headers, address, &mut |bytes| hasher.add(bytes));
        hasher.finish()
    }

    /// The client's identity hashed for the journal.
    pub fn fingerprint(&self, headers: &HeaderMap, address: IpAddr, key: RunKey) -> Fingerprint {
        let mut hasher = key.hasher();
        self.each(headers, address, &mut |bytes| {
            hasher.write_u64(bytes.len() as u64);
            hasher.write(bytes);
        });
        Fingerprint(hasher.finish())
    }

    /// Calls `each` with the pieces of the first source that the request has; returns whether it has any.
    pub fn each(&self, headers: &HeaderMap, address: IpAddr, each: &mut dyn FnMut(&[u8])) -> bool {
        let value = |name: &HeaderName| headers.get(name).map(http::HeaderValue::as_bytes);
        let mut tell = |source: &ClientIdSource| {
            match source {
                ClientIdSource::Header(name) if *name == header::AUTHORIZATION => each(signer(value(name)?)),
                ClientIdSource::Header(name) => each(value(name)?),
                ClientIdSource::Cookie(name) => each(cookies(headers, name).next()?),
                ClientIdSource::Address => each(&octets(address)),
                ClientIdSource::AddressAndUserAgent => {
                    each(&octets(address));
                    each(value(&header::USER_AGENT).unwrap_or_default());
                }
            }
            Some(())
        };
        self.0.iter().any(|source| tell(source).is_some())
    }
}

/// The signer, where `Authorization` holds a signature that differs for every request; else the whole
/// value. The access key of Amazon's schemes, the account of Azure Storage's, the user of Digest
/// (RFC 7616 §3.4).
fn signer(authorization: &[u8]) -> &[u8] {
    let Some((scheme, rest)) =
        memchr::memchr(b' ', authorization).and_then(|at| authorization.split_at_checked(at))
    else {
        return authorization;
    };
    let rest = rest.trim_ascii_start();
    let lasting = match scheme {
        b"AWS4-HMAC-SHA256" | b"AWS4-ECDSA-P256-SHA256" => between(rest, b"Credential=", b'/'),
        b"AWS" | b"SharedKey" | b"SharedKeyLite" => between(rest, b"", b':'),
        b"Digest" => between(rest, b"username=\"", b'"'),
        _ => None,
    };
    lasting.unwrap_or(authorization)
}

/// The bytes after `start` and before the next `end`.
fn between<'t>(text: &'t [u8], start: &[u8], end: u8) -> Option<&'t [u8]> {
    let rest = text.get(memchr::memmem::find(text, start)? + start.len()..)?;
    rest.get(..memchr::memchr(end, rest)?)
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::signer;

    #[test]
    fn a_signature_that_changes_with_every_request_is_no_part_of_the_client() {
        for (authorization, lasting) in [
            ("Bearer abc:def/ghi", "Bearer abc:def/ghi"),
            ("Basic dTpw", "Basic dTpw"),
            (
                "AWS4-HMAC-SHA256 Credential=AKIA7/20260131/eu-west-1/s3/aws4_request, SignedHeaders=host, \
                 Signature=0f",
                "AKIA7",
            ),
            ("AWS AKIA7:c2ln", "AKIA7"),
            ("SharedKey account:c2ln", "account"),
            (r#"Digest realm="r", username="ada", nonce="n", response="0f""#, "ada"),
            // Malformed values are taken as they are.
            ("AWS4-HMAC-SHA256 Signature=0f", "AWS4-HMAC-SHA256 Signature=0f"),
            ("SharedKey", "SharedKey"),
            ("", ""),
        ] {
            assert_eq!(signer(authorization.as_bytes()), lasting.as_bytes(), "{authorization}");
        }
        assert_eq!(signer(b"AWS \xff:c2ln"), b"\xff");
        assert_eq!(signer(b"Digest username=\"Zo\xeb\", response=\"0f\""), b"Zo\xeb");
    }
}
