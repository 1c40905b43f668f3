//! The reason why a rule did not fire, reported at the end of a run: from the requests that came, and from the near
//! misses of those that had its method and path.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use http::Method;
use smol_str::SmolStr;

use super::version_sights::VersionSights;
use crate::matching::PathMatch;
use crate::model::{Attempt, Phase};
use crate::rules::{Rule, Trigger, grouped};

/// Maximum number of kinds of requests, by method and path.
const MOST_KINDS: usize = 4_096;
/// Maximum number of paths that are compared with a rule's.
const MOST_COMPARED: usize = 256;

/// Requests of a run, by kinds.
#[derive(Debug, Default)]
pub struct Came {
    kinds: HashMap<(SmolStr, SmolStr), Kind, RandomState>,
    requests: u64,
}

/// Requests of one method and path.
#[derive(Debug, Default)]
struct Kind {
    requests: u64,
    /// Of them, those that a rule refused.
    answered: u64,
}

/// Reasons why requests that had a rule's method and path did not match it, each with the number of requests.
pub type Noted = [(String, u64)];

impl Kind {
    fn add(&mut self, attempt: &Attempt) {
        self.requests += 1;
        self.answered += u64::from(attempt.conflict.is_some());
    }
}

impl Came {
    /// The kinds of `attempts`.
    pub fn of<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> Came {
        let mut seen = Came::default();
        let mut attempts = attempts.peekable();
        while let Some(first) = attempts.next() {
            let mut run = Kind::default();
            run.add(first);
            // One kind often comes several times in a row, and comparing is cheaper than hashing.
            let is_alike = |next: &&Attempt| next.method == first.method && next.path == first.path;
            while let Some(next) = attempts.next_if(is_alike) {
                run.add(next);
            }
            seen.requests += run.requests;
            let key = (first.method.clone(), first.path.clone());
            if seen.kinds.len() >= MOST_KINDS && !seen.kinds.contains_key(&key) {
                continue;
            }
            let kind = seen.kinds.entry(key).or_default();
            kind.requests += run.requests;
            kind.answered += run.answered;
        }
        seen
    }

    /// The reason why `rule` did not fire: `matched` requests matched it, and near misses are `noted`.
    pub fn why_not(&self, rule: &Rule, matched: u64, noted: &Noted, versions: &VersionSights) -> String {
        if !rule.enabled {
            return "it is not enabled: `enabled = false`".to_owned();
        }
        if matched > 0 {
            if let Some(empty) = versions.empty_places(rule) {
                return format!("{}: {empty}", requests(matched, "matched"));
            }
            return format!("{}: {}", requests(matched, "matched"), waits_for(rule, matched));
        }
        if let Some((why, number)) = noted.iter().max_by_key(|(_, number)| *number) {
            return format!("{why}: {}", requests(*number, "").trim_end());
        }
        if self.requests == 0 {
            return "no request came".to_owned();
        }
        self.nearest(rule)
    }

