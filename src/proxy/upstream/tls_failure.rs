//! Why a TLS handshake with the upstream failed, with advice.

use std::fmt;
use std::io;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible};

use super::verify::SelfSigned;
use crate::rules::UpstreamUrl;

/// A handshake that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFailure {
    fault: Fault,
    /// In the words of rustls or of the system.
    reason: String,
}

/// Kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    SelfSigned,
    Issuer,
    Expired,
    NotYetValid,
    Name,
    /// A certificate of X.509 version 1, which has no place for names of hosts.
    NoExtensions,
    /// The bytes received are not TLS.
    NotTls,
    /// No version of TLS that both sides speak.
    Version,
    /// The upstream misses a certificate of ours.
    NoIdentity,
    /// The upstream does not take the certificate of ours.
    Identity,
    /// The connection ended in the middle of the handshake.
    HungUp,
    Other,
}

/// Alerts about a client's certificate, or its absence (RFC 8446 §6.2).
const OF_IDENTITIES: [AlertDescription; 7] = [
    AlertDescription::BadCertificate,
    AlertDescription::UnsupportedCertificate,
    AlertDescription::CertificateRevoked,
    AlertDescription::CertificateExpired,
    AlertDescription::CertificateUnknown,
    AlertDescription::UnknownCA,
    AlertDescription::AccessDenied,
];
/// Maximum number of a certificate's names in a message.
const NAMES: usize = 4;

impl TlsFailure {
    /// The TLS failure in `error`, if it is one. `has_identity`: whether the proxy has a certificate to show.
    pub fn of(error: &io::Error, has_identity: bool) -> Option<TlsFailure> {
        let of_tls = error.get_ref().and_then(|error| error.downcast_ref::<Error>().cloned());
        if let Some(error) = &of_tls.or_else(|| alert_in_words(error)) {
            let fault = fault(error, has_identity);
            return Some(TlsFailure { fault, reason: reason(error) });
        }
        let has_ended = matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
        );
        has_ended.then(|| TlsFailure { fault: Fault::HungUp, reason: error.to_string() })
    }

    /// Advice on the failure.
    pub fn help(&self, upstream: &UpstreamUrl) -> String {
        let says = match self.fault {
            Fault::SelfSigned => {
                "to trust it, write `[upstream_tls] ca = \"cert.pem\"`, a file with this certificate"
            }
            Fault::Issuer => {
                "`[upstream_tls] ca = \"ca.pem\"` names a file with the certificates to trust, as does \
                 SSL_CERT_FILE; the upstream itself has to send those in between"
            }
            Fault::Expired => {
                "renew it; where nothing secret passes, `[upstream_tls] insecure = true` takes any certificate"
            }
            Fault::NotYetValid => "is the clock of this machine right?",
            Fault::Name => {
                "write a name of the certificate's in `upstream`, or make a certificate for this one \
                 (`openssl req -x509 -addext subjectAltName=DNS:name,IP:address`)"
            }
            Fault::NoExtensions => "make one with `-addext subjectAltName=DNS:name,IP:address`",
            Fault::NotTls | Fault::HungUp => return is_it_plain(upstream),
            Fault::Version => "fracas speaks TLS 1.3 and 1.2: let the upstream speak one of them",
            Fault::NoIdentity => {
                "`[upstream_tls] cert = \"client.pem\"` and `key = \"client-key.pem\"` name the one to show"
            }
            Fault::Identity => "does the upstream trust the issuer of `upstream_tls.cert`?",
            Fault::Other => "`openssl s_client -connect` shows the upstream's side of it",
        };
        says.to_owned()
    }
}

/// Advice when the port probably speaks no TLS.
pub fn is_it_plain(upstream: &UpstreamUrl) -> String {
    let (host, base) = (upstream.host_header(), &upstream.base_path);
    format!("if it speaks plain HTTP, write `upstream = \"http://{host}{base}\"`")
}

/// Whether it was TLS that ended a connection: an upstream says only after the handshake that it does not
/// like the client's certificate, or misses one (RFC 8446 §4.4.2).
pub fn refused_by_tls(error: &io::Error, has_identity: bool) -> Option<TlsFailure> {
    // tokio-rustls reports alerts as this kind, which has no other source.
    match error.kind() {
        io::ErrorKind::InvalidData => TlsFailure::of(error, has_identity),
        _ => None,
    }
}

