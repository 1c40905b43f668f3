//! Every key of a rules file, once. The reader takes bounds and words from here, and the reference
//! (`docs/RULES.md`), the JSON Schema and the help of every mistake are made from it.

pub(super) mod entry;
mod expect;
mod nearest;
mod pass;
mod reference;
mod reply;
pub(super) mod requests;
mod response;
mod rule;
mod schema;
mod settings;
#[cfg(test)]
mod tests;
mod top;
pub(super) mod value;

use entry::entry;
pub(super) use entry::{Fallback, Group, KeyEntry, Section};
pub(super) use nearest::nearest;
pub use reference::reference;
pub use schema::schema;
pub use value::grouped;
pub(super) use value::{Form, ValueType, quoted_list};

pub(super) use expect::EXPECT;
pub(super) use pass::PASS;
pub(super) use reply::{DATE, REMAINING, REPLIES, REPLY};
pub(super) use requests::{NOT, READ, SELECTOR};
pub(super) use response::UPSTREAM_RESPONSE;
pub(super) use rule::{DURING, RULE, VERSION};
pub(super) use settings::{JOURNAL, LIMITS, TIMEOUTS, TLS, UPSTREAM_TLS};
pub(super) use top::TOP;

/// Every section, in the order of the reference.
pub(super) static SECTIONS: [&Section; 18] = [
    &TOP,
    &TIMEOUTS,
    &LIMITS,
    &TLS,
    &UPSTREAM_TLS,
    &JOURNAL,
    &RULE,
    &NOT,
    &VERSION,
    &READ,
    &DURING,
    &UPSTREAM_RESPONSE,
    &REPLY,
    &REPLIES,
    &DATE,
    &PASS,
    &SELECTOR,
    &EXPECT,
];
