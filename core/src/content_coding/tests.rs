use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::HeaderValue;
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

type Encode = fn(&[u8]) -> Vec<u8>;

/// The formats that each coding may have, and an encoder of each.
const FORMATS: [(&str, Encode); 5] =
    [("gzip", gzip), ("deflate", zlib), ("deflate", bare), ("br", brotli), ("zstd", zstd)];

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn bare(text: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn brotli(text: &[u8]) -> Vec<u8> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    encoder.write_all(text).expect("memory");
    encoder.into_inner()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    compress_to_vec(text, CompressionLevel::Fastest)
}

fn codings(lines: &[&str]) -> Result<ContentCodings, UndecodableBody> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(header::CONTENT_ENCODING, HeaderValue::from_str(line).expect("a value"));
    }
    ContentCodings::of(&headers)
}

fn whole(coding: &str, body: &[u8], limit: u64) -> Result<Bytes, UndecodableBody> {
    decode(&codings(&[coding])?, &Bytes::copy_from_slice(body), limit)
}

/// Decodes a body that comes in chunks of this length.
fn chunked(coding: &str, body: &[u8], length: usize) -> Result<Vec<u8>, UndecodableBody> {
    let mut decoder = codings(&[coding])?.decoder().expect("a coding");
    let mut decoded = Vec::new();
    let mut drain = |decoder: &mut Decoder| {
        while let Some(piece) = decoder.next_piece()? {
            assert!((1..=PIECE).contains(&piece.len()));
            decoded.extend_from_slice(&piece);
        }
        Ok(())
    };
    for chunk in body.chunks(length) {
        decoder.push(Bytes::copy_from_slice(chunk));
        drain(&mut decoder)?;
    }
    decoder.finish();
    drain(&mut decoder)?;
    Ok(decoded)
}

fn text(length: usize) -> Vec<u8> {
    (0..)
        .flat_map(|n: u64| format!("{{\"n\":{}}},", n.wrapping_mul(2_654_435_761) % 9_973).into_bytes())
        .take(length)
        .collect()
}

#[test]
fn every_format_gives_the_text_back_in_chunks_of_any_length() {
    for (coding, encode) in FORMATS {
        for length in [1, 100, PIECE, 300_000] {
            let text = text(length);
            let body = encode(&text);
            assert_eq!(whole(coding, &body, length as u64).as_deref(), Ok(&*text), "{coding} {length}");
            for chunk in [1, 7, 4_096] {
                assert_eq!(chunked(coding, &body, chunk).as_deref(), Ok(&*text), "{coding} {length} {chunk}");
            }
        }
    }
}

#[test]
fn a_body_without_a_byte_is_empty_in_every_coding_and_one_with_an_empty_content_as_well() {
    for (coding, encode) in FORMATS {
        assert_eq!(whole(coding, b"", 0), Ok(Bytes::new()), "{coding}");
        assert_eq!(whole(coding, &encode(b""), 0), Ok(Bytes::new()), "{coding}");
    }
    assert_eq!(whole("gzip, br", b"", 0), Ok(Bytes::new()));
}

#[test]
fn a_body_that_breaks_off_anywhere_is_invalid() {
    for (coding, encode) in FORMATS {
        let body = encode(&text(2_000));
        for end in 1..body.len() {
            let cut = body.get(..end).expect("an end");
            let is_invalid = |got: &UndecodableBody| matches!(got, UndecodableBody::Invalid(_));
            assert!(whole(coding, cut, 9_000).is_err_and(|got| is_invalid(&got)), "{coding} {end}");
            assert!(chunked(coding, cut, 5).is_err_and(|got| is_invalid(&got)), "{coding} {end}");
        }
    }
}

#[test]
fn other_bytes_and_bytes_after_the_end_are_invalid() {
    for (coding, encode) in FORMATS {
        let body = encode(&text(2_000));
        for wrong in [
            b"{\"a\": 1}, {\"a\": 2}".to_vec(),
            [&body[..], b"{}"].concat(),
            b"\xff\xff\xff\xff\xff".to_vec(),
        ] {
            let got = whole(coding, &wrong, 9_000);
            assert!(matches!(got, Err(UndecodableBody::Invalid(_))), "{coding} {got:?}");
        }
    }
}

/// Gzip, zlib and zstd have checksums; a changed byte of bare deflate and br may be another text.
#[test]
fn one_changed_byte_is_invalid_or_changes_nothing_where_there_is_a_checksum() {
    let text = text(2_000);
    for (coding, encode) in [FORMATS[0], FORMATS[1], FORMATS[4]] {
        let body = encode(&text);
        for at in 0..body.len() {
            let mut changed = body.clone();
            changed[at] ^= 0x10;
            if let Ok(decoded) = whole(coding, &changed, 9_000) {
                assert!(decoded == text, "{coding} {at}");
            }
        }
    }
}

