//! A store like one in another process: every reply is delayed, by a time that differs from key to key, and the
//! operation runs only then; some operations fail, run or not.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::*;

pub struct SlowStore {
    pub memory: Rc<MemoryStore>,
    /// Percentage of operations that fail.
    failures: u64,
    chance: Rc<Cell<u64>>,
}

impl SlowStore {
    pub fn new(memory: MemoryStore) -> SlowStore {
        SlowStore::failing(memory, 0, 1)
    }

    pub fn failing(memory: MemoryStore, failures: u64, seed: u64) -> SlowStore {
        SlowStore { memory: Rc::new(memory), failures, chance: Rc::new(Cell::new(seed | 1)) }
    }

    /// A number below `end` (xorshift, Marsaglia 2003).
    fn draw(&self, end: u64) -> u64 {
        draw(&self.chance, end)
    }
}

pub fn draw(chance: &Cell<u64>, end: u64) -> u64 {
    let mut x = chance.get();
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    chance.set(x);
    x % end
}

/// An operation in flight.
pub struct Later {
    memory: Rc<MemoryStore>,
    asked: Option<(StateKey, Op, Moment)>,
    /// Turns until it runs.
    turns: u64,
    /// Whether it fails, and whether it runs all the same.
    fails: Option<bool>,
}

impl Store for SlowStore {
    type Later = Later;

    fn update(&self, key: StateKey, op: Op, now: Moment) -> Update<Later> {
        let fails = (self.draw(100) < self.failures).then(|| self.draw(2) == 0);
        let memory = Rc::clone(&self.memory);
        Update::Later(Later { memory, asked: Some((key, op, now)), turns: self.draw(5), fails })
    }
}

impl Future for Later {
    type Output = Result<Reply, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.turns > 0 {
            self.turns -= 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let (key, op, now) = self.asked.take().expect("polled until it is ready, and no longer");
        let run = || self.memory.run(key, op, now);
        Poll::Ready(match self.fails {
            None => Ok(run()),
            Some(has_run) => {
                has_run.then(run);
                Err(StoreError("on purpose".into()))
            }
        })
    }
}

pub fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
