//! Bodies in content codings.

use std::io::Write as _;

/// A text in one content coding, or two.
pub fn encoded(coding: &str, text: &[u8]) -> Vec<u8> {
    match coding {
        "" => text.to_vec(),
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(text).expect("memory");
            encoder.finish().expect("memory")
        }
        "br" => {
            let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
            encoder.write_all(text).expect("memory");
            encoder.into_inner()
        }
        "zstd" => ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest),
        _ => encoded("br", &encoded("gzip", text)),
    }
}
