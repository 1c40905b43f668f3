//! The floor: what it costs to pass bytes both ways without looking at them.

use std::error::Error;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};

/// Forwards every connection to `upstream`, until it is ended.
pub fn run(listen: SocketAddr, upstream: SocketAddr) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(listen).await?;
        loop {
            let (mut near, _) = listener.accept().await?;
            tokio::spawn(async move {
                let mut far = TcpStream::connect(upstream).await?;
                near.set_nodelay(true)?;
                far.set_nodelay(true)?;
                tokio::io::copy_bidirectional(&mut near, &mut far).await
            });
        }
    })
}
