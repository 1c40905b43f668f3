//! A request's sender, and its time.

use std::net::IpAddr;

use crate::model::{ClientId, Moment};

/// A request's sender, and its time.
#[derive(Clone, Copy)]
pub struct RequestOrigin {
    /// The client's connection, by its number in this run.
    pub connection: u64,
    /// The address that rules see: the nearest one that is not a trusted peer's.
    pub address: IpAddr,
    pub who: ClientId,
    /// When its head had come.
    pub began: Moment,
}
