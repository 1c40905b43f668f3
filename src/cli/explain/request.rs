//! The request of the command line, as it would arrive.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Uri, header};

use crate::cli::arguments::ExplainArguments;
use crate::cli::startup_error::StartupError;
use crate::model::BodyFacts;
use crate::rules::Settings;

/// Address of the request's client: the user sits at this machine.
pub const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A request.
pub struct Request {
    pub head: Parts,
    pub body: BodyFacts,
}

/// Reads the request from the command line.
pub fn read(arguments: &ExplainArguments, path: &str, settings: &Settings) -> Result<Request, StartupError> {
    let (mut head, ()) = http::Request::new(()).into_parts();
    head.method = Method::from_bytes(arguments.method.as_bytes()).map_err(|_| {
        let title = format!("`{}` is not an HTTP method", arguments.method);
        StartupError::new("bad-method", title, "the method comes first: `fracas explain PUT /items/7`")
    })?;
    head.uri = target(path)?;
    for line in &arguments.headers {
        let (name, value) = field(line)?;
        head.headers.append(name, value);
    }
    if !head.headers.contains_key(header::HOST)
        && let Ok(host) = HeaderValue::try_from(settings.listen.to_string())
    {
        head.headers.insert(header::HOST, host);
    }
    let bytes = Bytes::from(arguments.data.clone().unwrap_or_default());
    let is_too_long = bytes.len() as u64 > settings.body_limit;
    let body = if is_too_long { BodyFacts::TooLong } else { BodyFacts::read(bytes) };
    let body = body.decoded(&head.headers, settings.body_limit);
    Ok(Request { head, body })
}

fn target(text: &str) -> Result<Uri, StartupError> {
    let refused = |title: String| {
        StartupError::new(
            "bad-path",
            title,
            "a path begins with a slash, and is percent-encoded: `/items/a%20b`",
        )
    };
    // A text without a slash would be read as a host.
    if !text.starts_with('/') && !text.contains("://") {
        return Err(refused(format!("`{text}` is not a path")));
    }
    text.parse().map_err(|error| refused(format!("`{text}` is not a path: {error}")))
}

fn field(line: &str) -> Result<(HeaderName, HeaderValue), StartupError> {
    let (name, value) = line.split_once(':').unwrap_or((line, ""));
    match (HeaderName::try_from(name.trim()), HeaderValue::try_from(value.trim())) {
        (Ok(name), Ok(value)) if line.contains(':') => Ok((name, value)),
        _ => Err(StartupError::new(
            "bad-header",
            format!("`{line}` is not a header"),
            "write it as HTTP does: -H 'if-match: \"3\"'",
        )),
    }
}
