//! Decoding of `Content-Encoding` (RFC 9110 §8.4), piece by piece and with bounded memory.
//!
//! A [`Decoder`] takes the bytes of a body as they come and gives decoded pieces of at most 16 KiB, each only when
//! asked, so that a bomb fills no memory. It holds the bytes pushed and not read yet, and for each coding the window
//! that the format needs: 32 KiB for gzip and deflate, at most 16 MiB for br (RFC 7932 §9.1), and at most 8 MiB and
//! one block for zstd (RFC 9659 §3). [`decode`] decodes a whole body within limits.

mod codec;
#[cfg(test)]
mod tests;
mod zstd;

use std::fmt;
use std::io;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap};
use smallvec::SmallVec;

use codec::Codec;

/// Maximum number of codings applied one over another.
const MOST_CODINGS: usize = 3;
/// Maximum length in bytes of a decoded piece.
const PIECE: usize = 16 * 1024;
/// A body that decodes to more than this many times its bytes is a bomb, as in Apache's `DeflateInflateRatioLimit`.
const RATIO: u64 = 200;
/// Decoded bytes that are no bomb whatever their ratio.
const HARMLESS: u64 = 256 * 1024;

/// A content coding that is decoded here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentCoding {
    Gzip,
    /// In zlib's format, or bare, which browsers take as well.
    Deflate,
    Brotli,
    Zstd,
}

impl ContentCoding {
    /// Every coding.
    pub const ALL: [ContentCoding; 4] =
        [ContentCoding::Gzip, ContentCoding::Deflate, ContentCoding::Brotli, ContentCoding::Zstd];

    /// Its registered name.
    pub fn name(self) -> &'static str {
        match self {
            ContentCoding::Gzip => "gzip",
            ContentCoding::Deflate => "deflate",
            ContentCoding::Brotli => "br",
            ContentCoding::Zstd => "zstd",
        }
    }

    fn named(name: &[u8]) -> Option<ContentCoding> {
        // RFC 9110 §8.4.1.3: `x-gzip` is equivalent.
        let name = if name.eq_ignore_ascii_case(b"x-gzip") { b"gzip" } else { name };
        ContentCoding::ALL.into_iter().find(|coding| name.eq_ignore_ascii_case(coding.name().as_bytes()))
    }
}

/// The codings of a body, in the order in which they were applied. Empty for a plain body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentCodings(SmallVec<[ContentCoding; MOST_CODINGS]>);

impl ContentCodings {
    /// The codings that `Content-Encoding` names, over all its lines.
    pub fn of(headers: &HeaderMap) -> Result<ContentCodings, UndecodableBody> {
        let mut codings = ContentCodings::default();
        let lines = headers.get_all(header::CONTENT_ENCODING).iter();
        for name in lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
        {
            if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
                continue;
            }
            let coding = ContentCoding::named(name).ok_or(UndecodableBody::UnknownCoding)?;
            if codings.0.len() == MOST_CODINGS {
                return Err(UndecodableBody::TooManyCodings);
            }
            codings.0.push(coding);
        }
        Ok(codings)
    }

    /// Whether the body is plain.
    pub fn is_identity(&self) -> bool {
        self.0.is_empty()
    }

    /// A decoder of one body; `None` for a plain one.
    pub fn decoder(&self) -> Option<Decoder> {
        if self.is_identity() {
            return None;
        }
        // The coding applied last is undone first.
        let stages = self.0.iter().rev().map(|coding| Stage { coding: *coding, codec: codec::of(*coding) });
        Some(Decoder { stages: stages.collect(), piece: vec![0; PIECE].into() })
    }
}

/// The reason why a body cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndecodableBody {
    /// `Content-Encoding` names a coding that is not decoded here.
    UnknownCoding,
    /// More than three codings.
    TooManyCodings,
    /// The body is not in this coding, or breaks off.
    Invalid(ContentCoding),
    /// The body decodes to more than 200 times its bytes.
    Bomb,
    /// The body decodes to more bytes than the limit.
    TooLong,
}

