//! Codecs that read compressed bytes as they come.

use std::collections::VecDeque;
use std::io::{self, BufRead, ErrorKind, Read};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use bytes::{Buf, Bytes};
use flate2::bufread::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};

use super::ContentCoding;
use super::zstd::Zstd;

/// A decoder of one coding.
pub trait Codec {
    /// The compressed bytes, to be added to.
    fn source(&mut self) -> &mut Source;

    /// Decodes into `out`. Zero bytes are the end of the coding's data; [`ErrorKind::WouldBlock`] asks for more bytes
    /// of the source.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize>;
}

/// A new decoder.
pub fn of(coding: ContentCoding) -> Box<dyn Codec> {
    match coding {
        ContentCoding::Gzip => Box::new(Gzip::Unread(Source::default())),
        ContentCoding::Deflate => {
            Box::new(Deflate { source: Source::default(), inflater: None, is_over: false })
        }
        ContentCoding::Brotli => Box::new(Brotli::new()),
        ContentCoding::Zstd => Box::new(Zstd::default()),
    }
}

/// Compressed bytes that have come and were not read yet.
#[derive(Default)]
pub struct Source {
    chunks: VecDeque<Bytes>,
    is_used: bool,
    is_finished: bool,
}

impl Source {
    pub fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.is_used = true;
            self.chunks.push_back(bytes);
        }
    }

    pub fn finish(&mut self) {
        self.is_finished = true;
    }

    pub fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// Whether no byte ever came.
    pub fn is_unused(&self) -> bool {
        !self.is_used
    }

    /// Whether there are bytes left.
    pub fn has_more(&self) -> bool {
        !self.chunks.is_empty()
    }
}

impl BufRead for Source {
    /// Empty at the end alone.
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.chunks.front() {
            Some(chunk) => Ok(chunk),
            None if self.is_finished => Ok(&[]),
            None => Err(ErrorKind::WouldBlock.into()),
        }
    }

    fn consume(&mut self, length: usize) {
        if let Some(chunk) = self.chunks.front_mut() {
            chunk.advance(length.min(chunk.len()));
            if chunk.is_empty() {
                self.chunks.pop_front();
            }
        }
    }
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

/// Gzip, of any number of members (RFC 1952 §2.2).
enum Gzip {
    /// [`MultiGzDecoder::new`] reads at once.
    Unread(Source),
    Reading(MultiGzDecoder<Source>),
}

impl Codec for Gzip {
    fn source(&mut self) -> &mut Source {
        match self {
            Gzip::Unread(source) => source,
            Gzip::Reading(decoder) => decoder.get_mut(),
        }
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Gzip::Unread(source) = self {
            *self = Gzip::Reading(MultiGzDecoder::new(std::mem::take(source)));
        }
        match self {
            Gzip::Reading(decoder) => decoder.read(out),
            Gzip::Unread(_) => Ok(0),
        }
    }
}

struct Deflate {
    source: Source,
    inflater: Option<Decompress>,
    is_over: bool,
}

impl Codec for Deflate {
    fn source(&mut self) -> &mut Source {
        &mut self.source
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.is_over {
            let (input, why_no_more) = match self.source.fill_buf() {
                Ok(input) => (input, ErrorKind::UnexpectedEof),
                Err(error) => (&[][..], error.kind()),
            };
            let is_starved = input.is_empty();
            if is_starved && self.inflater.is_none() {
                return Err(why_no_more.into());
            }
            // In zlib's format the method is 8, and the window no larger than 32 KiB (RFC 1950 §2.2).
            let is_zlib = |first: &u8| first & 0x0f == 8 && first >> 4 <= 7;
            let inflater =
                self.inflater.get_or_insert_with(|| Decompress::new(input.first().is_some_and(is_zlib)));
            let (read, written) = (inflater.total_in(), inflater.total_out());
            // Without input it gives the bytes that did not fit before.
            let status = inflater.decompress(input, out, FlushDecompress::None)?;
            let read = (inflater.total_in() - read) as usize;
            let written = (inflater.total_out() - written) as usize;
            self.is_over = status == Status::StreamEnd;
            self.source.consume(read);
            if written > 0 {
                return Ok(written);
            }
            if !self.is_over && is_starved {
                return Err(why_no_more.into());
            }
            if !self.is_over && read == 0 {
                return Err(ErrorKind::InvalidData.into());
            }
        }
        Ok(0)
    }
}

struct Brotli {
    source: Source,
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    is_over: bool,
}

impl Brotli {
    fn new() -> Brotli {
        let alloc = StandardAlloc::default;
        // Without the large windows that are no part of `br`.
        let state = BrotliState::new_strict(alloc(), alloc(), alloc());
        Brotli { source: Source::default(), state: Box::new(state), is_over: false }
    }
}

impl Codec for Brotli {
    fn source(&mut self) -> &mut Source {
        &mut self.source
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.is_over {
            let (input, why_no_more) = match self.source.fill_buf() {
                Ok(input) => (input, ErrorKind::UnexpectedEof),
                Err(error) => (&[][..], error.kind()),
            };
            let is_starved = input.is_empty();
            let (mut left, mut read, mut room, mut written, mut total) = (input.len(), 0, out.len(), 0, 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut read,
                input,
                &mut room,
                &mut written,
                out,
                &mut total,
                &mut self.state,
            );
            self.source.consume(read);
            match result {
                BrotliResult::ResultSuccess => self.is_over = true,
                BrotliResult::ResultFailure => return Err(ErrorKind::InvalidData.into()),
                BrotliResult::NeedsMoreInput if is_starved && written == 0 => return Err(why_no_more.into()),
                BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
            }
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}
