//! Floor 0: the types that every other floor uses. No sockets, no clocks, no ambient chance.

mod attempt;
mod body_text;
mod check_id;
mod client_id;
mod content_type;
mod dice;
mod facts;
mod form;
mod grpc;
mod injected_fault;
mod json;
mod json_hash;
mod json_values;
mod key;
mod kind;
mod latin;
mod media_type;
mod moment;
mod rule_id;
mod run_key;
mod sanitize;
mod version;

pub use attempt::{
    AskedWait, Attempt, Fingerprint, HttpVersion, InjectedConflict, RequestRecord, ResponseRecord,
    ShortFingerprint,
};
pub use check_id::CheckId;
pub(crate) use check_id::with_checks;
pub use client_id::{ClientId, ClientIdCache};
pub use dice::{Dice, Share};
pub use facts::decode_unreserved;
pub use facts::{BodyFacts, ClientIdSource, ClientIdSources, Facts};
pub use form::FormFields;
pub use grpc::GrpcStatus;
pub use injected_fault::{ErrorWord, InjectedFault};
pub use json::Json;
pub use json_values::JsonValues;
pub use key::{Captures, Key, KeyHash, KeyPart};
pub use kind::{Kind, Phase};
pub use latin::text_of;
pub use media_type::MediaType;
pub use moment::Moment;
pub use rule_id::RuleId;
pub use run_key::RunKey;
pub use sanitize::{SanitizedJson, sanitize};
pub use version::{RuleReading, ShownVersions, Version, VersionPlace};
