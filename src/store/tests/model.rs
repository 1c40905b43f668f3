//! Random histories of clients whose requests begin, end and are cancelled in any order, each checked
//! step by step against a sequential reference of a few lines.

use std::collections::{HashMap, HashSet};
use std::num::{NonZeroU32, NonZeroU64};

use http::StatusCode;
use proptest::prelude::*;

use super::playback::{Playback, clearing, on, rule, selector};
use super::references::{Cleared, Counted, Duplicate, KeyInUse, LEASE_OF_LOCK, Locked, Overlap, Referenced};
use super::*;
use crate::rules::{Clear, Pattern, Rate, Rule, RulePhase, Schedule, State, Trigger};

#[derive(Clone, Copy, Debug)]
enum Event {
    /// A client begins a request on a key; there are four clients, keys and flavours each.
    Begin {
        client: u8,
        key: u8,
        flavour: u8,
    },
    /// One of the requests in flight ends.
    End {
        which: u8,
        outcome: u8,
    },
    Wait {
        seconds: u8,
    },
}

const OUTCOMES: [&str; 6] = ["200", "200", "201", "500", "reset", "gone"];

fn events() -> impl Strategy<Value = Vec<Event>> {
    let begin = (0..4u8, 0..4u8, 0..4u8).prop_map(|(client, key, flavour)| Event::Begin {
        client,
        key: key / 2,
        flavour,
    });
    let end =
        (any::<u8>(), 0..OUTCOMES.len() as u8).prop_map(|(which, outcome)| Event::End { which, outcome });
    let wait = (0..4u8).prop_map(|seconds| Event::Wait { seconds });
    prop::collection::vec(prop_oneof![5 => begin, 5 => end, 1 => wait], 1..60)
}

/// The requests of a model, and the verdict that the rule must give on each.
pub trait Model {
    /// A line of [`Playback`] without an outcome.
    fn line(&self, client: u8, key: u8, flavour: u8) -> String;
    /// The rule's verdict.
    fn begin(&mut self, id: usize, client: u8, key: u8, flavour: u8, now: Moment) -> String;
    /// A request that went upstream has ended.
    fn end(&mut self, id: usize, accepted: bool, now: Moment);
}

fn check(rule: Rule, model: &mut dyn Model, events: &[Event]) -> Playback {
    let mut playback = Playback::new(rule);
    let mut running: Vec<usize> = Vec::new();
    for (id, event) in events.iter().enumerate() {
        match *event {
            Event::Wait { seconds } => drop(playback.step(&format!("+{seconds}s"))),
            Event::End { .. } if running.is_empty() => {}
            Event::End { which, outcome } => {
                let ended = running.remove(usize::from(which) % running.len());
                let outcome = OUTCOMES[usize::from(outcome)];
                playback.step(&format!("{ended} -> {outcome}"));
                model.end(ended, outcome.starts_with('2'), playback.now());
            }
            Event::Begin { client, key, flavour } => {
                let line = model.line(client, key, flavour);
                let said = playback.step(&format!("{id}: {line}")).unwrap_or_default();
                let expected = model.begin(id, client, key, flavour, playback.now());
                assert_eq!(said, expected, "event {id}: {line}\nof {events:?}");
                if !said.starts_with("conflict") && !said.starts_with("replay") {
                    running.push(id);
                }
            }
        }
    }
    for ended in running {
        playback.step(&format!("{ended} -> gone"));
        model.end(ended, false, playback.now());
    }
    playback
}

