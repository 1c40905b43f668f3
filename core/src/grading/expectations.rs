//! Findings for `[expect]`. Nothing unseen is held against a client: an
//! expectation without a case is undetermined.

use std::time::Duration;

use super::checks::Tally;
use super::checks::{CHECKS, Class, Marks, of, wait};
use super::criteria::{Criterion, CriterionKind};
use super::{Expectation, Verdict};

/// The tallies of every class of clients within the scope of an ask.
pub(super) type ScopeTallies<'t> = Vec<(&'t str, &'t Tally, Class)>;

/// Reason of a doubt: tries may belong to several operations.
const UNCLEAR: &str = "tries could not be told apart";

struct Found {
    verdict: Verdict,
    words: String,
    operations: Vec<u64>,
}

impl Found {
    fn new(verdict: Verdict, words: impl Into<String>) -> Found {
        Found { verdict, words: words.into(), operations: Vec::new() }
    }

    fn met(is_met: bool, words: impl Into<String>) -> Found {
        Found::new(if is_met { Verdict::Pass } else { Verdict::Fail }, words)
    }

    fn nothing(words: &str) -> Found {
        Found::new(Verdict::Undetermined, words)
    }
}

/// Holds the record against one ask; `fired` counts the conflicts of the rules that it is about.
pub(super) fn found(ask: &Criterion, tallies: &ScopeTallies<'_>, fired: u64) -> Expectation {
    let mut found = measure(ask.want, tallies, fired);
    let looks_at_each = matches!(
        ask.want,
        CriterionKind::MinGap(_)
            | CriterionKind::RetryAfter
            | CriterionKind::Refetch
            | CriterionKind::NewVersion
            | CriterionKind::SameKey
    );
    if found.verdict == Verdict::Pass && looks_at_each && tallies.iter().any(|(_, tally, _)| tally.unkept > 0)
    {
        found.verdict = Verdict::Undetermined;
        found.words.push_str("; not every try of the longest operations was kept");
    }
    Expectation {
        name: ask.want.name(),
        rule: ask.rule.as_deref().map(str::to_owned),
        asked: asked(ask.want),
        found: found.words,
        verdict: found.verdict,
        operations: found.operations,
    }
}

fn asked(want: CriterionKind) -> String {
    match want {
        CriterionKind::MaxTries(number) | CriterionKind::Fired(number) => number.to_string(),
        CriterionKind::MinGap(least) => wait(least),
        CriterionKind::Recovered(share) | CriterionKind::Amplification(share) => share.to_string(),
        CriterionKind::Check(_) => "fail".to_owned(),
        _ => "true".to_owned(),
    }
}

fn measure(want: CriterionKind, tallies: &ScopeTallies<'_>, fired: u64) -> Found {
    let all = || tallies.iter().map(|(_, tally, _)| *tally);
    match want {
        CriterionKind::MaxTries(limit) => max_tries(tallies, limit),
        CriterionKind::MinGap(least) => min_gap(tallies, least),
        CriterionKind::Backoff => by_class(tallies, |tally, class| {
            let growth = CHECKS.iter().find(|check| check.id.number() == 7)?;
            let judged = growth.judge(tally, class);
            judged.map(|judged| {
                let verdict = match judged.verdict {
                    Verdict::Warn | Verdict::Fail => Verdict::Fail,
                    verdict => verdict,
                };
                Found { verdict, words: judged.measured, operations: judged.operations }
            })
        }),
        CriterionKind::Jitter => jitter(tallies),
        CriterionKind::RetryAfter => {
            let early: u64 = all().map(|tally| tally.retry_after.early).sum();
            let judged: u64 = all().map(|tally| tally.retry_after.judged).sum();
            let evidence = all()
                .filter(|tally| tally.retry_after.early > 0)
                .flat_map(|tally| tally.retry_after.evidence.ids());
            match judged {
                0 => Found::nothing("no retry that is certainly one after a Retry-After"),
                _ => Found {
                    operations: evidence.collect(),
                    ..Found::met(early == 0, format!("{} came early", of(early, judged, "retry")))
                },
            }
        }
        CriterionKind::Refetch => {
            marks(all().map(|tally| &tally.versions.not_reread), "rewrite", "without reading again")
        }
        CriterionKind::NewVersion => {
            marks(all().map(|tally| &tally.versions.not_new), "rewrite", "with the refused version")
        }
        CriterionKind::SameKey => {
            let changed: u64 = all().map(|tally| tally.keys.changed).sum();
            let judged: u64 = all().map(|tally| tally.keys.judged).sum();
            let evidence =
                all().filter(|tally| tally.keys.changed > 0).flat_map(|tally| tally.keys.evidence.ids());
            match judged {
                0 => Found::nothing("no operation with an idempotency key was certainly tried again"),
                _ => Found {
                    operations: evidence.collect(),
                    ..Found::met(changed == 0, format!("{} changed it", of(changed, judged, "operation")))
                },
            }
        }
        CriterionKind::NoRetry => marks(all().map(|tally| &tally.tries.retried), "operation", "tried again"),
        CriterionKind::Recovered(least) => recovered(tallies, least),
        CriterionKind::Amplification(most) => amplification(tallies, most),
        // Here nothing seen is the very thing that is asked about.
        CriterionKind::Fired(least) => {
            let conflicts = if fired == 1 { "conflict" } else { "conflicts" };
            Found::met(fired >= least, format!("{fired} {conflicts} injected"))
        }
        CriterionKind::Check(id) => by_class(tallies, |tally, class| {
            let judged = CHECKS.iter().find(|check| check.id == id)?.judge(tally, class)?;
            Some(Found { verdict: judged.verdict, words: judged.measured, operations: judged.operations })
        }),
    }
}

