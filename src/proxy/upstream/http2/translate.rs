//! A request's head in HTTP/2 (RFC 9113 §8.3.1).

use http::header::{self, HeaderMap};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{Method, Request, Version};

use crate::proxy::error::Failure;

/// A head that can be sent repeatedly.
pub struct RequestHead {
    pub method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl RequestHead {
    /// The head that HTTP/1.1 would send, without connection headers; `Host` becomes `:authority`.
    pub fn new(parts: Parts, scheme: Scheme) -> Result<RequestHead, Failure> {
        let Parts { method, uri, mut headers, .. } = parts;
        let host = headers.remove(header::HOST);
        let authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
        for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE] {
            headers.remove(name);
        }
        let mut said = Uri::builder().scheme(scheme);
        if let Some(authority) = authority {
            said = said.authority(authority);
        }
        let target = uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        let uri = said.path_and_query(target).build();
        let uri = uri.map_err(|_| Failure::BadRequest("the request's target cannot be said in HTTP/2"))?;
        Ok(RequestHead { method, uri, headers })
    }

    /// The request, once more than before.
    pub fn request(&self) -> Request<()> {
        let mut request = Request::new(());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = self.headers.clone();
        request
    }
}
