//! The rules' effects, printed at the end: rates achieved beside rates asked.

mod clients;

use std::fmt::Write as _;

use super::output::{counted, grouped};
use crate::grading::Report;
use crate::proxy::{RuleSummary, Summary};
use crate::report::table::lines;
use crate::report::{RULE_HEADS, Width, around};

/// With more rules than this, unmatched ones are only counted.
const MOST_IDLE_ROWS: usize = 20;

/// The table for people.
pub fn table(summary: &Summary, report: Option<&Report>, width: Width) -> String {
    let hides_idle = summary.rules.len() > MOST_IDLE_ROWS;
    let (shown, hidden): (Vec<_>, Vec<_>) =
        summary.rules.iter().partition(|rule| !hides_idle || rule.matched > 0);
    // Only rules with `clear` keep conflicts open.
    let has_open = summary.rules.iter().any(|rule| rule.open.is_some());
    let mut heads = RULE_HEADS.map(str::to_owned).to_vec();
    heads.extend(has_open.then(|| "still open".to_owned()));
    let mut rows = vec![heads];
    rows.extend(shown.into_iter().map(|rule| row(rule, has_open)));

    let mut text = String::new();
    if rows.len() > 1 {
        write_rows(&mut text, &rows, &[1, 2, 3, 4, 5], width);
    }
    if !hidden.is_empty() {
        let _ = writeln!(text, "{} that no request matched", counted(hidden.len() as u64, "more rule"));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    for rule in summary.rules.iter().filter(|rule| !rule.by_reply.is_empty()) {
        let taken: Vec<String> = rule.by_reply.iter().map(|times| grouped(*times)).collect();
        let _ = writeln!(text, "replies of {}, in their order: {} times", rule.name, taken.join(", "));
    }
    clients::write(&mut text, report, width);
    let _ = writeln!(text, "{}", totals(summary));
    if summary.evicted > 0 {
        let keys = counted(summary.evicted, "key");
        let _ = writeln!(
            text,
            "warning: {keys} forgotten for want of room: their counts began again; raise limits.keys"
        );
    }
    for rule in summary.rules.iter().filter(|rule| rule.unread_responses > 0) {
        let responses = counted(rule.unread_responses, "response");
        let _ = writeln!(
            text,
            "warning: {} could not look at {responses}: longer than body_limit, a stream, or in no known encoding",
            rule.name
        );
    }
    for rule in &summary.rules {
        if let Some(empty) = &rule.unlearned {
            let _ = writeln!(text, "warning: {} never learned a version: {empty}", rule.name);
        }
    }
    if summary.state_failures > 0 {
        let operations = counted(summary.state_failures, "operation");
        let _ = writeln!(
            text,
            "warning: {operations} on the rules' state failed: rules left those requests alone; see to the store \
             that `state` names"
        );
    }
    if let Some(around) = report.and_then(around) {
        let _ = writeln!(text, "warning: {around}");
    }
    if let Some(totals) = report.map(|report| &report.totals)
        && (totals.lost_lines, totals.dropped) != (0, 0)
    {
        let (lines, attempts) = (counted(totals.lost_lines, "line"), counted(totals.dropped, "attempt"));
        let _ = writeln!(text, "warning: the journal lost {lines} and {attempts}");
    }
    text
}

/// The same as one line of JSON.
pub fn json(summary: &Summary, report: Option<&Report>) -> String {
    let rules = summary.rules.iter().map(|rule| {
        serde_json::json!({
            "name": &*rule.name,
            "matched": rule.matched,
            "fired": rule.fired,
            "passes": rule.passes,
            "asked": rule.trigger.label(),
            "got": share(rule),
            "open": rule.open,
            "replies": &rule.by_reply,
            "unread_responses": rule.unread_responses,
            "unlearned": &rule.unlearned,
        })
    });
    let whole = serde_json::json!({
        "requests": summary.requests,
        "conflicts": conflicts(summary),
        "faults": faults(summary),
        "failures": summary.failures,
        "replays": summary.replays,
        "panics": summary.panics,
        "evicted": summary.evicted,
        "state_failures": summary.state_failures,
        "journal": report.map(|report| serde_json::json!({
            "dropped": report.totals.dropped,
            "lost_lines": report.totals.lost_lines,
        })),
        "around": report.map(|report| &report.around),
        "rules": rules.collect::<Vec<_>>(),
        "clients": clients::json(report),
    });
    format!("{whole}\n")
}

fn totals(summary: &Summary) -> String {
    let mut text =
        format!("{}, {}", counted(summary.requests, "request"), counted(conflicts(summary), "conflict"));
    let faults = faults(summary);
    if faults > 0 {
        let _ = write!(text, ", {} that passed with faults", counted(faults, "response"));
    }
    if summary.failures > 0 {
        let _ = write!(text, ", {} without an answer from the upstream", grouped(summary.failures));
    }
    if summary.replays > 0 {
        let _ = write!(text, ", {} sent once more by fracas", grouped(summary.replays));
    }
    if summary.panics > 0 {
        let _ = write!(text, ", {} of fracas itself: please report it", counted(summary.panics, "failure"));
    }
    text
}

fn conflicts(summary: &Summary) -> u64 {
    summary.rules.iter().filter(|rule| !rule.passes).map(|rule| rule.fired).sum()
}

fn faults(summary: &Summary) -> u64 {
    summary.rules.iter().filter(|rule| rule.passes).map(|rule| rule.fired).sum()
}

fn row(rule: &RuleSummary, has_open: bool) -> Vec<String> {
    let got = share(rule).map_or("–".to_owned(), |share| format!("{:.1} %", share * 100.0));
    let open = rule.open.filter(|open| *open > 0).map_or("–".to_owned(), grouped);
    let mut row =
        vec![rule.name.to_string(), grouped(rule.matched), grouped(rule.fired), rule.trigger.label(), got];
    row.extend(has_open.then_some(open));
    row
}

/// The share of matching requests that conflicted.
fn share(rule: &RuleSummary) -> Option<f64> {
    (rule.matched > 0).then(|| rule.fired as f64 / rule.matched as f64)
}

fn write_rows(text: &mut String, rows: &[Vec<String>], numbers: &[usize], width: Width) {
    for line in lines(rows, numbers, width.columns()) {
        let _ = writeln!(text, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::future::Ready;
    use std::net::{IpAddr, Ipv4Addr};
    use std::num::NonZeroU64;

    use crate::engine::{
        Decision, Effects, Op, Reply, RuleSet, Session, StateKey, Store, StoreError, Update,
    };
    use crate::model::{BodyFacts, ClientIdSources, Facts, Moment, Share};
    use crate::proxy::StateAccess;
    use crate::rules::{BodyFileError, Schedule, Trigger, read};

    fn rule(name: &str, trigger: impl Into<Trigger>, matched: u64, fired: u64) -> RuleSummary {
        RuleSummary {
            name: name.into(),
            trigger: trigger.into(),
            matched,
            fired,
            passes: false,
            open: None,
            by_reply: Vec::new(),
            unread_responses: 0,
            unlearned: None,
        }
    }

    #[test]
    fn rates_achieved_stand_beside_rates_asked() {
        let quarter = Schedule::Rate(Share::new(0.25).expect("a share"));
        let summary = Summary {
            rules: vec![
                rule("flaky-writes", quarter, 4_012, 1_003),
                rule("first-of-all", Schedule::First(NonZeroU64::MIN), 31, 9),
                rule("idle", Schedule::Always, 0, 0),
            ],
            requests: 5_000,
            failures: 2,
            replays: 3,
            evicted: 1,
            state_failures: 0,
            panics: 0,
        };
        assert_eq!(
            table(&summary, None, Width::of(None)),
            "\
rule          matched  fired  should fire  did fire
flaky-writes    4,012  1,003         25 %    25.0 %
first-of-all       31      9      first 1    29.0 %
idle                0      0          all         –

5,000 requests, 1,012 conflicts, 2 without an answer from the upstream, 3 sent once more by fracas
warning: 1 key forgotten for want of room: their counts began again; raise limits.keys
"
        );
    }

    /// A store that is out of reach.
    struct Failing;

    impl Store for Failing {
        type Later = Ready<Result<Reply, StoreError>>;

        fn update(&self, _: StateKey, _: Op, _: Moment) -> Update<Self::Later> {
            Update::Ready(Err(StoreError("on purpose".into())))
        }
    }

    #[tokio::test]
    async fn operations_of_a_failing_store_are_counted_for_people_and_programs() {
        let text = "[[rule]]\nname = \"a\"\non = \"overlap\"\n[[rule]]\nname = \"b\"\nfirst = 1\n";
        let config = read("rules.toml", text, &|_| Err(BodyFileError::Missing)).expect("valid rules").config;
        let rules = RuleSet::new(config.rules, 1, false).unwrap_or_else(|_| panic!("replies"));
        let state = StateAccess::new(Failing);
        for _ in 0..3 {
            let head = http::Request::put("/items/1").body(()).expect("a request").into_parts().0;
            let mut facts = Facts::new(&head, IpAddr::V4(Ipv4Addr::LOCALHOST));
            facts.body = BodyFacts::read(bytes::Bytes::new());
            let (identity, mut effects) = (ClientIdSources(Vec::new()), Effects::default());
            let mut session = Session::new(&rules, &identity, &mut facts, &mut effects, Moment(1), 1);
            let look = async || Ok::<_, Infallible>((BodyFacts::default(), Moment(1)));
            let Ok(decision) = state.decide(&mut session, look, |_| {}).await;
            assert!(matches!(decision, Decision::Forward), "no conflict is invented");
        }
        let summary = Summary { requests: 3, state_failures: state.failures(), ..Summary::default() };
        assert_eq!(
            table(&summary, None, Width::of(None)),
            "\
3 requests, 0 conflicts
warning: 6 operations on the rules' state failed: rules left those requests alone; see to the store that `state` names
"
        );
        let json: serde_json::Value = serde_json::from_str(&json(&summary, None)).expect("JSON");
        assert_eq!(json["state_failures"], 6);
    }

    #[test]
    fn thousands_of_idle_rules_are_only_counted() {
        let mut rules: Vec<RuleSummary> =
            (0..1_000).map(|at| rule(&format!("rule-{at}"), Schedule::Always, 0, 0)).collect();
        rules.push(rule("busy", Schedule::Always, 1, 1));
        let summary = Summary { rules, requests: 1, ..Summary::default() };
        assert_eq!(
            table(&summary, None, Width::of(None)),
            "\
rule  matched  fired  should fire  did fire
busy        1      1          all   100.0 %
1,000 more rules that no request matched

1 request, 1 conflict
"
        );
    }
}
