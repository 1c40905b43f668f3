//! Decoding of any bytes in any codings: bounded, and the same however the bytes are cut.

use bytes::Bytes;
use fracas::content_coding::{ContentCodings, UndecodableBody, decode};
use http::{HeaderMap, HeaderValue};

use super::choices::Choices;

const NAMES: [&str; 8] =
    ["gzip", "deflate", "br", "zstd", "gzip, br", "zstd, deflate, gzip", "identity", "x-gzip"];
/// Maximum length of a decoded body in bytes.
const LIMIT: u64 = 1 << 20;
/// Maximum length of a decoded piece in bytes.
const PIECE: usize = 16 * 1024;

pub fn check(data: &[u8]) {
    let mut choices = Choices(data);
    let mut headers = HeaderMap::new();
    headers.insert("content-encoding", HeaderValue::from_static(choices.one(&NAMES)));
    let codings = ContentCodings::of(&headers).expect("known codings");
    let cut = 1 + choices.below(64);
    let body = Bytes::copy_from_slice(choices.0);
    let whole = decode(&codings, &body, LIMIT);
    if let Ok(decoded) = &whole {
        assert!(decoded.len() as u64 <= LIMIT);
    }
    if matches!(whole, Err(UndecodableBody::Bomb | UndecodableBody::TooLong)) {
        return;
    }
    let pieced = pieces(&codings, &body, cut);
    // Of two codings that are both broken, the cut decides which one is found so first.
    assert_eq!(pieced.ok(), whole.ok().map(|whole| whole.to_vec()));
}

/// Decodes a body that comes in pieces of `cut` bytes.
fn pieces(codings: &ContentCodings, body: &Bytes, cut: usize) -> Result<Vec<u8>, UndecodableBody> {
    let Some(mut decoder) = codings.decoder() else { return Ok(body.to_vec()) };
    let mut decoded = Vec::new();
    let chunks = body.chunks(cut).map(Some).chain([None]);
    for chunk in chunks {
        match chunk {
            Some(chunk) => decoder.push(Bytes::copy_from_slice(chunk)),
            None => decoder.finish(),
        }
        while let Some(piece) = decoder.next_piece()? {
            assert!(!piece.is_empty() && piece.len() <= PIECE);
            decoded.extend_from_slice(&piece);
        }
    }
    Ok(decoded)
}
