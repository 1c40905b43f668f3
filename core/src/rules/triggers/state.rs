//! State triggers: requests that the state learned from earlier traffic refuses.

use crate::model::{Key, KeyPart, Kind};
use crate::rules::keys::entry::KeyEntry;

use super::{Companions, State};

/// A trigger that is a value of `on`.
pub struct StateDefinition {
    /// The value of `on` in rules, and the name in reports.
    pub word: &'static str,
    /// When a request conflicts, for the reference. Markdown.
    pub title: &'static str,
    /// The kind of conflict it makes.
    pub kind: Kind,
    /// Which traffic makes an entry of its state, for the reference. Markdown.
    pub learned_from: &'static str,
    /// Which traffic ends an entry, for the reference. Markdown.
    pub ended_by: &'static str,
    /// More about it, for the reference: paragraphs of Markdown.
    pub notes: &'static str,
    /// Lines of a rule that is complete.
    pub example: &'static str,
    /// Scope of its state, unless the rule has `per`.
    pub per: fn() -> Key,
    /// The keys that mean something beside it.
    pub(in crate::rules) keys: &'static [KeyEntry],
    /// Keys without which it cannot be.
    pub(in crate::rules) needs: Option<NeededKeys>,
    /// The trigger with the values of its keys. Where a needed one is not given, a stand-in takes its place.
    pub(in crate::rules) state: fn(Companions) -> State,
    /// The traffic that it waits for, said of a rule that did not fire: "never held: …".
    pub never_held: &'static str,
    /// The traffic that it waits for, said of a rule in general: "conflicts …".
    pub conflicts: &'static str,
    /// How long a conflict lasts that has begun, where that is more to the point.
    pub lasts: fn(&State) -> Option<&'static str>,
}

impl StateDefinition {
    /// Whether a key means something beside it.
    pub(in crate::rules) fn has_key(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name == name)
    }
}

/// Keys of which a trigger needs at least one.
pub(in crate::rules) struct NeededKeys {
    pub one_of: &'static [KeyEntry],
    /// The question below the `on` of a rule without them.
    pub question: &'static str,
}

/// State is kept for a resource, unless a trigger says otherwise.
pub(super) fn per_path() -> Key {
    Key(vec![KeyPart::Path])
}

/// The usual of [`StateDefinition::lasts`].
pub(super) fn as_long_as_it_conflicts(_: &State) -> Option<&'static str> {
    None
}

macro_rules! states {
    ($($(#[$doc:meta])* $variant:ident {
        $($(#[$field_doc:meta])* $field:ident: $value:ty),* $(,)?
    } = $file:ident;)*) => {
        /// `on = "…"`: a state trigger with the values of the keys that only it understands.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(clippy::large_enum_variant, reason = "a rule keeps it boxed")]
        pub enum State {
            $($(#[$doc])* $variant { $($(#[$field_doc])* $field: $value,)* },)*
        }

        impl State {
            /// Every definition, in the order of the reference.
            pub const ALL: &[&StateDefinition] = &[$(&$file::TRIGGER,)*];

            /// The word of every one, in the same order.
            pub const WORDS: &[&str] = &[$($file::TRIGGER.word,)*];

            /// The definition.
            pub fn definition(&self) -> &'static StateDefinition {
                match self {
                    $(State::$variant { .. } => &$file::TRIGGER,)*
                }
            }
        }
    };
}
pub(super) use states;

macro_rules! companions {
    ($($name:ident: $value:ty = $file:ident::$key:ident, $read:ident;)*) => {
        /// The keys beside `on`.
        pub(super) static COMPANIONS: &[KeyEntry] = &[$($file::$key,)*];

        /// Their values, as far as a rule has them.
        #[derive(Default)]
        pub(super) struct Companions {
            $(pub $name: Option<$value>,)*
        }
    };
}
pub(super) use companions;

impl State {
    /// The word after `on`.
    pub fn as_str(&self) -> &'static str {
        self.definition().word
    }

    /// The kind of conflict it makes.
    pub fn kind(&self) -> Kind {
        self.definition().kind
    }

    /// The definition of the trigger that `word` stands for.
    pub(in crate::rules) fn named(word: &str) -> Option<&'static StateDefinition> {
        State::ALL.iter().copied().find(|state| state.word == word)
    }

    /// The triggers that a key belongs to.
    pub(in crate::rules) fn with_key(name: &str) -> impl Iterator<Item = &'static StateDefinition> {
        State::ALL.iter().copied().filter(move |state| state.has_key(name))
    }
}
