//! Operations, as evidence.

use fracas::grading::{Link, OperationOutcome, OperationReport, RefusedBy, TryReport};

/// Refused, and the same again twice.
pub fn replaying(id: u64) -> OperationReport {
    let tried = |nth: u64, at_ms: f64, gap_ms: Option<f64>| TryReport {
        attempt: id * 10 + nth,
        method: "PUT".to_owned(),
        link: Some(if nth == 0 { Link::First } else { Link::Replay }),
        at_ms,
        took_ms: 1.2,
        gap_ms,
        status: Some(409),
        error: None,
        refused_by: Some(RefusedBy::Rule),
        rule: Some("somebody-else-won".to_owned()),
        kind: Some("version".to_owned()),
        phase: Some("before".to_owned()),
        retry_after_ms: None,
        version: Some("\"3\"".to_owned()),
        note: (nth > 0).then(|| "same version, not re-read".to_owned()),
    };
    OperationReport {
        id,
        agent: "my-service/1.4".to_owned(),
        client: "9f86d081884c7d65".to_owned(),
        method: "PUT".to_owned(),
        path: "/items/7".to_owned(),
        outcome: OperationOutcome::GaveUp,
        count: 3,
        start_ms: 2_512.0,
        tries: vec![tried(0, 0.0, None), tried(1, 104.0, Some(102.8)), tried(2, 305.0, Some(199.8))],
    }
}

/// As [`replaying`], refused by the upstream itself.
pub fn replaying_own(id: u64) -> OperationReport {
    let mut operation = replaying(id);
    for tried in &mut operation.tries {
        (tried.status, tried.refused_by) = (Some(412), Some(RefusedBy::Upstream));
        (tried.rule, tried.phase) = (None, None);
    }
    operation
}

/// Refused, lost, read again in between, and accepted.
pub fn recovering(id: u64) -> OperationReport {
    let tried = |nth: u64, method: &str, at_ms, status, version: &str| TryReport {
        attempt: id * 10 + nth,
        method: method.to_owned(),
        link: match (method, nth) {
            ("GET", _) => None,
            (_, 0) => Some(Link::First),
            _ => Some(Link::Rebase),
        },
        at_ms,
        took_ms: 2.4,
        gap_ms: None,
        status,
        error: None,
        refused_by: None,
        rule: None,
        kind: None,
        phase: None,
        retry_after_ms: None,
        version: Some(version.to_owned()),
        note: None,
    };
    let mut tries = vec![
        tried(0, "PUT", 0.0, Some(409), "\"3\""),
        tried(1, "PUT", 1_105.0, None, "\"3\""),
        tried(2, "GET", 2_240.0, Some(200), ""),
        tried(3, "PUT", 2_248.0, Some(200), "\"4\""),
    ];
    for (tried, (kind, phase, asked)) in
        tries.iter_mut().zip([("version", "before", Some(1_000)), ("transient", "lost", None)])
    {
        tried.refused_by = Some(RefusedBy::Rule);
        (tried.rule, tried.kind) = (Some("somebody-else-won".to_owned()), Some(kind.to_owned()));
        (tried.phase, tried.retry_after_ms) = (Some(phase.to_owned()), asked);
    }
    if let [_, lost, read, rebased] = tries.as_mut_slice() {
        lost.gap_ms = Some(1_102.6);
        (read.version, read.note) = (None, Some("showed version \"4\"".to_owned()));
        rebased.gap_ms = Some(1_140.6);
        rebased.note = Some("read again".to_owned());
    }
    OperationReport {
        id,
        agent: "my-service/1.5".to_owned(),
        client: "60303ae22b998861".to_owned(),
        method: "PUT".to_owned(),
        path: "/items/12".to_owned(),
        outcome: OperationOutcome::Recovered,
        count: 3,
        start_ms: 4_012.0,
        tries,
    }
}