fn max_tries(tallies: &ScopeTallies<'_>, limit: u64) -> Found {
    let all = || tallies.iter().map(|(_, tally, _)| *tally);
    let worst = all().max_by_key(|tally| tally.tries.most.value());
    let Some((tally, most)) = worst.and_then(|tally| Some((tally, tally.tries.most.value()?))) else {
        let is_unclear = all().any(|tally| tally.tries.ambiguous > 0);
        return Found::nothing(if is_unclear { UNCLEAR } else { "nothing was refused" });
    };
    let unclear = all().map(|tally| tally.tries.ambiguous_most).max().unwrap_or(0);
    if most <= limit && unclear > limit {
        return Found::nothing(&format!("most: {most}; of {unclear} others {UNCLEAR}"));
    }
    let operations = tally.tries.most.evidence.ids().collect();
    Found { operations, ..Found::met(most <= limit, format!("most: {most}")) }
}

fn min_gap(tallies: &ScopeTallies<'_>, least: Duration) -> Found {
    let all = || tallies.iter().map(|(_, tally, _)| *tally);
    let shortest = |tally: &&Tally| tally.waiting.shortest.value().unwrap_or(u64::MAX);
    let worst = all().min_by_key(shortest);
    let Some((tally, gap)) = worst.and_then(|tally| Some((tally, tally.waiting.shortest.value()?))) else {
        return Found::nothing("no gap between tries was seen");
    };
    let gap = Duration::from_micros(gap);
    let operations = tally.waiting.shortest.evidence.ids().collect();
    Found { operations, ..Found::met(gap >= least, format!("shortest: {}", wait(gap))) }
}

fn recovered(tallies: &ScopeTallies<'_>, least: f64) -> Found {
    let all = || tallies.iter().map(|(_, tally, _)| *tally);
    let ended: u64 = all().map(|tally| tally.tries.gave_up.judged).sum();
    let gave_up: u64 = all().map(|tally| tally.tries.gave_up.bad).sum();
    let unclear: u64 = all().map(|tally| tally.tries.gave_up.unknown).sum();
    if ended == 0 {
        let nothing = "no operation met a conflict and ended";
        return Found::nothing(if unclear > 0 { UNCLEAR } else { nothing });
    }
    let recovered = ended - gave_up;
    let share = recovered as f64 / ended as f64;
    // If none of the others has.
    let least_share = recovered as f64 / (ended + unclear) as f64;
    if share >= least && least_share < least {
        let words = format!("{} recovered", of(recovered, ended, "operation"));
        return Found::nothing(&format!("{words}; of {unclear} others {UNCLEAR}"));
    }
    let evidence = all().flat_map(|tally| tally.tries.gave_up.evidence.ids());
    let words = format!("{} recovered", of(ended - gave_up, ended, "operation"));
    Found { operations: evidence.collect(), ..Found::met(share >= least, words) }
}

fn amplification(tallies: &ScopeTallies<'_>, most: f64) -> Found {
    let all = || tallies.iter().map(|(_, tally, _)| *tally);
    let operations: u64 = all().map(|tally| tally.amplification.all.operations).sum();
    let requests: u64 = all().map(|tally| tally.amplification.all.requests).sum();
    if operations == 0 {
        let is_unclear = all().any(|tally| tally.amplification.ambiguous > 0);
        return Found::nothing(if is_unclear { "tries could not be told apart" } else { "no request" });
    }
    let raw = requests as f64 / operations as f64;
    let evidence = all().flat_map(|tally| tally.amplification.evidence.ids());
    Found {
        operations: evidence.collect(),
        ..Found::met(raw <= most, format!("{raw:.2} requests per operation"))
    }
}

fn jitter(tallies: &ScopeTallies<'_>) -> Found {
    by_class(tallies, |tally, class| {
        if class.is_mixed {
            return Some(Found::nothing("too many products to tell their waits apart"));
        }
        let law = tally.waiting.gaps.law()?;
        let operations = tally.waiting.any.ids().collect();
        let Some(variation) = law.variation else {
            return Some(Found::nothing("too few waits to compare"));
        };
        let words = format!("± {:.1} %", variation.value * 100.0);
        let verdict = if law.is_certainly_unjittered() {
            Verdict::Fail
        } else if variation.low > law.noise {
            Verdict::Pass
        } else {
            Verdict::Undetermined
        };
        Some(Found { verdict, words, operations })
    })
}

/// The worst class decides, by its name where there are several.
fn by_class(tallies: &ScopeTallies<'_>, measure: impl Fn(&Tally, &Class) -> Option<Found>) -> Found {
    let found = tallies.iter().filter_map(|(agent, tally, class)| Some((agent, measure(tally, class)?)));
    let worst = found.max_by_key(|(_, found)| found.verdict);
    match worst {
        None => Found::nothing("there was no case of it"),
        Some((agent, found)) if tallies.len() > 1 => {
            Found { words: format!("{agent}: {}", found.words), ..found }
        }
        Some((_, found)) => found,
    }
}

fn marks<'m>(marks: impl Iterator<Item = &'m Marks>, what: &str, how: &str) -> Found {
    let (mut judged, mut bad, mut unknown, mut operations) = (0, 0, 0, Vec::new());
    for marks in marks {
        judged += marks.judged;
        bad += marks.bad;
        unknown += marks.unknown;
        operations.extend(marks.evidence.ids());
    }
    match (judged, unknown) {
        (0, 0) => Found::nothing("there was no case of it"),
        (0, unknown) => Found::nothing(&format!("{} cannot be judged", of(unknown, unknown, what))),
        _ => Found { operations, ..Found::met(bad == 0, format!("{} {how}", of(bad, judged, what))) },
    }
}