/// The alert in an error's text, which is all that h2 keeps of an error.
fn alert_in_words(error: &io::Error) -> Option<Error> {
    let words = error.get_ref()?.to_string();
    let missing = [AlertDescription::CertificateRequired, AlertDescription::DecryptError];
    let mut alerts = OF_IDENTITIES.into_iter().chain(missing).map(Error::AlertReceived);
    alerts.find(|alert| alert.to_string() == words)
}

fn fault(error: &Error, has_identity: bool) -> Fault {
    match error {
        Error::InvalidCertificate(error) => fault_of_certificate(error),
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge
            | InvalidMessage::InvalidEmptyPayload,
        ) => Fault::NotTls,
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | Error::AlertReceived(AlertDescription::ProtocolVersion) => Fault::Version,
        Error::AlertReceived(AlertDescription::CertificateRequired | AlertDescription::NoCertificate) => {
            Fault::NoIdentity
        }
        Error::AlertReceived(AlertDescription::DecryptError) if has_identity => Fault::Identity,
        Error::AlertReceived(alert) if OF_IDENTITIES.contains(alert) => match has_identity {
            true => Fault::Identity,
            false => Fault::NoIdentity,
        },
        _ => Fault::Other,
    }
}

fn fault_of_certificate(error: &CertificateError) -> Fault {
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => Fault::Issuer,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Fault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Fault::NotYetValid,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Fault::Name,
        CertificateError::Other(OtherError(error)) if error.is::<SelfSigned>() => Fault::SelfSigned,
        CertificateError::Other(OtherError(error)) => match error.downcast_ref() {
            Some(webpki::Error::UnsupportedCertVersion) => Fault::NoExtensions,
            _ => Fault::Other,
        },
        _ => Fault::Other,
    }
}

/// rustls's words, with dates instead of seconds, and not with all names.
fn reason(error: &Error) -> String {
    let Error::InvalidCertificate(of_certificate) = error else { return error.to_string() };
    match of_certificate {
        CertificateError::ExpiredContext { not_after, .. } => format!("not valid after {}", date(*not_after)),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("not valid before {}", date(*not_before))
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let expected = expected.to_str();
            match presented.as_slice() {
                [] => format!("it names no host, and so not {expected}: a CN does not count"),
                names => {
                    let shown: Vec<String> = names.iter().take(NAMES).map(|name| plain(name)).collect();
                    let more = match names.len().saturating_sub(NAMES) {
                        0 => String::new(),
                        more => format!(" and {more} more"),
                    };
                    format!("not valid for {expected}, only for {}{more}", shown.join(", "))
                }
            }
        }
        CertificateError::Other(OtherError(error)) => error.to_string(),
        _ => error.to_string(),
    }
}

/// `DnsName("localhost")` and `IpAddress(127.0.0.1)` as a person writes them.
fn plain(name: &str) -> String {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner.trim_end_matches(')'));
    inner.trim_matches('"').to_owned()
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(|_| format!("second {seconds}"), |time| time.to_string())
}

impl std::error::Error for TlsFailure {}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says = match self.fault {
            Fault::SelfSigned => "its certificate is self-signed",
            Fault::Issuer => "its certificate comes from an issuer that is not trusted",
            Fault::Expired => "its certificate has expired",
            Fault::NotYetValid => "its certificate is not valid yet",
            Fault::Name => "its certificate is for another name",
            Fault::NoExtensions => "its certificate is of X.509 version 1, which names no hosts",
            Fault::NotTls => "what it says is not TLS",
            Fault::Version => "it speaks neither TLS 1.3 nor 1.2",
            Fault::NoIdentity => "it asks for a client's certificate",
            Fault::Identity => "it does not take the client certificate of `upstream_tls`",
            Fault::HungUp => "it closed the connection in the middle of it",
            Fault::Other => return f.write_str(&self.reason),
        };
        write!(f, "{says} ({})", self.reason)
    }
}
