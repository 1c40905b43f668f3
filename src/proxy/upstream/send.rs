//! A request on an HTTP/1.1 connection to the upstream: an idle one, the client's own, or a new one.

use std::rc::Rc;

use http::request::Parts;
use http::{Method, Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;

use super::super::body::request::RequestBody;
use super::super::downstream::client::Client;
use super::super::downstream::deadlines::Wait;
use super::super::error::Failure;
use super::broken::broken;
use super::driver::{UnreadBytes, drive, drive_or_upgrade, http1};
use super::forward::{Forwarder, take};
use super::pool::Lease;
use super::transport::Replayable;

impl Forwarder {
    /// Sends the request, on an idle connection if there is one. It is sent again when hyper hands it
    /// back, as then not a byte of it was written, or by its [`Transport`](super::transport::Transport)
    /// when it is repeatable and the connection was stale (RFC 9110 §9.2.2 forbids anything more).
    pub async fn send(
        &self,
        head: &mut Parts,
        body: &mut RequestBody,
        client: &Rc<Client>,
        upgrades: bool,
    ) -> Result<(Response<Incoming>, Lease), Failure> {
        let vitals = &client.vitals;
        loop {
            let mut now = self.clock.now();
            // A connection that may become a tunnel is made for it.
            let is_shared = !upgrades && !client.identity.is_bound();
            let idle = if is_shared { self.pool.take(now) } else { None };
            let mut lease = match idle {
                Some(lease) => lease,
                None => {
                    let lease = match is_shared {
                        true => Box::pin(self.connect(false)).await?,
                        false => Box::pin(self.own(client, upgrades)).await?,
                    };
                    now = self.clock.now();
                    lease
                }
            };
            if self.replays && lease.reused && is_repeatable(&head.method, body) {
                lease.replayable.allow();
            }
            body.pace(lease.replayable.backlog());
            vitals.begin_at(Wait::Answer, now);
            let request = Request::from_parts(take(head), std::mem::take(body));
            lease.replayable.await_head(self.limits.response_header_bytes);
            let sent = lease.sender.try_send_request(request).await;
            lease.replayable.end_head();
            vitals.end(Wait::Answer);
            match sent {
                Ok(response) => return Ok((response, lease)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) if lease.reused => (*head, *body) = unsent.into_parts(),
                    _ => {
                        let remains = lease.remains.get();
                        return Err(broken(error.error(), &remains, &self.connector, &self.limits));
                    }
                },
            }
        }
    }

    /// An unshared connection: the client's authenticated one, or a new one.
    async fn own(&self, client: &Client, upgrades: bool) -> Result<Lease, Failure> {
        let identity = &client.identity;
        if !identity.is_bound() {
            return self.connect(upgrades).await;
        }
        let turn = identity.turn(self.patience).await;
        let mut lease = match identity.take(self.clock.now(), upgrades) {
            Some(idle) => self.pool.leased(idle),
            None => self.connect(true).await?,
        };
        lease.belong_to(identity, turn);
        Ok(lease)
    }

    async fn connect(&self, may_upgrade: bool) -> Result<Lease, Failure> {
        let fresh = self.fresh.take();
        let (transport, replayable) = match fresh {
            Some(fresh) => fresh,
            None => {
                let replayable = Replayable::default();
                (self.connector.connect(replayable.clone()).await?, replayable)
            }
        };
        let (sender, connection) = http1(&self.limits)
            .handshake(TokioIo::new(transport))
            .await
            .map_err(|error| broken(&error, &[], &self.connector, &self.limits))?;
        let remains = UnreadBytes::default();
        match may_upgrade {
            true => self.tasks.spawn(drive_or_upgrade(connection)),
            false => self.tasks.spawn(drive(connection, remains.clone())),
        }
        Ok(self.pool.lease(sender, replayable, remains, may_upgrade))
    }
}

/// Whether the request can be repeated: it is safe, and has no body.
fn is_repeatable(method: &Method, body: &RequestBody) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) && body.is_end_stream()
}
