//! Entries as bytes, for stores that keep them in another process: the format's version, a tag, and the fields.
//!
//! Numbers are LEB128, hashes 16 bytes, texts and bodies have their length before them. Two encodings of one entry are
//! the same bytes, so that a store can set an entry on condition that it has not changed since it was read.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{Entry, Packed, VersionEntry};
use crate::engine::operation::{KnownVersion, StoredResponse};
use crate::model::Moment;

/// The format that is written, and the only one that is read. An entry of another format is as good as none.
const FORMAT: u8 = 1;

/// Reason why bytes are no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// They are in this other format.
    Format(u8),
    /// There is no entry with this tag.
    Tag(u8),
    /// They end too early.
    Short,
    /// A field has an invalid value.
    Field,
    /// So many bytes are left over.
    Rest(usize),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Format(format) => write!(f, "format {format} of entries is not known, {FORMAT} is"),
            DecodeError::Tag(tag) => write!(f, "no entry has the tag {tag}"),
            DecodeError::Short => f.write_str("the entry ends too early"),
            DecodeError::Field => f.write_str("a field of the entry is invalid"),
            DecodeError::Rest(bytes) => write!(f, "{bytes} bytes follow the entry"),
        }
    }
}

impl std::error::Error for DecodeError {}

impl Entry {
    /// The entry as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer(vec![FORMAT]);
        match self {
            Entry::Nothing => out.byte(0),
            Entry::Count(count) => {
                out.byte(1);
                out.number(*count);
            }
            Entry::Window { count, full_at } => {
                out.byte(2);
                out.number(*count);
                out.number(full_at.0);
            }
            Entry::Version(version) => {
                let VersionEntry { seen: KnownVersion { version, modified, rivals }, changed, superseded } =
                    &**version;
                out.byte(3);
                out.optional(version.as_ref(), |out, version| out.bytes(version.as_bytes()));
                out.optional(modified.as_ref(), |out, modified| out.number(modified.cast_unsigned()));
                out.number(rivals.len() as u64);
                rivals.iter().for_each(|rival| out.bytes(rival.as_bytes()));
                out.number(changed.0);
                out.number(*superseded);
            }
            Entry::In { ticket, payload, until } => {
                out.byte(4);
                out.number(*ticket);
                out.hash(*payload);
                out.number(until.0);
            }
            Entry::Finished { payload, response } => {
                out.byte(5);
                out.hash(*payload);
                out.optional(response.as_ref(), |out, response| out.response(response));
            }
            Entry::Held { holder, until } => {
                out.byte(6);
                out.hash(*holder);
                out.optional(until.as_ref(), |out, until| out.number(until.0));
            }
            Entry::References(count) => {
                out.byte(7);
                out.number(*count);
            }
            Entry::Since { first, count } => {
                out.byte(8);
                out.number(first.0);
                out.number(*count);
            }
            Entry::Opened { n, tries, since, validator, is_read } => {
                out.byte(9);
                out.number(*n);
                out.number(u64::from(*tries));
                out.number(since.0);
                out.hash(*validator);
                out.byte(u8::from(*is_read));
            }
            Entry::Shown { changed, response } => {
                out.byte(10);
                out.number(changed.0);
                out.optional(response.as_ref(), |out, response| out.response(response));
            }
        }
        out.0
    }

    /// The entry that [`Entry::encode`] made these bytes of.
    ///
    /// # Errors
    /// Bytes that it did not make.
    pub fn decode(bytes: &[u8]) -> Result<Entry, DecodeError> {
        let mut reader = Reader(bytes);
        match reader.byte()? {
            FORMAT => {}
            other => return Err(DecodeError::Format(other)),
        }
        let entry = reader.entry()?;
        match reader.0.len() {
            0 => Ok(entry),
            rest => Err(DecodeError::Rest(rest)),
        }
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    fn hash(&mut self, Packed(high, low): Packed) {
        self.0.extend_from_slice(&high.to_le_bytes());
        self.0.extend_from_slice(&low.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn optional<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Writer, &T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn response(&mut self, response: &StoredResponse) {
        let StoredResponse { connection, status, headers, body } = response;
        self.number(*connection);
        self.number(u64::from(status.as_u16()));
        self.number(headers.len() as u64);
        for (name, value) in headers {
            self.bytes(name.as_str().as_bytes());
            self.bytes(value.as_bytes());
        }
        self.bytes(body);
    }
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn entry(&mut self) -> Result<Entry, DecodeError> {
        Ok(match self.byte()? {
            0 => Entry::Nothing,
            1 => Entry::Count(self.number()?),
            2 => Entry::Window { count: self.number()?, full_at: self.moment()? },
            3 => Entry::Version(Box::new(self.version()?)),
            4 => Entry::In { ticket: self.number()?, payload: self.hash()?, until: self.moment()? },
            5 => {
                let payload = self.hash()?;
                let response = self.optional(|reader| Ok(Arc::new(reader.response()?)))?;
                Entry::Finished { payload, response }
            }
            6 => Entry::Held { holder: self.hash()?, until: self.optional(Reader::moment)? },
            7 => Entry::References(self.number()?),
            8 => Entry::Since { first: self.moment()?, count: self.number()? },
            9 => Entry::Opened {
                n: self.number()?,
                tries: self.small()?,
                since: self.moment()?,
                validator: self.hash()?,
                is_read: self.flag()?,
            },
            10 => {
                let changed = self.moment()?;
                let response = self.optional(|reader| Ok(Arc::new(reader.response()?)))?;
                Entry::Shown { changed, response }
            }
            tag => return Err(DecodeError::Tag(tag)),
        })
    }

    fn version(&mut self) -> Result<VersionEntry, DecodeError> {
        let version = self.optional(Reader::text)?;
        let modified = self.optional(|reader| Ok(reader.number()?.cast_signed()))?;
        let rivals = (0..self.number()?).map(|_| self.text()).collect::<Result<_, _>>()?;
        let seen = KnownVersion { version, modified, rivals };
        Ok(VersionEntry { seen, changed: self.moment()?, superseded: self.number()? })
    }

    fn response(&mut self) -> Result<StoredResponse, DecodeError> {
        let connection = self.number()?;
        let status = StatusCode::from_u16(self.small()?).map_err(|_| DecodeError::Field)?;
        let mut headers = HeaderMap::new();
        for _ in 0..self.number()? {
            let name = HeaderName::from_bytes(self.bytes()?).map_err(|_| DecodeError::Field)?;
            let value = HeaderValue::from_bytes(self.bytes()?).map_err(|_| DecodeError::Field)?;
            headers.try_append(name, value).map_err(|_| DecodeError::Field)?;
        }
        let body = Bytes::copy_from_slice(self.bytes()?);
        Ok(StoredResponse { connection, status, headers, body })
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], DecodeError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(DecodeError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.0.split_first().ok_or(DecodeError::Short)?;
        self.0 = rest;
        Ok(*first)
    }

    fn flag(&mut self) -> Result<bool, DecodeError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::Field),
        }
    }

    /// In the fewest bytes that hold it: no number has two spellings.
    fn number(&mut self) -> Result<u64, DecodeError> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if bits > u64::MAX >> shift || (byte == 0 && shift > 0) {
                return Err(DecodeError::Field);
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(DecodeError::Field)
    }

    fn small<T: TryFrom<u64>>(&mut self) -> Result<T, DecodeError> {
        T::try_from(self.number()?).map_err(|_| DecodeError::Field)
    }

    fn moment(&mut self) -> Result<Moment, DecodeError> {
        self.number().map(Moment)
    }

    fn hash(&mut self) -> Result<Packed, DecodeError> {
        let mut half = || {
            let bytes = self.take(8)?.try_into().map_err(|_| DecodeError::Short)?;
            Ok(u64::from_le_bytes(bytes))
        };
        Ok(Packed(half()?, half()?))
    }

    fn bytes(&mut self) -> Result<&'b [u8], DecodeError> {
        let length = self.small()?;
        self.take(length)
    }

    fn text(&mut self) -> Result<Box<str>, DecodeError> {
        std::str::from_utf8(self.bytes()?).map(Box::from).map_err(|_| DecodeError::Field)
    }

    fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'b>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }
}

#[cfg(test)]
mod tests;
