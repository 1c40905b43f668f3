//! The WebSocket that echoes (RFC 6455), message by message.

use std::io;
use std::sync::PoisonError;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, Request, StatusCode, header};
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, error::CapacityError};

use super::connection::Upgrade;
use super::response::{HandlerResult, Problem, empty};

/// The longest message, in bytes.
const LARGEST: usize = 1024 * 1024;
/// Bytes that are read at once: a WebSocket holds a buffer of so many.
const BUFFER: usize = 8 * 1024;
/// Deadline for a client to close its side.
const LINGER: Duration = Duration::from_secs(1);

/// `GET /ws`: agrees, and leaves the connection to [`echo`].
pub(super) fn accept(upgrade: &Upgrade, mut request: Request<Incoming>) -> HandlerResult {
    let response = create_response_with_body(&request, || ()).map_err(|error| problem(&error))?;
    *upgrade.lock().unwrap_or_else(PoisonError::into_inner) = Some(hyper::upgrade::on(&mut request));
    let (head, ()) = response.into_parts();
    let mut response = empty(head.status);
    response.headers_mut().extend(head.headers);
    Ok(response)
}

/// Why a handshake is refused.
fn problem(error: &Error) -> Problem {
    match error {
        Error::Protocol(ProtocolError::MissingSecWebSocketKey | ProtocolError::InvalidSecWebSocketKey) => {
            Problem::new(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key must be 16 bytes in Base64.")
        }
        _ => Problem::new(StatusCode::UPGRADE_REQUIRED, "This route speaks WebSocket, version 13.")
            .with(header::UPGRADE, HeaderValue::from_static("websocket"))
            .with(header::CONNECTION, HeaderValue::from_static("Upgrade"))
            .with(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
    }
}

/// Echoes messages until the client closes, breaks a rule or leaves, or `closing` turns true.
pub(super) async fn echo(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    mut closing: watch::Receiver<bool>,
) -> io::Result<()> {
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST));
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    let code = loop {
        let message = tokio::select! {
            message = socket.next() => message,
            _ = closing.wait_for(|closing| *closing) => break Some(CloseCode::Away),
        };
        match message {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                if socket.send(message).await.is_err() {
                    break None;
                }
            }
            // The crate replies to pings and closes.
            Some(Ok(_)) => {}
            Some(Err(error)) => break code(&error),
            None => break None,
        }
    };
    if let Some(code) = code {
        // The client may be gone.
        let _ = socket.close(Some(CloseFrame { code, reason: "".into() })).await;
    }
    linger(socket.get_mut()).await
}

/// Close code for a client that broke a rule (§7.4.1); `None` for one that left.
fn code(error: &Error) -> Option<CloseCode> {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => Some(CloseCode::Size),
        Error::Utf8(_) => Some(CloseCode::Invalid),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(CloseCode::Protocol),
        _ => None,
    }
}

/// Reads on for a while after the close frame: closing on unread bytes would reset the connection,
/// and the client might lose that frame.
async fn linger(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    stream.shutdown().await?;
    let (mut rest, mut nowhere) = (stream.take(2 * LARGEST as u64), tokio::io::sink());
    let read_out = tokio::io::copy(&mut rest, &mut nowhere);
    tokio::time::timeout(LINGER, read_out).await.map_or(Ok(()), |read| read.map(drop))
}
