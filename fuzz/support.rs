//! Of what the tests share, what the checks need.
#![allow(dead_code)]

#[path = "../tests/it/support/message.rs"]
pub mod message;
#[path = "../tests/it/support/proxy.rs"]
pub mod proxy;
#[path = "../tests/it/support/socket.rs"]
pub mod socket;
#[path = "../tests/it/support/strict.rs"]
pub mod strict;
#[path = "../tests/it/support/upstream.rs"]
pub mod upstream;

/// No event that is waited for takes this long, unless something is broken.
pub const LONG: std::time::Duration = std::time::Duration::from_secs(20);
