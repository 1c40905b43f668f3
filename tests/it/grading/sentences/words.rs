//! The sentences of checks, each with the condition that must hold where it is said.

use std::collections::BTreeSet;

use fracas::grading::{Finding, Gaps, Verdict};

use super::facts::{Facts, Retry};
use super::{expect, outline};

pub fn sentence_holds(finding: &Finding, facts: &Facts) -> Result<(), String> {
    let (outline, n) = outline(&finding.measured);
    let (first, second) = (n.first().copied().unwrap_or(0), n.get(1).copied().unwrap_or(0));
    let is_passed = finding.verdict == Verdict::Pass;
    // Of a part and a whole.
    if outline.contains("# of #") {
        expect(first <= second && second > 0, "more of it than there is")?;
    }
    if outline == "tries could not be told apart" {
        return expect(facts.ambiguous > 0 && !is_passed, "they could");
    }
    let moves = |outline: &str| outline.replace("moves", "move");
    match finding.check.number() {
        1 => match &*moves(&outline) {
            "all # stopped at the first conflict" => expect(
                first == facts.stops && first == facts.stopped_at_once && facts.maybe_moves == 0,
                format!(
                    "{} stopped, {} of them at once, {} went on",
                    facts.stops, facts.stopped_at_once, facts.maybe_moves
                ),
            ),
            "# retried as they should, # stopped" => expect(
                (first, second) == (facts.maybe_moves, facts.stops),
                format!("{} and {}", facts.maybe_moves, facts.stops),
            ),
            "# retried as they should, # stopped, # cannot be judged" => expect(
                (first + n[2], second) == (facts.maybe_moves, facts.stops),
                format!("{} and {}", facts.maybe_moves, facts.stops),
            ),
            "# of # move cannot be judged" => expect(
                (first, second) == (facts.maybe_moves, facts.maybe_moves + facts.stops),
                format!("{} and {}", facts.maybe_moves, facts.stops),
            ),
            wrong => {
                let others = if wrong.ends_with("; # other wrong move") { n[2] } else { 0 };
                expect(
                    wrong.starts_with("# of # move ") && finding.verdict == Verdict::Fail,
                    "unknown words",
                )?;
                expect(
                    first + others <= facts.moves && second <= facts.moves + facts.stops,
                    format!("{} moves", facts.moves),
                )
            }
        },
        2 | 3 => {
            let all = facts.count(|retry| retry.is_version);
            expect(outline.starts_with("# of # rewrite"), "unknown words")?;
            expect(second <= all + facts.maybe_moves - facts.moves, format!("{all} rewrites"))
        }
        4 => {
            expect(outline.starts_with("# of # operation"), "unknown words")?;
            expect(second == facts.with_key, format!("{} with a key", facts.with_key))
        }
        5 => {
            expect(outline.starts_with("# of # retr"), "unknown words")?;
            let all = facts.count(|retry| retry.is_asked);
            expect(
                second == all || outline.ends_with("cannot be judged") && facts.ambiguous > 0,
                format!("{all} asked to wait"),
            )
        }
        6 => match &*outline {
            "at most one immediate retry per operation" => {
                expect(facts.later_at_once() == 0, "there were more")
            }
            _ => {
                expect(
                    outline.starts_with("# of # later retr") && outline.contains(" at once"),
                    "unknown words",
                )?;
                expect(
                    first <= facts.later_at_once() && second == facts.later(),
                    format!("{} of {}", facts.later_at_once(), facts.later()),
                )
            }
        },
        7 => growth_holds(&outline, facts),
        8 => match &*outline {
            "too few waits to compare" => expect(!is_passed, "it passed"),
            "none: # clients would collide again" => {
                expect(first == facts.clients.len() as u64, "other clients")
            }
            _ => expect(outline.contains("± # % around the mean"), "unknown words"),
        },
        _ => late_sentence_holds(finding, &outline, &n, facts),
    }
}

