//! What reads, or may have read, between two tries.

use super::trace::attempts;
use crate::grading::correlate::Correlator;
use crate::grading::{Operation, Sight};
use crate::model::{Attempt, Fingerprint, RuleReading};

/// A write is refused, something else is asked for, and the write comes again.
fn between(first: &str, asked: &str, edit: impl Fn(&mut Attempt)) -> Vec<(u64, Sight)> {
    let again = first.replace("0 10 ", "300 310 ").replace("409 !rule/7", "200").replace("409", "200");
    let mut attempts = attempts(&format!("{first}\n{asked}\n{again}"));
    attempts.iter_mut().filter(|attempt| attempt.id == 2).for_each(edit);
    let mut correlator = Correlator::new();
    let mut operations: Vec<Operation> =
        attempts.into_iter().flat_map(|attempt| correlator.add(attempt)).collect();
    operations.extend(correlator.finish());
    let refused = operations.iter().find(|operation| operation.id == 1).expect("the operation");
    assert_eq!(refused.count, 2, "{asked}");
    let last = refused.tries.last().expect("the try again");
    last.reads.iter().map(|read| (read.attempt, read.sight)).collect()
}

#[test]
fn a_successful_request_to_the_same_path_may_have_read_and_a_get_has() {
    let write = "0 10 POST /rpc b=w > 409 !rule/7";
    for (asked, sight) in [
        ("100 110 GET /rpc > 200", Some(Sight::Certain)),
        ("100 110 HEAD /rpc > 200", Some(Sight::Certain)),
        ("100 110 PROPFIND /rpc b=r > 207", Some(Sight::Certain)),
        ("100 110 QUERY /rpc b=r > 200", Some(Sight::Certain)),
        ("100 110 POST /rpc b=r > 200", Some(Sight::Possible)),
        ("100 110 PUT /rpc b=r > 204", Some(Sight::Possible)),
        ("100 110 OPTIONS /rpc > 204", None),
        ("100 110 POST /rpc b=r > 500", None),
        ("100 110 POST /rpc b=r > 400", None),
        ("100 110 POST /other b=r > 200", None),
        ("100 110 POST /rpc c=2 b=r > 200", None),
        // Sent before the refusal, or answered after the write was sent again.
        ("5 110 POST /rpc b=r > 200", None),
        ("100 305 POST /rpc b=r > 200", None),
    ] {
        let read: Vec<Sight> = between(write, asked, |_| {}).into_iter().map(|(_, sight)| sight).collect();
        assert_eq!(read, sight.into_iter().collect::<Vec<_>>(), "{asked}");
    }
}

#[test]
fn what_a_rule_calls_a_reading_is_one_of_what_has_its_key_wherever_it_goes() {
    let write = "0 10 PUT /docs/1 b=w > 409 !rule/7";
    let reading = |rule: &str, key: Option<u64>| RuleReading { rule: rule.into(), key: key.map(Fingerprint) };
    for (asked, of, sight) in [
        ("100 110 POST /_mget b=r > 200", reading("rule", Some(7)), Some(Sight::Certain)),
        ("100 110 POST /_mget b=r > 200", reading("rule", None), Some(Sight::Certain)),
        ("100 110 POST /_mget b=r > 200", reading("rule", Some(8)), None),
        ("100 110 POST /_mget b=r > 200", reading("other", None), None),
        ("100 110 POST /docs/1 b=r > 200", reading("rule", Some(8)), None),
        ("100 110 POST /docs/1 b=r > 200", reading("other", None), Some(Sight::Possible)),
    ] {
        let read = between(write, asked, |attempt| attempt.got.shown.read_for(of.clone()));
        let sights: Vec<Sight> = read.into_iter().map(|(_, sight)| sight).collect();
        assert_eq!(sights, sight.into_iter().collect::<Vec<_>>(), "{asked} {of:?}");
    }
}

#[test]
fn a_response_that_a_rule_cut_is_no_read() {
    let write = "0 10 PUT /docs/1 b=w > 409 !rule/7";
    let fault = |is_cut| Box::new(crate::model::InjectedFault { cut: is_cut, ..Default::default() });
    for (is_cut, reads) in [(true, 0), (false, 1)] {
        let read = between(write, "100 110 GET /docs/1 > 200", |attempt| attempt.fault = Some(fault(is_cut)));
        assert_eq!(read.len(), reads, "a late response is read");
        let named = between(write, "100 110 POST /_mget b=r > 200", |attempt| {
            attempt.got.shown.read_for(RuleReading { rule: "rule".into(), key: None });
            attempt.fault = Some(fault(is_cut));
        });
        assert_eq!(named.len(), reads);
    }
}

#[test]
fn what_may_be_a_read_takes_no_certain_ones_place() {
    let write = "0 10 PUT /docs/1 b=w > 409 !rule/7";
    let asked: Vec<String> = (0..20).map(|n| format!("{} {} GET /docs/1 > 200", 100 + n, 101 + n)).collect();
    let trace = format!(
        "{write}\n{}\n200 210 POST /docs/1 b=r > 200\n300 310 PUT /docs/1 b=w > 200",
        asked.join("\n")
    );
    let mut correlator = Correlator::new();
    let mut operations: Vec<Operation> =
        attempts(&trace).into_iter().flat_map(|attempt| correlator.add(attempt)).collect();
    operations.extend(correlator.finish());
    let refused = operations.iter().find(|operation| operation.id == 1).expect("the operation");
    let reads = &refused.tries.last().expect("the try again").reads;
    assert_eq!(reads.len(), 8);
    assert!(reads.iter().all(|read| read.sight == Sight::Certain));
}
