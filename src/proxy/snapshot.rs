//! The rules of requests, which can be swapped while requests are in flight: each request keeps its snapshot from its
//! first byte to its settlement.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Release};
use std::sync::{Arc, Mutex, PoisonError};

use super::allowed_hosts::AllowedHosts;
use super::record::CapturePolicy;
use super::start_error::StartError;
use crate::engine::RuleSet;
use crate::model::RunKey;
use crate::rules::{Rule, Settings, UpstreamUrl};

/// Rules with their counts, and the settings that follow from them.
#[derive(Clone)]
pub struct Snapshot {
    pub rules: Arc<RuleSet>,
    /// The facts recorded of each request.
    pub plan: Arc<CapturePolicy>,
    /// The served names in `Host`, where only some are served.
    pub allowed_hosts: Option<Arc<AllowedHosts>>,
}

impl Snapshot {
    /// The snapshot of some rules, which take the place of `previous`, if there are any.
    pub fn new(
        settings: &Settings,
        upstream: &UpstreamUrl,
        key: RunKey,
        rules: Vec<Rule>,
        previous: Option<&RuleSet>,
    ) -> Result<Snapshot, StartError> {
        let allowed_hosts = AllowedHosts::new(settings.listen, settings, upstream, &rules);
        let rules = match previous {
            None => RuleSet::new(rules, settings.seed, settings.mark),
            Some(previous) => RuleSet::succeeding(previous, rules, settings.seed, settings.mark),
        };
        let rules = rules.map_err(StartError::Replies)?;
        Ok(Snapshot {
            plan: Arc::new(CapturePolicy::new(settings, &rules, key)),
            rules: Arc::new(rules),
            allowed_hosts: allowed_hosts.map(Arc::new),
        })
    }
}

/// The snapshot that new requests get.
pub struct Snapshots {
    /// The number of the latest snapshot. Changed with the lock held.
    generation: AtomicU64,
    latest: Mutex<Snapshot>,
}

impl Snapshots {
    pub fn new(first: Snapshot) -> Snapshots {
        Snapshots { generation: AtomicU64::new(0), latest: Mutex::new(first) }
    }

    pub fn latest(&self) -> Snapshot {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives new requests the snapshot that `next` makes of the latest.
    pub fn replace<E>(&self, next: impl FnOnce(&Snapshot) -> Result<Snapshot, E>) -> Result<(), E> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = next(&latest)?;
        self.generation.fetch_add(1, Release);
        Ok(())
    }
}

/// One worker's copy of the latest snapshot: a request costs a load of one number, and no data shared between
/// workers is written.
pub struct Current {
    generation: Cell<u64>,
    snapshot: RefCell<Rc<Snapshot>>,
}

impl Current {
    pub fn new(snapshots: &Snapshots) -> Current {
        let generation = snapshots.generation.load(Acquire);
        Current { generation: Cell::new(generation), snapshot: RefCell::new(Rc::new(snapshots.latest())) }
    }

    /// The snapshot for a new request.
    pub fn get(&self, snapshots: &Snapshots) -> Rc<Snapshot> {
        let generation = snapshots.generation.load(Acquire);
        if generation != self.generation.replace(generation) {
            *self.snapshot.borrow_mut() = Rc::new(snapshots.latest());
        }
        Rc::clone(&self.snapshot.borrow())
    }
}
