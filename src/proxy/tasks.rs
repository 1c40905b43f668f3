//! The tasks of one worker, none of them an orphan: all are counted, and waited for at the end. Tasks left
//! after that deadline end with the worker's runtime, which drops them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// Tasks on this worker's thread.
#[derive(Debug)]
pub struct Tasks {
    tracker: TaskTracker,
    panics: Arc<AtomicU64>,
}

impl Tasks {
    /// No tasks yet; panics are counted in `panics`.
    pub fn new(panics: Arc<AtomicU64>) -> Tasks {
        Tasks { tracker: TaskTracker::new(), panics }
    }

    /// Runs `work` beside everything else. A panic in it ends it alone, and is counted. At the very end, when
    /// tasks are dropped outside the runtime, nothing more is started.
    pub fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        if Handle::try_current().is_err() {
            return;
        }
        let panics = PanicCount(Arc::clone(&self.panics));
        self.tracker.spawn_local(async move {
            let _panics = panics;
            work.await;
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
    fn the_end_of_the_runtime_lets_no_task_act_on_the_end_of_another() {
        let runtime = Builder::new_current_thread().build_local(LocalOptions::default()).expect("a runtime");
        let has_acted = std::rc::Rc::new(std::cell::Cell::new(false));
        let acts = std::rc::Rc::clone(&has_acted);
        runtime.block_on(async {
            let tasks = Tasks::new(Arc::default());
            let (alive, is_dead) = tokio::sync::oneshot::channel::<()>();
            tasks.spawn(async move {
                let _alive = alive;
                std::future::pending::<()>().await;
            });
            tasks.spawn(async move {
                let _ = is_dead.await;
                acts.set(true);
            });
            tokio::task::yield_now().await;
        });
        drop(runtime);
        assert!(!has_acted.get());
    }

    #[test]
    fn the_end_of_the_runtime_ends_tasks_that_would_go_on_and_starts_no_more() {
        /// Starts a task when it is dropped, as an unread body does.
        struct Parting(std::rc::Rc<Tasks>);
        impl Drop for Parting {
            fn drop(&mut self) {
                self.0.spawn(std::future::pending());
            }
        }
        let tasks = std::rc::Rc::new(Tasks::new(Arc::default()));
        let runtime = Builder::new_current_thread().build_local(LocalOptions::default()).expect("a runtime");
        runtime.block_on(async {
            let parting = Parting(std::rc::Rc::clone(&tasks));
            tasks.spawn(async {
                let _parting = parting;
                std::future::pending::<()>().await;
            });
            tokio::task::yield_now().await;
            assert_eq!(tasks.len(), 1);
        });
        drop(runtime);
        assert_eq!(tasks.len(), 0);
    }
}
