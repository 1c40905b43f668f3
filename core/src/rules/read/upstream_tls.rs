//! `[upstream_tls]`: the identity that an https upstream must have, and the one that fracas shows it.

use super::Reader;
use super::fields::GivenKey;
use crate::rules::keys::UPSTREAM_TLS;
use crate::rules::{ClientCertificate, Code, Diagnostic, NamedFile, Scheme, Trust, Upstream, UpstreamTls};

impl Reader<'_> {
    pub fn upstream_tls(&mut self, given: &GivenKey) -> UpstreamTls {
        let Some(mut fields) = self.fields(given, &UPSTREAM_TLS) else { return UpstreamTls::default() };
        let (ca, insecure) = (fields.take("ca"), fields.take("insecure"));
        let (cert, key) = (fields.take("cert"), fields.take("key"));
        fields.finish(self);
        let anybody = insecure.filter(|given| self.boolean(given).unwrap_or_default());
        if let (Some(ca), Some(_)) = (&ca, &anybody) {
            let title = "`ca` and `insecure` contradict each other";
            let mistake = Diagnostic::error(Code::NotTogether, title);
            self.report(mistake.at(ca.key.clone(), "leave one of them out"));
        } else if let Some(insecure) = &anybody {
            let title = "the upstream's certificate is not checked";
            let warning = Diagnostic::warning(Code::Insecure, title)
                .at(insecure.key.clone(), "whoever is in between can read and change everything")
                .help("`ca = \"ca.pem\"` trusts the certificates of one file instead");
            self.report(warning);
        }
        for (one, other, what) in [(&cert, &key, "private key"), (&key, &cert, "certificate")] {
            if let (Some(one), None) = (one, other) {
                let needed = if what == "certificate" { "cert" } else { "key" };
                let title = format!("`{}` needs `{needed}`", one.name());
                let mistake = Diagnostic::error(Code::MissingKey, title);
                self.report(mistake.at(one.key.clone(), format!("its {what} is in which file?")));
            }
        }
        let trust = match ca.and_then(|given| self.named_file(&given)) {
            Some(file) => Trust::File(file),
            None if anybody.is_some() => Trust::Anybody,
            None => Trust::System,
        };
        let identity = match (cert, key) {
            (Some(cert), Some(key)) => {
                let files = (self.named_file(&cert), self.named_file(&key));
                files.0.zip(files.1).map(|(cert, key)| ClientCertificate { cert, key })
            }
            _ => None,
        };
        UpstreamTls { trust, identity }
    }

    pub fn named_file(&mut self, given: &GivenKey) -> Option<NamedFile> {
        let path = self.path_of(given)?;
        Some(NamedFile { path: self.beside_own_file(given.span().start, path), span: given.span() })
    }

    /// A table about TLS says nothing of an upstream without.
    pub fn check_upstream_tls(&mut self, given: &GivenKey, upstream: &Upstream) {
        let scheme = match upstream {
            Upstream::Url(url) if url.scheme == Scheme::Https => return,
            Upstream::Url(url) => url.scheme.as_str(),
            Upstream::Demo => "demo",
        };
        let title = format!("`upstream_tls` is about https upstreams, and `upstream` is {scheme}");
        let mistake = Diagnostic::error(Code::NotTogether, title);
        self.report(
            mistake
                .at(given.key.clone(), "no connection would use it")
                .help("write `upstream = \"https://…\"`, or leave the table out"),
        );
    }
}
