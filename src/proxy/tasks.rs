//! The tasks of one worker, none of them an orphan: all are counted, and waited for at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Tasks on this worker's thread.
#[derive(Debug)]
pub struct Tasks {
    tracker: TaskTracker,
    /// Ends whatever is left when the time to drain is over.
    stop: CancellationToken,
    panics: Arc<AtomicU64>,
}

impl Tasks {
    /// No tasks yet; panics are counted in `panics`.
    pub fn new(panics: Arc<AtomicU64>) -> Tasks {
        Tasks { tracker: TaskTracker::new(), stop: CancellationToken::new(), panics }
    }

    /// Runs `work` beside everything else. A panic in it ends it alone, and is counted. At the very
    /// end, when what is left is dropped outside the runtime, nothing more is started.
    pub fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        if self.stop.is_cancelled() || Handle::try_current().is_err() {
            return;
        }
        let stop = self.stop.clone();
        let panics = PanicCount(Arc::clone(&self.panics));
        self.tracker.spawn_local(async move {
            let _panics = panics;
            tokio::select! {
                // The order first: who is told to stop must not see, and tell, what the others'
                // ends do to it.
                biased;
                () = stop.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Tasks that have not ended.
    pub fn len(&self) -> usize {
        self.tracker.len()
    }

    /// Waits until every task has ended.
    pub async fn ended(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Ends every task, and waits until they have.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.ended().await;
    }
}

/// Counts the panic that unwinds through it.
struct PanicCount(Arc<AtomicU64>);

impl Drop for PanicCount {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::{Builder, LocalOptions};

    use super::*;

    #[test]
    fn a_panic_ends_its_own_task_alone_and_is_counted() {
        let panics = Arc::new(AtomicU64::new(0));
        let runtime = Builder::new_current_thread().build_local(LocalOptions::default()).expect("a runtime");
        runtime.block_on(async {
            let tasks = Tasks::new(Arc::clone(&panics));
            let (done, is_done) = tokio::sync::oneshot::channel();
            tasks.spawn(async { panic!("on purpose") });
            tasks.spawn(async { _ = done.send(()) });
            tasks.ended().await;
            assert!(is_done.await.is_ok());
        });
        assert_eq!(panics.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_is_dropped_last_starts_nothing() {
        let tasks = Tasks::new(Arc::default());
        tasks.spawn(std::future::pending());
        assert_eq!(tasks.len(), 0);
    }

    #[test]
    fn stopping_lets_no_task_act_on_the_end_of_another() {
        let runtime = Builder::new_current_thread().build_local(LocalOptions::default()).expect("a runtime");
        runtime.block_on(async {
            let tasks = Tasks::new(Arc::default());
            let (alive, is_dead) = tokio::sync::oneshot::channel::<()>();
            let has_acted = std::rc::Rc::new(std::cell::Cell::new(false));
            let acts = std::rc::Rc::clone(&has_acted);
            tasks.spawn(async move {
                let _alive = alive;
                std::future::pending::<()>().await;
            });
            tasks.spawn(async move {
                let _ = is_dead.await;
                acts.set(true);
            });
            tokio::task::yield_now().await;
            tasks.stop().await;
            assert!(!has_acted.get());
        });
    }

    #[test]
    fn stopping_ends_tasks_that_would_go_on() {
        let runtime = Builder::new_current_thread().build_local(LocalOptions::default()).expect("a runtime");
        runtime.block_on(async {
            let tasks = Tasks::new(Arc::default());
            tasks.spawn(std::future::pending());
            assert_eq!(tasks.len(), 1);
            tasks.stop().await;
            assert_eq!(tasks.len(), 0);
        });
    }
}
