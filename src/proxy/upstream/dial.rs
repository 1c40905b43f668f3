//! A TCP connection to a host that may have several addresses: attempts that overlap, within one deadline
//! (RFC 8305).

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;

use super::super::error::Late;

/// Knows how to reach one host. All workers share it.
pub struct Dialer {
    host: Box<str>,
    port: u16,
    /// For all addresses together.
    patience: Duration,
    /// The address that worked last: it is tried first.
    worked: Mutex<Option<IpAddr>>,
}

/// Lookups of names, and connections.
pub trait Network {
    type Stream: Send;

    fn resolve(&self, host: &str, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;

    fn connect(&self, address: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// The system's.
pub struct System;

/// Why there is no connection.
#[derive(Debug)]
pub enum DialError {
    /// The host has no address.
    Resolve(io::Error),
    /// None of its addresses took a connection; this is the last one's error.
    Connect(io::Error),
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DialError::Resolve(_) => "the upstream's name has no address",
            DialError::Connect(_) => "no address of the upstream took a connection",
        })
    }
}

impl Error for DialError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let (DialError::Resolve(error) | DialError::Connect(error)) = self;
        Some(error)
    }
}

/// Head start of an attempt before the next one begins beside it (RFC 8305 §5 recommends it); less where the
/// deadline leaves less for each address.
const HEAD_START: Duration = Duration::from_millis(250);
/// Maximum number of a host's addresses that are tried; each attempt is a descriptor.
const ADDRESSES: usize = 16;

impl Network for System {
    type Stream = TcpStream;

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }
}

impl Dialer {
    pub fn new(host: &str, port: u16, patience: Duration) -> Dialer {
        Dialer { host: host.into(), port, patience, worked: Mutex::default() }
    }

    /// Connects. The caller keeps the deadline; `late` names the step under way.
    pub async fn dial<N: Network>(&self, network: &N, late: &mut Late) -> Result<N::Stream, DialError> {
        *late = Late::Name;
        let found = network.resolve(&self.host, self.port).await.map_err(DialError::Resolve)?;
        *late = Late::Connection;
        let worked = *self.worked.lock().unwrap_or_else(PoisonError::into_inner);
        let addresses = in_order(found, worked);
        let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        if count == 0 {
            let none = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
            return Err(DialError::Resolve(none));
        }
        let head_start = HEAD_START.min(self.patience / count);
        let (stream, address) = race(&addresses, head_start, |address| network.connect(address))
            .await
            .map_err(DialError::Connect)?;
        if worked != Some(address.ip()) {
            *self.worked.lock().unwrap_or_else(PoisonError::into_inner) = Some(address.ip());
        }
        Ok(stream)
    }
}

/// The addresses in the order in which they are tried: the one that worked last, then the families in turn,
/// the resolver's favourite first (RFC 8305 §4).
fn in_order(found: Vec<SocketAddr>, worked: Option<IpAddr>) -> Vec<SocketAddr> {
    let (mut first, rest): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|address| Some(address.ip()) == worked);
    let is_v6 = first.first().map(|address| !address.is_ipv6());
    let favourite = is_v6.or(rest.first().map(SocketAddr::is_ipv6)).unwrap_or_default();
    let (these, those): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|address| address.is_ipv6() == favourite);
    let (mut these, mut those) = (these.into_iter(), those.into_iter());
    loop {
        let pair = (these.next(), those.next());
        if pair == (None, None) {
            break;
        }
        first.extend(pair.0.into_iter().chain(pair.1));
    }
    first.truncate(ADDRESSES);
    first
}