/// As [`sentence_holds`], of R9 and those after it.
fn late_sentence_holds(finding: &Finding, outline: &str, n: &[u64], facts: &Facts) -> Result<(), String> {
    let (first, second) = (n.first().copied().unwrap_or(0), n.get(1).copied().unwrap_or(0));
    let is_passed = finding.verdict == Verdict::Pass;
    match finding.check.number() {
        9 => {
            expect(first == facts.most, format!("most: {}", facts.most))?;
            match outline {
                "most: #" => expect(!is_passed || facts.certain_gave_up > 0, "nobody gave up"),
                "most: #; others could not be told apart" => expect(facts.ambiguous > 0, "they could"),
                "most: #; still trying at the end" => expect(facts.certain_open > 0, "nobody was"),
                "most: #; no operation had to give up" => {
                    expect(facts.certain_gave_up == 0 && facts.gave_up == 0, "one did")
                }
                "most: #; none gave up but with a final response" => {
                    expect(facts.certain_gave_up == 0 && facts.certain_final > 0, "one did")
                }
                "most: #; none gave up that could be told apart" => {
                    expect(facts.certain_gave_up == 0 && facts.ambiguous > 0, "one did")
                }
                _ => Err("unknown words".to_owned()),
            }
        }
        10 => match outline {
            "still trying after # s, without the waits that Retry-After asked for"
            | "still trying after # m # s, without the waits that Retry-After asked for" => {
                expect(facts.certain_open > 0, "nobody was")
            }
            "still trying at the end, in one call or in several" => {
                expect(facts.unclear_open > 0 && facts.certain_gave_up == 0, "nobody was")
            }
            "still trying at the end" => {
                expect(facts.certain_open > 0 && facts.certain_gave_up == 0, "nobody was")
            }
            "no operation had to give up" => {
                expect(facts.certain_gave_up == 0 && facts.gave_up == 0, "one did")
            }
            "none gave up but with a final response" => {
                expect(facts.certain_gave_up == 0 && facts.certain_final > 0, "one did")
            }
            "none gave up that could be told apart" => {
                expect(facts.certain_gave_up == 0 && facts.ambiguous > 0, "one did")
            }
            "# still tried at the end, after more than # tries" => {
                expect(first == facts.endless, format!("{} did", facts.endless))
            }
            "# gave up after more tries than are kept" => expect(first <= facts.certain_gave_up, "fewer did"),
            _ => {
                expect(outline.starts_with("gave up within ") && facts.certain_gave_up > 0, "nobody gave up")
            }
        },
        11 => {
            let said: f64 =
                finding.measured.split(' ').next().and_then(|said| said.parse().ok()).ok_or("no number")?;
            let is = facts.requests as f64 / facts.certain as f64;
            expect((said - is).abs() < 0.006, format!("{is}"))
        }
        12 => match outline {
            "stops before a second round could begin" => {
                expect(facts.certain_gave_up + facts.certain_final > 0 && facts.most <= 64, "nobody did")
            }
            _ => expect(outline.contains("# of # operation"), "unknown words"),
        },
        13 => match outline {
            "needs # clients refused at once, saw #" => {
                expect(second < first && second <= facts.clients.len() as u64, "enough of them")
            }
            _ => expect(outline.contains(" clients or more came back within "), "unknown words"),
        },
        14 => {
            expect(outline.starts_with("# of # write"), "unknown words")?;
            expect(second <= facts.writes, format!("{} writes", facts.writes))
        }
        15 => {
            expect(outline.starts_with("# of # lost answer"), "unknown words")?;
            expect(second <= facts.lost, format!("{} were lost", facts.lost))
        }
        16 => {
            expect(outline.starts_with("# of # replay"), "unknown words")?;
            expect(second <= facts.count(|retry| retry.is_unsafe), "fewer replays")
        }
        17 => {
            expect(outline.starts_with("# of # operation"), "unknown words")?;
            expect(second == facts.terminal, format!("{} met such a conflict", facts.terminal))
        }
        _ => Err("no such check".to_owned()),
    }
}

fn growth_holds(outline: &str, facts: &Facts) -> Result<(), String> {
    let own = facts.count(|retry| retry.is_own);
    // Later ones say nothing new about how waits grow.
    let early = |retry: &&Retry| retry.is_own && retry.place <= Gaps::MOST_COLUMNS;
    let places: BTreeSet<usize> = facts.retries.iter().filter(early).map(|retry| retry.place).collect();
    let places = places.len();
    expect(own > 0, "no gap of its own")?;
    match outline {
        "too few retries of one operation" => expect(places <= 2, format!("{places} retries of one")),
        "waits too short to tell how they grow" => {
            let own = facts.count(early);
            let short = facts.count(|retry| early(retry) && retry.gap < 20_000);
            expect(short * 2 > own, format!("{short} of {own} are short"))
        }
        "retries follow at once, without a wait" | "loops of read and write without a wait that grows" => {
            expect(facts.later_at_once() * 2 > facts.later(), "most waited")
        }
        _ => {
            let known = [
                "even gaps of about ",
                "gaps of about ",
                "fixed gaps of about ",
                "exponential from ",
                "linear from ",
                "growing from ",
            ];
            expect(known.iter().any(|known| outline.starts_with(known)), "unknown words")
        }
    }
}
