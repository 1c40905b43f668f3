//! Floor 0: the words every other floor speaks. No sockets, no clocks, no ambient chance.

mod attempt;
mod dice;
mod facts;
mod key;
mod kind;
mod moment;

pub use attempt::{Attempt, Conflict, Fingerprint, Got, RetryAfter, Sent};
pub use dice::{Dice, Share};
pub(crate) use facts::decode_unreserved;
pub use facts::{BodyFacts, Facts, Identity, IdentitySource};
pub use key::{Captures, Key, KeyHash, KeyPart};
pub use kind::{Kind, Phase};
pub use moment::Moment;
