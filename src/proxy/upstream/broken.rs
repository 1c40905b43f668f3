//! Maps hyper's errors to failures.

use std::error::Error as _;
use std::io;

use super::super::body::request::BodyError;
use super::super::error::{Cause, Failure};
use super::connect::Connector;
use super::unreadable;
use super::wants_tls::is_record;
use crate::rules::Limits;

/// Why a connection of `connector` gave no response; `head` holds the bytes that came in its place.
pub fn broken(error: &hyper::Error, head: &[u8], connector: &Connector, limits: &Limits) -> Failure {
    tracing::debug!(%error, "no answer from the upstream");
    let cause = error.source();
    let of_transport = cause.and_then(|cause| cause.downcast_ref::<io::Error>());
    let told = of_transport.and_then(|error| told(error, connector));
    if let Some(failure) = told {
        failure
    } else if cause.and_then(|cause| cause.downcast_ref::<BodyError>()).is_some() {
        Failure::BadBody
    } else if is_record(head) {
        Failure::Unreachable(Cause::WantsTls)
    } else if error.is_parse() {
        let said = error.to_string();
        // hyper reports these when the head is gone from its buffer.
        let is_of_framing = said.contains("content-length") || said.contains("transfer-encoding");
        let fault = if is_of_framing { None } else { unreadable::fault(head, limits) };
        let why = fault.unwrap_or(said);
        Failure::Garbled(why.into())
    } else if error.is_incomplete_message() {
        // The peer closed the connection, which is all that hyper reports.
        Failure::Reset(None)
    } else {
        Failure::reset(error)
    }
}

/// The failure in a transport's error: that of the connection that was to replace it, or TLS's.
pub fn told(error: &io::Error, connector: &Connector) -> Option<Failure> {
    let of_renewal = error.get_ref().and_then(|error| error.downcast_ref::<Failure>().cloned());
    of_renewal.or_else(|| connector.refused_by_tls(error))
}
