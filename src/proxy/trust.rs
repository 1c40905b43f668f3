//! TLS to the upstream: whom it has to be, and who we are to it.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::connect::ConnectorError;
use super::pem::{Unusable, certificates, private_key};
use crate::rules::{Code, Diagnostic, Identity, NamedFile, Trust, UpstreamTls};

/// How an https upstream is spoken to. A file that cannot be used is a mistake in the place where it is
/// named.
pub fn client_config(tls: &UpstreamTls) -> Result<ClientConfig, ConnectorError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| ConnectorError::Roots(error.to_string()))?;
    let builder = match &tls.trust {
        Trust::System => builder.with_root_certificates(system_roots()?),
        Trust::File(file) => builder.with_root_certificates(roots_of(file)?),
        Trust::Anybody => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody { provider }))
        }
    };
    let Some(Identity { cert, key }) = &tls.identity else { return Ok(builder.with_no_client_auth()) };
    let (chain, private) = (certificates(cert)?, private_key(key)?);
    builder.with_client_auth_cert(chain, private).map_err(|error| {
        tracing::debug!(%error, "no client certificate");
        let title = format!("the private key does not fit the certificate in `{}`", cert.path.display());
        let mistake = Diagnostic::error(Code::NotTogether, title).at(key.span.clone(), error.to_string());
        ConnectorError::File(Box::new(mistake.help("`cert` and `key` come from one `openssl req`, say")))
    })
}

/// Whether every file that `tls` names can be used.
pub fn check(tls: &UpstreamTls) -> Result<(), Diagnostic> {
    let names_files = matches!(tls.trust, Trust::File(_)) || tls.identity.is_some();
    match names_files.then(|| client_config(tls)) {
        Some(Err(ConnectorError::File(mistake))) => Err(*mistake),
        // What is wrong with the surroundings is told by whoever needs them.
        _ => Ok(()),
    }
}

fn system_roots() -> Result<RootCertStore, ConnectorError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (trusted, _unusable) = roots.add_parsable_certificates(found.certs);
    if trusted == 0 {
        let why = found.errors.first().map_or("none found".to_owned(), ToString::to_string);
        return Err(ConnectorError::Roots(why));
    }
    Ok(roots)
}

fn roots_of(file: &NamedFile) -> Result<RootCertStore, ConnectorError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| unusable(file, error.to_string()))?;
    }
    Ok(roots)
}

fn unusable(file: &NamedFile, why: String) -> ConnectorError {
    Unusable { file: file.clone(), why }.into()
}

impl From<Unusable> for ConnectorError {
    fn from(unusable: Unusable) -> ConnectorError {
        ConnectorError::File(Box::new(unusable.mistake(Code::MissingFile)))
    }
}

/// Takes every certificate. Signatures are checked all the same: the other side has to hold its key.
#[derive(Debug)]
struct Anybody {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
