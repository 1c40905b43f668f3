//! One request to the upstream and its response back. The header map and the URI that arrived are the ones
//! sent on; bodies stream both ways.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, HeaderName, Request, Response, StatusCode, Version};
use hyper::body::{Body, Incoming};
use hyper::upgrade::OnUpgrade;

use super::super::body::request::RequestBody;
use super::super::body::response::{ResponseSource, UpstreamBody};
use super::super::downstream::client::Client;
use super::super::error::{Cause, Failure};
use super::super::error_response::MARKER;
use super::super::headers::{self, FORWARDED_FOR, FORWARDED_HOST, FORWARDED_PROTO, Hop, Present};
use super::super::rewrite::body::{self, Look, Rewriter};
use super::super::rewrite::{self, Front, Origin, UpstreamView};
use super::super::tasks::Tasks;
use super::super::via::Via;
use super::connect::Connector;
use super::expect_continue::ContinueGate;
use super::framing;
use super::http2::{Call, Called, Fresh, IncomingBody, Streams};
use super::pool::{Lease, Pool};
use super::upgrade::Tunnels;
use super::wants_tls::Suspect;
use crate::clock::Clock;
use crate::rules::{HostHeader, Limits, Scheme, UpstreamUrl};

/// One worker's way to the upstream.
pub struct Forwarder {
    pub upstream: UpstreamUrl,
    pub host: HostHeader,
    /// Tunnelled protocols, the tunnels, and the time that one may be idle.
    pub upgrades: Vec<Box<str>>,
    pub tunnels: Arc<Tunnels>,
    pub tunnel_idle: Duration,
    /// This proxy's entry in `Via`; `None` with `via = false`.
    pub via: Option<Via>,
    pub connector: Arc<Connector>,
    /// Whether a request may be sent once more on a stale connection.
    pub replays: bool,
    pub pool: Rc<Pool>,
    pub clock: Clock,
    /// Where the upstream may speak HTTP/2.
    pub streams: Option<Rc<Streams>>,
    /// Whether the upstream has ever responded, other than by a 400.
    pub has_answered: Cell<bool>,
    /// A connection just made, before it was known to speak HTTP/1.1.
    pub fresh: RefCell<Option<Fresh>>,
    pub limits: Limits,
    /// How long the upstream may take nothing of a body after its response has come.
    pub patience: Duration,
    pub tasks: Rc<Tasks>,
    /// The upstream's URLs in bodies, and whether they are rewritten.
    pub origin: Rc<Origin>,
    pub rewrites_bodies: bool,
}

/// The proxy's work on a response, once it comes.
struct Expected {
    /// The proxy's origin as the client knows it.
    front: Front,
    /// The protocol of a tunnel, and where the client's side of it will be.
    tunnel: Option<(HeaderValue, OnUpgrade)>,
    /// Whether the body that waits for a 100 may go.
    permission: Option<Arc<ContinueGate>>,
}

impl Forwarder {
    /// Forwards a request, which is consumed once sent. Returns the upstream's response, or the reason why
    /// there is none.
    pub async fn forward(
        &self,
        head: &mut Parts,
        present: Present,
        body: &mut RequestBody,
        client: &Rc<Client>,
    ) -> Result<Response<ResponseSource>, Failure> {
        let mut hop = headers::take_hop_by_hop(&mut head.headers, present);
        if hop.identity {
            client.identity.bind();
        }
        // HTTP/2 has no such header: there a body ends with its stream.
        let is_of_unknown_length =
            !body.is_end_stream() && !head.headers.contains_key(header::CONTENT_LENGTH);
        hop.chunked |= head.version == Version::HTTP_2 && is_of_unknown_length;
        let front = Front::of(&head.headers, client.scheme, client.is_trusted);
        // Of several protocols the upstream would choose one: none of them is offered.
        hop.upgrade = hop.upgrade.filter(|asked| self.tunnels(asked));
        let asked = hop.upgrade.clone();
        self.prepare(head, hop, &front, client)?;
        let tunnel = asked.and_then(|asked| Some((asked, head.extensions.remove::<OnUpgrade>()?)));

        let waits = !body.is_end_stream() && expects_continue(&head.headers);
        let permission = waits.then(ContinueGate::new);
        if let Some(permission) = &permission {
            body.hold(Arc::clone(permission));
        }
        if let Some(streams) =
            self.streams.as_ref().filter(|_| tunnel.is_none() && !client.identity.is_bound())
        {
            let call = Call {
                vitals: &client.vitals,
                permission: permission.as_deref(),
                replays: self.replays,
                patience: self.patience,
            };
            match Box::pin(streams.call(take(head), std::mem::take(body), call)).await? {
                Called::Answered(response) => {
                    return self.pass_stream_response(response, &front, permission, client);
                }
                Called::Http1(unsent, fresh) => {
                    (*head, *body) = *unsent;
                    if let Some(fresh) = fresh {
                        self.fresh.replace(Some(fresh));
                    }
                }
            }
        }
        if let Some(permission) = permission.clone() {
            let mut request = Request::from_parts(take(head), ());
            hyper::ext::on_informational(&mut request, move |interim| {
                if interim.status() == StatusCode::CONTINUE {
                    permission.give();
                }
            });
            (*head, ()) = request.into_parts();
        }
        let (response, lease) = self.send(head, body, client, tunnel.is_some()).await?;
        self.pass_response(response, lease, Expected { front, tunnel, permission }, client)
    }

