//! What a request on its way to the upstream owes: the places it has entered, and the lessons that
//! its outcome teaches. Whatever is dropped on the way teaches nothing and leaves what it entered.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};

use super::body::response::Source;
use super::judge::Entrance;
use super::shared::Shared;
use crate::engine::{Lesson, Lessons, Outcome, Readings, StoredAnswer, Tell};
use crate::model::Json;

/// One request's debts.
#[derive(Default)]
pub struct Passage {
    guards: Vec<Guard>,
    lessons: Lessons,
    hold: Duration,
    /// For which rules the request is a reading.
    pub readings: Readings,
}

impl Passage {
    /// The request has entered somewhere, and stays `hold` longer than its answer takes.
    pub fn enter(&mut self, guard: Guard, hold: Duration) {
        self.guards.push(guard);
        self.hold = self.hold.max(hold);
    }

    /// The outcome will teach this.
    pub fn learn(&mut self, lessons: Lessons) {
        self.lessons = lessons;
    }

    /// Whether nothing is owed.
    pub fn is_empty(&self) -> bool {
        self.guards.is_empty() && self.lessons.is_empty()
    }

    /// The client will not get the answer: it has read nothing.
    pub fn forget_reading(&mut self) {
        self.lessons.retain(|lesson| !lesson.is_of_reading());
    }

    /// Settles with the upstream's answer: what its head teaches now, what its body teaches when
    /// that has passed. Until then the request is in flight.
    pub async fn settle(self, shared: &Arc<Shared>, connection: u64, answer: &mut Response<Source>) {
        let Passage { mut guards, lessons, hold, readings: _ } = self;
        let (later, now): (Vec<Lesson>, Vec<Lesson>) = lessons.into_iter().partition(|lesson| {
            shared.rules.get(lesson.place.rule).is_some_and(|active| lesson.reads_answer(&active.rule))
        });
        let status = answer.status();
        let outcome = Outcome { status, headers: answer.headers(), body: None };
        let is_accepted = outcome.is_accepted();
        teach(shared, &now, &outcome);
        if !hold.is_zero() {
            tokio::time::sleep(hold).await;
        }
        if guards.is_empty() && later.is_empty() {
            return;
        }
        if !is_accepted {
            guards.iter_mut().for_each(Guard::keep_no_answer);
        }
        let keeps_body = !later.is_empty() || guards.iter().any(Guard::keeps_answer);
        let limit = if keeps_body { shared.settings.body_limit } else { 0 };
        let mut headers = answer.headers().clone();
        // It was about this connection.
        headers.remove(header::CONNECTION);
        let shared = Arc::clone(shared);
        let settlement = Settlement { shared, connection, status, headers, guards, lessons: later };
        answer.body_mut().watch(limit, settlement);
    }
}

/// What is settled when an answer's body has passed.
pub struct Settlement {
    shared: Arc<Shared>,
    connection: u64,
    status: StatusCode,
    headers: HeaderMap,
    guards: Vec<Guard>,
    lessons: Lessons,
}

impl Settlement {
    /// The whole body; `None` when it was too long to keep.
    pub fn finish(mut self, body: Option<Bytes>) {
        let json = body.as_ref().and_then(Json::read);
        let outcome = Outcome { status: self.status, headers: &self.headers, body: json.as_ref() };
        teach(&self.shared, &std::mem::take(&mut self.lessons), &outcome);
        let (connection, status) = (self.connection, self.status);
        let headers = || self.headers.clone();
        let answer = body.map(|body| Arc::new(StoredAnswer { connection, status, headers: headers(), body }));
        for guard in std::mem::take(&mut self.guards) {
            guard.finish(answer.clone());
        }
    }
}

impl Drop for Settlement {
    /// The client left while it read, or the answer broke off: the upstream has accepted all the same.
    fn drop(&mut self) {
        let outcome = Outcome { status: self.status, headers: &self.headers, body: None };
        teach(&self.shared, &std::mem::take(&mut self.lessons), &outcome);
        for guard in std::mem::take(&mut self.guards) {
            guard.finish(None);
        }
    }
}

fn teach(shared: &Shared, lessons: &[Lesson], outcome: &Outcome<'_>) {
    let now = shared.clock.now();
    for lesson in lessons {
        let Some(active) = shared.rules.get(lesson.place.rule) else { continue };
        for told in lesson.tell(&active.rule, outcome) {
            shared.store.learn(told, now);
        }
    }
}

/// A place that a request has entered, and leaves when this is dropped.
pub struct Guard {
    shared: Arc<Shared>,
    entrance: Entrance,
    is_finished: bool,
}

impl Guard {
    /// The request has entered.
    pub fn new(shared: &Arc<Shared>, entrance: Entrance) -> Guard {
        Guard { shared: Arc::clone(shared), entrance, is_finished: false }
    }

    /// Whether the answer is to be kept.
    fn keeps_answer(&self) -> bool {
        self.entrance.payload.is_some()
    }

    /// The upstream has not accepted the request.
    fn keep_no_answer(&mut self) {
        self.entrance.payload = None;
    }

    /// Leaves the answer behind, if it is to be kept.
    fn finish(mut self, answer: Option<Arc<StoredAnswer>>) {
        if let Entrance { place, ticket, payload: Some(payload) } = self.entrance {
            self.is_finished = true;
            self.shared.store.tell(place, Tell::Finish { ticket, payload, answer }, self.shared.clock.now());
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.is_finished {
            let Entrance { place, ticket, .. } = self.entrance;
            self.shared.store.tell(place, Tell::Leave { ticket }, self.shared.clock.now());
        }
    }
}
