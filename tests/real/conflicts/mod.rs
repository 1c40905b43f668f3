//! Clients that know what a conflict is, each against the server it is written for, with the proxy in
//! between: they take its conflicts for the server's own, and what they do about them works.

mod azure;
mod couchdb;
mod elasticsearch;
mod kubernetes;
mod lost;
mod s3;
pub mod stage;
mod stripe;