    /// Whether a connection may be upgraded to this protocol.
    fn tunnels(&self, protocol: &HeaderValue) -> bool {
        self.upgrades.iter().any(|allowed| protocol.as_bytes().eq_ignore_ascii_case(allowed.as_bytes()))
    }

    /// Advice on a failure, for the proxy's operator.
    pub fn help(&self, failure: &Failure) -> Option<String> {
        match failure {
            // Many servers only hang up on a client without TLS.
            Failure::Reset(_) | Failure::Garbled(_)
                if !self.has_answered.get() && self.upstream.scheme != Scheme::Https =>
            {
                let help = Failure::Unreachable(Cause::WantsTls).help(&self.upstream)?;
                Some(format!("if it speaks TLS, {help}"))
            }
            failure => failure.help(&self.upstream),
        }
    }

    /// Closes upstream connections that have been idle for too long; called now and then.
    pub fn close_old(&self) {
        self.pool.close_old();
        if let Some(streams) = &self.streams {
            streams.close_old();
        }
    }

    /// Closes every upstream connection as soon as it is idle.
    pub fn close(&self) {
        self.pool.close();
        if let Some(streams) = &self.streams {
            streams.close();
        }
    }

    /// Turns the head that arrived into the one that is sent on.
    fn prepare(&self, head: &mut Parts, hop: Hop, front: &Front, client: &Client) -> Result<(), Failure> {
        let Parts { uri, version, headers, .. } = head;
        let own_host = &self.connector.own_host;
        rewrite::request(
            headers,
            UpstreamView { upstream: &self.upstream, own_host, host: self.host },
            front,
        );
        if self.rewrites_bodies {
            body::ask(headers);
        }
        if let Some(host) = &front.host {
            say(headers, FORWARDED_HOST, host.clone(), client);
        } else if !client.is_trusted {
            headers.remove(FORWARDED_HOST);
        }
        say(headers, FORWARDED_PROTO, HeaderValue::from_static(client.scheme.as_str()), client);
        headers::append_to_list(headers, FORWARDED_FOR, &client.forwarded_for);
        if let Some(via) = &self.via {
            via.add(headers, *version);
        }
        if self.host == HostHeader::Upstream || front.host.is_none() {
            headers.insert(header::HOST, own_host.clone());
        }
        if *version < Version::HTTP_11 {
            // It cannot know how to treat a 100 (RFC 9110 §10.1.1).
            headers.remove(header::EXPECT);
        }
        *version = Version::HTTP_11;
        if hop.chunked {
            // Left to itself, hyper takes a GET of unknown length for one without a body.
            headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        if hop.trailers {
            headers.insert(header::TE, HeaderValue::from_static("trailers"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
        }
        if let Some(upgrade) = hop.upgrade {
            headers.insert(header::UPGRADE, upgrade);
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        }
        if !self.upstream.base_path.is_empty() {
            *uri = below_base(uri, &self.upstream.base_path)?;
        }
        Ok(())
    }

    /// Turns the upstream's response into the client's.
    fn pass_response(
        &self,
        response: Response<Incoming>,
        mut lease: Lease,
        expected: Expected,
        client: &Rc<Client>,
    ) -> Result<Response<ResponseSource>, Failure> {
        let (mut head, body) = response.into_parts();
        self.has_answered.set(self.has_answered.get() || head.status != StatusCode::BAD_REQUEST);
        let present = Present::in_headers(&head.headers);
        framing::check(&mut head.headers, present)?;
        let switches = head.status == StatusCode::SWITCHING_PROTOCOLS;
        let protocol = if switches { head.headers.remove(header::UPGRADE) } else { None };
        let hop = headers::take_hop_by_hop(&mut head.headers, present);
        if let Some(timeout) = hop.keep_alive {
            lease.announced(timeout);
        }
        if hop.identity {
            client.identity.bind();
            lease.belong_to(&client.identity, None);
        }
        self.make_ours(&mut head, &expected.front);
        if switches {
            let ends = (expected.tunnel, head.extensions.remove::<OnUpgrade>(), protocol);
            let (Some((asked, near)), Some(far), Some(protocol)) = ends else {
                return Err(Failure::Garbled("it switches protocols unasked".into()));
            };
            if !protocol.as_bytes().eq_ignore_ascii_case(asked.as_bytes()) {
                return Err(Failure::Garbled("it switches to another protocol than it was asked for".into()));
            }
            head.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            head.headers.insert(header::UPGRADE, protocol);
            let (tunnels, client) = (Arc::clone(&self.tunnels), Rc::clone(client));
            let (clock, idle) = (self.clock, self.tunnel_idle);
            self.tasks.spawn(async move { tunnels.run(near, far, client, clock, idle).await });
            return Ok(Response::from_parts(head, ResponseSource::Tunnel));
        }
        if let Some(permission) = expected.permission
            && permission.refuse()
        {
            // The client may or may not send the body now: its next bytes on this connection would be
            // ambiguous.
            head.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            lease.end_with(permission);
        }
        let (rewriter, look) = self.see_body(&mut head, &expected.front);
        if body.is_end_stream() {
            lease.give_back(self.clock.now());
            let source =
                framing::length_of_a_304(&head).map_or(ResponseSource::Own(None), ResponseSource::Unsent);
            return Ok(Response::from_parts(head, source));
        }
        let body = match self.has_answered.get() || self.upstream.scheme != Scheme::Http {
            true => UpstreamBody::Connection(body),
            false => UpstreamBody::Suspect(Box::new(Suspect::new(body, self.upstream.clone()))),
        };
        let body = body.rewritten(rewriter);
        Ok(Response::from_parts(
            head,
            ResponseSource::Upstream { body, lease: Some(lease), watch: None, look },
        ))
    }

    /// Turns a response on a stream into the client's.
    fn pass_stream_response(
        &self,
        response: Response<Box<IncomingBody>>,
        front: &Front,
        permission: Option<Arc<ContinueGate>>,
        client: &Client,
    ) -> Result<Response<ResponseSource>, Failure> {
        let (mut head, body) = response.into_parts();
        self.has_answered.set(true);
        if head.headers.len() > self.limits.response_header_count {
            let most = self.limits.response_header_count;
            let why = format!("it has more than {most} header lines (`limits.response_header_count`)");
            return Err(Failure::Garbled(why.into()));
        }
        framing::one_length(&mut head.headers)?;
        let present = Present::in_headers(&head.headers);
        if headers::take_hop_by_hop(&mut head.headers, present).identity {
            client.identity.bind();
        }
        self.make_ours(&mut head, front);
        if permission.is_some_and(|permission| permission.refuse()) {
            head.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let (rewriter, look) = self.see_body(&mut head, front);
        if body.is_end_stream() {
            return Ok(Response::from_parts(head, ResponseSource::Own(None)));
        }
        let body = UpstreamBody::Stream(body).rewritten(rewriter);
        Ok(Response::from_parts(head, ResponseSource::Upstream { body, lease: None, watch: None, look }))
    }

    /// Decides about the upstream's URLs in the body that follows `head`: rewritten, or looked for.
    fn see_body(
        &self,
        head: &mut http::response::Parts,
        front: &Front,
    ) -> (Option<Box<Rewriter>>, Option<Box<Look>>) {
        if !self.rewrites_bodies {
            // A client that knows the proxy by the upstream's own name is shown nothing else.
            let is_other = front.host.as_ref() != Some(&self.connector.own_host);
            return (None, is_other.then(|| Look::at(head, &self.origin)).flatten());
        }
        (body::rewriter(head, &self.origin, front), None)
    }

    /// Adds a proxy's headers to a response's head, and removes those that lead around it.
    fn make_ours(&self, head: &mut http::response::Parts, front: &Front) {
        if let Some(via) = &self.via {
            via.add(&mut head.headers, head.version);
        }
        // The marker means that a response is not the upstream's. Comparing is cheaper than looking it up.
        if head.headers.keys().any(|name| *name == MARKER) {
            head.headers.remove(MARKER);
        }
        rewrite::response(&mut head.headers, &self.upstream, front);
        head.version = Version::HTTP_11;
    }
}

/// Adds a header about the client, unless a trusted peer has set it already.
fn say(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue, client: &Client) {
    if !client.is_trusted || !headers.contains_key(&name) {
        headers.insert(name, value);
    }
}

fn expects_continue(headers: &HeaderMap) -> bool {
    headers.get(header::EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Takes a head that is needed no more where it is.
pub fn take(head: &mut Parts) -> Parts {
    std::mem::replace(head, Request::new(()).into_parts().0)
}

/// The path and query of `uri` below `base`.
fn below_base(uri: &Uri, base: &str) -> Result<Uri, Failure> {
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let path = if base.is_empty() || path == "*" { path.to_owned() } else { format!("{base}{path}") };
    Uri::try_from(path).map_err(|_| Failure::BadRequest("the request's target is not a path"))
}
