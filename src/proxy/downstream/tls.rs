//! TLS with clients: the proxy's certificate, and the protocol behind it.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::super::pem::{Unusable, certificates, private_key};
use crate::rules::{ClientCertificate, Code, Diagnostic, NamedFile, Tls};

/// Protocols offered, the preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A certificate made for this run, never written to disk.
#[derive(Clone, Debug)]
pub struct OwnCertificate {
    pub pem: String,
    /// Of its DER form, as browsers and `openssl x509 -fingerprint -sha256` show it.
    pub sha256: String,
}

/// Why clients cannot be served over TLS.
#[derive(Debug)]
pub enum TlsError {
    File(Unusable),
    /// The certificate and the key of a file do not match, or are of an unsupported kind.
    NotTogether(NamedFile, rustls::Error),
    /// The certificate made for the run has no working configuration.
    Unusable(rustls::Error),
    /// The system gives no randomness to make a certificate with.
    NotMade(rcgen::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::File(unusable) => unusable.fmt(f),
            TlsError::NotTogether(key, _) => {
                write!(f, "`{}` does not fit the certificate", key.path.display())
            }
            TlsError::Unusable(_) => f.write_str("the certificate made for the run cannot be used"),
            TlsError::NotMade(_) => f.write_str("no certificate can be made"),
        }
    }
}

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            TlsError::File(unusable) => unusable.source(),
            TlsError::NotTogether(_, error) | TlsError::Unusable(error) => Some(error),
            TlsError::NotMade(error) => Some(error),
        }
    }
}

impl TlsError {
    /// The mistake, in its place if that is in the rules file.
    pub fn mistake(&self) -> Diagnostic {
        let mistake = |title: String| Diagnostic::error(Code::BadCertificate, title);
        match self {
            TlsError::File(unusable) => unusable.mistake(Code::BadCertificate),
            TlsError::NotTogether(key, error) => {
                let why = match error {
                    rustls::Error::InconsistentKeys(_) => "it is not the certificate's".to_owned(),
                    error => error.to_string(),
                };
                mistake(self.to_string())
                    .at(key.span.clone(), why)
                    .help("give the key that the first certificate of `cert` was made with")
            }
            TlsError::Unusable(error) => {
                mistake(format!("{self}: {error}")).help("give `cert` and `key` instead")
            }
            TlsError::NotMade(error) => {
                mistake(format!("{self}: {error}")).help("give `cert` and `key` instead")
            }
        }
    }
}

/// The acceptor of TLS clients; a certificate made for it is valid for `listen` too.
pub fn acceptor(tls: &Tls, listen: SocketAddr) -> Result<(TlsAcceptor, Option<OwnCertificate>), TlsError> {
    let (chain, private, own) = match tls {
        Tls::Files(ClientCertificate { cert, key }) => {
            let chain = certificates(cert).map_err(TlsError::File)?;
            (chain, private_key(key).map_err(TlsError::File)?, None)
        }
        Tls::SelfSigned => {
            let (certificate, key, own) = self_signed(listen.ip()).map_err(TlsError::NotMade)?;
            (vec![certificate], key, Some(own))
        }
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| match tls {
            Tls::Files(ClientCertificate { key, .. }) => TlsError::NotTogether(key.clone(), error),
            Tls::SelfSigned => TlsError::Unusable(error),
        })?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok((TlsAcceptor::from(Arc::new(config)), own))
}

/// A certificate for this machine's own names, and for `address`.
fn self_signed(
    address: IpAddr,
) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>, OwnCertificate), rcgen::Error> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !address.is_unspecified() && !names.contains(&address.to_string()) {
        names.push(address.to_string());
    }
    let mut params = rcgen::CertificateParams::new(names)?;
    params.distinguished_name.push(rcgen::DnType::CommonName, "fracas, for this run");
    let key = rcgen::KeyPair::generate()?;
    let made = params.self_signed(&key)?;
    let own = OwnCertificate { pem: made.pem(), sha256: fingerprint(made.der()) };
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    Ok((made.der().clone(), key.into(), own))
}

/// `AB:CD:…`, the SHA-256 of a certificate.
fn fingerprint(der: &[u8]) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, der);
    let octets: Vec<String> = hash.as_ref().iter().map(|octet| format!("{octet:02X}")).collect();
    octets.join(":")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn local() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let (one, other) = (made(), made());
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("written");
            path
        };
        let cert = write("cert.pem", &one.cert.pem());
        let key = write("key.pem", &one.signing_key.serialize_pem());
        let others_key = write("other.pem", &other.signing_key.serialize_pem());
        let empty = write("empty.pem", "");
        let torn = write("torn.pem", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n");
        let nowhere = folder.path().join("nowhere.pem");
        for (cert, key, says) in [
            (&cert, &key, None),
            (&nowhere, &key, Some("there is no such file")),
            (&cert, &nowhere, Some("there is no such file")),
            (&folder.path().to_owned(), &key, Some("not a regular file")),
            (&empty, &key, Some("there is no `BEGIN CERTIFICATE` in it")),
            (&torn, &key, Some("torn.pem` cannot be used")),
            (&key, &key, Some("there is no `BEGIN CERTIFICATE` in it")),
            (&cert, &cert, Some("there is no `BEGIN PRIVATE KEY` in it")),
            (&cert, &others_key, Some("it is not the certificate's")),
        ] {
            let named = |path: &PathBuf, span| NamedFile { path: path.clone(), span };
            let tls = Tls::Files(ClientCertificate { cert: named(cert, 0..1), key: named(key, 2..3) });
            let said = acceptor(&tls, local()).err().map(|error| format!("{:?}", error.mistake()));
            match says {
                None => assert_eq!(said, None),
                Some(says) => assert!(said.as_ref().is_some_and(|said| said.contains(says)), "{said:?}"),
            }
        }
    }

    #[test]
    fn a_certificate_of_our_own_has_a_fingerprint() {
        let (_, own) = acceptor(&Tls::SelfSigned, local()).expect("a certificate");
        let own = own.expect("our own");
        assert!(own.pem.starts_with("-----BEGIN CERTIFICATE-----"));
        assert_eq!(own.sha256.split(':').filter(|octet| octet.len() == 2).count(), 32);
    }
}
