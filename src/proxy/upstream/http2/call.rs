//! One request on a stream, and its response's head.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use h2::client::ResponseFuture;
use h2::{Reason, RecvStream};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body::Body as _;

use super::translate::RequestHead;
use super::upload::{Stopped, StreamUpload};
use super::{Eligible, Fresh, IncomingBody, Slot, StreamSlot, Streams};
use crate::proxy::body::request::RequestBody;
use crate::proxy::downstream::deadlines::{Deadlines, Wait};
use crate::proxy::error::Failure;
use crate::proxy::upstream::expect_continue::ContinueGate;

/// Parameters of a request.
pub struct Call<'c> {
    pub vitals: &'c Deadlines,
    /// Whether the body that waits for a 100 may go.
    pub permission: Option<&'c ContinueGate>,
    /// Whether it may be sent once more on a stale connection.
    pub replays: bool,
    /// How long the upstream may take nothing of a body.
    pub patience: Duration,
}

/// Outcome of a request.
pub enum Called {
    Answered(Response<Box<IncomingBody>>),
    /// The upstream speaks HTTP/1.1 alone: the request has yet to be sent.
    Http1(Box<(Parts, RequestBody)>, Option<Fresh>),
}

/// A request that the upstream has not processed is sent again this often at most.
const TRIES: usize = 4;

/// Interim responses (1xx) before a response: far more than Early Hints are sent in.
const INTERIM_RESPONSES: usize = 100;

enum Broken {
    /// The upstream sends interim responses without end.
    Flood,
    /// The request's own body is not one.
    Body,
    Stream(h2::Error),
}

impl Streams {
    /// Sends a request. It is sent again only if the upstream says that it has not processed it
    /// (RFC 9113 §8.7), or, once, if it may be repeated and the connection proves stale.
    pub async fn call(
        self: &Rc<Streams>,
        head: Parts,
        mut body: RequestBody,
        call: Call<'_>,
    ) -> Result<Called, Failure> {
        let mut place = self.place(Eligible::Any).await?;
        if let StreamSlot::Http1(fresh) = place {
            return Ok(Called::Http1(Box::new((head, body)), fresh));
        }
        let head = RequestHead::new(head, self.connector.scheme())?;
        let is_repeatable =
            matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS) && body.is_end_stream();
        let mut may_replay = call.replays && is_repeatable;
        for again in 0..TRIES {
            let StreamSlot::Stream(slot) = place else { break };
            if again > 0 {
                self.connector.count_replay();
            }
            let (error, unsent) = match self.send(&head, body, &slot, &call).await? {
                Sent::Answered(response) => return Ok(Called::Answered(response)),
                Sent::Not(error, unsent) => (error, unsent),
            };
            tracing::debug!(%error, "no answer from the upstream");
            let is_stale = may_replay && slot.is_reused() && error.is_io();
            let Some(unsent) = unsent.filter(|_| is_stale || is_unprocessed(&error)) else {
                return Err(failure(&error));
            };
            if again + 1 == TRIES {
                return Err(failure(&error));
            }
            drop(slot);
            body = *unsent;
            may_replay &= !is_stale;
            place = self.place(if is_stale { Eligible::Fresh } else { Eligible::Any }).await?;
        }
        Err(Failure::Reset(None))
    }

    /// Sends a request once.
    async fn send(
        &self,
        head: &RequestHead,
        body: RequestBody,
        slot: &Slot,
        call: &Call<'_>,
    ) -> Result<Sent, Failure> {
        let ends = body.is_end_stream();
        let (mut pending, to) = match slot.sender().send_request(head.request(), ends) {
            Ok(sent) => sent,
            Err(error) if is_unprocessed(&error) => return Ok(Sent::Not(error, Some(Box::new(body)))),
            Err(error) => return Err(failure(&error)),
        };
        let mut unsent = None;
        let mut upload = None;
        if ends {
            unsent = Some(body);
        } else {
            upload = Some(StreamUpload::new(body, to, slot.clone()));
        }
        call.vitals.begin(Wait::Answer);
        let head = response_head(&mut pending, upload.as_mut(), call.permission).await;
        call.vitals.end(Wait::Answer);
        match head {
            Ok(head) => {
                slot.answered();
                Ok(Sent::Answered(self.with_body(head, upload, slot, call)))
            }
            Err(Broken::Body) => {
                slot.answered();
                Err(Failure::BadBody)
            }
            // The connection counts as unanswered: nothing more is sent on it.
            Err(Broken::Flood) => {
                let why = format!("more than {INTERIM_RESPONSES} interim answers (1xx) came before it");
                Err(Failure::Garbled(why.into()))
            }
            Err(Broken::Stream(error)) => {
                if error.is_remote() {
                    slot.answered();
                }
                let unsent = unsent.or_else(|| upload.and_then(StreamUpload::take_back));
                Ok(Sent::Not(error, unsent.map(Box::new)))
            }
        }
    }

    /// The response, and the rest of a body that is still on its way.
    fn with_body(
        &self,
        head: Response<RecvStream>,
        upload: Option<StreamUpload>,
        slot: &Slot,
        call: &Call<'_>,
    ) -> Response<Box<IncomingBody>> {
        let mut unwanted = None;
        if let Some(upload) = upload.filter(|upload| !upload.is_over()) {
            if call.permission.is_some_and(ContinueGate::is_held) {
                unwanted = Some(upload);
            } else {
                self.tasks.spawn(upload.finish(call.patience));
            }
        }
        head.map(|stream| Box::new(IncomingBody::new(stream, slot.clone(), unwanted)))
    }
}

enum Sent {
    Answered(Response<Box<IncomingBody>>),
    /// There was no response; the body comes back if all of it is still there.
    Not(h2::Error, Option<Box<RequestBody>>),
}

/// The response's head; the request's body goes meanwhile. Dropped, it resets the stream.
async fn response_head(
    response: &mut ResponseFuture,
    mut upload: Option<&mut StreamUpload>,
    permission: Option<&ContinueGate>,
) -> Result<Response<RecvStream>, Broken> {
    let mut interim_responses = 0;
    poll_fn(|cx| {
        while let Poll::Ready(Some(Ok(interim))) = response.poll_informational(cx) {
            interim_responses += 1;
            if interim_responses > INTERIM_RESPONSES {
                return Poll::Ready(Err(Broken::Flood));
            }
            if let Some(permission) = permission
                && interim.status() == StatusCode::CONTINUE
            {
                permission.give();
            }
        }
        if let Poll::Ready(head) = Pin::new(&mut *response).poll(cx) {
            return Poll::Ready(head.map_err(Broken::Stream));
        }
        if let Some(upload) = &mut upload
            && let Poll::Ready(Err(Stopped::Body)) = upload.poll(cx)
        {
            return Poll::Ready(Err(Broken::Body));
        }
        Poll::Pending
    })
    .await
}

/// Whether the upstream has said that it has not looked at the request: it refused the stream, or is
/// going away and named an earlier one as its last. Of the errors of a stream only these are both a
/// GOAWAY and the upstream's.
fn is_unprocessed(error: &h2::Error) -> bool {
    let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
    error.is_remote() && (is_refused || error.is_go_away())
}

fn failure(error: &h2::Error) -> Failure {
    match error.is_library() {
        true => Failure::Garbled(error.to_string().into()),
        false => Failure::reset(error),
    }
}
