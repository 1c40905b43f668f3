//! The time a task's timer is set to, shared with other tasks: one that needs it sooner wakes the task, which
//! alone can move its timer.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Waker};

use crate::model::Moment;

/// One task's timer, as others see it.
#[derive(Debug, Default)]
pub struct SharedTimer {
    /// Nanoseconds of a [`Moment`]; 0 while the task runs, as it then checks deadlines itself.
    armed: AtomicU64,
    waker: Mutex<Option<Waker>>,
}

impl SharedTimer {
    /// The task runs.
    pub fn wake(&self) {
        self.armed.store(0, Relaxed);
    }

    /// The task goes to sleep until `armed`.
    pub fn set(&self, armed: Moment, cx: &Context<'_>) {
        self.armed.store(armed.0, Relaxed);
        if let Ok(mut waker) = self.waker.lock() {
            match &mut *waker {
                Some(waker) => waker.clone_from(cx.waker()),
                None => *waker = Some(cx.waker().clone()),
            }
        }
    }

    /// Something is due at `due`.
    pub fn bring_forward(&self, due: Moment) {
        if due.0 < self.armed.load(Relaxed)
            && let Ok(waker) = self.waker.lock()
            && let Some(waker) = &*waker
        {
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn only_what_is_due_sooner_wakes_a_task_that_sleeps() {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let alarm = SharedTimer::default();
        let woken = |due| {
            alarm.bring_forward(Moment(due));
            count.0.swap(0, Relaxed)
        };
        assert_eq!(woken(1), 0, "it has not run yet");
        alarm.set(Moment(10), &Context::from_waker(&waker));
        assert_eq!([woken(10), woken(11), woken(9)], [0, 0, 1]);
        alarm.wake();
        assert_eq!(woken(9), 0);
    }
}
