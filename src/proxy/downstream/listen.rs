//! Listening sockets, with all that depends on the operating system.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that wait to be accepted; the kernel may cap it lower.
const BACKLOG: i32 = 4096;

/// The URL of a listener. An unspecified address is none to connect to: the machine's own stands for it.
pub fn url(address: SocketAddr, is_tls: bool) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let scheme = if is_tls { "https" } else { "http" };
    format!("{scheme}://{}", SocketAddr::new(ip, address.port()))
}

/// One listener for each worker, all on one address. With port 0 the kernel chooses it once.
///
/// On Linux each has its own queue (`SO_REUSEPORT`), among which the kernel balances. Elsewhere that
/// does not balance, so the workers accept from one queue in turns.
pub fn listeners(address: SocketAddr, workers: usize) -> io::Result<Vec<TcpListener>> {
    if !cfg!(target_os = "linux") {
        let first = open(address, Sharing::Alone)?;
        return (0..workers).map(|_| first.try_clone()).collect();
    }
    // A socket that shares its port may be bound beside another program's that does: ask without. A port that
    // the kernel chooses is free.
    if address.port() != 0 {
        drop(open(address, Sharing::Alone)?);
    }
    let first = open(address, Sharing::Workers)?;
    let address = first.local_addr()?;
    let others = (1..workers).map(|_| open(address, Sharing::Workers));
    std::iter::once(Ok(first)).chain(others).collect()
}

/// Whether connections to `address` come to a listener on `own`: it is this machine's, however it is spelt.
pub fn reaches(address: SocketAddr, own: SocketAddr) -> bool {
    let (ip, own_ip) = (address.ip().to_canonical(), own.ip().to_canonical());
    // As a destination, 0.0.0.0 means this machine. Only an address of this machine can be bound to.
    let is_local = || ip.is_unspecified() || std::net::UdpSocket::bind((ip, 0)).is_ok();
    address.port() == own.port()
        && (ip == own_ip
            || own_ip.is_unspecified() && is_local()
            || ip.is_unspecified() && own_ip.is_loopback())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Alone,
    Workers,
}

fn open(address: SocketAddr, sharing: Sharing) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Otherwise a port stays taken for a minute after its last connection. On Windows it means
    // something else: that others may take the port over.
    if cfg!(unix) {
        socket.set_reuse_address(true)?;
    }
    #[cfg(unix)]
    if sharing == Sharing::Workers {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_this_machine_is_the_listeners_own_however_it_is_spelt() {
        for (address, own, is_own) in [
            ("127.0.0.1:4090", "127.0.0.1:4090", true),
            ("127.0.0.1:4091", "127.0.0.1:4090", false),
            ("127.0.0.2:4090", "127.0.0.1:4090", false),
            ("127.0.0.2:4090", "0.0.0.0:4090", true),
            ("0.0.0.0:4090", "127.0.0.1:4090", true),
            ("[::ffff:127.0.0.1]:4090", "127.0.0.1:4090", true),
            ("127.0.0.1:4090", "[::]:4090", true),
            // Reserved for documents (RFC 5737): no machine has it.
            ("192.0.2.1:4090", "0.0.0.0:4090", false),
        ] {
            let [address, own] = [address, own].map(|text| text.parse().expect("an address"));
            assert_eq!(reaches(address, own), is_own, "{address} {own}");
        }
    }

    #[test]
    fn workers_share_a_port_and_strangers_do_not() {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let ours = listeners(address, 3).expect("a free port");
        let taken = ours[0].local_addr().expect("an address");
        assert!(ours.iter().all(|listener| listener.local_addr().is_ok_and(|address| address == taken)));
        let error = listeners(taken, 1).expect_err("the port is taken");
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
