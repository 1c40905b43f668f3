//! Tests of the whole, from outside. They need nothing but Rust; `tests/real` drives real clients.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails panics")]

mod tidy;