#[test]
fn bombs_and_long_bodies_are_refused_and_come_in_small_pieces_to_those_who_stream() {
    let zeros = vec![0; 2 << 20];
    for (coding, encode) in FORMATS {
        let bomb = encode(&zeros);
        assert_eq!(whole(coding, &bomb, u64::MAX), Err(UndecodableBody::Bomb), "{coding}");
        assert_eq!(whole(coding, &bomb, 1_000), Err(UndecodableBody::TooLong), "{coding}");
        assert_eq!(chunked(coding, &bomb, 4_096).map(|all| all.len()), Ok(zeros.len()), "{coding}");
        let long = encode(&text(300_000));
        assert_eq!(whole(coding, &long, 299_999), Err(UndecodableBody::TooLong), "{coding}");
        assert_eq!(whole(coding, &long, 300_000).map(|all| all.len()), Ok(300_000), "{coding}");
        // Small ones of any ratio are harmless.
        let small = whole(coding, &encode(&zeros[..HARMLESS as usize]), HARMLESS);
        assert!(small.is_ok(), "{coding} {small:?}");
    }
    // A bomb in a bomb.
    assert_eq!(whole("gzip, gzip", &gzip(&gzip(&zeros)), u64::MAX), Err(UndecodableBody::Bomb));
    assert_eq!(whole("identity", &zeros, 1_000), Err(UndecodableBody::TooLong));
}

#[test]
fn members_of_gzip_and_frames_of_zstd_follow_one_another() {
    let skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc";
    for (coding, body) in [
        ("gzip", [gzip(b"one "), gzip(b""), gzip(b"two")].concat()),
        ("zstd", [zstd(b"one "), zstd(b""), zstd(b"two")].concat()),
        ("zstd", [skipped, &zstd(b"one ")[..], skipped, &zstd(b"two"), skipped].concat()),
    ] {
        for length in [1, 3, 1_000] {
            assert_eq!(chunked(coding, &body, length).as_deref(), Ok(&b"one two"[..]), "{coding}");
        }
    }
}

#[test]
fn windows_larger_than_their_codings_allow_are_invalid() {
    // Window_Descriptor 0x70 is 16 MiB (RFC 8878 §3.1.1.1.2), 0x68 is 8 MiB; a raw block of one byte.
    let frame = |window: u8| [&b"\x28\xb5\x2f\xfd\0"[..], &[window], b"\x09\0\0x"].concat();
    assert_eq!(whole("zstd", &frame(0x68), 9).as_deref(), Ok(&b"x"[..]));
    assert_eq!(whole("zstd", &frame(0x70), 9), Err(UndecodableBody::Invalid(ContentCoding::Zstd)));
    // The first byte of "large window brotli".
    assert_eq!(whole("br", b"\x11\x1e\0\0", 9), Err(UndecodableBody::Invalid(ContentCoding::Brotli)));
}

#[test]
fn codings_are_read_as_rfc_9110_has_them() {
    use ContentCoding::{Brotli, Deflate, Gzip, Zstd};
    for (lines, read) in [
        (&[][..], Ok(&[][..])),
        (&["identity"], Ok(&[])),
        (&[""], Ok(&[])),
        (&["GZIP"], Ok(&[Gzip])),
        (&["x-gzip"], Ok(&[Gzip])),
        (&["deflate , identity,, br"], Ok(&[Deflate, Brotli])),
        (&["gzip", "zstd"], Ok(&[Gzip, Zstd])),
        (&["gzip, br, zstd"], Ok(&[Gzip, Brotli, Zstd])),
        (&["gzip, br", "zstd, gzip"], Err(UndecodableBody::TooManyCodings)),
        (&["compress"], Err(UndecodableBody::UnknownCoding)),
        (&["gzip, aes128gcm"], Err(UndecodableBody::UnknownCoding)),
    ] {
        assert_eq!(codings(lines).map(|codings| codings.0.to_vec()), read.map(<[_]>::to_vec), "{lines:?}");
    }
    let text = text(50_000);
    let body = zstd(&brotli(&gzip(&text)));
    assert_eq!(chunked("gzip, br, zstd", &body, 11).as_deref(), Ok(&*text));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// At any chunk lengths, and in any stack of codings.
    #[test]
    fn decoding_undoes_encoding(
        text in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..3_000),
            prop::collection::vec(b'a'..=b'd', 0..20_000),
        ],
        formats in prop::collection::vec(0..FORMATS.len(), 1..=MOST_CODINGS),
        cuts in prop::collection::vec(1_usize..5_000, 1..20),
    ) {
        let mut body = text.clone();
        let names: Vec<&str> = formats.iter().map(|at| FORMATS[*at].0).collect();
        for at in &formats {
            body = FORMATS[*at].1(&body);
        }
        let mut decoder = codings(&[&names.join(", ")]).expect("known").decoder().expect("a coding");
        let (mut rest, mut decoded) = (Bytes::from(body), Vec::new());
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            decoder.push(rest.split_to(rest.len().min(*cut)));
            while let Some(piece) = decoder.next_piece().expect("valid") {
                decoded.extend_from_slice(&piece);
            }
        }
        decoder.finish();
        while let Some(piece) = decoder.next_piece().expect("valid") {
            decoded.extend_from_slice(&piece);
        }
        prop_assert!(decoded == text);
    }

    /// No bytes make it panic, give more than the limit, or go on for ever.
    #[test]
    fn any_bytes_are_a_text_or_undecodable(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        at in 0..FORMATS.len(),
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 0..4),
    ) {
        let _ = whole(FORMATS[at].0, &bytes, 100_000);
        let mut body = FORMATS[at].1(&text(3_000));
        for (place, byte) in changes {
            let place = place % body.len();
            body[place] = byte;
        }
        if let Ok(decoded) = whole(FORMATS[at].0, &body, 100_000) {
            prop_assert!(decoded.len() <= 100_000);
        }
    }
}
