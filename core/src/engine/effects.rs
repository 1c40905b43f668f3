//! Settlement of a request, however it ends: reservations to leave, observations to apply, a pending conflict to
//! commit. Decided here and nowhere else; a driver passes the operations to a store, and the replies back.
//!
//! ```text
//! on_response ─▶ operations ─▶ on_body_end ─▶ operations
//!      └── on_failure, at any time ─▶ operations
//! ```
//!
//! A request ends when the reply that its settlement awaits has come: the driver hands on one that is cancelled.
//! When the store fails, a reservation that may have been entered is left all the same; an entry that cannot be changed stays
//! as it is, and ends with its time to live.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use super::decision::Conflict;
use super::fault::PassingFault;
use super::observers::Readings;
use super::operation::{Keyspace, Op, Reply, StateKey, StoredResponse};
use super::state::{Observation, Outcome, Showing, StateUpdate};
use super::store::StoreError;
use crate::model::{Json, KeyHash, Moment};

/// Effects of a request. Nearly every request has none, and takes one word.
#[derive(Default)]
pub struct Effects(Option<Box<Owed>>);

#[derive(Default)]
struct Owed {
    reservations: Vec<Reservation>,
    observations: Vec<Observation>,
    readings: Readings,
    showings: Vec<Showing>,
    /// A conflict of the phases after and lost, with its rule's position.
    pending: Option<Box<(u32, Conflict)>>,
    /// The rules, in file order and before the pending one, that decide by the upstream's response.
    late: Vec<u32>,
    /// A fault of a response that passes.
    fault: Option<Box<PassingFault>>,
    /// Readings wait for the whole response: it may be cut.
    is_read_at_end: bool,
    response: Option<Box<Response>>,
    /// Updates to apply next, the last one first.
    commands: Vec<StateUpdate>,
    /// A referrer that is to be named next, after its reference was counted.
    names: Option<(StateKey, KeyHash)>,
    awaited: Awaited,
}

/// A reservation that the request has entered, or may have.
struct Reservation {
    key: StateKey,
    ticket: u64,
    /// Of the request, if its response is to be kept.
    payload: Option<KeyHash>,
    /// How much longer than its response the request stays in.
    hold: Duration,
}

/// The head of the upstream's response.
struct Response {
    connection: u64,
    status: StatusCode,
    headers: HeaderMap,
}

/// The reply that is awaited, where something follows from it.
#[derive(Default)]
enum Awaited {
    #[default]
    Nothing,
    /// A reference is counted before the referrer is named: a release that finds the name finds the reference.
    Refer {
        referrer: StateKey,
        to: KeyHash,
    },
    Replace {
        referrer: StateKey,
        to: KeyHash,
    },
    Take {
        referrer: StateKey,
    },
}

impl From<StateUpdate> for Effects {
    /// Nothing but one command.
    fn from(command: StateUpdate) -> Effects {
        Effects(Some(Box::new(Owed { commands: vec![command], ..Owed::default() })))
    }
}

/// While a request is decided.
impl Effects {
    /// The request may enter the reservation from here on; `payload` is that of one whose response is to be kept.
    pub(super) fn enter(&mut self, key: StateKey, ticket: u64, payload: Option<KeyHash>, hold: Duration) {
        self.owed().reservations.push(Reservation { key, ticket, payload, hold });
    }

    /// The request has not entered the last reservation.
    pub(super) fn cancel_reservation(&mut self) {
        if let Some(owed) = &mut self.0 {
            owed.reservations.pop();
        }
    }

    pub(super) fn observe(
        &mut self,
        observations: Vec<Observation>,
        readings: Readings,
        showings: Vec<Showing>,
    ) {
        if !observations.is_empty() || !readings.is_empty() || !showings.is_empty() {
            let owed = self.owed();
            (owed.observations, owed.readings, owed.showings) = (observations, readings, showings);
        }
    }

    pub(super) fn pend(&mut self, position: u32, conflict: Conflict) {
        self.owed().pending = Some(Box::new((position, conflict)));
    }

    /// The rule at this position decides by the upstream's response.
    pub(super) fn await_response(&mut self, position: u32) {
        self.owed().late.push(position);
    }

    /// The conflict that will take the response's place, if the upstream accepts the request.
    pub fn pending(&self) -> Option<&Conflict> {
        self.0.as_ref()?.pending.as_deref().map(|(_, conflict)| conflict)
    }

    /// Whether rules decide by the upstream's response: [`Session::after`](super::Session::after).
    pub fn awaits_response(&self) -> bool {
        self.0.as_ref().is_some_and(|owed| owed.pending.is_some() || !owed.late.is_empty())
    }

