//! `version` and `read`: where a rule finds versions, and which requests read its resource.

use toml::de::DeValue;

use super::Reader;
use super::fields::{Fields, GivenKey};
use crate::matching::{Match, Methods, PathMatch};
use crate::model::{Key, KeyPart, Kind};
use crate::rules::keys::{READ, VERSION};
use crate::rules::{Code, Diagnostic, ReadSelector, VersionAt, VersionSource};

impl Reader<'_> {
    /// `version`: a place, or a table of two.
    pub fn version(&mut self, fields: &mut Fields, kind: Kind) -> Option<VersionAt> {
        let given = fields.take("version")?;
        if kind != Kind::Version {
            let title = "`version` goes with `on = \"stale\"` or `kind = \"version\"` only";
            let mistake = Diagnostic::error(Code::NotTogether, title);
            self.report(match fields.value_span("on").or(fields.value_span("kind")) {
                Some(other) => mistake.at(given.key.clone(), "leave this out").also(other, "another kind"),
                None => mistake.at(given.key.clone(), "but this rule plays the kind \"transient\""),
            });
        }
        if let DeValue::String(_) = given.value.get_ref() {
            return Some(VersionAt { request: self.version_source(&given)?, responses: Vec::new() });
        }
        let mut places = self.fields(&given, &VERSION)?;
        let request = places.take("request");
        let response = places.take("response");
        for (name, is_missing, label) in [
            ("request", request.is_none(), "where do requests carry it?"),
            ("response", response.is_none(), "where do responses show it?"),
        ] {
            if is_missing {
                let title = format!("`version` as a table needs `{name}`");
                self.report(Diagnostic::error(Code::MissingKey, title).at(given.span(), label).help(
                    "for example `version = { request = \"query:if_seq_no\", response = \"body:/_seq_no\" }`",
                ));
            }
        }
        let request = request.and_then(|request| self.version_source(&request));
        let responses = response.map(|response| self.response_places(&response)).unwrap_or_default();
        places.finish(self);
        Some(VersionAt { request: request?, responses })
    }

    fn response_places(&mut self, given: &GivenKey) -> Vec<VersionSource> {
        let items = self.texts(given);
        let places: Vec<VersionSource> = items
            .into_iter()
            .filter_map(|(item, text)| {
                let place = self.version_source_of(&item, text)?;
                if let VersionSource::Query(_) = place {
                    self.report(
                        Diagnostic::error(Code::UnknownValue, "a response has no query")
                            .at(item.span(), "write \"body:/pointer\" or \"header:NAME\""),
                    );
                    return None;
                }
                Some(place)
            })
            .collect();
        places
    }

    /// `read`: the keys of a match.
    pub fn read(&mut self, fields: &mut Fields, requests: &Match, per: &Key) -> Option<ReadSelector> {
        let given = fields.take("read")?;
        let mut fields = self.fields(&given, &READ)?;
        let mut read = self.plain_match(&mut fields);
        fields.finish(self);
        let has_path = read.path != PathMatch::Any;
        let is_any = read == Match { path: read.path.clone(), ..Match::default() };
        if is_any && (!has_path || read.path == requests.path) {
            self.report(
                Diagnostic::error(Code::MissingKey, "this `read` says of every request that it reads")
                    .at(given.span(), "what tells a read from a write?")
                    .help(given.entry.for_example()),
            );
        }
        let is_get = |method: &http::Method| matches!(*method, http::Method::GET | http::Method::HEAD);
        if let Methods::Only(methods) = &read.method
            && !has_path
            && methods.iter().all(is_get)
            && !methods.is_empty()
        {
            let title = "GET and HEAD of the rule's path are reads without being named";
            self.report(
                Diagnostic::warning(Code::NoEffect, title)
                    .at(given.key.clone(), "name the requests that read by another method, or elsewhere"),
            );
        }
        let captured: Vec<&str> = if has_path { read.path.names() } else { requests.path.names() };
        let names_key = per.0.iter().all(|part| match part {
            KeyPart::Path => !has_path,
            KeyPart::Param(name) => captured.contains(&&**name),
            _ => true,
        });
        if !has_path {
            read.path = requests.path.clone();
        }
        read.host = read.host.or_else(|| requests.host.clone());
        Some(ReadSelector { requests: read, names_key })
    }
}
