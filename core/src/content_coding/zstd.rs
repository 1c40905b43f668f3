//! Zstandard (RFC 8878), frame by frame and block by block.

use std::io::{self, BufRead, ErrorKind, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::codec::{Codec, Source};

/// Maximum window in bytes: that of the content coding (RFC 9659 §3).
const LARGEST_WINDOW: u64 = 8 << 20;
/// Maximum length in bytes of a block (RFC 8878 §3.1.1.2.3).
const LARGEST_BLOCK: usize = 128 * 1024;

/// A decoder that gathers each header and block whole. Of a frame that goes on, the last window's bytes are given
/// at its end.
#[derive(Default)]
pub struct Zstd {
    source: Source,
    frame: FrameDecoder,
    /// Bytes of the next part.
    part: Vec<u8>,
    at: At,
}

#[derive(Clone, Copy, Default)]
enum At {
    /// Before a frame, which may be the end.
    #[default]
    Start,
    Block {
        has_checksum: bool,
    },
    /// After the last block.
    Last {
        has_checksum: bool,
    },
    /// In a frame to be skipped.
    Skipped {
        left: u32,
    },
}

impl Codec for Zstd {
    fn source(&mut self) -> &mut Source {
        &mut self.source
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.frame.read(out)?;
            if read > 0 {
                return Ok(read);
            }
            match self.at {
                At::Start => {
                    if self.part.is_empty() && self.source.fill_buf()?.is_empty() {
                        return Ok(0);
                    }
                    self.begin_frame()?;
                }
                At::Block { has_checksum } => self.read_block(has_checksum)?,
                At::Last { has_checksum } => {
                    if has_checksum
                        && self.frame.get_checksum_from_data() != self.frame.get_calculated_checksum()
                    {
                        return Err(ErrorKind::InvalidData.into());
                    }
                    self.at = At::Start;
                }
                At::Skipped { left: 0 } => self.at = At::Start,
                At::Skipped { left } => {
                    let length = match self.source.fill_buf()? {
                        [] => return Err(ErrorKind::UnexpectedEof.into()),
                        bytes => bytes.len().min(left as usize),
                    };
                    self.source.consume(length);
                    self.at = At::Skipped { left: left - length as u32 };
                }
            }
        }
    }
}

impl Zstd {
    /// Reads a frame's header (RFC 8878 §3.1.1.1).
    fn begin_frame(&mut self) -> io::Result<()> {
        let magic = self.gather(4).map(|part| part.try_into().map_or(0, u32::from_le_bytes))?;
        // Skippable frames (§3.1.2).
        if magic & 0xffff_fff0 == 0x184d_2a50 {
            let length = self.gather(8)?.get(4..).and_then(|length| length.try_into().ok());
            self.at = At::Skipped { left: length.map_or(0, u32::from_le_bytes) };
            self.part.clear();
            return Ok(());
        }
        let descriptor = self.gather(5)?.last().copied().unwrap_or_default();
        let is_single_segment = descriptor & 0x20 != 0;
        let content_size = match descriptor >> 6 {
            0 => usize::from(is_single_segment),
            flag => 1 << flag,
        };
        let dictionary = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied().unwrap_or_default();
        self.gather(5 + usize::from(!is_single_segment) + dictionary + content_size)?;
        let mut header = &*self.part;
        self.frame.set_max_window_size(LARGEST_WINDOW);
        self.frame.reset(&mut header).map_err(invalid)?;
        self.part.clear();
        self.at = At::Block { has_checksum: descriptor & 4 != 0 };
        Ok(())
    }

    /// Reads a block, and with the last one the checksum (RFC 8878 §3.1.1.2).
    fn read_block(&mut self, has_checksum: bool) -> io::Result<()> {
        let &[first, second, third] = self.gather(3)? else { return Err(ErrorKind::InvalidData.into()) };
        let header = u32::from_le_bytes([first, second, third, 0]);
        let (is_last, kind, size) = (header & 1 == 1, header >> 1 & 3, (header >> 3) as usize);
        if kind == 3 || size > LARGEST_BLOCK {
            return Err(ErrorKind::InvalidData.into());
        }
        // A run of one byte is that byte.
        let length = if kind == 1 { 1 } else { size };
        let checksum = if is_last && has_checksum { 4 } else { 0 };
        self.gather(3 + length + checksum)?;
        let mut block = &*self.part;
        self.frame.decode_blocks(&mut block, BlockDecodingStrategy::UptoBlocks(1)).map_err(invalid)?;
        self.part.clear();
        self.at = if is_last { At::Last { has_checksum } } else { At::Block { has_checksum } };
        Ok(())
    }

    /// The first bytes of the next part.
    fn gather(&mut self, length: usize) -> io::Result<&[u8]> {
        while let missing @ 1.. = length.saturating_sub(self.part.len()) {
            let bytes = self.source.fill_buf()?;
            if bytes.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let bytes = bytes.get(..missing).unwrap_or(bytes);
            self.part.extend_from_slice(bytes);
            let length = bytes.len();
            self.source.consume(length);
        }
        Ok(self.part.get(..length).unwrap_or_default())
    }
}

fn invalid<E>(_: E) -> io::Error {
    ErrorKind::InvalidData.into()
}