/// The first connection established. A further attempt begins when the latest one has had its head start, or
/// when one has failed; the rest are given up.
async fn race<S, F: Future<Output = io::Result<S>>>(
    addresses: &[SocketAddr],
    head_start: Duration,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<(S, SocketAddr)> {
    let mut attempts = FuturesUnordered::new();
    let mut rest = addresses.iter().copied();
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    loop {
        match rest.next() {
            Some(address) => {
                let attempt = connect(address);
                attempts.push(async move { attempt.await.map(|stream| (stream, address)) });
            }
            None if attempts.is_empty() => return Err(failed),
            None => {}
        }
        let is_last = rest.len() == 0;
        tokio::select! {
            biased;
            Some(ended) = attempts.next() => match ended {
                Ok(connected) => return Ok(connected),
                Err(error) => failed = error,
            },
            () = tokio::time::sleep(head_start), if !is_last => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tokio::time::Instant;

    use super::*;

    /// An address's reaction to a connection, and its delay in milliseconds.
    #[derive(Clone, Copy)]
    enum Does {
        Accept(u64),
        Refuse(u64),
        Nothing,
    }

    /// A host with these addresses, and the time of each attempt.
    struct Scripted {
        addresses: Vec<(SocketAddr, Does)>,
        asked: Mutex<Vec<(u16, u128)>>,
        start: Instant,
    }

    impl Scripted {
        /// Addresses are told apart by their port.
        fn new(addresses: &[(&str, Does)]) -> Scripted {
            let address = |(text, does): &(&str, Does)| (text.parse().expect("an address"), *does);
            Scripted {
                addresses: addresses.iter().map(address).collect(),
                asked: Mutex::default(),
                start: now(),
            }
        }

        fn asked(&self) -> Vec<(u16, u128)> {
            std::mem::take(&mut self.asked.lock().expect("no panic"))
        }
    }

    #[expect(clippy::disallowed_methods, reason = "time stands still but for timers")]
    fn now() -> Instant {
        Instant::now()
    }

    impl Network for Scripted {
        type Stream = u16;

        async fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
            Ok(self.addresses.iter().map(|(address, _)| *address).collect())
        }

        async fn connect(&self, address: SocketAddr) -> io::Result<u16> {
            let since = (now() - self.start).as_millis();
            self.asked.lock().expect("no panic").push((address.port(), since));
            let does: HashMap<_, _> = self.addresses.iter().copied().collect();
            // The clock is paused: it stands at the end of a wait as soon as everything waits.
            let wait = |milliseconds| {
                tokio::time::timeout(Duration::from_millis(milliseconds), std::future::pending::<()>())
            };
            match does[&address] {
                Does::Accept(after) => drop(wait(after).await),
                Does::Refuse(after) => {
                    drop(wait(after).await);
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
                Does::Nothing => std::future::pending().await,
            }
            Ok(address.port())
        }
    }

    const PATIENCE: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn attempts_overlap_and_the_first_connection_counts() {
        use Does::{Accept, Nothing, Refuse};
        let v4 = |last: u16, does| {
            (["1.1.1.1:1", "1.1.1.2:2", "1.1.1.3:3", "1.1.1.4:4"][usize::from(last) - 1], does)
        };
        for (addresses, wins, asked, milliseconds) in [
            (vec![v4(1, Accept(5)), v4(2, Accept(0))], Some(1), vec![(1, 0)], 5),
            (vec![v4(1, Nothing), v4(2, Accept(7))], Some(2), vec![(1, 0), (2, 250)], 257),
            // The next one begins at once where one fails.
            (vec![v4(1, Refuse(3)), v4(2, Accept(7))], Some(2), vec![(1, 0), (2, 3)], 10),
            // The first may still win.
            (vec![v4(1, Accept(300)), v4(2, Accept(90))], Some(1), vec![(1, 0), (2, 250)], 300),
            (
                vec![v4(1, Nothing), v4(2, Nothing), v4(3, Refuse(10)), v4(4, Accept(1))],
                Some(4),
                vec![(1, 0), (2, 250), (3, 500), (4, 510)],
                511,
            ),
            (vec![v4(1, Refuse(300)), v4(2, Refuse(10))], None, vec![(1, 0), (2, 250)], 300),
            (vec![v4(1, Refuse(0))], None, vec![(1, 0)], 0),
        ] {
            let network = Scripted::new(&addresses);
            let dialed = Dialer::new("h", 1, PATIENCE).dial(&network, &mut Late::Name).await;
            assert_eq!(dialed.ok(), wins);
            assert_eq!(network.asked(), asked);
            // Timers are exact to a millisecond.
            let took = (now() - network.start).as_millis();
            assert!(took.abs_diff(milliseconds) <= 2, "{took} ms, not {milliseconds}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_address_has_its_turn_within_the_deadline() {
        let addresses: Vec<(String, Does)> =
            (1..=8).map(|n| (format!("1.1.1.{n}:{n}"), Does::Nothing)).collect();
        let addresses: Vec<(&str, Does)> = addresses.iter().map(|(text, does)| (&**text, *does)).collect();
        let network = Scripted::new(&addresses);
        let patience = Duration::from_millis(400);
        let dialer = Dialer::new("h", 1, patience);
        assert!(tokio::time::timeout(patience, dialer.dial(&network, &mut Late::Name)).await.is_err());
        assert_eq!(
            network.asked().iter().map(|(port, _)| *port).collect::<Vec<_>>(),
            [1, 2, 3, 4, 5, 6, 7, 8]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_address_that_worked_is_remembered_until_it_works_no_more() {
        let mut network = Scripted::new(&[
            ("1.1.1.1:1", Does::Nothing),
            ("[::2]:2", Does::Accept(1)),
            ("1.1.1.3:3", Does::Accept(1)),
        ]);
        let dialer = Dialer::new("h", 1, PATIENCE);
        let ports = |network: &Scripted| network.asked().iter().map(|(port, _)| *port).collect::<Vec<_>>();
        for tried in [&[1, 2][..], &[2], &[2]] {
            assert_eq!(dialer.dial(&network, &mut Late::Name).await.ok(), Some(2));
            assert_eq!(ports(&network), tried);
        }
        network.addresses[1].1 = Does::Refuse(0);
        for (wins, tried) in [(3, &[2, 1, 3][..]), (3, &[3])] {
            assert_eq!(dialer.dial(&network, &mut Late::Name).await.ok(), Some(wins));
            assert_eq!(ports(&network), tried);
        }
        // It is no longer an address of the host.
        network.addresses.truncate(2);
        network.addresses[1].1 = Does::Accept(0);
        assert_eq!(dialer.dial(&network, &mut Late::Name).await.ok(), Some(2));
        assert_eq!(ports(&network), [1, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_without_addresses_does_not_resolve() {
        let network = Scripted::new(&[]);
        let dialed = Dialer::new("h", 1, PATIENCE).dial(&network, &mut Late::Name).await;
        assert!(matches!(dialed, Err(DialError::Resolve(_))));
    }

    #[test]
    fn families_take_turns_behind_the_one_that_worked() {
        let parse = |text: &str| -> Vec<SocketAddr> {
            text.split_whitespace().map(|address| address.parse().expect("an address")).collect()
        };
        for (found, worked, order) in [
            ("[::1]:1 [::2]:1 [::3]:1 1.1.1.1:1", None, "[::1]:1 1.1.1.1:1 [::2]:1 [::3]:1"),
            ("1.1.1.1:1 1.1.1.2:1 [::1]:1", None, "1.1.1.1:1 [::1]:1 1.1.1.2:1"),
            ("[::1]:1 [::2]:1 1.1.1.1:1 1.1.1.2:1", Some("::2"), "[::2]:1 1.1.1.1:1 [::1]:1 1.1.1.2:1"),
            ("1.1.1.1:1", Some("1.1.1.9"), "1.1.1.1:1"),
            ("", None, ""),
        ] {
            let worked = worked.map(|ip: &str| ip.parse().expect("an address"));
            assert_eq!(in_order(parse(found), worked), parse(order), "{found}");
        }
        let many = (1..=100).map(|n| SocketAddr::from(([1, 1, 1, n], 1))).collect();
        assert_eq!(in_order(many, None).len(), ADDRESSES);
    }
}
