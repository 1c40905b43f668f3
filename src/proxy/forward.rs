//! One request to the upstream and its answer back. The header map and the URI that arrived are the
//! ones sent on; bodies stream both ways.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, Request, Response, StatusCode, Version};
use hyper::body::{Body, Incoming};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::sync::Notify;

use super::body::{AnswerBody, RequestBody};
use super::connect::Connector;
use super::error::{Failure, Wait};
use super::headers::{self, FORWARDED_FOR, FORWARDED_HOST, FORWARDED_PROTO, Hop};
use super::pool::{Lease, Pool};
use super::rewrite::{self, Front};
use super::tasks::Tasks;
use super::upgrade;
use super::worker::Client;
use crate::clock::Clock;
use crate::rules::{HostHeader, Scheme, UpstreamUrl};

/// One worker's way to the upstream.
pub struct Forwarder {
    pub upstream: UpstreamUrl,
    /// `Host` as the upstream knows itself; `None` to keep the client's.
    pub host: Option<HeaderValue>,
    pub connector: Connector,
    pub pool: Rc<Pool>,
    pub tasks: Rc<Tasks>,
    pub clock: Clock,
    /// For the answer to begin, from when the upstream last took a byte of the request.
    pub response_head: Duration,
}

/// How long a body waits for the upstream's 100 (RFC 9110 §10.1.1: a client must not wait forever).
const CONTINUE_PATIENCE: Duration = Duration::from_secs(1);

impl Forwarder {
    /// The `Host` to send under `policy`.
    pub fn host_header(upstream: &UpstreamUrl, policy: HostHeader) -> Option<HeaderValue> {
        match policy {
            HostHeader::Client => None,
            HostHeader::Upstream => HeaderValue::try_from(upstream.host_header()).ok(),
        }
    }

    /// Forwards a request. What it may answer with is the upstream's word, or why there is none.
    pub async fn forward(
        &self,
        mut head: Parts,
        mut body: RequestBody,
        client: &Client,
    ) -> Result<Response<AnswerBody>, Failure> {
        let hop = headers::take_hop_by_hop(&mut head.headers);
        let client_host = head.headers.get(header::HOST).cloned();
        self.prepare(&mut head, hop, client)?;
        let tunnel = hop.websocket.then(|| head.extensions.remove::<OnUpgrade>()).flatten();

        let go_on = expects_continue(&head.headers).then(|| Arc::new(Notify::new()));
        if let Some(go_on) = &go_on {
            body.hold_until(Arc::clone(go_on), CONTINUE_PATIENCE);
        }
        let progress = body.watch(self.clock);
        let mut request = Request::from_parts(head, body);
        if let Some(go_on) = go_on {
            hyper::ext::on_informational(&mut request, move |answer| {
                if answer.status() == StatusCode::CONTINUE {
                    go_on.notify_one();
                }
            });
        }

        let (response, lease) = self.within(progress, self.send(request)).await?;
        self.answer(response, lease, client_host, tunnel)
    }

