//! The client id of a request: a hash, computed once while a connection's requests carry the same identity.

use std::net::IpAddr;

use http::HeaderMap;

use super::{ClientIdSources, Fingerprint, KeyHash, RunKey};

/// The client of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientId {
    /// The key of per-client state: [`ClientIdSources::hash`].
    pub hash: KeyHash,
    /// Whether the request has any of the sources in `client_id`.
    pub is_told_apart: bool,
    /// The hash in the journal: [`ClientIdSources::fingerprint`].
    pub fingerprint: Fingerprint,
}

/// Caches the connection's last client: most connections serve one, and comparing is four times
/// cheaper than hashing.
#[derive(Debug, Default)]
pub struct ClientIdCache {
    /// The latest request's identity, piece by piece: length, bytes.
    said: Vec<u8>,
    latest: Option<ClientId>,
}

/// Maximum length of a cached identity in bytes; longer ones are hashed for each request.
const MOST_SAID: usize = 1024;

impl ClientIdCache {
    /// Returns the client of a request with these `headers` from `address`; `key` is the run's.
    pub fn meet(
        &mut self,
        identity: &ClientIdSources,
        headers: &HeaderMap,
        address: IpAddr,
        key: RunKey,
    ) -> ClientId {
        let mut rest = Some(&*self.said);
        identity.each(headers, address, &mut |piece| {
            rest = rest.and_then(|rest| rest.strip_prefix(&length(piece))?.strip_prefix(piece));
        });
        if let (Some(latest), Some([])) = (self.latest, rest) {
            return latest;
        }
        self.said.clear();
        let is_told_apart = identity.each(headers, address, &mut |piece| {
            if self.said.len() <= MOST_SAID {
                self.said.extend_from_slice(&length(piece));
                self.said.extend_from_slice(piece.get(..MOST_SAID).unwrap_or(piece));
            }
        });
        let who = ClientId {
            hash: identity.hash(headers, address),
            is_told_apart,
            fingerprint: identity.fingerprint(headers, address, key),
        };
        self.latest = Some(who);
        if self.said.len() > MOST_SAID {
            *self = ClientIdCache::default();
        }
        who
    }
}

fn length(piece: &[u8]) -> [u8; 8] {
    (piece.len() as u64).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ClientIdSource;

    #[test]
    fn whoever_comes_next_is_told_apart_from_the_latest() {
        let identity = ClientIdSources(vec![
            ClientIdSource::Header(http::header::AUTHORIZATION),
            ClientIdSource::Cookie("s".into()),
            ClientIdSource::AddressAndUserAgent,
        ]);
        let key = RunKey::new([3; 16]);
        let long = "x".repeat(2 * MOST_SAID);
        let also_long = format!("{}y", "x".repeat(2 * MOST_SAID - 1));
        let mut acquaintance = ClientIdCache::default();
        for (address, line) in [
            ("127.0.0.1", None),
            ("127.0.0.2", None),
            ("::1", None),
            ("::1", Some(("user-agent", ""))),
            ("::1", Some(("user-agent", "a"))),
            ("127.0.0.2", Some(("user-agent", "a"))),
            ("127.0.0.2", Some(("authorization", "a"))),
            ("127.0.0.2", Some(("authorization", "ab"))),
            ("127.0.0.2", Some(("authorization", &*long))),
            ("127.0.0.2", Some(("authorization", &*also_long))),
            ("127.0.0.2", Some(("authorization", ""))),
            ("127.0.0.2", Some(("cookie", "s=a"))),
            ("127.0.0.3", Some(("cookie", "s=a; t=1"))),
            ("127.0.0.3", None),
        ] {
            let address: IpAddr = address.parse().expect("an address");
            let mut headers = HeaderMap::new();
            if let Some((name, value)) = line {
                headers.insert(name, value.parse().expect("a value"));
            }
            // Twice, so that the second call hits the cache.
            for _ in 0..2 {
                let who = acquaintance.meet(&identity, &headers, address, key);
                let hash = identity.hash(&headers, address);
                let fingerprint = identity.fingerprint(&headers, address, key);
                assert_eq!(who, ClientId { hash, is_told_apart: true, fingerprint }, "{address} {line:?}");
            }
        }
        assert!(acquaintance.said.capacity() <= 2 * MOST_SAID, "what is long is not kept");
    }

    #[test]
    fn who_says_nothing_is_not_told_apart() {
        let identity = ClientIdSources(vec![ClientIdSource::Header(http::header::AUTHORIZATION)]);
        let (address, key) = (IpAddr::from([127, 0, 0, 1]), RunKey::new([3; 16]));
        let mut acquaintance = ClientIdCache::default();
        for _ in 0..2 {
            let who = acquaintance.meet(&identity, &HeaderMap::new(), address, key);
            assert!(!who.is_told_apart);
        }
    }
}
