//! The WebSocket that echoes: the opening handshake (RFC 6455 §4.2), then frame by frame.

use std::io;
use std::sync::PoisonError;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Version, header};
use hyper::body::Incoming;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::watch;

use super::answer::{Answer, Problem, empty, value};
use super::connection::Upgrade;
use super::frames::{Close, Conversation, Frame, MAX_PAYLOAD, Opcode, Start, head, unmask};

/// What every server appends to the client's key (§1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// How long a client may take to close its side.
const LINGER: Duration = Duration::from_secs(1);

/// `GET /ws`: agrees, and leaves the connection to [`echo`].
pub(super) fn accept(upgrade: &Upgrade, mut request: Request<Incoming>) -> Answer {
    let accepted = handshake(request.version(), request.headers())?;
    *upgrade.lock().unwrap_or_else(PoisonError::into_inner) = Some(hyper::upgrade::on(&mut request));
    let mut response = empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, value(accepted)?);
    Ok(response)
}

/// Checks a client's handshake (§4.2.1) and gives the server's part of it.
fn handshake(version: Version, headers: &HeaderMap) -> Result<String, Problem> {
    let upgrades = version >= Version::HTTP_11
        && lists(headers, header::UPGRADE, "websocket")
        && lists(headers, header::CONNECTION, "upgrade");
    if !upgrades || headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let problem = Problem::new(StatusCode::UPGRADE_REQUIRED, "This route speaks WebSocket, version 13.")
            .with(header::UPGRADE, HeaderValue::from_static("websocket"))
            .with(header::CONNECTION, HeaderValue::from_static("Upgrade"))
            .with(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return Err(problem);
    }
    let key =
        headers.get(header::SEC_WEBSOCKET_KEY).map(|key| key.as_bytes().trim_ascii()).unwrap_or_default();
    if !BASE64_STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key must be 16 bytes in Base64."));
    }
    Ok(BASE64_STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize()))
}

/// Whether a header lists a token, in any case.
fn lists(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(token))
}

/// Echoes frames until the client closes, breaks a rule or leaves, or `closing` turns true.
pub(super) async fn echo(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    mut closing: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut conversation = Conversation::default();
    loop {
        let read = tokio::select! {
            read = read(&mut stream) => read?,
            _ = closing.wait_for(|closing| *closing) => Err(Close::GoingAway),
        };
        let (answer, over) = match read.and_then(|frame| conversation.answer(frame)) {
            Ok(answer) => {
                let over = answer.as_ref().is_some_and(|frame| frame.opcode == Opcode::Close);
                (answer, over)
            }
            Err(code) => {
                let payload = Bytes::copy_from_slice(&(code as u16).to_be_bytes());
                (Some(Frame { last: true, opcode: Opcode::Close, payload }), true)
            }
        };
        if let Some(frame) = answer {
            write(&mut stream, &frame).await?;
        }
        if over {
            stream.shutdown().await?;
            return linger(&mut stream).await;
        }
    }
}

/// Reads on for a while after the last word: closing on unread bytes would reset the connection,
/// and the client might lose the close frame.
async fn linger(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let (mut rest, mut nowhere) = (stream.take(2 * MAX_PAYLOAD), tokio::io::sink());
    let read_out = tokio::io::copy(&mut rest, &mut nowhere);
    tokio::time::timeout(LINGER, read_out).await.map_or(Ok(()), |read| read.map(drop))
}

/// Reads one frame; the inner error is the client's fault.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Result<Frame, Close>> {
    let mut start = [0; 2];
    stream.read_exact(&mut start).await?;
    let start = match Start::read(start) {
        Ok(start) => start,
        Err(code) => return Ok(Err(code)),
    };
    let extended = match start.length {
        126 => stream.read_u16().await?.into(),
        127 => stream.read_u64().await?,
        _ => 0,
    };
    let length = match start.payload_length(extended) {
        Ok(length) => length,
        Err(code) => return Ok(Err(code)),
    };
    let mut mask = [0; 4];
    stream.read_exact(&mut mask).await?;
    // Grows as the payload arrives: a length is only a claim.
    let mut payload = Vec::new();
    if stream.take(length).read_to_end(&mut payload).await? as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    unmask(&mut payload, mask);
    Ok(Ok(Frame { last: start.last, opcode: start.opcode, payload: payload.into() }))
}

/// Writes one frame, a small one in a single piece.
async fn write(stream: &mut (impl AsyncWrite + Unpin), frame: &Frame) -> io::Result<()> {
    let mut bytes = head(frame);
    if frame.payload.len() <= 16 * 1024 {
        bytes.extend_from_slice(&frame.payload);
        stream.write_all(&bytes).await?;
    } else {
        stream.write_all(&bytes).await?;
        stream.write_all(&frame.payload).await?;
    }
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_is_answered_or_refused() {
        // The key and its answer are the example of RFC 6455 §1.3.
        let good = [
            ("upgrade", "WebSocket"),
            ("connection", "keep-alive, Upgrade"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let cases = [
            (("accept", "*/*"), Ok("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")),
            (("upgrade", "h2c"), Err(426)),
            (("connection", "close"), Err(426)),
            (("sec-websocket-version", "8"), Err(426)),
            (("sec-websocket-key", "short"), Err(400)),
            (("sec-websocket-key", ""), Err(400)),
        ];
        for ((name, value), expected) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in good.into_iter().chain([(name, value)]) {
                headers.insert(name, HeaderValue::from_static(value));
            }
            let answer = handshake(Version::HTTP_11, &headers).map_err(|problem| problem.status.as_u16());
            assert_eq!(answer.as_deref(), expected.as_ref().map(|text| *text), "{name}: {value}");
        }
    }
}
