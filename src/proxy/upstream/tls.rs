//! TLS to the upstream: its required identity, and the proxy's own.

use std::error::Error;
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use super::super::pem::{Unusable, certificates, private_key};
use super::connect::ConnectorError;
use super::verify::{Anybody, Checked};
use crate::rules::{ClientCertificate, Code, Diagnostic, NamedFile, Trust, UpstreamTls};

/// How an https upstream is spoken to. A file that cannot be used is a mistake in the place where it is
/// named.
pub fn client_config(tls: &UpstreamTls) -> Result<ClientConfig, ConnectorError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| ConnectorError::Roots(error.into()))?;
    let checked = |roots, own| {
        Checked::new(roots, own, Arc::clone(&provider)).map_err(|error| ConnectorError::Roots(error.into()))
    };
    let verifier: Arc<dyn ServerCertVerifier> = match &tls.trust {
        Trust::System => {
            let (roots, own) = system_roots()?;
            Arc::new(checked(roots, own)?)
        }
        Trust::File(file) => {
            let own = certificates(file)?;
            let mut roots = RootCertStore::empty();
            for certificate in &own {
                roots.add(certificate.clone()).map_err(|error| unusable(file, error.into()))?;
            }
            Arc::new(checked(roots, own)?)
        }
        Trust::Anybody => Arc::new(Anybody { provider: Arc::clone(&provider) }),
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let Some(ClientCertificate { cert, key }) = &tls.identity else {
        return Ok(builder.with_no_client_auth());
    };
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
        // Failures that no file causes, such as missing roots, are reported where the roots are needed.
        _ => Ok(()),
    }
}

/// The system's roots, or those that SSL_CERT_FILE and SSL_CERT_DIR name instead.
fn system_roots() -> Result<(RootCertStore, Vec<CertificateDer<'static>>), ConnectorError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (trusted, _unusable) = roots.add_parsable_certificates(found.certs.iter().cloned());
    if trusted == 0 {
        let why = found.errors.into_iter().next().map_or("none found".into(), Into::into);
        return Err(ConnectorError::Roots(why));
    }
    Ok((roots, found.certs))
}

fn unusable(file: &NamedFile, why: Box<dyn Error + Send + Sync>) -> ConnectorError {
    Unusable { file: file.clone(), why }.into()
}

impl From<Unusable> for ConnectorError {
    fn from(unusable: Unusable) -> ConnectorError {
        ConnectorError::File(Box::new(unusable.mistake(Code::MissingFile)))
    }
}
