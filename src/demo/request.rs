//! Parts of a request that handlers read: JSON, numbers in the query, cookies, the host. All untrusted.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use serde_json::{Map, Value};

use super::response::Problem;

/// The longest JSON body, in bytes.
pub(super) const JSON_LIMIT: usize = 1024 * 1024;

/// Deadline for a JSON body.
const JSON_TIME: Duration = Duration::from_secs(60);

/// The whole body, of any content type: `curl -d` sends JSON as a form.
pub(super) async fn read(body: Incoming) -> Result<Bytes, Problem> {
    // A length that is too long is refused before a client that expects a 100 is asked to go on.
    if body.size_hint().lower() > JSON_LIMIT as u64 {
        return Err(too_large());
    }
    let body = Limited::new(body, JSON_LIMIT);
    match tokio::time::timeout(JSON_TIME, body.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(StatusCode::BAD_REQUEST, "The body ended early.")),
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "The body took longer than a minute.")),
    }
}

/// The problem of a JSON document over [`JSON_LIMIT`].
pub(super) fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "A JSON document may have 1 MiB here.")
}

/// The JSON value in `body`.
pub(super) fn parse(body: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("The body is not JSON: {error}.")))
}

/// The JSON object in `value`.
pub(super) fn object(value: Value) -> Result<Map<String, Value>, Problem> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "The body must be a JSON object.")),
    }
}

/// The number that the query gives as `name`, at most `limit`; `default` when it gives none.
pub(super) fn query_number<B>(
    request: &Request<B>,
    name: &str,
    default: u64,
    limit: u64,
) -> Result<u64, Problem> {
    let query = request.uri().query().unwrap_or_default();
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let Some((_, text)) = pairs.find(|(key, _)| *key == name) else {
        return Ok(default);
    };
    text.parse().ok().filter(|number| *number <= limit).ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, format!("`{name}` is a number from 0 to {limit}."))
    })
}

/// The value of the first cookie called `name`.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).into_iter().map(http::HeaderValue::as_bytes);
    let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';'));
    let mut pairs = pairs.filter_map(|pair| std::str::from_utf8(pair).ok()?.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The host, with its port if any, that the client addressed (RFC 9112 §3.2): only characters that
/// may stand in HTML, in a URL and in a cookie as they are.
pub(super) fn host<B>(request: &Request<B>) -> Result<&str, Problem> {
    let host = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request.headers().get(header::HOST).and_then(|host| host.to_str().ok()),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    host.filter(|host| !host.is_empty() && host.bytes().all(plain))
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "This route needs a plain Host header."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, headers: &[(&'static str, &str)]) -> Request<()> {
        let mut request = Request::new(());
        *request.uri_mut() = uri.parse().unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        request
    }

    #[test]
    fn a_number_of_the_query_is_bounded() {
        let cases = [
            ("/slow", Some(7)),
            ("/slow?ms=0", Some(0)),
            ("/slow?n=3&ms=100", Some(100)),
            ("/slow?ms=101", None),
            ("/slow?ms=-1", None),
            ("/slow?ms=", None),
            ("/slow?ms", None),
            ("/slow?xms=3", Some(7)),
        ];
        for (uri, expected) in cases {
            assert_eq!(query_number(&request(uri, &[]), "ms", 7, 100).ok(), expected, "{uri}");
        }
    }

    #[test]
    fn a_cookie_is_found_in_any_line() {
        let cases = [
            (vec!["session=a"], Some("a")),
            (vec!["x=1; session=b=c; y=2"], Some("b=c")),
            (vec!["x=1", "session=d"], Some("d")),
            (vec!["xsession=a; session"], None),
            (vec![], None),
        ];
        for (lines, expected) in cases {
            let headers: Vec<_> = lines.iter().map(|line| ("cookie", *line)).collect();
            assert_eq!(cookie(request("/", &headers).headers(), "session"), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_host_is_plain_or_refused() {
        let cases = [
            ("/", Some("127.0.0.1:4090"), Some("127.0.0.1:4090")),
            ("/", Some("[::1]:80"), Some("[::1]:80")),
            ("http://other.test/", Some("ignored.test"), Some("other.test")),
            ("/", Some("\"><script>"), None),
            ("/", Some("a.test; Path=/x"), None),
            ("/", Some("user@a.test"), None),
            ("/", Some(""), None),
            ("/", None, None),
        ];
        for (uri, header, expected) in cases {
            let headers: Vec<_> = header.map(|host| ("host", host)).into_iter().collect();
            assert_eq!(host(&request(uri, &headers)).ok(), expected, "{uri} {header:?}");
        }
    }
}
