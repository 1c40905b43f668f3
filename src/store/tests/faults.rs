//! Concurrent requests on a store that delays its replies and fails: in every order of operations of different keys,
//! and with any of them failing, no conflict is invented; where none fails, no state is left behind.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use proptest::prelude::*;

use super::playback::{on, rule};
use super::slow::{Later, SlowStore, draw, run};
use super::*;
use crate::engine::{Decision, Outcome, RuleSet, Session};
use crate::model::{BodyFacts, ClientIdSources, Facts};
use crate::proxy::StateAccess as Driver;
use crate::rules::{Rule, State};

/// Outcome of some concurrent requests.
#[derive(Debug, Default)]
struct Seen {
    forwarded: usize,
    refused: usize,
    /// Maximum number of requests of one key that were with the upstream at once.
    together: usize,
    /// Keys of which a response has begun.
    accepted: usize,
    /// Keys with state after the last request.
    left: usize,
    failures: u64,
}

#[expect(clippy::arc_with_non_send_sync, reason = "the driver is shared as the proxy's is, on one thread")]
/// Sends `requests` requests on two keys; `failures` percent of the operations fail, and `seed` decides the order of
/// the turns. One request of four is cancelled at some point.
fn meet(rule: Rule, requests: u64, failures: u64, seed: u64) -> Seen {
    let rules = RuleSet::new(vec![rule], 1, false).unwrap_or_else(|_| panic!("a reply"));
    let driver = Arc::new(Driver::new(SlowStore::failing(store(1_000, HOUR), failures, seed)));
    let chance = Cell::new(seed | 1);
    let with_upstream = [Cell::new(0), Cell::new(0)];
    let (forwarded, refused, together) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let accepted = [Cell::new(false), Cell::new(false)];
    let rests = Rc::new(std::cell::RefCell::new(Vec::new()));
    let settle = |effects: Effects, waiting| {
        driver.settle_in_passing(effects, waiting, || Moment(1), |rest| rests.borrow_mut().push(rest));
    };
    let request = async |number: u64| {
        let key = number as usize % 2;
        let head =
            Request::put(format!("/items/{key}")).header("if-match", "\"1\"").body(()).expect("a request");
        let head = head.into_parts().0;
        let mut facts = Facts::new(&head, IpAddr::V4(Ipv4Addr::LOCALHOST));
        let mut owed = Owed { effects: Effects::default(), waiting: None, settle: &settle };
        let identity = ClientIdSources(Vec::new());
        let decision = {
            let mut session =
                Session::new(&rules, &identity, &mut facts, &mut owed.effects, Moment(1), number);
            let look = async || Ok::<_, Infallible>((BodyFacts::read(Bytes::new()), Moment(1)));
            let Ok(decision) = driver.decide(&mut session, look, |_| {}).await;
            decision
        };
        if !matches!(decision, Decision::Forward) {
            refused.set(refused.get() + 1);
            return;
        }
        forwarded.set(forwarded.get() + 1);
        let _inside = Inside::enter(&with_upstream[key], &together);
        for _ in 0..4 {
            turn().await;
        }
        let outcome = Outcome { status: StatusCode::OK, headers: &HeaderMap::new(), body: None };
        accepted[key].set(true);
        owed.effects.on_response(&outcome, 0, false);
        driver.settle(&mut owed.effects, &mut owed.waiting, || Moment(1)).await;
        owed.effects.on_body_end(Some(Bytes::new()));
    };
    let mut running: Vec<_> = (0..requests).map(|number| Box::pin(request(number))).collect();
    let mut context = Context::from_waker(Waker::noop());
    while !running.is_empty() {
        let at = draw(&chance, running.len() as u64) as usize;
        let is_cancelled = draw(&chance, 100) < 2;
        if is_cancelled || running[at].as_mut().poll(&mut context).is_ready() {
            drop(running.swap_remove(at));
        }
    }
    drop(running);
    rests.take().into_iter().for_each(run);
    Seen {
        forwarded: forwarded.get(),
        refused: refused.get(),
        together: together.get(),
        accepted: accepted.iter().filter(|accepted| accepted.get()).count(),
        left: driver.store.memory.keys_of(Keyspace::State),
        failures: driver.failures(),
    }
}

/// The reply that a settlement awaits.
type Waiting = Option<Pin<Box<Later>>>;

/// Settles when it is dropped, like the proxy's.
struct Owed<'s> {
    effects: Effects,
    waiting: Waiting,
    settle: &'s dyn Fn(Effects, Waiting),
}

impl Drop for Owed<'_> {
    fn drop(&mut self) {
        (self.settle)(std::mem::take(&mut self.effects), self.waiting.take());
    }
}

struct Inside<'c>(&'c Cell<usize>);

impl<'c> Inside<'c> {
    fn enter(inside: &'c Cell<usize>, most: &Cell<usize>) -> Inside<'c> {
        inside.set(inside.get() + 1);
        most.set(most.get().max(inside.get()));
        Inside(inside)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Yields once to other tasks.
async fn turn() {
    let mut has_waited = false;
    std::future::poll_fn(|_| match std::mem::replace(&mut has_waited, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

fn overlap() -> Rule {
    rule(&["PUT"], "/items/{id}", on(State::Overlap { hold: Duration::ZERO }), "path")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Replies come in any order, and requests are cancelled while they wait for one.
    #[test]
    fn at_most_one_is_in_and_each_leaves(requests in 1..30u64, seed in any::<u64>()) {
        let seen = meet(overlap(), requests, 0, seed);
        prop_assert!(seen.together <= 1, "{seen:?}");
        prop_assert_eq!((seen.left, seen.failures), (0, 0), "{:?}", seen);
    }

    /// The upstream has accepted: a client that leaves while the store is told of that takes nothing back.
    #[test]
    fn what_the_upstream_accepted_is_learned_however_the_request_ends(requests in 1..30u64, seed in any::<u64>()) {
        for state in [State::Duplicate { release: None }, State::Locked { lease: HOUR, release: None }] {
            let seen = meet(rule(&["PUT"], "/items/{id}", on(state), "path"), requests, 0, seed);
            prop_assert_eq!((seen.left, seen.failures), (seen.accepted, 0), "{:?}", seen);
        }
    }

    /// With a store that always fails, each request is forwarded, and the failures are counted.
    #[test]
    fn a_store_that_is_away_invents_no_conflict(requests in 1..20u64, seed in any::<u64>()) {
        for state in [
            State::Overlap { hold: Duration::ZERO },
            State::KeyInUse { mismatch: StatusCode::UNPROCESSABLE_ENTITY },
            State::Duplicate { release: None },
            State::Locked { lease: HOUR, release: None },
            State::Stale { missing: Some(StatusCode::PRECONDITION_REQUIRED) },
            State::Expired { max_age: None, max_requests: std::num::NonZeroU64::new(1) },
        ] {
            let seen = meet(rule(&["PUT"], "/items/{id}", on(state), "path"), requests, 100, seed);
            prop_assert_eq!(seen.refused, 0, "{:?}", seen);
            prop_assert!(seen.failures > 0 || seen.forwarded == 0, "{seen:?}");
        }
    }

    /// With a store that sometimes fails, a request without a concurrent one is never refused.
    #[test]
    fn a_store_that_fails_now_and_then_invents_no_conflict(failures in 1..60u64, seed in any::<u64>()) {
        // One request of each key.
        let seen = meet(overlap(), 2, failures, seed);
        prop_assert_eq!(seen.refused, 0, "{:?}", seen);
    }
}
