//! File descriptors: the process's limit, and the number of clients that it suffices for.

use std::num::NonZeroUsize;

use crate::rules::{Settings, Upstream};

/// Descriptors of a worker beside connections: its listener, its event queue and its waker.
const OF_A_WORKER: usize = 4;
/// Descriptors of the process beside connections: standard streams, signals, the journal, the admin port,
/// resolver sockets, files while they are read.
const OF_THE_PROCESS: usize = 24;
/// Descriptors that one client's connection takes: its own, and that of a connection to the upstream.
const OF_A_CLIENT: usize = 2;
/// The same with the sample API in this process, which holds the other end of that connection too.
const OF_A_CLIENT_OF_THE_SAMPLE_API: usize = 3;

/// Where the upstream's own sockets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamPlace {
    /// In another process.
    Elsewhere,
    /// In this one: the sample API.
    Here,
}

impl UpstreamPlace {
    pub fn of(settings: &Settings) -> UpstreamPlace {
        match settings.upstream {
            Upstream::Demo => UpstreamPlace::Here,
            Upstream::Url(_) => UpstreamPlace::Elsewhere,
        }
    }
}

/// Lets the process have as many descriptors as the system allows it: shells and service managers start
/// programs with a soft limit of 1,024 for those that call select(2).
#[cfg(unix)]
pub fn raise_limit() -> SoftLimit {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        // Where even that is refused (macOS wants a number), the limit stays as it was.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    }
    SoftLimit { before: limit.current }
}

#[cfg(not(unix))]
pub fn raise_limit() -> SoftLimit {
    SoftLimit { before: None }
}

/// The soft limit that the process was started with. It is the one for processes that it starts: a program that
/// calls select(2) with a descriptor from 1,024 on writes beyond its own memory.
#[derive(Clone, Copy, Debug)]
pub struct SoftLimit {
    before: Option<u64>,
}

impl SoftLimit {
    /// Starts a process under it. It is lowered for that moment, as a child inherits it and `unsafe` alone could
    /// lower it there; but not so far that this process could not start one.
    #[cfg(unix)]
    pub fn around<T>(self, start: impl FnOnce() -> T) -> T {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let raised = getrlimit(Resource::Nofile);
        let lowered = self.before.map(|before| before.max(first_unused()));
        if lowered.is_none() || lowered == raised.current {
            return start();
        }
        // Neither exceeds the hard limit, which is the only reason to be refused.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: lowered, maximum: raised.maximum });
        let started = start();
        let _ = setrlimit(Resource::Nofile, raised);
        started
    }

    #[cfg(not(unix))]
    pub fn around<T>(self, start: impl FnOnce() -> T) -> T {
        let SoftLimit { before: _ } = self;
        start()
    }
}

/// The least limit under which some descriptors more can be opened.
#[cfg(unix)]
fn first_unused() -> u64 {
    /// Pipes to two processes, and how starting them went.
    const MORE: usize = 8;
    let more: Vec<_> = (0..MORE).filter_map(|_| std::fs::File::open("/dev/null").ok()).collect();
    let highest = more.iter().map(std::os::fd::AsRawFd::as_raw_fd).max();
    highest.and_then(|highest| u64::try_from(highest + 1).ok()).unwrap_or(0)
}

/// How many descriptors the process may have; `None` where there is no limit.
#[cfg(unix)]
pub fn limit() -> Option<usize> {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Nofile).current.and_then(|current| usize::try_from(current).ok())
}

#[cfg(not(unix))]
pub fn limit() -> Option<usize> {
    None
}

/// Newcomers beyond the limit that a worker refuses at a time.
pub fn surplus(limit: Option<usize>) -> usize {
    limit.map_or(MOST_SURPLUS, |limit| (limit / 8).clamp(1, MOST_SURPLUS))
}

const MOST_SURPLUS: usize = 32;

/// The number of clients that `limit` suffices for, at least one: a proxy for none would be useless.
pub fn clients(limit: Option<usize>, workers: usize, upstream: UpstreamPlace) -> NonZeroUsize {
    let Some(total) = limit else { return NonZeroUsize::MAX };
    let reserved = OF_THE_PROCESS + workers * (OF_A_WORKER + surplus(limit));
    NonZeroUsize::new(total.saturating_sub(reserved) / each(upstream)).unwrap_or(NonZeroUsize::MIN)
}

/// How many descriptors so many clients need.
pub fn needed(clients: usize, workers: usize, upstream: UpstreamPlace) -> usize {
    OF_THE_PROCESS + workers * (OF_A_WORKER + MOST_SURPLUS) + clients.saturating_mul(each(upstream))
}

fn each(upstream: UpstreamPlace) -> usize {
    match upstream {
        UpstreamPlace::Elsewhere => OF_A_CLIENT,
        UpstreamPlace::Here => OF_A_CLIENT_OF_THE_SAMPLE_API,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_clients_as_there_are_descriptors_for() {
        for (limit, workers, upstream, expected) in [
            (None, 2, UpstreamPlace::Elsewhere, usize::MAX),
            (Some(8), 2, UpstreamPlace::Elsewhere, 1),
            (Some(64), 1, UpstreamPlace::Elsewhere, 14),
            (Some(1_024), 2, UpstreamPlace::Elsewhere, 464),
            (Some(1_024), 2, UpstreamPlace::Here, 309),
            (Some(20_000), 2, UpstreamPlace::Elsewhere, 9_952),
        ] {
            assert_eq!(clients(limit, workers, upstream).get(), expected, "{limit:?} {workers} {upstream:?}");
        }
    }

    #[test]
    fn what_is_needed_is_enough() {
        for count in [1, 100, 10_000] {
            for upstream in [UpstreamPlace::Elsewhere, UpstreamPlace::Here] {
                assert!(clients(Some(needed(count, 4, upstream)), 4, upstream).get() >= count);
            }
        }
    }
}
