//! The shapes of well-known APIs' conflicts, as data. Each style is defined once, in its own file: its word
//! in rules, its documentation, its responses by kind and status, and the requests that its tests send.
//!
//! A style is written as the API writes it, with the placeholders of a rule's own texts plus
//! words of its own (`{k8s.group}`, `{s3.key}` …), which are taken from the request. Under 409 it
//! copies that API's use of 409, even where the kind has a better status there (S3 and Azure
//! refuse a stale version with 412): a rule asks for that with `status = 412`.

mod azure;
mod couchdb;
mod docker;
mod elasticsearch;
mod frameworks;
mod github;
mod google;
mod iso;
mod kubernetes;
mod occasion;
mod plain;
mod postgrest;
mod resource;
mod rows;
mod s3;
mod shape;
mod stripe;
mod value;

use http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use iso::{Digits, iso};
pub use occasion::{HEX, PathCaptures, RenderContext, ReplyContext, StyleValue};
pub use rows::BulkWrite;
pub use shape::{ResponseShape, ShapeBody};
pub use value::PlaceholderValue;

use crate::model::{Facts, Kind};

/// How one API refuses.
pub struct Style {
    /// The value of `style` in rules, and the name in reports.
    pub word: &'static str,
    /// The API's own name.
    pub title: &'static str,
    /// One sentence about its responses, for the reference. Markdown.
    pub about: &'static str,
    /// Statuses beside 409 that the API has its own texts for.
    pub statuses: &'static [u16],
    /// How the `User-Agent` of its client libraries begins, in small letters.
    pub agents: &'static [&'static str],
    /// Lent to a rule's own text.
    pub content_type: &'static str,
    /// Values that only this style has.
    pub words: &'static [(&'static str, StyleValue)],
    /// Whether the response to a request quotes its body: the rows of a bulk request, the name of the object
    /// that a POST creates, the version that a PUT is based on.
    pub reads_body: fn(&Facts<'_>) -> bool,
    /// The shapes for a kind and a status. The first with a condition that holds is the response; the last
    /// has none.
    pub shapes: fn(Kind, StatusCode) -> Vec<ResponseShape>,
    /// Requests that the API would see, each with method, target and body: its snapshot shows the responses.
    /// Empty: `PUT /items/7`.
    pub examples: &'static [(&'static str, &'static str, &'static str)],
}

macro_rules! styles {
    ($($variant:ident = $style:path,)*) => {
        /// The API that a response imitates.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum ReplyStyle {
            #[default]
            $($variant,)*
        }

        impl ReplyStyle {
            /// Every style, in the order of the reference.
            pub const ALL: &[ReplyStyle] = &[$(ReplyStyle::$variant,)*];

            /// The word of every style, in the same order.
            pub const WORDS: &[&str] = &[$($style.word,)*];

            /// The definition.
            pub fn style(self) -> &'static Style {
                match self {
                    $(ReplyStyle::$variant => &$style,)*
                }
            }
        }
    };
}

styles! {
    Problem = plain::PROBLEM,
    Json = plain::JSON,
    Text = plain::TEXT,
    Html = plain::HTML,
    Kubernetes = kubernetes::STYLE,
    Couchdb = couchdb::STYLE,
    Elasticsearch = elasticsearch::STYLE,
    S3 = s3::STYLE,
    Stripe = stripe::STYLE,
    Github = github::STYLE,
    Google = google::STYLE,
    AzureStorage = azure::STORAGE,
    AzureArm = azure::ARM,
    Cosmos = azure::COSMOS,
    Postgrest = postgrest::STYLE,
    Docker = docker::STYLE,
    Spring = frameworks::SPRING,
    Django = frameworks::DJANGO,
    Scim = frameworks::SCIM,
    Jsonapi = frameworks::JSONAPI,
}

impl ReplyStyle {
    /// The word used in rules.
    pub fn as_str(self) -> &'static str {
        self.style().word
    }

    /// The style that `word` stands for.
    pub fn named(word: &str) -> Option<ReplyStyle> {
        ReplyStyle::ALL.iter().copied().find(|style| style.as_str() == word)
    }
}

impl Serialize for ReplyStyle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ReplyStyle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ReplyStyle, D::Error> {
        let word = String::deserialize(deserializer)?;
        ReplyStyle::named(&word).ok_or_else(|| de::Error::unknown_variant(&word, ReplyStyle::WORDS))
    }
}
