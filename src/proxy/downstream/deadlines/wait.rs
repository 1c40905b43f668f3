//! Kinds of deadlines.

/// An event that a connection may wait for, with its setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The first byte of a request: `keep_alive`.
    Request,
    /// The rest of a request's head: `request_head`.
    Head,
    /// More of a request's body, from the client: `request_body`.
    RequestBody,
    /// The upstream's response, or that it takes more of the request: `response_head`.
    Answer,
    /// More of a response's body, from the upstream: `response_body`.
    ResponseBody,
    /// A client that does not read, or does not let a stream go on: `write`.
    Write,
    /// A client that was told to go, and has not.
    Close,
    /// An idle connection that holds a busy one's buffers: only these are given up.
    Rest,
}

impl Wait {
    pub(super) const ALL: [Wait; 8] = [
        Wait::Request,
        Wait::Head,
        Wait::RequestBody,
        Wait::Answer,
        Wait::ResponseBody,
        Wait::Write,
        Wait::Close,
        Wait::Rest,
    ];
}
