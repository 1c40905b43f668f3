//! Proxies that do less than any other, as floors to measure from: one thread, no limits, no timeouts.

use std::cell::RefCell;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};

use crate::peers::CONFLICT;

/// Forwards every connection to `upstream`, until it is ended.
pub fn relay(listen: SocketAddr, upstream: SocketAddr) -> Result<(), Box<dyn Error>> {
    serve(listen, move |mut near| {
        spawn_local(async move {
            let mut far = connect(upstream).await?;
            tokio::io::copy_bidirectional(&mut near, &mut far).await
        });
    })
}

/// Responds to every request with the 409 of the other proxies, until it is ended.
pub fn refuse(listen: SocketAddr) -> Result<(), Box<dyn Error>> {
    serve(listen, |near| {
        spawn_local(async move {
            let service = service_fn(|_| async {
                Response::builder()
                    .status(StatusCode::CONFLICT)
                    .header(header::CONTENT_TYPE, "application/problem+json")
                    .header(header::CACHE_CONTROL, "no-store")
                    .header("fracas", r#"rule="fixed", kind=transient, phase=before"#)
                    .body(Full::new(Bytes::from_static(CONFLICT.as_bytes())))
            });
            let http = hyper::server::conn::http1::Builder::new();
            // A client that leaves is no failure.
            let _ = http.serve_connection(TokioIo::new(near), service).await;
        });
    })
}

/// Forwards every request to `upstream` with the fields that every proxy adds, until it is ended.
pub fn hyper(listen: SocketAddr, upstream: SocketAddr) -> Result<(), Box<dyn Error>> {
    let pool = Pool::default();
    serve(listen, move |near| {
        let Ok(client) = near.peer_addr().map(|peer| HeaderValue::try_from(peer.ip().to_string())) else {
            return;
        };
        let Ok(client) = client else { return };
        let pool = Rc::clone(&pool);
        spawn_local(async move {
            let service = service_fn(|request| forward(&pool, upstream, &client, request));
            let http = hyper::server::conn::http1::Builder::new();
            // A client that leaves is no failure.
            let _ = http.serve_connection(TokioIo::new(near), service).await;
        });
    })
}

fn serve(listen: SocketAddr, welcome: impl Fn(TcpStream)) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(listen).await?;
        loop {
            let (near, _) = listener.accept().await?;
            near.set_nodelay(true)?;
            welcome(near);
        }
    })
}

async fn connect(upstream: SocketAddr) -> std::io::Result<TcpStream> {
    let far = TcpStream::connect(upstream).await?;
    far.set_nodelay(true)?;
    Ok(far)
}

/// Idle connections to the upstream.
type Pool = Rc<RefCell<Vec<Sender>>>;
type Sender = SendRequest<Incoming>;

async fn forward(
    pool: &Pool,
    upstream: SocketAddr,
    client: &HeaderValue,
    mut request: Request<Incoming>,
) -> Result<Response<Answer>, Box<dyn Error + Send + Sync>> {
    let head = request.headers_mut();
    if let Some(host) = head.get(header::HOST).cloned() {
        head.insert("x-forwarded-host", host);
    }
    head.insert("x-forwarded-for", client.clone());
    head.insert("x-forwarded-proto", HeaderValue::from_static("http"));
    pass_on(head);
    let idle = pool.borrow_mut().pop().filter(SendRequest::is_ready);
    let mut sender = match idle {
        Some(sender) => sender,
        None => {
            let (sender, connection) = handshake(TokioIo::new(connect(upstream).await?)).await?;
            spawn_local(connection);
            sender
        }
    };
    let mut response = sender.send_request(request).await?;
    pass_on(response.headers_mut());
    Ok(response.map(|body| Answer { body, lease: Some((Rc::clone(pool), sender)) }))
}

fn pass_on(head: &mut HeaderMap) {
    head.remove(header::CONNECTION);
    head.insert(header::VIA, HeaderValue::from_static("1.1 hyper"));
}

/// The upstream's body, whose end makes its connection idle.
struct Answer {
    body: Incoming,
    lease: Option<(Pool, Sender)>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if self.body.is_end_stream()
            && let Some((pool, sender)) = self.lease.take()
        {
            pool.borrow_mut().push(sender);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
