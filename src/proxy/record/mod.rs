//! The journal's part of a request's life.
//!
//! Facts for an [`Attempt`] are noted where they are known, and handed on when the last part of the request
//! has ended.
//!
//! A [`RequestRecorder`] is shared by the exchange and the two bodies; its `Drop` completes the attempt. Nothing here
//! waits, locks, or looks at parts that no rule needs.

mod agent;
mod body;
mod plan;
mod recorder;
mod sent;
mod versions;

use std::cell::{Ref, RefCell};
use std::num::NonZeroU8;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode, Version};
use memchr::memmem;
use smol_str::SmolStr;

use self::body::{GotBody, SentBody};
pub use self::plan::CapturePolicy;
pub use self::recorder::Recorder;
use self::versions::{Fitting, is_word_of};
use super::request_origin::RequestOrigin;
use super::snapshot::Snapshot;
use crate::engine::{Conflict, PassingFault, http_date};
use crate::model::{
    self, AskedWait, Attempt, Facts, Fingerprint, GrpcStatus, HttpVersion, KeyHash, MediaType, Moment,
    RuleId, RuleReading, RunKey, VersionPlace, decode_unreserved,
};

/// One request, for the journal.
pub struct RequestRecorder {
    recorder: Rc<Recorder>,
    snapshot: Rc<Snapshot>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    attempt: Attempt,
    body: SentBody,
    /// Where versions of this request and its response may be, beside the usual places.
    fitting: Fitting,
    /// Bytes sent of a response that may show a version.
    shows: Option<Box<GotBody>>,
    end: End,
}

/// How the response ended.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum End {
    /// The end is open: unless it comes, the client has left.
    #[default]
    Open,
    /// There was none, on purpose.
    Withheld,
    /// At that time.
    At(Moment),
}

impl RequestRecorder {
    /// The request of a head that has just come.
    pub fn begin(
        recorder: &Rc<Recorder>,
        snapshot: Rc<Snapshot>,
        head: &Parts,
        origin: RequestOrigin,
    ) -> Rc<RequestRecorder> {
        let state = RefCell::new(State::default());
        let record = Rc::new(RequestRecorder { recorder: Rc::clone(recorder), snapshot, state });
        let plan = &record.snapshot.plan;
        let mut guard = record.state.borrow_mut();
        let state = &mut *guard;
        // Filled in place: it is large, and would be moved once a request.
        let attempt = &mut state.attempt;
        attempt.start = microseconds(origin.began);
        attempt.connection = origin.connection;
        attempt.protocol = match head.version {
            Version::HTTP_2 => HttpVersion::Http2,
            Version::HTTP_10 => HttpVersion::Http10,
            // The proxy has no other protocol.
            _ => HttpVersion::Http11,
        };
        attempt.client = origin.who.fingerprint;
        attempt.method = method(&head.method);
        attempt.path = path(head.uri.path(), plan.key);
        attempt.query = head.uri.query().map(|query| plan.key.hash(query.as_bytes()));
        state.body = SentBody::of(&head.headers);
        sent::of_head(head, plan, &mut recorder.latest.borrow_mut(), attempt);
        attempt.peer = attempt.sent.credential.map(|_| sent::peer(head, origin.address, plan.key));
        if !plan.versions.is_empty() {
            let facts = Facts::new(head, origin.address);
            state.fitting = plan.versions.fitting(&facts);
            let named = plan.versions.in_head(&mut state.fitting, &facts, plan.key);
            attempt.sent.version = named.or(attempt.sent.version.take());
        }
        drop(guard);
        record
    }

