use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::*;
use crate::content_coding::ContentCoding;
use crate::rules::{Authority, UpstreamUrl};

const FRONT_HOST: &str = "f:1";

fn head(lines: &[(&'static str, &'static str)]) -> response::Parts {
    let mut head = http::Response::new(()).into_parts().0;
    for (name, value) in lines {
        head.headers.append(*name, HeaderValue::from_static(value));
    }
    head
}

fn left(head: &response::Parts) -> Vec<String> {
    head.headers.iter().map(|(name, value)| format!("{name}: {}", value.as_bytes().escape_ascii())).collect()
}

fn origin() -> Rc<Origin> {
    let authority = Authority { host: "api.test".into(), port: 8080 };
    Rc::new(Origin::of(&UpstreamUrl { scheme: Scheme::Http, authority, base_path: "".into() }))
}

fn front() -> Front {
    Front { host: Some(HeaderValue::from_static(FRONT_HOST)), forwarded: None, scheme: Scheme::Http }
}

fn compressed(coding: &str, text: &[u8]) -> Vec<u8> {
    let to = Vec::new;
    macro_rules! with {
        ($encoder:ident) => {{
            let mut encoder = $encoder::new(to(), Compression::default());
            encoder.write_all(text).expect("memory");
            encoder.finish().expect("memory")
        }};
    }
    match coding {
        "gzip" => with!(GzEncoder),
        "deflate" => with!(ZlibEncoder),
        "bare" => with!(DeflateEncoder),
        "br" => {
            let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
            encoder.write_all(text).expect("memory");
            encoder.into_inner()
        }
        "zstd" => ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest),
        "gzip, br" => compressed("br", &compressed("gzip", text)),
        _ => text.to_vec(),
    }
}

#[test]
fn a_head_says_what_is_true_of_the_rewritten_body_and_keeps_its_tag() {
    let mut parts = head(&[
        ("content-type", "application/problem+json; charset=utf-8"),
        ("content-encoding", "gzip, br"),
        ("content-length", "7"),
        ("etag", "\"a\""),
        ("digest", "sha-256=x"),
        ("repr-digest", "sha-256=:x:"),
        ("content-md5", "x"),
        ("accept-ranges", "bytes"),
    ]);
    let rewriter_of = rewriter(&mut parts, &origin(), &front()).expect("JSON");
    assert!(matches!(rewriter_of.source, Source::Coded(_)));
    assert_eq!(left(&parts), ["content-type: application/problem+json; charset=utf-8", "etag: \\\"a\\\""]);

    for lines in [
        &[("content-type", "image/png"), ("content-length", "7")][..],
        &[("content-type", "text/html; charset=UTF-16"), ("content-length", "7")],
        &[("content-type", "text/html"), ("content-encoding", "dcb"), ("content-length", "7")],
        &[("content-type", "text/html"), ("content-encoding", "gzip, compress")],
        &[("content-length", "7")],
        &[("content-type", "application/xmlish")],
    ] {
        let mut parts = head(lines);
        assert!(rewriter(&mut parts, &origin(), &front()).is_none(), "{lines:?}");
        assert_eq!(left(&parts), left(&head(lines)));
    }
    // A part of a text that is rewritten would not fit to another.
    let mut parts = head(&[("content-type", "text/html"), ("content-length", "7")]);
    parts.status = StatusCode::PARTIAL_CONTENT;
    assert!(rewriter(&mut parts, &origin(), &front()).is_none());
    let mut parts = head(&[("content-length", "7"), ("etag", "\"a\"")]);
    parts.status = StatusCode::NOT_MODIFIED;
    assert!(rewriter(&mut parts, &origin(), &front()).is_none());
    assert_eq!(left(&parts), ["etag: \\\"a\\\""]);
}

