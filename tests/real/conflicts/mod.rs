//! Clients that know conflicts, each against the server it is written for, with the proxy in between: they
//! take its conflicts for the server's own, and their reactions work.

mod azure;
mod couchdb;
mod elasticsearch;
mod kubernetes;
mod lost;
mod s3;
pub mod stage;
mod stripe;
