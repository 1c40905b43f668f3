//! `on = "stale"` in random histories against an upstream that has the versions.

use std::collections::HashMap;

use proptest::prelude::*;

use super::playback::{Playback, on, rule};
use crate::rules::State;

/// One of six requests in flight, or a new one in its place.
#[derive(Clone, Copy, Debug)]
struct Event {
    slot: usize,
    is_write: bool,
    /// The index, from the newest, of the known version that the request carries.
    age: usize,
    /// 0 and 1: it fails or is cancelled, applied or not.
    outcome: u8,
}

/// A request in flight: begun, then applied, then ended.
struct Running {
    label: usize,
    is_write: bool,
    applied: Option<u32>,
    outcome: u8,
}

fn events(slots: usize) -> impl Strategy<Value = Vec<Event>> {
    let event = (0..slots, any::<bool>(), 0..3usize, 0..8u8)
        .prop_map(|(slot, is_write, age, outcome)| Event { slot, is_write, age, outcome });
    prop::collection::vec(event, 1..120)
}

/// For each judged write, in order: whether it was refused, and whether it carried the upstream's version.
fn history(events: &[Event]) -> Vec<(bool, bool)> {
    let trigger = on(State::Stale { missing: None });
    let mut playback = Playback::new(rule(&["PUT"], "/items/{id}", trigger, "path"));
    let mut running: HashMap<usize, Running> = HashMap::new();
    let mut current = 1;
    let mut highest = 1;
    // Versions that responses have shown to clients.
    let mut known = vec![];
    let mut judged = Vec::new();
    for (label, event) in events.iter().enumerate() {
        match running.remove(&event.slot) {
            None => {
                let line = if !event.is_write {
                    format!("{label}: A GET /items/1")
                } else if let Some(carried) = known.iter().rev().nth(event.age) {
                    format!("{label}: A PUT /items/1 if-match:\"{carried}\"")
                } else {
                    continue;
                };
                let said = playback.step(&line).unwrap_or_default();
                let is_refused = said.starts_with("conflict");
                if event.is_write {
                    let carried: u32 = known[known.len() - 1 - event.age];
                    judged.push((is_refused, carried == current));
                }
                if !is_refused {
                    let Event { is_write, outcome, .. } = *event;
                    running.insert(event.slot, Running { label, is_write, applied: None, outcome });
                }
            }
            Some(mut request) if request.applied.is_none() && request.outcome != 0 => {
                if request.is_write {
                    highest += 1;
                    current = highest;
                }
                request.applied = Some(current);
                running.insert(event.slot, request);
            }
            Some(Running { label, applied: Some(version), outcome: 2.., .. }) => {
                playback.step(&format!("{label} -> 200 etag:\"{version}\""));
                known.retain(|other| *other != version);
                known.push(version);
            }
            Some(Running { label, .. }) => {
                playback.step(&format!("{label} -> gone"));
            }
        }
    }
    judged
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// A write with the newest version is not refused, in any order of overlaps, failures and cancellations.
    #[test]
    fn no_conflict_is_invented(events in events(6)) {
        for (is_refused, is_newest) in history(&events) {
            prop_assert!(!(is_refused && is_newest));
        }
    }

    /// In sequential exchanges without failures, every stale write is refused.
    #[test]
    fn no_conflict_is_missed(events in events(1)) {
        let events: Vec<Event> = events.into_iter().map(|event| Event { outcome: 7, ..event }).collect();
        for (is_refused, is_newest) in history(&events) {
            prop_assert_eq!(is_refused, !is_newest);
        }
    }
}
