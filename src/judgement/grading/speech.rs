//! Whose answers a client can read, by its `User-Agent`.

use crate::rules::ReplyStyle;

/// How products of well-known client libraries begin, in small letters, and what they speak.
const PRODUCTS: [(&str, ReplyStyle); 12] = [
    ("elasticsearch-", ReplyStyle::Elasticsearch),
    ("elastic-transport", ReplyStyle::Elasticsearch),
    ("opensearch-", ReplyStyle::Elasticsearch),
    ("stripe/", ReplyStyle::Stripe),
    ("kubectl/", ReplyStyle::Kubernetes),
    ("boto3/", ReplyStyle::S3),
    ("aws-", ReplyStyle::S3),
    ("octokit", ReplyStyle::Github),
    ("pygithub", ReplyStyle::Github),
    ("gcloud-", ReplyStyle::Google),
    ("google-", ReplyStyle::Google),
    ("docker-", ReplyStyle::Docker),
];

/// The style of answers that a client of this product can read; `None` for a client of no API in
/// particular.
pub(super) fn of(agent: &str) -> Option<ReplyStyle> {
    let agent = agent.to_ascii_lowercase();
    PRODUCTS.iter().find(|(product, _)| agent.starts_with(product)).map(|(_, style)| *style)
}
