//! The client at the other end of a connection.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use tokio::sync::OwnedSemaphorePermit;

use super::super::headers::FORWARDED_FOR;
use super::super::upstream::identity::BoundConnection;
use super::backlog::Backlog;
use super::deadlines::Deadlines;
use crate::matching::Cidr;
use crate::model::{ClientId, ClientIdCache, RunKey};
use crate::rules::{Scheme, Settings};

/// A client, as long as its connection or its tunnel lasts.
pub struct Client {
    address: IpAddr,
    /// Number of the connection in this run.
    pub connection: u64,
    /// How it reached the proxy.
    pub scheme: Scheme,
    /// Whether its `X-Forwarded-For` is believed.
    pub is_trusted: bool,
    /// The address, as `X-Forwarded-For` has it.
    pub forwarded_for: HeaderValue,
    pub vitals: Arc<Deadlines>,
    /// Over HTTP/1.1: bytes of a response held by its connection. Streams have windows.
    pub backlog: Option<Arc<Backlog>>,
    /// The upstream connection that this client has authenticated, if there is one.
    pub identity: Rc<BoundConnection>,
    acquaintance: Rc<RefCell<ClientIdCache>>,
    place: Rc<ConnectionPermit>,
}

/// A connection's place under `limits.connections`, until dropped.
pub struct ConnectionPermit {
    _permit: Option<OwnedSemaphorePermit>,
    is_surplus: bool,
}

impl ConnectionPermit {
    pub fn within(permit: OwnedSemaphorePermit) -> ConnectionPermit {
        ConnectionPermit { _permit: Some(permit), is_surplus: false }
    }

    /// There is none: the client is refused. `permit` bounds refusals at a time.
    pub fn surplus(permit: Option<OwnedSemaphorePermit>) -> ConnectionPermit {
        ConnectionPermit { _permit: permit, is_surplus: true }
    }

    pub fn is_surplus(&self) -> bool {
        self.is_surplus
    }
}

impl Client {
    /// The client at `address`.
    pub fn new(
        address: IpAddr,
        connection: u64,
        settings: &Settings,
        vitals: Arc<Deadlines>,
        place: ConnectionPermit,
    ) -> Client {
        let address = address.to_canonical();
        Client {
            address,
            connection,
            scheme: settings.scheme(),
            is_trusted: is_trusted(address, &settings.trusted),
            forwarded_for: HeaderValue::try_from(address.to_string())
                .unwrap_or_else(|_| HeaderValue::from_static("unknown")),
            vitals,
            backlog: Some(Arc::default()),
            identity: Rc::default(),
            acquaintance: Rc::default(),
            place: Rc::new(place),
        }
    }

    /// The same client on one of its connection's streams.
    pub fn on_stream(&self, vitals: Arc<Deadlines>) -> Client {
        Client {
            address: self.address,
            connection: self.connection,
            scheme: self.scheme,
            is_trusted: self.is_trusted,
            forwarded_for: self.forwarded_for.clone(),
            vitals,
            backlog: None,
            identity: Rc::clone(&self.identity),
            acquaintance: Rc::clone(&self.acquaintance),
            place: Rc::clone(&self.place),
        }
    }

    /// Whether there is no place for it.
    pub fn is_surplus(&self) -> bool {
        self.place.is_surplus()
    }

    /// Returns the client id of a request that comes from `address`.
    pub fn who(&self, headers: &HeaderMap, address: IpAddr, settings: &Settings, key: RunKey) -> ClientId {
        self.acquaintance.borrow_mut().meet(&settings.client_id, headers, address, key)
    }

    /// The address that rules see: the nearest one that is not a trusted peer's.
    pub fn address_behind(&self, headers: &HeaderMap, trusted: &[Cidr]) -> IpAddr {
        if !self.is_trusted {
            return self.address;
        }
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let hops = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        let mut nearest = self.address;
        for hop in hops {
            let text = std::str::from_utf8(hop.trim_ascii()).ok();
            let Some(address) = text.and_then(|text| text.parse::<IpAddr>().ok()) else { break };
            nearest = address.to_canonical();
            if !is_trusted(nearest, trusted) {
                break;
            }
        }
        nearest
    }
}

fn is_trusted(address: IpAddr, trusted: &[Cidr]) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::rules::Timeouts;

    #[test]
    fn only_trusted_peers_are_believed() {
        let trusted: Vec<Cidr> = ["10.0.0.0/8".parse().expect("a network")].to_vec();
        for (peer, said, seen) in [
            ("192.0.2.1", &["198.51.100.7"][..], "192.0.2.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9", "198.51.100.7", "10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9, nonsense"], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
        ] {
            let vitals = Arc::new(Deadlines::new(Clock::start(), &Timeouts::default()));
            let settings = Settings { trusted: trusted.clone(), ..Settings::default() };
            let client = Client::new(
                peer.parse().expect("an address"),
                1,
                &settings,
                vitals,
                ConnectionPermit::surplus(None),
            );
            let mut headers = HeaderMap::new();
            for line in said {
                headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
            }
            assert_eq!(client.address_behind(&headers, &trusted).to_string(), seen, "{peer}: {said:?}");
        }
    }
}
