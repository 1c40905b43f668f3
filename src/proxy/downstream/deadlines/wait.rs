//! What is waited for.

/// What a connection may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The first byte of a request: `keep_alive`.
    Request,
    /// The rest of a request's head: `request_head`.
    Head,
    /// More of a request's body, from the client: `request_body`.
    RequestBody,
    /// The upstream's answer, or that it takes more of the request: `response_head`.
    Answer,
    /// More of an answer's body, from the upstream: `response_body`.
    AnswerBody,
    /// A client that does not read, or does not let a stream go on: `write`.
    Write,
    /// A client that was told to go, and has not.
    Close,
    /// An idle connection that holds what only a busy one needs; that is given up, and nothing else.
    Rest,
}

impl Wait {
    pub(super) const ALL: [Wait; 8] = [
        Wait::Request,
        Wait::Head,
        Wait::RequestBody,
        Wait::Answer,
        Wait::AnswerBody,
        Wait::Write,
        Wait::Close,
        Wait::Rest,
    ];
}
