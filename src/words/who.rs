//! Who a request is from, hashed: once for as long as a connection says the same.

use std::net::IpAddr;

use http::HeaderMap;

use super::{Fingerprint, Identity, KeyHash, RunKey};

/// The client of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// What state is kept per: [`Identity::hash`].
    pub hash: KeyHash,
    /// Whether the request has anything of what `client_id` asks for.
    pub is_told_apart: bool,
    /// As the journal keeps it: [`Identity::fingerprint`].
    pub fingerprint: Fingerprint,
}

/// The latest client on a connection: mostly the next request is its as well, and comparing what it
/// says costs a quarter of hashing it.
#[derive(Debug, Default)]
pub struct Acquaintance {
    /// What the latest request said of its client, piece by piece: length, bytes.
    said: Vec<u8>,
    latest: Option<Who>,
}

/// Who says more than this, in bytes, is hashed anew each time.
const MOST_SAID: usize = 1024;

impl Acquaintance {
    /// Who a request with these `headers` from `address` is from; `key` is the run's.
    pub fn meet(&mut self, identity: &Identity, headers: &HeaderMap, address: IpAddr, key: RunKey) -> Who {
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
        let who = Who {
            hash: identity.hash(headers, address),
            is_told_apart,
            fingerprint: identity.fingerprint(headers, address, key),
        };
        self.latest = (self.said.len() <= MOST_SAID).then_some(who);
        who
    }
}

fn length(piece: &[u8]) -> [u8; 8] {
    (piece.len() as u64).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::IdentitySource;

    #[test]
    fn whoever_comes_next_is_told_apart_from_the_latest() {
        let identity = Identity(vec![
            IdentitySource::Header(http::header::AUTHORIZATION),
            IdentitySource::Cookie("s".into()),
            IdentitySource::Header(http::header::ACCEPT),
        ]);
        let (address, key) = (IpAddr::from([127, 0, 0, 1]), RunKey::new([3; 16]));
        let long = "x".repeat(2 * MOST_SAID);
        let also_long = format!("{}y", "x".repeat(2 * MOST_SAID - 1));
        let mut acquaintance = Acquaintance::default();
        for line in [
            None,
            Some(("authorization", "a")),
            Some(("authorization", "ab")),
            Some(("authorization", "")),
            Some(("cookie", "s=a")),
            Some(("cookie", "s=a; t=1")),
            Some(("accept", &*long)),
            Some(("accept", &*also_long)),
            Some(("accept", "a")),
            None,
        ] {
            let mut headers = HeaderMap::new();
            if let Some((name, value)) = line {
                headers.insert(name, value.parse().expect("a value"));
            }
            // Twice, so that the second time it is known.
            for _ in 0..2 {
                let who = acquaintance.meet(&identity, &headers, address, key);
                assert_eq!(who.hash, identity.hash(&headers, address), "{line:?}");
                assert_eq!(who.fingerprint, identity.fingerprint(&headers, address, key), "{line:?}");
                assert_eq!(who.is_told_apart, line.is_some(), "{line:?}");
            }
        }
        assert!(acquaintance.said.capacity() <= 4 * MOST_SAID);
    }
}