#[test]
fn the_upstream_is_asked_for_whole_bodies_in_encodings_that_the_client_takes_and_that_are_read() {
    for (accepted, asked) in [
        (Some("gzip, deflate, br, zstd"), Some("gzip, deflate, br")),
        (Some("br;q=1.0, gzip;q=0.8, *;q=0.1"), Some("gzip, deflate, br")),
        (Some("zstd"), Some("identity")),
        (Some("GZIP"), Some("gzip")),
        (Some("gzip;q=0, *"), Some("deflate, br")),
        (Some("gzip; q=0.000"), Some("identity")),
        (Some("br"), Some("br")),
        (Some("identity"), Some("identity")),
        (Some(""), Some("identity")),
        (None, None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-9"));
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"a\""));
        if let Some(accepted) = accepted {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
        }
        ask(&mut headers);
        let all: Vec<_> = headers.values().map(|value| value.to_str().expect("ASCII")).collect();
        assert_eq!(all, asked.into_iter().collect::<Vec<_>>(), "{accepted:?}");
    }
}

#[test]
fn compressed_bodies_are_rewritten_and_looked_at_like_plain_ones_and_bombs_go_in_small_pieces() {
    let text = [&b"<a href=http://api.test:8080/b>"[..], &vec![b' '; 2 << 20]].concat();
    for (encoding, coding) in [
        ("identity", ""),
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("deflate", "bare"),
        ("br", "br"),
        ("zstd", "zstd"),
        ("gzip, br", "gzip, br"),
    ] {
        let lines = [("content-type", "text/html"), ("content-encoding", encoding)];
        let sent = Bytes::from(compressed(coding, &text));

        let mut look = Look::at(&head(&lines), &origin()).expect("HTML");
        let mut seen = Seen::NotYet;
        for byte in sent.chunks(7) {
            seen = look.see(&Bytes::copy_from_slice(byte), false);
            if seen != Seen::NotYet {
                break;
            }
        }
        assert_eq!(seen, Seen::Found, "{coding}");

        let mut rewriter = rewriter(&mut head(&lines), &origin(), &front()).expect("HTML");
        let mut got = Vec::new();
        rewriter.push(sent);
        rewriter.finish();
        while let Some(piece) = rewriter.next_piece().expect("it is whole") {
            assert!(encoding == "identity" || piece.len() <= 17 << 10, "{}", piece.len());
            got.extend(piece);
        }
        assert!(got.starts_with(b"<a href=http://f:1/b> "), "{coding}");
        assert_eq!(got.len(), text.len() - "api.test:8080".len() + FRONT_HOST.len(), "{coding}");
    }
}

#[test]
fn a_body_that_breaks_off_or_is_in_no_such_encoding_is_an_error() {
    let lines = [("content-type", "text/html"), ("content-encoding", "gzip")];
    let whole = compressed("gzip", b"<p>hello");
    for sent in [&whole[..whole.len() - 3], b"<p>hello"] {
        let mut rewriter = rewriter(&mut head(&lines), &origin(), &front()).expect("HTML");
        rewriter.push(Bytes::copy_from_slice(sent));
        rewriter.finish();
        let got = std::iter::from_fn(|| rewriter.next_piece().transpose()).find(Result::is_err);
        let wanted = UndecodableBody::Invalid(ContentCoding::Gzip);
        assert_eq!(got, Some(Err(wanted)), "{}", sent.escape_ascii());
    }
}

#[test]
fn a_look_ends_after_64_kib() {
    for (before, wanted) in [(0, Seen::Found), (LOOKED_AT - 30, Seen::Found), (LOOKED_AT, Seen::Enough)] {
        let text = [&vec![b' '; before][..], b"\"//api.test:8080\""].concat();
        let mut look = Look::at(&head(&[("content-type", "application/json")]), &origin()).expect("JSON");
        let mut seen = Seen::NotYet;
        for piece in text.chunks(1_000) {
            seen = look.see(&Bytes::copy_from_slice(piece), false);
            if seen != Seen::NotYet {
                break;
            }
        }
        assert_eq!(seen, wanted, "{before}");
    }
}