impl fmt::Display for UndecodableBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UndecodableBody::UnknownCoding => {
                f.write_str("body has a Content-Encoding other than gzip, deflate, br and zstd")
            }
            UndecodableBody::TooManyCodings => {
                write!(f, "body has more than {MOST_CODINGS} codings in Content-Encoding")
            }
            UndecodableBody::Invalid(coding) => write!(f, "body is not valid {}", coding.name()),
            UndecodableBody::Bomb => write!(f, "body decodes to more than {RATIO} times its bytes"),
            UndecodableBody::TooLong => f.write_str("body is longer than body_limit when decoded"),
        }
    }
}

impl std::error::Error for UndecodableBody {}

/// Decodes a whole body to at most `limit` bytes.
pub fn decode(codings: &ContentCodings, body: &Bytes, limit: u64) -> Result<Bytes, UndecodableBody> {
    let Some(mut decoder) = codings.decoder() else {
        return if body.len() as u64 > limit { Err(UndecodableBody::TooLong) } else { Ok(body.clone()) };
    };
    decoder.push(body.clone());
    decoder.finish();
    let mut decoded = BytesMut::new();
    while let Some(piece) = decoder.next_piece()? {
        let length = (decoded.len() + piece.len()) as u64;
        if length > HARMLESS && length / RATIO > body.len() as u64 {
            return Err(UndecodableBody::Bomb);
        }
        if length > limit {
            return Err(UndecodableBody::TooLong);
        }
        decoded.extend_from_slice(&piece);
    }
    Ok(decoded.freeze())
}

/// The decoder of one body: push bytes, take pieces until there are none, push more or finish.
pub struct Decoder {
    /// In the order in which they are undone.
    stages: SmallVec<[Stage; MOST_CODINGS]>,
    piece: Box<[u8]>,
}

struct Stage {
    coding: ContentCoding,
    codec: Box<dyn Codec>,
}

impl Decoder {
    /// Adds bytes of the body. They are held until pieces are taken.
    pub fn push(&mut self, body: Bytes) {
        if let Some(first) = self.stages.first_mut() {
            first.codec.source().push(body);
        }
    }

    /// The body is over: without its end it is invalid.
    pub fn finish(&mut self) {
        if let Some(first) = self.stages.first_mut() {
            first.codec.source().finish();
        }
    }

    /// The next decoded bytes, at most 16 KiB; `None` when more must be pushed first, or the body is over.
    pub fn next_piece(&mut self) -> Result<Option<Bytes>, UndecodableBody> {
        match pull(&mut self.stages, &mut self.piece)? {
            Pulled::Piece(piece) => Ok(Some(piece)),
            Pulled::Hungry | Pulled::End => Ok(None),
        }
    }
}

enum Pulled {
    Piece(Bytes),
    Hungry,
    End,
}

/// Takes a piece of the last stage, fed by those before it.
fn pull(stages: &mut [Stage], piece: &mut [u8]) -> Result<Pulled, UndecodableBody> {
    let Some((last, before)) = stages.split_last_mut() else { return Ok(Pulled::Hungry) };
    loop {
        match read(last, piece)? {
            Pulled::Hungry if !before.is_empty() => match pull(before, piece)? {
                Pulled::Piece(fed) => last.codec.source().push(fed),
                Pulled::Hungry => return Ok(Pulled::Hungry),
                Pulled::End => last.codec.source().finish(),
            },
            pulled => return Ok(pulled),
        }
    }
}

fn read(stage: &mut Stage, piece: &mut [u8]) -> Result<Pulled, UndecodableBody> {
    let source = stage.codec.source();
    if source.is_unused() {
        // A body without a byte is empty, whatever its coding: HTTP clients name the coding of one they have not.
        return Ok(if source.is_finished() { Pulled::End } else { Pulled::Hungry });
    }
    match stage.codec.read(piece) {
        Ok(0) if stage.codec.source().has_more() => Err(UndecodableBody::Invalid(stage.coding)),
        Ok(0) if !stage.codec.source().is_finished() => Ok(Pulled::Hungry),
        Ok(0) => Ok(Pulled::End),
        Ok(length) => Ok(Pulled::Piece(Bytes::copy_from_slice(piece.get(..length).unwrap_or_default()))),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Pulled::Hungry),
        Err(_) => Err(UndecodableBody::Invalid(stage.coding)),
    }
}
