//! The store of entries, seen from the engine: it runs [`Op`]s atomically.
//!
//! A store finds the entry of a key, runs [`super::Entry::apply`] on it and keeps the result, as one step. Only the
//! engine knows the meaning of an entry: a store of another process works on its encoded bytes.

use std::fmt;

use super::operation::{Op, Reply, StateKey};
use crate::model::Moment;

/// Store of entries.
pub trait Store {
    /// A reply that is still to come. It does not borrow the store, so that a settlement that has to wait can be
    /// handed on as it is.
    type Later: Future<Output = Result<Reply, StoreError>> + 'static;

    /// Runs `op` on the entry of `key`. Operations on one key run in the order of these calls, so that a request that has
    /// left is not met by the next. One whose reply is no longer awaited, as its request was cancelled, may be run or not.
    /// A store with a clock of its own, which several processes share, goes by that
    /// instead of `now`.
    fn update(&self, key: StateKey, op: Op, now: Moment) -> Update<Self::Later>;
}

/// Result of an operation: its reply where the store has it at hand, which costs neither an allocation nor a turn of
/// the event loop; or else the future of one.
pub enum Update<F> {
    Ready(Result<Reply, StoreError>),
    Later(F),
}

impl<F: Future<Output = Result<Reply, StoreError>>> Update<F> {
    /// Waits for the reply.
    pub async fn reply(self) -> Result<Reply, StoreError> {
        match self {
            Update::Ready(reply) => reply,
            Update::Later(later) => later.await,
        }
    }
}

/// Reason why an operation has no reply. The operation may have been run or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(pub Box<str>);

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}
