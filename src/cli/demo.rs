//! The built-in sample API: beside the proxy, or alone as `fracas demo`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::ExitCode;

use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::arguments;
use super::output::talk;
use super::signals::Signals;
use super::startup_error::StartupError;
use crate::demo::{Demo, serve};
use crate::rules::{Authority, Scheme, UpstreamUrl};

/// The sample API on a thread of its own. It ends when this is dropped.
pub struct SampleApi {
    pub url: UpstreamUrl,
    _end: oneshot::Sender<()>,
}

impl SampleApi {
    /// Starts it on a free port of this machine.
    pub fn start() -> Result<SampleApi, StartupError> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let no_thread = |error| StartupError::from(crate::proxy::StartError::Thread(error));
        let (listener, address) = listen(any)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
        let (end, ended) = oneshot::channel::<()>();
        let run = move || {
            runtime.block_on(async move {
                match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => serve(listener, Demo::new(), async { drop(ended.await) }).await,
                    Err(error) => tracing::error!(%error, "the sample API could not start"),
                }
            });
        };
        std::thread::Builder::new().name("fracas-demo".to_owned()).spawn(run).map_err(no_thread)?;
        let authority = Authority { host: address.ip().to_string().into(), port: address.port() };
        Ok(SampleApi {
            url: UpstreamUrl { scheme: Scheme::Http, authority, base_path: "".into() },
            _end: end,
        })
    }
}

/// Serves the sample API alone until told to end.
pub fn demo(arguments: &arguments::DemoArguments) -> ExitCode {
    match alone(arguments.listen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => refusal.report(),
    }
}

fn alone(address: SocketAddr) -> Result<(), StartupError> {
    let (listener, address) = listen(address)?;
    let no_thread = |error| StartupError::from(crate::proxy::StartError::Thread(error));
    let runtime = Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(no_thread)?;
        let mut signals = Signals::listen().map_err(no_thread)?;
        talk(format_args!("sample API  http://{address}  its routes are listed at /\n"));
        let (end, ended) = oneshot::channel::<()>();
        let twice = async {
            signals.next().await;
            drop(end);
            signals.next().await;
        };
        tokio::select! {
            () = serve(listener, Demo::new(), async { drop(ended.await) }) => {}
            () = twice => {}
        }
        Ok(())
    })
}

fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartupError> {
    let open = || -> io::Result<(TcpListener, SocketAddr)> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    open().map_err(|error| StartupError::listen(address, &error))
}
