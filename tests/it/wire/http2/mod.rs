//! HTTP/2 with clients: frames by hand where it is about frames, the `h2` crate where it is about
//! requests.

mod drain;
mod floods;
mod requests;
mod timeouts;
mod tls;
