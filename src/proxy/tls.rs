//! TLS with clients: the certificate that they are shown, and what is spoken behind it.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use crate::rules::Tls;

/// What is spoken, the best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A certificate made for this run, which is written nowhere.
#[derive(Clone, Debug)]
pub struct OwnCertificate {
    pub pem: String,
    /// Of its DER form, as browsers and `openssl x509 -fingerprint -sha256` show it.
    pub sha256: String,
}

/// Why clients cannot be served over TLS.
#[derive(Debug)]
pub enum TlsError {
    /// A file that cannot be read.
    Unreadable(PathBuf, io::Error),
    /// A file without what it is named for.
    Without(PathBuf, &'static str),
    /// The certificate and the key do not go together, or are of a kind that is not served.
    Unusable(rustls::Error),
    /// The system gives no randomness to make a certificate with.
    NotMade(rcgen::Error),
}

impl TlsError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            TlsError::Unreadable(..) => {
                "names of files are relative to the working folder; `self_signed = true` needs none"
            }
            TlsError::Without(_, "certificate") => {
                "`cert` is a PEM file that holds BEGIN CERTIFICATE, the server's own first"
            }
            TlsError::Without(..) => "`key` is a PEM file that holds BEGIN PRIVATE KEY, without a password",
            TlsError::Unusable(_) => "give the key that the first certificate of `cert` was made with",
            TlsError::NotMade(_) => "give `cert` and `key` instead",
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::Unreadable(path, error) => write!(f, "`{}` cannot be read: {error}", path.display()),
            TlsError::Without(path, what) => write!(f, "`{}` holds no {what} in PEM", path.display()),
            TlsError::Unusable(rustls::Error::InconsistentKeys(_)) => {
                f.write_str("the private key is not the certificate's")
            }
            TlsError::Unusable(error) => write!(f, "the certificate and its key cannot be used: {error}"),
            TlsError::NotMade(error) => write!(f, "no certificate can be made: {error}"),
        }
    }
}

/// What clients are served with; a certificate made for it is valid for `listen` too.
pub fn acceptor(tls: &Tls, listen: SocketAddr) -> Result<(TlsAcceptor, Option<OwnCertificate>), TlsError> {
    let (chain, key, own) = match tls {
        Tls::Files { cert, key } => (chain(cert)?, private_key(key)?, None),
        Tls::SelfSigned => {
            let (certificate, key, own) = self_signed(listen.ip()).map_err(TlsError::NotMade)?;
            (vec![certificate], key, Some(own))
        }
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Unusable)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok((TlsAcceptor::from(Arc::new(config)), own))
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let without = || TlsError::Without(path.to_owned(), "certificate");
    let pem = read(path)?;
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|_| without())?;
    if chain.is_empty() { Err(without()) } else { Ok(chain) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(path)?)
        .map_err(|_: pem::Error| TlsError::Without(path.to_owned(), "private key"))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |error| TlsError::Unreadable(path.to_owned(), error);
    // A pipe or a device might never end, and opening a pipe might never return.
    let found = path.metadata().map_err(unreadable)?;
    if !found.is_file() || found.len() > LARGEST {
        return Err(unreadable(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file of at most 1 MiB",
        )));
    }
    std::fs::read(path).map_err(unreadable)
}

/// Bytes of a file: longer ones hold something else.
const LARGEST: u64 = 1 << 20;

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
            (&nowhere, &key, Some("nowhere.pem` cannot be read: No such file")),
            (&cert, &nowhere, Some("nowhere.pem` cannot be read: No such file")),
            (&folder.path().to_owned(), &key, Some("not a regular file")),
            (&empty, &key, Some("empty.pem` holds no certificate in PEM")),
            (&torn, &key, Some("torn.pem` holds no certificate in PEM")),
            (&key, &key, Some("key.pem` holds no certificate in PEM")),
            (&cert, &cert, Some("cert.pem` holds no private key in PEM")),
            (&cert, &others_key, Some("the private key is not the certificate's")),
        ] {
            let tls = Tls::Files { cert: cert.clone(), key: key.clone() };
            let said = acceptor(&tls, local()).err().map(|error| error.to_string());
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