fn counted(trigger: impl Into<Trigger>, events: &[Event], fires: impl Fn(&[Moment]) -> bool) {
    let mut model = Counted { times: HashMap::new(), fires };
    check(rule(&["PUT"], "/items/{id}", trigger, "path"), &mut model, events);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn counted_triggers(events in events(), n in 1..5u32) {
        let every = NonZeroU64::from(NonZeroU32::new(n).expect("not zero"));
        let n = n as usize;
        counted(Schedule::First(every), &events, |times| times.len() <= n);
        counted(Schedule::Every(every), &events, |times| times.len() % n == 0);
        let pattern = Pattern::new((0..n + 1).map(|position| position == n)).expect("a pattern");
        counted(Schedule::Pattern(pattern), &events, |times| times.len() % (n + 1) == 0);
        let requests = NonZeroU32::new(n as u32).expect("not zero");
        let period = Duration::from_secs(4);
        counted(Schedule::Above(Rate { requests, period }), &events, |times| {
            // A leaky bucket: its content in nanoseconds, and the time of its last use.
            let cost = period.as_nanos() / n as u128;
            let (mut level, mut before, mut overflows) = (0, 0, false);
            for time in times {
                level = u128::saturating_sub(level, u128::from(time.0) - before);
                before = u128::from(time.0);
                overflows = level + cost > period.as_nanos();
                level += if overflows { 0 } else { cost };
            }
            overflows
        });
    }

    #[test]
    fn expired(events in events(), worn in 1..6u64, old in 1..6u64) {
        let max_age = Some(Duration::from_secs(old));
        let state = on(State::Expired { max_age, max_requests: NonZeroU64::new(worn) });
        counted(state, &events, |times| {
            let (first, last) = (times[0], times[times.len() - 1]);
            times.len() as u64 > worn || last.since(first) > Duration::from_secs(old)
        });
    }

    #[test]
    fn overlap(events in events()) {
        let state = on(State::Overlap { hold: Duration::ZERO });
        let rule = rule(&["PUT"], "/items/{id}", state, "path");
        let playback = check(rule, &mut Overlap::default(), &events);
        prop_assert_eq!(playback.store().keys_of(Keyspace::State), 0);
    }

    #[test]
    fn key_in_use(events in events()) {
        let state = on(State::KeyInUse { mismatch: StatusCode::UNPROCESSABLE_ENTITY });
        let rule = rule(&["POST"], "/orders", state, "header:idempotency-key");
        let mut model = KeyInUse::default();
        let playback = check(rule, &mut model, &events);
        prop_assert_eq!(playback.store().keys_of(Keyspace::State), model.0.len());
    }

    #[test]
    fn duplicate(events in events()) {
        let release = Some(selector(&["DELETE"], "/users/{name}", "param:name"));
        let rule = rule(&["POST"], "/users", on(State::Duplicate { release }), "body:/name");
        let mut model = Duplicate::default();
        let playback = check(rule, &mut model, &events);
        prop_assert_eq!(playback.store().keys_of(Keyspace::State), model.made.len());
    }

    #[test]
    fn referenced(events in events()) {
        let by = selector(&["PUT"], "/orders/{id}", "body:/item");
        let release = Some(selector(&["DELETE"], "/orders/{id}", "path"));
        let state = on(State::Referenced { by, release });
        let mut model = Referenced::default();
        let playback = check(rule(&["DELETE"], "/items/{id}", state, "param:id"), &mut model, &events);
        let items: HashSet<u8> = model.orders.values().copied().collect();
        prop_assert_eq!(playback.store().keys_of(Keyspace::State), items.len());
        prop_assert_eq!(playback.store().keys_of(Keyspace::Referrer), model.orders.len());
    }

    #[test]
    fn locked(events in events()) {
        let release = Some(selector(&["DELETE"], "/docs/{id}/lock", "param:id"));
        let state = on(State::Locked { lease: LEASE_OF_LOCK, release });
        check(rule(&["PUT"], "/docs/{id}", state, "param:id"), &mut Locked::default(), &events);
    }

    #[test]
    fn cleared(events in events(), kind in 0..5usize) {
        let three = NonZeroU64::new(3).expect("not zero");
        let after = Clear::After(Duration::from_secs(2));
        let clear = [Clear::Refetch, Clear::NewVersion, after, Clear::Tries(three), Clear::Never][kind];
        let rule = rule(&["PUT"], "/items/{id}", clearing(Schedule::Always, RulePhase::Before, clear), "path");
        let mut model = Cleared { clear, open: HashMap::new(), reading: HashMap::new() };
        let playback = check(rule, &mut model, &events);
        prop_assert_eq!(playback.store().keys_of(Keyspace::Opened), model.open.len());
    }
}
