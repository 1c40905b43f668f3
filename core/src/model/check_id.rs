//! The names of the checks.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Check id, such as `R2`: R1 to R17.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
pub struct CheckId(#[schemars(with = "String", regex(pattern = r"^R[1-9][0-9]?$"))] u8);

/// Calls `$then!` with every check: its number, and its title, in at most 40 characters.
macro_rules! with_checks {
    ($then:ident) => {
        $then! {
            1 "makes the right move after a conflict";
            2 "reads again before it writes again";
            3 "writes with the newest version";
            4 "keeps one idempotency key per operation";
            5 "waits as long as Retry-After says";
            6 "does not retry at once again and again";
            7 "waits longer from try to try";
            8 "varies its waits by chance";
            9 "stops after a few tries";
            10 "gives up within its time";
            11 "sends few requests per operation";
            12 "does not nest one retry loop in another";
            13 "does not come back as one herd";
            14 "has no write applied twice";
            15 "finds out about a lost answer";
            16 "replays only what is safe to replay";
            17 "stops where no retry can help";
        }
    };
}

macro_rules! titles {
    ($($number:literal $title:literal;)*) => {
        const TITLES: &[&str] = &[$($title),*];
    };
}

pub(crate) use with_checks;

with_checks!(titles);

impl CheckId {
    /// The largest number.
    const LAST: u8 = TITLES.len() as u8;

    /// Title of the check: the behaviour of a client that passes.
    pub fn title(self) -> &'static str {
        TITLES.get(usize::from(self.0).saturating_sub(1)).copied().unwrap_or_default()
    }

    /// R`number`; `None` if there is no such check.
    pub const fn new(number: u8) -> Option<CheckId> {
        if number >= 1 && number <= CheckId::LAST { Some(CheckId(number)) } else { None }
    }

    /// Every id, from R1 on.
    pub fn all() -> impl Iterator<Item = CheckId> {
        (1..=CheckId::LAST).map(CheckId)
    }

    /// The number behind the `R`.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Parses an id.
    fn parse(text: &str) -> Option<CheckId> {
        CheckId::all().find(|id| id.to_string() == text)
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "R{}", self.0)
    }
}

impl Serialize for CheckId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CheckId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CheckId, D::Error> {
        let text = String::deserialize(deserializer)?;
        CheckId::parse(&text).ok_or_else(|| de::Error::custom(format_args!("there is no check `{text}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_checks_that_exist_have_ids() {
        assert_eq!(CheckId::new(0), None);
        assert_eq!(CheckId::new(18), None);
        for id in CheckId::all() {
            assert_eq!(CheckId::new(id.number()), Some(id));
            let json = serde_json::to_string(&id).expect("JSON");
            assert_eq!(json, format!("\"R{}\"", id.number()));
            assert_eq!(serde_json::from_str::<CheckId>(&json).expect("an id"), id);
        }
        for text in ["\"R0\"", "\"R18\"", "\"R01\"", "\"r1\"", "1"] {
            assert!(serde_json::from_str::<CheckId>(text).is_err(), "{text}");
        }
    }
}
