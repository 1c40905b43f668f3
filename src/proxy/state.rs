//! Driver of the store: passes the operations that sessions and effects need to the store, and its replies back. The
//! only decision made here is that about a failing store.
//!
//! While the store fails, rules with state leave requests alone: without its reply, a conflict would be invented.
//! The first failure is logged, and all are counted.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::engine::{
    Decision, Effects, Judged, Notice, Op, Reply, Session, StateKey, Step, Store, StoreError, Update,
};
use crate::model::{BodyFacts, Moment};

/// A store, and how often it failed.
pub struct StateAccess<S> {
    pub store: S,
    failures: AtomicU64,
}

impl<S: Store> StateAccess<S> {
    pub fn new(store: S) -> StateAccess<S> {
        StateAccess { store, failures: AtomicU64::new(0) }
    }

    /// Operations that had no reply.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// Decides a request. `look` reads its body, or that of its response, the only step that can fail; `heard` gets each rule's verdict.
    pub async fn decide<E>(
        &self,
        session: &mut Session<'_, '_>,
        mut look: impl AsyncFnMut() -> Result<(BodyFacts, Moment), E>,
        mut heard: impl FnMut(Judged),
    ) -> Result<Decision, E> {
        loop {
            match session.poll() {
                Step::Query(key, op) => {
                    let reply = self.update(key, op, session.now()).await;
                    session.reply(reply).into_iter().for_each(&mut heard);
                }
                Step::NeedBody => {
                    let (body, now) = look().await?;
                    session.body(body, now);
                }
                Step::Notice(Notice::LongBody(rule)) => tracing::warn!(
                    "the rule {rule} leaves alone what has a body longer than body_limit: it cannot look at it"
                ),
                Step::Notice(Notice::UnreadResponse(rule)) => tracing::warn!(
                    "the rule {rule} leaves a response alone whose body it cannot look at: it is longer than body_limit, \
                     an event stream, or not in the encoding that it names"
                ),
                Step::Done(decision) => return Ok(decision),
            }
        }
    }

    /// Runs the operations that `effects` owe by now. The reply that is awaited lies in `waiting`, so that a settlement
    /// that is cancelled can be handed on as it is ([`StateAccess::settle_in_passing`]).
    pub async fn settle(
        &self,
        effects: &mut Effects,
        waiting: &mut Option<Pin<Box<S::Later>>>,
        now: impl Fn() -> Moment,
    ) {
        let mut moment = now();
        loop {
            if let Some(later) = waiting {
                let reply = later.await;
                *waiting = None;
                effects.reply(self.noted(reply));
                moment = now();
            }
            let Some((key, op)) = effects.poll(moment) else { return };
            match self.store.update(key, op, moment) {
                Update::Ready(reply) => effects.reply(self.noted(reply)),
                Update::Later(later) => *waiting = Some(Box::pin(later)),
            }
        }
    }

    /// Ends a request from a context that cannot await, such as a drop; `waiting` is the reply that its settlement
    /// awaited. If the store delays a reply, `spawn` gets the rest.
    pub fn settle_in_passing<R>(
        self: &Arc<Self>,
        mut effects: Effects,
        mut waiting: Option<Pin<Box<S::Later>>>,
        now: impl Fn() -> Moment + 'static,
        spawn: impl FnOnce(Pin<Box<dyn Future<Output = ()>>>) -> R,
    ) where
        S: 'static,
    {
        let is_awaited = waiting.is_some();
        if !is_awaited {
            effects.on_failure();
            let moment = now();
            while let Some((key, op)) = effects.poll(moment) {
                match self.store.update(key, op, moment) {
                    Update::Ready(reply) => effects.reply(self.noted(reply)),
                    Update::Later(later) => {
                        waiting = Some(Box::pin(later));
                        break;
                    }
                }
            }
        }
        if waiting.is_none() {
            return;
        }
        let state = Arc::clone(self);
        spawn(Box::pin(async move {
            state.settle(&mut effects, &mut waiting, &now).await;
            if is_awaited {
                effects.on_failure();
                state.settle(&mut effects, &mut waiting, &now).await;
            }
        }));
    }

    async fn update(&self, key: StateKey, op: Op, now: Moment) -> Result<Reply, StoreError> {
        match self.store.update(key, op, now) {
            Update::Ready(reply) => self.noted(reply),
            Update::Later(later) => self.noted(later.await),
        }
    }

    #[inline]
    fn noted(&self, reply: Result<Reply, StoreError>) -> Result<Reply, StoreError> {
        if let Err(error) = &reply
            && self.failures.fetch_add(1, Relaxed) == 0
        {
            tracing::warn!(
                "the store of the rules' state fails: {error}. Rules leave requests alone whose state is not \
                 known; see to the store that `state` names"
            );
        }
        reply
    }
}
