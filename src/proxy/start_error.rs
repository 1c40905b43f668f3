//! Why a proxy cannot start.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::downstream::tls::TlsError;
use super::upstream::connect::ConnectorError;
use crate::rules::template::TemplateMistake;

/// Why a proxy cannot start.
#[derive(Debug)]
pub enum StartError {
    /// The address cannot be listened on.
    Listen(SocketAddr, io::Error),
    /// The upstream can never be connected to.
    Upstream(ConnectorError),
    /// Clients cannot be served over TLS.
    Tls(TlsError),
    /// Replies that can never be rendered.
    Replies(Vec<TemplateMistake>),
    /// The journal's file cannot be appended to.
    Journal(PathBuf, io::Error),
    /// The system gives no randomness.
    Randomness,
    /// The system gives no thread or no event queue.
    Thread(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Listen(address, _) => write!(f, "cannot listen on {address}"),
            StartError::Upstream(error) => error.fmt(f),
            StartError::Tls(error) => error.fmt(f),
            StartError::Replies(_) => f.write_str("a reply can never be given"),
            StartError::Journal(path, _) => write!(f, "the journal {} cannot be written", path.display()),
            StartError::Randomness => f.write_str("the system gives no random numbers"),
            StartError::Thread(_) => f.write_str("the system gives no thread to serve with"),
        }
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            StartError::Listen(_, error) | StartError::Journal(_, error) | StartError::Thread(error) => {
                Some(error)
            }
            StartError::Upstream(error) => error.source(),
            StartError::Tls(error) => error.source(),
            StartError::Replies(mistakes) => mistakes.first().map(|mistake| mistake as &dyn Error),
            StartError::Randomness => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_start_says_its_kind_and_keeps_its_source() {
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        let mistake = TemplateMistake { at: 0..3, message: "no such word".into(), suggestion: String::new() };
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        for (error, says, source) in [
            (
                StartError::Listen(address, denied()),
                "cannot listen on 127.0.0.1:80",
                Some("permission denied"),
            ),
            (
                StartError::Upstream(ConnectorError::Roots("none found".into())),
                "no certificate authorities to check an https upstream with",
                Some("none found"),
            ),
            (
                StartError::Upstream(ConnectorError::ServerName),
                "the upstream's host is not a name that a certificate can be for",
                None,
            ),
            (
                StartError::Tls(TlsError::Unusable(rustls::Error::HandshakeNotComplete)),
                "the certificate made for the run cannot be used",
                Some("handshake not complete"),
            ),
            (StartError::Replies(vec![mistake]), "a reply can never be given", Some("no such word")),
            (
                StartError::Journal("j".into(), denied()),
                "the journal j cannot be written",
                Some("permission denied"),
            ),
            (StartError::Randomness, "the system gives no random numbers", None),
            (
                StartError::Thread(denied()),
                "the system gives no thread to serve with",
                Some("permission denied"),
            ),
        ] {
            assert_eq!(error.to_string(), says);
            assert_eq!(error.source().map(ToString::to_string).as_deref(), source, "{error:?}");
        }
    }
}
