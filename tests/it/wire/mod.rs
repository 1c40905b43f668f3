//! The data path, seen on the wire from both sides. Numbers in names are those of the checklist in
//! CONTRIBUTING's sources: what a proxy must get right.

mod answers;
mod bodies;
mod connections;
mod drain;
mod early;
mod expect;
mod failures;
mod hop_by_hop;
mod identity;
mod injection;
mod requests;
mod rewriting;
mod streaming;
mod targets;
mod timeouts;
mod upgrade;