    /// The rules that the request goes by.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Facts known so far.
    pub fn attempt(&self) -> Ref<'_, Attempt> {
        Ref::map(self.state.borrow(), |state| &state.attempt)
    }

    /// Some of the request's body has come.
    pub fn see_sent(&self, data: &Bytes) {
        let State { attempt, body, .. } = &mut *self.state.borrow_mut();
        body.see(data, &mut attempt.sent, self.snapshot.plan.body_limit);
    }

    /// All of the request's body has come.
    pub fn finish_sent(&self) {
        let State { attempt, body, fitting, .. } = &mut *self.state.borrow_mut();
        body.finish(&mut attempt.sent, fitting, &self.snapshot.plan);
    }

    /// The upstream has begun to respond.
    pub fn hear_upstream(&self, status: StatusCode) {
        self.state.borrow_mut().attempt.got.upstream = Some(status.as_u16());
    }

    /// A rule refuses the request, or overrides its response.
    pub fn play(&self, conflict: &Conflict) {
        let rule = &conflict.active.rule;
        let attempt = &mut self.state.borrow_mut().attempt;
        // At most 100, so that the number fits.
        let number = conflict.choice.and_then(|choice| u8::try_from(choice + 1).ok());
        attempt.got.reply = number.and_then(NonZeroU8::new);
        attempt.conflict = Some(model::InjectedConflict {
            rule: (&*rule.name).into(),
            kind: rule.kind,
            phase: rule.phase(),
            n: conflict.n,
            key: self.key(conflict.key),
        });
    }

    /// A rule lets the response pass with faults, the head after `delay`.
    pub fn pass_with(&self, fault: &PassingFault, delay: Duration) {
        self.state.borrow_mut().attempt.fault = Some(fault.recorded(self.key(fault.key), delay).into());
    }

    /// These rules call the request a reading.
    pub fn read_for(&self, readings: &[(RuleId, Option<KeyHash>)]) {
        for (rule, key) in readings {
            let key = key.map(|key| self.key(key));
            let reading = RuleReading { rule: (&*rule.0).into(), key };
            self.state.borrow_mut().attempt.got.shown.read_for(reading);
        }
    }

    /// The body of a refusal may show the newest version, as its rule knows it.
    pub fn refuse_with(&self, conflict: &Conflict, body: &Bytes) {
        let newest = conflict.versions.current.as_deref();
        let Some(newest) = newest.filter(|newest| is_word_of(newest.trim_matches('"'), body)) else { return };
        let Attempt { sent, got, .. } = &mut self.state.borrow_mut().attempt;
        // The request's own version may be in a body that no rule has read.
        let named =
            || Some(VersionPlace::Field(conflict.active.rule.version_at()?.request.to_string().into()));
        let place = sent.version.as_ref().map(|sent| sent.place().clone()).or_else(named).unwrap_or_default();
        if let Some(text) = sent::text(newest.as_bytes(), self.snapshot.plan.key) {
            got.shown.show(model::Version::new(place, text));
        }
    }

    fn key(&self, key: KeyHash) -> Fingerprint {
        self.snapshot.plan.key.hash(&key.0.to_le_bytes())
    }

    /// The upstream gave no whole response; `word` is the reason.
    pub fn fail(&self, word: &str) {
        self.state.borrow_mut().attempt.got.error = Some(word.into());
    }

    /// The client gets no response, on purpose.
    pub fn withhold(&self) {
        self.state.borrow_mut().end = End::Withheld;
    }

    /// The head of the response that the client gets.
    pub fn response<B>(&self, response: &Response<B>) {
        let clock = self.recorder.clock;
        let plan = &self.snapshot.plan;
        let State { attempt, end, fitting, shows, .. } = &mut *self.state.borrow_mut();
        let got = &mut attempt.got;
        got.status = Some(response.status().as_u16());
        let headers = response.headers();
        let (mut etag, mut modified, mut wait, mut push_back) = (None, None, None, None);
        for (name, value) in headers {
            if *name == header::ETAG {
                etag = etag.or(Some(value));
            } else if *name == header::LAST_MODIFIED {
                modified = modified.or(Some(value));
            } else if *name == header::RETRY_AFTER {
                wait = wait.or(Some(value));
            } else if *name == header::CONTENT_TYPE {
                got.media_type = MediaType::of(value.as_bytes());
            } else if *name == GrpcStatus::NAME {
                got.grpc = Some(GrpcStatus::of(value));
            } else if *name == GrpcStatus::PUSHBACK {
                push_back = push_back.or(Some(value));
            }
        }
        for (place, value) in [(VersionPlace::Tag, etag), (VersionPlace::Date, modified)] {
            if let Some(text) = value.and_then(|value| sent::text(value.as_bytes(), plan.key)) {
                got.shown.show(model::Version::new(place, text));
            }
        }
        if !plan.versions.is_empty() {
            let wants_body = plan.versions.look_at_head(fitting, headers, plan.key, &mut got.shown);
            *shows = (wants_body && is_json(headers)).then(|| Box::new(GotBody::of(headers)));
        }
        got.retry_after = match push_back {
            Some(value) => pushback(value),
            None => wait.and_then(|wait| retry_after(wait, || clock.wall().as_second())),
        };
        // Such a response has no body to be read (RFC 9110 §6.4.1).
        let has_no_body = matches!(response.status().as_u16(), 100..=199 | 204 | 304);
        if has_no_body || &*attempt.method == "HEAD" {
            *end = End::At(clock.now());
        }
    }

    /// Trailers of the response.
    pub fn see_trailers(&self, trailers: &HeaderMap) {
        if let Some(status) = trailers.get(GrpcStatus::NAME) {
            let got = &mut self.state.borrow_mut().attempt.got;
            got.grpc = Some(GrpcStatus::of(status));
            got.retry_after = trailers.get(GrpcStatus::PUSHBACK).map_or(got.retry_after, pushback);
        }
    }

    /// Some of the response's body goes to the client.
    pub fn see_got(&self, data: &Bytes) {
        let State { attempt, shows, .. } = &mut *self.state.borrow_mut();
        attempt.got.bytes += data.len() as u64;
        if let Some(body) = shows
            && !body.see(data, self.snapshot.plan.body_limit)
        {
            *shows = None;
        }
    }

    /// The response's body holds the upstream's own origin.
    pub fn see_upstream_named(&self) {
        self.state.borrow_mut().attempt.got.names_upstream = true;
    }

    /// Ends the response, at the moment that this returns: read before its last bytes are written, so that no
    /// reaction of the client can seem to come earlier.
    pub fn end(&self) -> Moment {
        let end = &mut self.state.borrow_mut().end;
        match *end {
            End::At(moment) => moment,
            End::Open | End::Withheld => {
                let now = self.recorder.clock.now();
                if *end == End::Open {
                    *end = End::At(now);
                }
                now
            }
        }
    }

    /// The response has broken off; `word` is the reason.
    pub fn break_off(&self, word: &str) {
        self.fail(word);
        self.state.borrow_mut().attempt.cut_if(word);
        self.end();
    }
}