    /// The rules that decide by the upstream's response, and the conflict that is pending behind them.
    pub(super) fn take_late(&mut self) -> (Vec<u32>, Option<Box<(u32, Conflict)>>) {
        let Some(owed) = &mut self.0 else { return Default::default() };
        (std::mem::take(&mut owed.late), owed.pending.take())
    }

    pub(super) fn pass_with(&mut self, fault: PassingFault) {
        let cuts = fault.settings().is_some_and(|faults| faults.cut.is_some());
        let owed = self.owed();
        (owed.fault, owed.is_read_at_end) = (Some(Box::new(fault)), cuts);
    }

    /// Whether a rule has decided on the response, by a conflict that is pending or by a fault.
    pub(super) fn is_decided(&self) -> bool {
        self.0.as_ref().is_some_and(|owed| owed.pending.is_some() || owed.fault.is_some())
    }

    /// The fault of the response, if a rule lets it pass with one. To be taken before the request is forwarded.
    pub fn take_fault(&mut self) -> Option<Box<PassingFault>> {
        self.0.as_mut()?.fault.take()
    }

    /// The rules for which the request is a reading.
    pub fn readings(&self) -> &[(crate::model::RuleId, Option<KeyHash>)] {
        self.0.as_ref().map_or(&[], |owed| &owed.readings)
    }

    fn owed(&mut self) -> &mut Owed {
        self.0.get_or_insert_default()
    }
}

/// When it ends.
impl Effects {
    /// Whether there are no effects.
    pub fn is_settled(&self) -> bool {
        self.0.is_none()
    }

    /// The upstream's response to a request on `connection` has begun; a rule overrides it, or the client gets it.
    /// Operations follow.
    pub fn on_response(&mut self, outcome: &Outcome<'_>, connection: u64, is_overridden: bool) {
        let Some(owed) = self.0.as_mut() else { return };
        let is_accepted = outcome.is_accepted();
        let mut next = Vec::new();
        (owed.pending, owed.late) = (None, Vec::new());
        if is_overridden {
            // The client will not get the response: it has read nothing.
            owed.observations.retain(|observation| !observation.is_of_reading());
        }
        owed.observations.retain(|observation| {
            let is_later = observation.reads_response() || owed.is_read_at_end && observation.is_of_reading();
            if !is_later && let Some(command) = observation.command(outcome) {
                next.push(command);
            }
            is_later
        });
        owed.follow(next);
        if !is_accepted {
            owed.reservations.iter_mut().for_each(|reservation| reservation.payload = None);
        }
        if !owed.reservations.is_empty() || !owed.observations.is_empty() || !owed.showings.is_empty() {
            let mut headers = outcome.headers.clone();
            // It is about this connection.
            headers.remove(header::CONNECTION);
            owed.response = Some(Box::new(Response { connection, status: outcome.status, headers }));
        }
    }

    /// How much longer the request stays in flight, once the observations of its response's head are applied.
    pub fn hold(&self) -> Duration {
        let reservations = self.0.iter().flat_map(|owed| &owed.reservations);
        reservations.map(|entered| entered.hold).max().unwrap_or_default()
    }

    /// Whether the response's body is needed.
    pub fn reads_body(&self) -> bool {
        let Some(owed) = &self.0 else { return false };
        let is_read = !owed.observations.is_empty() || !owed.showings.is_empty();
        is_read || owed.reservations.iter().any(|entered| entered.payload.is_some())
    }

    /// The response has ended; `body` is `None` where it was too long to keep. Operations follow.
    pub fn on_body_end(&mut self, body: Option<Bytes>) {
        let Some(owed) = &mut self.0 else { return };
        let observations = std::mem::take(&mut owed.observations);
        let showings = std::mem::take(&mut owed.showings);
        let Some(response) = owed.response.take() else {
            // The response never began, so nothing is observed: the upstream may not have seen the request.
            owed.reservations.iter_mut().for_each(|reservation| reservation.payload = None);
            return owed.leave(None);
        };
        let Response { connection, status, headers } = *response;
        let json = body.as_ref().filter(|_| !observations.is_empty()).and_then(Json::read_quickly);
        let outcome = Outcome { status, headers: &headers, body: json.as_ref() };
        let learnt = observations.iter().filter_map(|observation| observation.command(&outcome));
        let shown = showings.iter().filter_map(|showing| showing.update(status, &headers, body.as_ref()));
        owed.follow(learnt.chain(shown).collect());
        owed.leave(body.map(|body| StoredResponse { connection, status, headers, body }));
    }

