//! The sample API on a free port, in a thread of its own.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use fracas::demo;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// The sample API, until it is dropped.
pub struct Demo {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Demo {
    /// A fresh one.
    pub fn start() -> Demo {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = demo::serve(listener, demo::Demo::new(), async { drop(stopped.await) });
        let thread = super::upstream::start("demo", move || runtime.block_on(serve));
        Demo { address, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It has shown why it failed.
            let _ = thread.join();
        }
    }
}
