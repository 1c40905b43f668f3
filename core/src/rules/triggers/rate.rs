//! `rate = 0.25`: a share of requests, by chance.

use super::counted::{self, CountedDefinition};
use crate::model::Share;
use crate::rules::keys::value::ValueType;

pub(in crate::rules) const TRIGGER: CountedDefinition<Share> = CountedDefinition {
    key: counted::key(
        "rate",
        ValueType::Share,
        "For that share of requests, drawn from the seed, the rule's name, the key and the request's number.",
        "rate = 0.25",
    ),
    value: |share| share.get().to_string(),
    label: |share| format!("{} %", trimmed(share.get() * 100.0)),
    share: |share| Some(share.get()),
    waits_for: |share| Some(format!("a share of {} of so few may be none; `first = 1` is sure", share.get())),
};

/// At most three decimals.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_short() {
        for (share, text) in [(0.25, "25 %"), (0.125, "12.5 %"), (1.0, "100 %"), (0.0, "0 %")] {
            assert_eq!((TRIGGER.label)(&Share::new(share).expect("a share")), text);
        }
    }
}
