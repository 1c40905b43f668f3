//! What a response means for the operation that it is a part of. This is the one table of it.
//!
//! | answer | meaning |
//! | --- | --- |
//! | injected by a rule, whatever its status: bulk endpoints and GraphQL refuse with 200 | conflict |
//! | 409, 412, 423, 428, 449 | conflict |
//! | none, or one cut off, by a rule too | may be retried; but a 2xx to a read that the client left early is success, as the ends of event streams look so |
//! | 408, 425, 429, 5xx but 501 and 505 | may be retried |
//! | 1xx, 2xx, 3xx | success; where a redirect leads is a call of its own |
//! | any other | final |
//!
//! A gRPC service's refusal counts as the status that HTTP has for it.

use crate::model::Attempt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Success,
    /// The same request again, or a changed one, may follow.
    Conflict,
    /// The same request again may follow.
    Retryable,
    /// The end, unless a marker says otherwise.
    Final,
}

impl Meaning {
    pub fn of(attempt: &Attempt) -> Meaning {
        let got = &attempt.got;
        let status = got.outcome();
        let is_accepted = status.is_some_and(|status| (200..300).contains(&status));
        if attempt.conflict.is_some() {
            return Meaning::Conflict;
        }
        if got.error.is_some() && status.is_none_or(|status| status < 400) {
            let is_left = got.error.as_deref() == Some("client");
            let is_done = is_left && is_accepted && !attempt.is_write();
            return if is_done { Meaning::Success } else { Meaning::Retryable };
        }
        match status {
            None | Some(408 | 425 | 429) => Meaning::Retryable,
            Some(409 | 412 | 423 | 428 | 449) => Meaning::Conflict,
            Some(..400) => Meaning::Success,
            Some(501 | 505) => Meaning::Final,
            Some(500..) => Meaning::Retryable,
            Some(_) => Meaning::Final,
        }
    }

    /// Whether another try may follow that carries no marker.
    pub fn is_retryable(self) -> bool {
        matches!(self, Meaning::Conflict | Meaning::Retryable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Fingerprint, GrpcStatus, InjectedConflict, Kind, Phase, ResponseRecord};

    #[test]
    fn every_answer_has_a_meaning() {
        use Meaning::{Conflict as Refused, Final, Retryable, Success};
        for (method, status, error, meaning) in [
            ("GET", Some(200), None, Success),
            ("GET", Some(304), None, Success),
            ("POST", Some(303), None, Success),
            ("GET", Some(101), None, Success),
            ("PUT", Some(409), None, Refused),
            ("PUT", Some(412), None, Refused),
            ("PUT", Some(423), None, Refused),
            ("PUT", Some(428), None, Refused),
            ("PUT", Some(449), None, Refused),
            ("PUT", None, None, Retryable),
            ("PUT", None, Some("client"), Retryable),
            ("PUT", Some(200), Some("client"), Retryable),
            ("GET", Some(200), Some("client"), Success),
            ("GET", Some(200), Some("timeout"), Retryable),
            ("GET", Some(502), Some("connect"), Retryable),
            ("GET", Some(404), Some("client"), Final),
            ("PUT", Some(408), None, Retryable),
            ("PUT", Some(425), None, Retryable),
            ("PUT", Some(429), None, Retryable),
            ("PUT", Some(500), None, Retryable),
            ("PUT", Some(599), None, Retryable),
            ("PUT", Some(501), None, Final),
            ("PUT", Some(505), None, Final),
            ("PUT", Some(400), None, Final),
            ("PUT", Some(404), None, Final),
            ("PUT", Some(422), None, Final),
        ] {
            let got = ResponseRecord { status, error: error.map(Into::into), ..ResponseRecord::default() };
            let attempt = Attempt { method: method.into(), got, ..Attempt::default() };
            assert_eq!(Meaning::of(&attempt), meaning, "{method} {status:?} {error:?}");
        }
    }

    #[test]
    fn a_refusal_of_grpc_means_what_its_http_counterpart_does() {
        for (code, meaning) in [
            (0, Meaning::Success),
            (6, Meaning::Conflict),
            (10, Meaning::Conflict),
            (8, Meaning::Retryable),
            (14, Meaning::Retryable),
            (2, Meaning::Retryable),
            (5, Meaning::Final),
            (9, Meaning::Final),
            (12, Meaning::Final),
        ] {
            let got = ResponseRecord {
                status: Some(200),
                grpc: Some(GrpcStatus(code)),
                ..ResponseRecord::default()
            };
            let attempt = Attempt { method: "POST".into(), got, ..Attempt::default() };
            assert_eq!(Meaning::of(&attempt), meaning, "{code}");
        }
    }

    #[test]
    fn what_a_rule_injects_is_a_conflict_whatever_its_status() {
        let conflict = InjectedConflict {
            rule: "r".into(),
            kind: Kind::Idempotency,
            phase: Phase::Lost,
            n: 1,
            key: Fingerprint(1),
        };
        for (status, grpc, meaning) in [
            (None, None, Meaning::Conflict),
            (Some(422), None, Meaning::Conflict),
            (Some(504), None, Meaning::Conflict),
            (Some(200), Some(GrpcStatus(9)), Meaning::Conflict),
            (Some(200), Some(GrpcStatus(0)), Meaning::Conflict),
            (Some(200), None, Meaning::Conflict),
            (Some(201), None, Meaning::Conflict),
            (Some(207), None, Meaning::Conflict),
            (Some(299), None, Meaning::Conflict),
            (Some(302), None, Meaning::Conflict),
        ] {
            let got = ResponseRecord { status, grpc, ..ResponseRecord::default() };
            let attempt = Attempt { got, conflict: Some(conflict.clone()), ..Attempt::default() };
            assert_eq!(Meaning::of(&attempt), meaning, "{status:?} {grpc:?}");
        }
    }
}
