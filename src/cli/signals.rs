//! Signals that end fracas: SIGINT, SIGTERM, SIGHUP and SIGQUIT, or Ctrl-C where there are no signals.
//!
//! A signal that was ignored when the process started stays ignored: `nohup` ignores SIGHUP, and shells
//! ignore SIGINT and SIGQUIT for the background commands of a script.

use std::io;

#[cfg(unix)]
pub use unix::{Signal, Signals};

#[cfg(unix)]
mod unix {
    use std::future::poll_fn;
    use std::task::Poll;

    pub use rustix::process::Signal;
    use tokio::signal::unix::{self, SignalKind};

    use super::io;

    /// A closed terminal sends SIGHUP: the journal and the reports are written all the same.
    const ENDING: [Signal; 4] = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT];

    /// The signals that end this process.
    pub struct Signals(Vec<(Signal, unix::Signal)>);

    impl Signals {
        /// Takes the signals over from the system, which would end the process at once.
        pub fn listen() -> io::Result<Signals> {
            let ignored = ignored();
            let heard = ENDING.into_iter().filter(|signal| !is_in(ignored, *signal));
            let listening =
                heard.map(|signal| Ok((signal, unix::signal(SignalKind::from_raw(signal.as_raw()))?)));
            listening.collect::<io::Result<_>>().map(Signals)
        }

        /// The next signal.
        pub async fn next(&mut self) -> Signal {
            poll_fn(|cx| {
                let told = self
                    .0
                    .iter_mut()
                    .find_map(|(signal, stream)| stream.poll_recv(cx).is_ready().then_some(*signal));
                told.map_or(Poll::Pending, Poll::Ready)
            })
            .await
        }
    }

    /// The signals that this process ignores, as a bit each (proc_pid_status(5)).
    #[cfg(target_os = "linux")]
    fn ignored() -> u64 {
        std::fs::read_to_string("/proc/self/status").map_or(0, |status| mask(&status))
    }

    /// sigaction(2) would say, and cannot be called without `unsafe`: elsewhere no signal counts as ignored.
    #[cfg(not(target_os = "linux"))]
    fn ignored() -> u64 {
        0
    }

    #[cfg(any(target_os = "linux", test))]
    fn mask(status: &str) -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        line.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0)
    }

    fn is_in(mask: u64, signal: Signal) -> bool {
        let bit = u32::try_from(signal.as_raw() - 1).unwrap_or(0);
        mask.checked_shr(bit).is_some_and(|rest| rest & 1 == 1)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn ignored_signals_are_bits() {
            let status = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000006\n";
            let ignored = mask(status);
            assert_eq!(ENDING.map(|signal| is_in(ignored, signal)), [false, false, true, false]);
            assert_eq!(mask("Name:\tfracas\n"), 0);
        }
    }
}

/// The signals that end this process.
#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub fn listen() -> io::Result<Signals> {
        Ok(Signals)
    }

    /// The next signal.
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
