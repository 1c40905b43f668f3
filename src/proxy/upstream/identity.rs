//! Connections that carry an identity. NTLM and its kin authenticate a connection, not a request (RFC 4559
//! §6): whoever sends the next request on it is taken for the same user. Once one of them is offered or
//! used, the connection to the upstream belongs to that client's connection alone.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::{AUTHORIZATION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, WWW_AUTHENTICATE};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::pool::Idle;
use crate::model::Moment;

/// Schemes that authenticate a connection, or may.
const SCHEMES: [&str; 5] = ["NTLM", "Negotiate", "Kerberos", "Nego2", "CredSSP"];

/// What a client's connection has of its own at the upstream. Dropped with it, and so is the connection to
/// the upstream. All streams of an HTTP/2 connection share it.
#[derive(Default)]
pub struct Identity(RefCell<Option<Box<Bound>>>);

struct Bound {
    /// One request at a time: those of other streams wait for the connection that knows who they are.
    turns: Arc<Semaphore>,
    idle: Option<Idle>,
}

/// A request's turn on the connection.
pub type Turn = OwnedSemaphorePermit;

impl Identity {
    /// From now on the client has connections of its own, in HTTP/1.1.
    pub fn bind(&self) {
        let bound = || Box::new(Bound { turns: Arc::new(Semaphore::new(1)), idle: None });
        self.0.borrow_mut().get_or_insert_with(bound);
    }

    pub fn is_bound(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits for the connection to be free, but not for ever: an answer may stream all day, and then a
    /// further connection is better than none.
    pub async fn turn(&self, patience: Duration) -> Option<Turn> {
        let turns = self.0.borrow().as_ref().map(|bound| Arc::clone(&bound.turns))?;
        tokio::time::timeout(patience, turns.acquire_owned()).await.ok()?.ok()
    }

    /// The connection, if it can take a request `now`, which may make a tunnel of it.
    pub fn take(&self, now: Moment, upgrades: bool) -> Option<Idle> {
        let idle = self.0.borrow_mut().as_mut()?.idle.take()?;
        (idle.can_serve(now) && (idle.may_upgrade || !upgrades)).then_some(idle)
    }

    /// Keeps a connection that has become idle. A second one is closed: nobody could tell which of the two
    /// knows the client.
    pub fn keep(&self, idle: Idle) {
        if let Some(bound) = self.0.borrow_mut().as_mut()
            && bound.idle.is_none()
        {
            bound.idle = Some(idle);
        }
    }
}

/// Whether a message offers such a scheme, or uses one.
pub fn is_said(headers: &HeaderMap) -> bool {
    let names = [AUTHORIZATION, WWW_AUTHENTICATE, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION];
    let mut lines = names.iter().flat_map(|name| headers.get_all(name));
    lines.any(|line| elements(line.as_bytes()).any(is_of_connections))
}

/// Whether a challenge or credentials are of such a scheme: their first word (RFC 9110 §11.3).
fn is_of_connections(element: &[u8]) -> bool {
    let word = element.split(u8::is_ascii_whitespace).find(|word| !word.is_empty());
    word.is_some_and(|word| SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme.as_bytes())))
}

/// The elements of a list, which commas part, but for those in quotes.
fn elements(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    line.split(move |byte| {
        let parts = *byte == b',' && !is_quoted;
        is_quoted ^= *byte == b'"' && !is_escaped;
        is_escaped = is_quoted && *byte == b'\\' && !is_escaped;
        parts
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn schemes_of_connections_are_told_from_others() {
        for (name, lines, is) in [
            (WWW_AUTHENTICATE, &["NTLM"][..], true),
            (WWW_AUTHENTICATE, &["Negotiate"], true),
            (WWW_AUTHENTICATE, &["ntlm"], true),
            (WWW_AUTHENTICATE, &["NEGOTIATE oYG="], true),
            (WWW_AUTHENTICATE, &["Basic realm=\"x\"", "NTLM TlRMTVNTUAAC"], true),
            (WWW_AUTHENTICATE, &["Basic realm=\"x\", Negotiate"], true),
            (WWW_AUTHENTICATE, &["Negotiate, Basic realm=\"x\""], true),
            (WWW_AUTHENTICATE, &["Basic realm=\"a, \\\" b\", charset=\"UTF-8\",\tNTLM"], true),
            (WWW_AUTHENTICATE, &["Digest realm=\"NTLM, NTLM\", nonce=x"], false),
            (WWW_AUTHENTICATE, &["Basic realm=\"x \\\", NTLM, \\\" y\""], false),
            (WWW_AUTHENTICATE, &["Bearer ntlm=1, scope=Negotiate"], false),
            (WWW_AUTHENTICATE, &["NTLMv3"], false),
            (WWW_AUTHENTICATE, &["", ","], false),
            (PROXY_AUTHENTICATE, &["NTLM"], true),
            (PROXY_AUTHORIZATION, &["NTLM x"], true),
            (AUTHORIZATION, &["NTLM TlRMTVNTUAAB"], true),
            (AUTHORIZATION, &["negotiate YII="], true),
            (AUTHORIZATION, &["CredSSP x"], true),
            (AUTHORIZATION, &["Basic bnRsbTpudGxt"], false),
            (AUTHORIZATION, &["Bearer NTLM"], false),
            (HeaderName::from_static("x-authenticate"), &["NTLM"], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(&name, HeaderValue::from_static(line));
            }
            assert_eq!(is_said(&headers), is, "{name}: {lines:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_take_turns_and_wait_no_longer_than_they_may() {
        let identity = Identity::default();
        assert!(!identity.is_bound() && identity.turn(Duration::from_secs(1)).await.is_none());
        identity.bind();
        identity.bind();
        let first = identity.turn(Duration::from_secs(1)).await;
        assert!(identity.is_bound() && first.is_some());
        assert!(identity.turn(Duration::from_secs(1)).await.is_none(), "the first has not ended");
        drop(first);
        assert!(identity.turn(Duration::from_secs(1)).await.is_some());
    }
}
