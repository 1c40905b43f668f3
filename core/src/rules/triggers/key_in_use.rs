//! `on = "key_in_use"`: requests under an idempotency key that is running, or that stands for another payload.

use http::{HeaderName, StatusCode};

use super::State;
use super::state::{StateDefinition, as_long_as_it_conflicts};
use crate::model::{Key, KeyPart, Kind};
use crate::rules::keys::entry::{Fallback, KeyEntry, companion};
use crate::rules::keys::value::ERROR_STATUS;

pub(super) const TRIGGER: StateDefinition = StateDefinition {
    word: "key_in_use",
    title: "a request with its idempotency key is still running, or had another payload. A retry of a finished one is \
            given the stored response",
    kind: Kind::Idempotency,
    learned_from: "a matching request that goes to the upstream, and then its 2xx response",
    ended_by: "a response other than 2xx, or none: the key is free again",
    notes: "",
    example: "on = \"key_in_use\"",
    // Per client: the response stored for a key is only its own (Idempotency-Key draft, security considerations).
    per: || Key(vec![KeyPart::Client, KeyPart::Header(HeaderName::from_static("idempotency-key"))]),
    keys: &[MISMATCH],
    needs: None,
    state: |given| State::KeyInUse { mismatch: given.mismatch.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY) },
    never_held: "no key came again while it was in use",
    conflicts: "while the first is running, or with another payload",
    lasts: as_long_as_it_conflicts,
};

pub(super) const MISMATCH: KeyEntry = companion(
    "mismatch",
    ERROR_STATUS,
    Fallback::Is("422"),
    "the status for another payload under the same key.",
    "on = \"key_in_use\"\nmismatch = 400",
);