    /// The part of method and path that failed, and the nearest request.
    fn nearest(&self, rule: &Rule) -> String {
        let has_method = |method: &str| {
            Method::from_bytes(method.as_bytes()).is_ok_and(|method| rule.requests.method.contains(&method))
        };
        let (mut both, mut answered, mut path_only, mut method_only) = (0, 0, Nearest::default(), 0);
        for ((method, path), kind) in &self.kinds {
            let has_path = rule.requests.path.captures(path).is_some();
            match (has_method(method), has_path) {
                (true, true) => {
                    both += kind.requests;
                    answered += kind.answered;
                }
                (false, true) => path_only.add(kind.requests, 0, method, path),
                (true, false) => method_only += kind.requests,
                (false, false) => {}
            }
        }
        let wanted = &rule.requests.method;
        if answered > 0 && answered == both {
            let rules =
                if both == 1 { "a rule before it answered it" } else { "rules before it answered them" };
            let verb = if both == 1 { "was for it" } else { "were for it" };
            return format!("{}, and {rules}", requests(both, verb));
        }
        if both > 0 {
            let had = requests(both, "had its method and path");
            return match rule.during {
                Some(_) => format!("{had} when it was not awake (`during`)"),
                None => format!("{had} and did not reach it"),
            };
        }
        if let Some((method, path)) = path_only.place {
            let had = requests(path_only.requests, "had the path and not the method");
            return format!("{had}: {method} {path}, the rule wants {wanted}");
        }
        let others = |with_method: bool| {
            let mut nearest = Nearest::default();
            let kinds = self.kinds.iter().filter(|((method, _), _)| !with_method || has_method(method));
            for ((method, path), kind) in kinds.take(MOST_COMPARED) {
                nearest.add(kind.requests, distance(&rule.requests.path, path), method, path);
            }
            nearest.place.map_or_else(String::new, |(method, path)| format!(": nearest {method} {path}"))
        };
        match method_only {
            0 => format!("no request had its method or its path{}", others(false)),
            _ => format!("{}{}", requests(method_only, "had the method and not the path"), others(true)),
        }
    }
}

/// The nearest of some kinds of requests; of equals, the first by name, so that it is always the same one.
#[derive(Default)]
struct Nearest<'s> {
    requests: u64,
    distance: usize,
    place: Option<(&'s str, &'s str)>,
}

impl<'s> Nearest<'s> {
    fn add(&mut self, requests: u64, distance: usize, method: &'s str, path: &'s str) {
        self.requests += requests;
        let is_nearer = self.place.is_none_or(|(known_method, known_path)| {
            (distance, path, method) < (self.distance, known_path, known_method)
        });
        if is_nearer {
            (self.distance, self.place) = (distance, Some((method, path)));
        }
    }
}

/// Distance of a path from the wanted one, in edits of its text.
fn distance(wanted: &PathMatch, path: &str) -> usize {
    /// Longer paths are compared by their beginnings.
    const LONGEST: usize = 128;
    let begin = |text: &str| text.chars().take(LONGEST).collect::<String>();
    let path = begin(path);
    let to = |wanted: String| strsim::damerau_levenshtein(&begin(&wanted), &path);
    match wanted {
        PathMatch::OneOf(patterns) => {
            patterns.iter().map(|pattern| to(pattern.to_string())).min().unwrap_or(LONGEST)
        }
        wanted => to(wanted.to_string()),
    }
}

/// The reason why a rule that `matched` requests did not fire.
fn waits_for(rule: &Rule, matched: u64) -> String {
    let schedule = match &rule.trigger {
        Trigger::On(state) => {
            let state = state.definition();
            return format!("`on = \"{}\"` never held: {}", state.word, state.never_held);
        }
        Trigger::Counted(counted) => &counted.schedule,
    };
    let is_late = rule.phase() != Phase::Before;
    match schedule.waits_for() {
        Some(waits) if is_late => format!("{waits}, and the upstream accepted it"),
        Some(waits) => waits,
        None if is_late => "the upstream accepted none of them, which is what its phase waits for".to_owned(),
        None => format!("none of the {} was refused", grouped(matched)),
    }
}

