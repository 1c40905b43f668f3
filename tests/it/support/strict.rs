//! An upstream for arbitrary requests, and the form that every one of them must have.

use super::message::Message;
use super::upstream::{Talk, Upstream};

/// Responds to each whole request with its target.
pub fn upstream() -> Upstream {
    Upstream::playing(|talk: &mut Talk| {
        while let Some(request) = talk.whole_request() {
            let target = request.target();
            let response = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{target}", target.len());
            if talk.socket.try_send(response).is_err() {
                break;
            }
        }
    })
}

/// Panics when a request is not of the one form that every server reads alike.
pub fn check(request: &Message) {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let [method, target, "HTTP/1.1"] = request.start.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{request}")
    };
    assert!(method.bytes().all(is_token), "{request}");
    assert!(target == "*" || target.starts_with('/'), "{request}");
    for (name, value) in request.headers.iter().chain(&request.trailers) {
        assert!(!name.is_empty() && name.bytes().all(is_token), "{request}");
        assert!(!value.contains(['\r', '\n', '\0']), "{request}");
    }
    let framing = [request.all("content-length"), request.all("transfer-encoding")].concat();
    assert!(framing.len() <= 1, "framed twice: {request}");
    let is_plain = |value: &&str| *value == "chunked" || value.bytes().all(|byte| byte.is_ascii_digit());
    assert!(framing.iter().all(is_plain), "framed oddly: {request}");
    assert_eq!(request.all("host").len(), 1, "{request}");
}
