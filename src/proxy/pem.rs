//! Certificates and private keys in files that the rules file names.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::rules::{Code, Diagnostic, NamedFile};

/// Bytes of a file of certificates: the bundles of whole systems are a quarter of it.
const LARGEST: u64 = 1 << 20;

/// A file that cannot be used, and why.
#[derive(Debug)]
pub struct Unusable {
    pub file: NamedFile,
    pub why: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` cannot be used", self.file.path.display())
    }
}

impl Error for Unusable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.why)
    }
}

impl Unusable {
    /// The mistake, in the place where the file is named.
    pub fn mistake(&self, code: Code) -> Diagnostic {
        Diagnostic::error(code, self.to_string())
            .at(self.file.span.clone(), self.why.to_string())
            .help("a PEM file; its name is relative to the working folder")
    }
}

/// Every certificate of a file, of which there is at least one.
pub fn certificates(file: &NamedFile) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let text = contents(file)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => {
            Err(unusable(file, "there is no `BEGIN CERTIFICATE` in it".into()))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(unusable(file, error.into())),
    }
}

/// The first private key of a file.
pub fn private_key(file: &NamedFile) -> Result<PrivateKeyDer<'static>, Unusable> {
    PrivateKeyDer::from_pem_slice(&contents(file)?).map_err(|_| {
        unusable(file, "there is no `BEGIN PRIVATE KEY` in it; an encrypted one is not read".into())
    })
}

fn contents(file: &NamedFile) -> Result<Vec<u8>, Unusable> {
    let read = || {
        // A pipe might never end, and opening one might never return.
        if !file.path.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let mut bytes = Vec::new();
        File::open(&file.path)?.take(LARGEST).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => unusable(file, "there is no such file".into()),
        _ => unusable(file, error.into()),
    })
}

fn unusable(file: &NamedFile, why: Box<dyn Error + Send + Sync>) -> Unusable {
    Unusable { file: file.clone(), why }
}