    /// The request ends here: it failed, was cancelled or is refused by a rule; or the client left while it read the
    /// response, which the upstream has sent all the same. Operations follow.
    pub fn on_failure(&mut self) {
        if let Some(owed) = &mut self.0 {
            // Those that wait for the end have not seen it.
            owed.observations.retain(|observation| !observation.is_of_reading());
        }
        self.on_body_end(None);
    }

    /// The next operation, whose reply [`Effects::reply`] wants before the one after it; `None`: all effects so
    /// far are settled. `now` is by the clock that observations began by.
    pub fn poll(&mut self, now: Moment) -> Option<(StateKey, Op)> {
        let owed = self.0.as_mut()?;
        if let Some((referrer, to)) = owed.names.take() {
            owed.awaited = Awaited::Replace { referrer, to };
            return Some((referrer, Op::Replace(to)));
        }
        let Some(command) = owed.commands.pop() else {
            let is_waiting = owed.pending.is_some() || !owed.late.is_empty();
            let is_learning = !owed.observations.is_empty() || !owed.showings.is_empty();
            if owed.reservations.is_empty() && !is_learning && !is_waiting {
                self.0 = None;
            }
            return None;
        };
        Some(match command {
            StateUpdate::One(key, op) => (key, op),
            StateUpdate::Learn { key, seen, how, began } => {
                (key, Op::Learn { seen, took: now.since(began), how })
            }
            StateUpdate::Show { key, response, how, began } => {
                (key, Op::Show { response, took: now.since(began), how })
            }
            StateUpdate::Read { key, began } => (key, Op::Read { took: now.since(began) }),
            StateUpdate::Attach { referrer, to } => {
                owed.awaited = Awaited::Refer { referrer, to };
                (referrer.within(Keyspace::State, to), Op::Refer)
            }
            StateUpdate::Detach { referrer } => {
                owed.awaited = Awaited::Take { referrer };
                (referrer, Op::Take)
            }
        })
    }

    /// The reply of the store to the last operation.
    pub fn reply(&mut self, reply: Result<Reply, StoreError>) {
        let Some(owed) = &mut self.0 else { return };
        let unrefer = match (std::mem::take(&mut owed.awaited), reply) {
            (Awaited::Refer { referrer, to }, Ok(_)) => {
                owed.names = Some((referrer, to));
                return;
            }
            // Counted and not named, a reference would never end: it is taken back.
            (Awaited::Refer { referrer, to } | Awaited::Replace { referrer, to }, Err(_)) => (referrer, to),
            (
                Awaited::Replace { referrer, .. } | Awaited::Take { referrer },
                Ok(Reply::Held(Some(previous))),
            ) => (referrer, previous.holder),
            _ => return,
        };
        let (referrer, resource) = unrefer;
        owed.commands.push(StateUpdate::One(referrer.within(Keyspace::State, resource), Op::Unrefer));
    }
}

impl Owed {
    /// Leaves every reservation, with the response where it is to be kept.
    fn leave(&mut self, response: Option<StoredResponse>) {
        let response = response.filter(|_| self.reservations.iter().any(|entered| entered.payload.is_some()));
        let response = response.map(Arc::new);
        (self.pending, self.late) = (None, Vec::new());
        let left = self.reservations.drain(..).map(|Reservation { key, ticket, payload, .. }| {
            let op = match payload {
                Some(payload) => Op::Finish { ticket, payload, response: response.clone() },
                None => Op::Leave { ticket },
            };
            StateUpdate::One(key, op)
        });
        let left = left.collect();
        self.follow(left);
    }

    /// Queues these updates after those that are queued already.
    fn follow(&mut self, mut commands: Vec<StateUpdate>) {
        if commands.len() > 1 {
            commands.reverse();
        }
        if !self.commands.is_empty() {
            commands.append(&mut self.commands);
        }
        self.commands = commands;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::StateScope;

    #[test]
    fn a_request_is_held_for_the_reservations_that_it_has_entered_alone() {
        let key = |name| StateKey::new(StateScope::new(name, ""), Keyspace::State, KeyHash(1));
        let seconds = Duration::from_secs;
        let mut effects = Effects::default();
        effects.enter(key("first"), 1, None, seconds(1));
        effects.enter(key("second"), 1, None, seconds(5));
        assert_eq!(effects.hold(), seconds(5));
        // Another request is in the second.
        effects.cancel_reservation();
        assert_eq!(effects.hold(), seconds(1));
        effects.on_failure();
        assert_eq!(effects.hold(), Duration::ZERO);
    }
}