/// `14 requests had …`.
fn requests(number: u64, did: &str) -> String {
    format!("{} {} {did}", grouped(number), if number == 1 { "request" } else { "requests" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::read;

    fn rule(keys: &str) -> Rule {
        let no_files = |_: &str| Err(crate::rules::BodyFileError::Missing);
        let text = format!("[[rule]]\n{keys}\n");
        let mut accepted =
            read("rules.toml", &text, &no_files).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        accepted.config.rules.remove(0)
    }

    /// As if versions were in both places.
    fn sights(keys: &str) -> VersionSights {
        let sights = VersionSights::default();
        if !keys.contains("If-Match") {
            sights.see_sent();
            sights.see_response(true);
        }
        sights
    }

    fn came(requests: &[(&str, &str, u64)]) -> Came {
        let attempts: Vec<Attempt> = requests
            .iter()
            .flat_map(|(method, path, times)| {
                let attempt =
                    Attempt { method: (*method).into(), path: (*path).into(), ..Attempt::default() };
                std::iter::repeat_n(attempt, usize::try_from(*times).expect("few"))
            })
            .collect();
        Came::of(attempts.iter())
    }

    #[test]
    fn the_part_that_failed_most_narrowly_is_named_with_the_nearest_request() {
        let put = "method = \"PUT\"\npath = \"/api/items/{id}\"";
        for (keys, requests, matched, noted, why) in [
            (put, &[][..], 0, &[][..], "no request came"),
            (
                put,
                &[("PUT", "/api/item/7", 14), ("PUT", "/x", 1), ("GET", "/api/itms/7", 2)],
                0,
                &[],
                "15 requests had the method and not the path: nearest PUT /api/item/7",
            ),
            (
                put,
                &[("POST", "/api/items/7", 3), ("PUT", "/api/item/7", 1)],
                0,
                &[],
                "3 requests had the path and not the method: POST /api/items/7, the rule wants PUT",
            ),
            (put, &[("GET", "/a", 1)], 0, &[], "no request had its method or its path: nearest GET /a"),
            (
                put,
                &[("PUT", "/api/items/7", 2)],
                0,
                &[("no header x-a", 1), ("the body is not JSON", 2)],
                "the body is not JSON: 2 requests",
            ),
            (
                "rate = 0.25",
                &[],
                3,
                &[],
                "3 requests matched: a share of 0.25 of so few may be none; `first = 1` is sure",
            ),
            ("every = 5", &[], 1, &[], "1 request matched: it conflicts at each 5th of each key (`per`)"),
            (
                "above = \"20/s\"",
                &[],
                9,
                &[],
                "9 requests matched: none came faster than 20/s of each key (`per`)",
            ),
            (
                "on = \"stale\"\npath = \"/items/{id}\"",
                &[],
                2,
                &[],
                "2 requests matched: `on = \"stale\"` never held: each request carried the newest version seen, or none",
            ),
            (
                "phase = \"lost\"",
                &[],
                4,
                &[],
                "4 requests matched: the upstream accepted none of them, which is what its phase waits for",
            ),
            ("enabled = false", &[("GET", "/", 1)], 0, &[], "it is not enabled: `enabled = false`"),
            (
                "during = { after = \"1s\", for = \"1s\" }",
                &[("GET", "/", 1)],
                0,
                &[],
                "1 request had its method and path when it was not awake (`during`)",
            ),
        ] {
            let noted: Vec<(String, u64)> = noted.iter().map(|(why, n)| ((*why).to_owned(), *n)).collect();
            assert_eq!(came(requests).why_not(&rule(keys), matched, &noted, &sights(keys)), why, "{keys}");
        }
    }

    #[test]
    fn rules_before_it_may_have_answered() {
        let mut attempt = Attempt { method: "GET".into(), path: "/a".into(), ..Attempt::default() };
        attempt.conflict = Some(crate::model::InjectedConflict {
            rule: "first".into(),
            kind: crate::model::Kind::Transient,
            phase: Phase::Before,
            n: 1,
            key: crate::model::Fingerprint(1),
        });
        let seen = Came::of([&attempt, &attempt].into_iter());
        let why = seen.why_not(&rule("path = \"/a\""), 0, &[], &VersionSights::default());
        assert_eq!(why, "2 requests were for it, and rules before it answered them");
    }

    #[test]
    fn kinds_are_bounded() {
        let attempts: Vec<Attempt> = (0..MOST_KINDS + 9)
            .map(|at| Attempt { path: format!("/{at}").into(), ..Attempt::default() })
            .collect();
        let seen = Came::of(attempts.iter());
        assert_eq!((seen.kinds.len(), seen.requests), (MOST_KINDS, MOST_KINDS as u64 + 9));
    }
}