impl Drop for RequestRecorder {
    fn drop(&mut self) {
        let State { attempt, end, fitting, shows, .. } = self.state.get_mut();
        let plan = &self.snapshot.plan;
        if let Some(json) = shows.as_mut().and_then(|body| body.json(plan.body_limit)) {
            plan.versions.look_at_body(fitting, &json, plan.key, &mut attempt.got.shown);
        }
        let end = match *end {
            End::At(moment) => moment,
            End::Withheld => self.recorder.clock.now(),
            End::Open => {
                attempt.got.error.get_or_insert_with(|| "client".into());
                self.recorder.clock.now()
            }
        };
        attempt.end = microseconds(end);
        self.recorder.take(attempt);
    }
}

/// Whether a body may show a version.
fn is_json(headers: &HeaderMap) -> bool {
    let is_json = |value: &HeaderValue| memmem::find(value.as_bytes(), b"json").is_some();
    headers.get(header::CONTENT_TYPE).is_some_and(is_json)
}

fn microseconds(moment: Moment) -> u64 {
    moment.0 / 1_000
}

fn method(method: &Method) -> SmolStr {
    match *method {
        // The usual case, in which nothing has to be copied.
        Method::GET => SmolStr::new_static("GET"),
        Method::POST => SmolStr::new_static("POST"),
        _ => method.as_str().into(),
    }
}

/// The path as rules see it, of bounded length: a long one ends with its hash, so that two that differ
/// behind the cut are not taken for one.
fn path(path: &str, key: RunKey) -> SmolStr {
    /// Of `#` and a hash.
    const END: usize = 17;
    let path = decode_unreserved(path);
    if path.len() <= Attempt::PATH_BYTES {
        return path.into();
    }
    let kept = path.get(..path.floor_char_boundary(Attempt::PATH_BYTES - END)).unwrap_or_default();
    format!("{kept}#{}", key.hash(path.as_bytes())).into()
}

/// `Retry-After` as a wait from now on (RFC 9110 §10.2.3); `now` in seconds since 1970. An unreadable value
/// asks for nothing.
fn retry_after(value: &HeaderValue, now: impl FnOnce() -> i64) -> Option<AskedWait> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(AskedWait::Seconds(seconds.saturating_mul(1_000)));
    }
    let wait = http_date(text.as_bytes())?.saturating_sub(now());
    Some(AskedWait::Date(u64::try_from(wait).unwrap_or(0).saturating_mul(1_000)))
}

/// The wait that a gRPC service asks for. A value that forbids another try, or is no number, asks for none.
fn pushback(value: &HeaderValue) -> Option<AskedWait> {
    let milliseconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(AskedWait::Seconds(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_a_wait_in_milliseconds() {
        let now = 784_111_777;
        for (text, wait) in [
            ("2", Some(AskedWait::Seconds(2_000))),
            ("0", Some(AskedWait::Seconds(0))),
            ("Sun, 06 Nov 1994 08:49:40 GMT", Some(AskedWait::Date(3_000))),
            ("Sunday, 06-Nov-94 08:49:40 GMT", Some(AskedWait::Date(3_000))),
            ("Sun Nov  6 08:49:40 1994", Some(AskedWait::Date(3_000))),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(AskedWait::Date(0))),
            ("Sun, 06 Nov 1994 08:49:30 GMT", Some(AskedWait::Date(0))),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            let value = HeaderValue::from_static(text);
            assert_eq!(retry_after(&value, || now), wait, "{text}");
        }
    }

    #[test]
    fn a_path_is_cut_between_characters() {
        let path = |text: &str| path(text, RunKey::new([3; 16]));
        assert_eq!(&*path("/it%65ms/7"), "/items/7");
        assert_eq!(path(&format!("/{}", "x".repeat(511))), format!("/{}", "x".repeat(511)));
        let long = |letter: &str, last: &str| path(&format!("/{}{last}", letter.repeat(600)));
        assert_eq!(long("x", "").len(), Attempt::PATH_BYTES);
        assert_eq!(long("xé", "").len(), Attempt::PATH_BYTES - 1);
        // A difference behind the cut makes another resource to the grouping of tries.
        assert!(long("x", "1") == long("x", "1") && long("x", "1") != long("x", "2"));
    }
}
