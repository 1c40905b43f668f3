//! Whether the certificates and keys that settings name can be used, before anything is started with them.

use super::downstream::tls::acceptor;
use super::upstream;
use crate::rules::{Diagnostic, Settings, Tls};

/// The first mistake in the files that `settings` name for TLS, in its place of the rules file.
pub fn check_files(settings: &Settings) -> Result<(), Diagnostic> {
    upstream::tls::check(&settings.upstream_tls)?;
    match &settings.tls {
        Some(tls @ Tls::Files(_)) => {
            acceptor(tls, settings.listen).map(drop).map_err(|error| error.mistake())
        }
        Some(Tls::SelfSigned) | None => Ok(()),
    }
}
