//! HTTP/2 to the upstream, from clients that speak HTTP/1.1, and HTTP/2 in `both.rs`.

mod both;
mod broken;
mod pool;
mod raw;
mod stalled;
mod timeouts;
mod translation;

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
