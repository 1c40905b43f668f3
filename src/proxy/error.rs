//! Failures of the proxy itself: their status, their word, and how to mend them. `error_response.rs` makes responses of
//! them.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use http::StatusCode;

use super::upstream::tls_failure::{self, TlsFailure};
use crate::rules::UpstreamUrl;

/// Why a request got no response from the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The request itself cannot be forwarded, for this reason.
    BadRequest(&'static str),
    /// The request's body is not one, or broke off.
    BadBody,
    /// A `Host` that is not served on a loopback address.
    Misdirected,
    /// The request has come through this proxy before.
    Loop,
    /// A method that this proxy does not serve.
    Method,
    /// A target longer than `limits.uri_bytes`.
    UriTooLong,
    /// More header lines than `limits.header_count`.
    HeadTooLarge,
    /// No connection to the upstream.
    Unreachable(Cause),
    /// The proxy itself has run out of a resource.
    Exhausted(Scarce),
    /// Something took too long.
    TimedOut(Late),
    /// The connection broke before there was a response, with the reason in the words of hyper, of h2 or of the
    /// system, where they give one.
    Reset(Option<Arc<str>>),
    /// The response is not HTTP that can be forwarded, for this reason.
    Garbled(Arc<str>),
}

/// Why the proxy could not connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    Refused,
    /// The upstream's name has no address, in the resolver's words.
    Name(Arc<str>),
    Tls(Arc<TlsFailure>),
    /// The upstream speaks TLS, and was spoken to without.
    WantsTls,
    /// In the system's words.
    Other(Arc<str>),
}

/// A resource that ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scarce {
    /// File descriptors.
    Files,
    /// Places under `limits.connections`.
    Connections,
    /// Streams of HTTP/2 to the upstream.
    Streams,
}

/// The deadline that expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// The client's own part.
    RequestBody,
    /// The resolver.
    Name,
    Connection,
    /// The connection was accepted, and its TLS handshake did not end.
    Handshake,
    Answer,
}

impl Failure {
    /// The status that the client gets.
    pub fn status(&self) -> StatusCode {
        match self {
            Failure::BadRequest(_) | Failure::BadBody => StatusCode::BAD_REQUEST,
            Failure::TimedOut(Late::RequestBody) => StatusCode::REQUEST_TIMEOUT,
            Failure::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Failure::Loop => StatusCode::LOOP_DETECTED,
            Failure::Method => StatusCode::METHOD_NOT_ALLOWED,
            Failure::UriTooLong => StatusCode::URI_TOO_LONG,
            Failure::Exhausted(_) => StatusCode::SERVICE_UNAVAILABLE,
            Failure::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Failure::TimedOut(_) => StatusCode::GATEWAY_TIMEOUT,
            Failure::Unreachable(_) | Failure::Reset(_) | Failure::Garbled(_) => StatusCode::BAD_GATEWAY,
        }
    }

    /// The word in `Fracas: error=…`, in logs and in counters.
    pub fn word(&self) -> &'static str {
        match self {
            Failure::BadRequest(_) | Failure::BadBody | Failure::UriTooLong | Failure::HeadTooLarge => {
                "request"
            }
            Failure::Misdirected => "host",
            Failure::Loop => "loop",
            Failure::Method => "method",
            Failure::Unreachable(Cause::Tls(_) | Cause::WantsTls) => "tls",
            Failure::Unreachable(Cause::Name(_)) | Failure::TimedOut(Late::Name) => "resolve",
            Failure::Unreachable(_) => "connect",
            Failure::Exhausted(_) => "exhausted",
            Failure::TimedOut(_) => "timeout",
            Failure::Reset(_) => "reset",
            Failure::Garbled(_) => "protocol",
        }
    }

    /// A connection that broke with `error`.
    pub fn reset(error: &(dyn Error + 'static)) -> Failure {
        let mut deepest = error;
        while let Some(cause) = deepest.source() {
            deepest = cause;
        }
        Failure::Reset(Some(deepest.to_string().into()))
    }

    /// Why it broke, where [`fmt::Display`] does not say it already: for the log alone, as clients need not know.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Failure::Reset(reason) => reason.as_deref(),
            _ => None,
        }
    }

    /// Whether the upstream's port is closed.
    pub fn is_refusal(&self) -> bool {
        *self == Failure::Unreachable(Cause::Refused)
    }

    /// Advice for the proxy's operator.
    pub fn help(&self, upstream: &UpstreamUrl) -> Option<String> {
        match self {
            Failure::Unreachable(Cause::Tls(failure)) => Some(failure.help(upstream)),
            Failure::Unreachable(Cause::WantsTls) => Some(format!(
                "write `upstream = \"https://{}{}\"`",
                upstream.host_header(),
                upstream.base_path
            )),
            Failure::Unreachable(Cause::Name(_)) | Failure::TimedOut(Late::Name) => {
                Some(format!("`getent hosts {}` asks as fracas does", upstream.authority.host))
            }
            Failure::TimedOut(Late::Handshake) => Some(tls_failure::is_it_plain(upstream)),
            _ => None,
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Failure::Unreachable(Cause::Tls(failure)) => Some(&**failure),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says = match self {
            Failure::BadRequest(what) => what,
            Failure::BadBody => "the request's body broke off, or is not framed as its head says",
            Failure::Misdirected => {
                "this Host is not served on a loopback address, as a page of another site could send it: to serve \
                 it, write it in the rules file, allowed_hosts = [\"name\"], or [\"*\"] for every name"
            }
            Failure::Loop => {
                "the upstream's address leads back to this proxy: give `upstream` the address of the service"
            }
            Failure::Method => "CONNECT and TRACE are not served: this is a reverse proxy",
            Failure::UriTooLong => "the request's target is longer than this proxy takes",
            Failure::HeadTooLarge => "the request has more header lines than this proxy takes",
            Failure::Unreachable(Cause::Refused) => "the upstream refused the connection: is it up?",
            Failure::Unreachable(Cause::Name(why)) => {
                return write!(f, "the upstream's name does not resolve: {why}");
            }
            Failure::Unreachable(Cause::Tls(failure)) => {
                return write!(f, "the TLS handshake with the upstream failed: {failure}");
            }
            Failure::Unreachable(Cause::WantsTls) => "the upstream speaks TLS, and was spoken to without",
            Failure::Unreachable(Cause::Other(why)) => {
                return write!(f, "the upstream cannot be reached: {why}");
            }
            Failure::Exhausted(Scarce::Files) => {
                "fracas has no file descriptor left for a connection to the upstream"
            }
            Failure::Exhausted(Scarce::Connections) => {
                "fracas serves as many connections as it may: close some, or raise limits.connections and the limit \
                 of file descriptors (ulimit -n)"
            }
            Failure::Exhausted(Scarce::Streams) => "the upstream allows no more HTTP/2 streams at once",
            Failure::TimedOut(Late::RequestBody) => "the request's body did not arrive in time",
            Failure::TimedOut(Late::Name) => "the upstream's name did not resolve in time",
            Failure::TimedOut(Late::Connection) => "the upstream did not accept a connection in time",
            Failure::TimedOut(Late::Handshake) => {
                "the upstream accepted a connection and did not end the TLS handshake in time"
            }
            Failure::TimedOut(Late::Answer) => "the upstream did not begin its answer in time",
            Failure::Reset(_) => "the upstream closed the connection before it answered",
            Failure::Garbled(why) => {
                return write!(f, "the upstream's answer is not valid HTTP: {why}");
            }
        };
        f.write_str(says)
    }
}
