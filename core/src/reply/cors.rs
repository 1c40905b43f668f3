//! Injected responses that a page of another origin may read, as the real API's would be.

use http::{HeaderMap, HeaderValue, header};

use super::grpc::is_native;

/// Lets the page at `origin` read this response, its headers included. A request that no page can make is left alone:
/// gRPC that is not gRPC-Web.
///
/// Credentials are allowed, so the origin is named and the headers are listed: with credentials
/// `*` means nothing (Fetch, "CORS protocol and credentials").
pub fn allow_cors(headers: &mut HeaderMap, origin: &HeaderValue) {
    if is_native(headers) {
        return;
    }
    let mut names = String::from("etag");
    for name in headers.keys().filter(|name| **name != header::ETAG) {
        names.push_str(", ");
        names.push_str(name.as_str());
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    // Header names are tokens, so this cannot fail.
    if let Ok(names) = HeaderValue::try_from(names) {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, names);
    }
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::FRACAS;

    #[test]
    fn the_page_may_read_what_the_answer_holds() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        headers.insert(FRACAS, HeaderValue::from_static("n=1"));
        allow_cors(&mut headers, &HeaderValue::from_static("https://shop.example"));
        let seen: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or("?")))
            .collect();
        assert_eq!(
            seen,
            [
                "retry-after: 2",
                "vary: accept",
                "vary: Origin",
                "fracas: n=1",
                "access-control-allow-origin: https://shop.example",
                "access-control-allow-credentials: true",
                "access-control-expose-headers: etag, retry-after, vary, fracas",
            ]
        );
    }
}
