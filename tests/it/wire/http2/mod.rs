//! HTTP/2 with clients: frames by hand where it is about frames, the `h2` crate where it is about
//! requests.

mod drain;
mod early;
mod floods;
mod grpc;
mod requests;
mod stalled;
mod strict;
mod timeouts;
mod tls;