    /// Makes the head that arrived the one that is sent on.
    fn prepare(&self, head: &mut Parts, hop: Hop, client: &Client) -> Result<(), Failure> {
        let Parts { uri, version, headers, .. } = head;
        *version = Version::HTTP_11;
        // A peer that is trusted has said these already.
        let is_said = client.is_trusted && headers.contains_key(FORWARDED_HOST);
        if !is_said {
            if let Some(host) = headers.get(header::HOST).cloned() {
                headers.insert(FORWARDED_HOST, host);
            }
            headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
        }
        headers::append_to_list(headers, FORWARDED_FOR, &client.forwarded_for);
        headers::add_via(headers);
        if let Some(host) = &self.host {
            headers.insert(header::HOST, host.clone());
        }
        if hop.trailers {
            headers.insert(header::TE, HeaderValue::from_static("trailers"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
        }
        if hop.websocket {
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        }
        if uri.authority().is_some() || !self.upstream.base_path.is_empty() {
            *uri = below_base(uri, &self.upstream.base_path)?;
        }
        Ok(())
    }

    /// Sends the request, on an idle connection if there is one. It is sent again only when hyper
    /// hands it back: then not a byte of it was written (RFC 9110 §9.2.2 forbids anything more).
    async fn send(&self, mut request: Request<RequestBody>) -> Result<(Response<Incoming>, Lease), Failure> {
        loop {
            let mut lease = match self.pool.take() {
                Some(lease) => lease,
                None => self.connect().await?,
            };
            match lease.sender.try_send_request(request).await {
                Ok(response) => return Ok((response, lease)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) if lease.reused => request = unsent,
                    _ => return Err(broken(error.error())),
                },
            }
        }
    }

    async fn connect(&self) -> Result<Lease, Failure> {
        let transport = self.connector.connect().await?;
        let (sender, connection) = hyper::client::conn::http1::Builder::new()
            .handshake(TokioIo::new(transport))
            .await
            .map_err(|error| broken(&error))?;
        self.tasks.spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "connection to the upstream ended");
            }
        });
        Ok(self.pool.lease(sender))
    }

    /// Gives up when neither the request's body has moved nor the answer begun for too long.
    async fn within<T>(
        &self,
        progress: Rc<Cell<crate::words::Moment>>,
        sent: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let mut sent = std::pin::pin!(sent);
        loop {
            let patience = self.clock.until(progress.get() + self.response_head);
            if patience.is_zero() {
                return Err(Failure::TimedOut(Wait::Answer));
            }
            if let Ok(done) = tokio::time::timeout(patience, &mut sent).await {
                return done;
            }
        }
    }

    /// Makes the upstream's answer the client's.
    fn answer(
        &self,
        response: Response<Incoming>,
        lease: Lease,
        client_host: Option<HeaderValue>,
        tunnel: Option<OnUpgrade>,
    ) -> Result<Response<AnswerBody>, Failure> {
        let (mut head, body) = response.into_parts();
        let is_upgrade = head.status == StatusCode::SWITCHING_PROTOCOLS;
        check_framing(&mut head.headers)?;
        let protocol = head.headers.get(header::UPGRADE).cloned();
        headers::take_hop_by_hop(&mut head.headers);
        headers::add_via(&mut head.headers);
        let front = Front { host: client_host.as_ref(), scheme: Scheme::Http };
        rewrite::answer(&mut head.headers, &self.upstream, front);
        head.version = Version::HTTP_11;
        if is_upgrade {
            let (Some(client), Some(protocol)) = (tunnel, protocol) else {
                return Err(Failure::Garbled);
            };
            let upstream = head.extensions.remove::<OnUpgrade>().ok_or(Failure::Garbled)?;
            head.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            head.headers.insert(header::UPGRADE, protocol);
            self.tasks.spawn(upgrade::tunnel(client, upstream));
            return Ok(Response::from_parts(head, AnswerBody::Own(None)));
        }
        let lease = if body.is_end_stream() {
            lease.give_back();
            None
        } else {
            Some(lease)
        };
        Ok(Response::from_parts(head, AnswerBody::Upstream { body, lease, watch: None }))
    }
}

fn expects_continue(headers: &HeaderMap) -> bool {
    headers.get(header::EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Leaves exactly one framing: with both, `Transfer-Encoding` wins (RFC 9112 §6.3).
fn check_framing(headers: &mut HeaderMap) -> Result<(), Failure> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            headers.remove(header::CONTENT_LENGTH);
            Ok(())
        }
        _ => Err(Failure::Garbled),
    }
}

fn broken(error: &hyper::Error) -> Failure {
    tracing::debug!(%error, "no answer from the upstream");
    if error.is_parse() { Failure::Garbled } else { Failure::Reset }
}

/// The path and query of `uri` below `base`.
fn below_base(uri: &Uri, base: &str) -> Result<Uri, Failure> {
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let path = if base.is_empty() || path == "*" { path.to_owned() } else { format!("{base}{path}") };
    Uri::try_from(path).map_err(|_| Failure::BadRequest("the request's target is not a path"))
}
