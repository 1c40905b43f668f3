//! List of every numeric constant in the grader and the journal: as a bound, with the test that exceeds it, or
//! as a measure, which drops no evidence.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// File and name of a bound; the test that exceeds it.
const BOUNDS: [(&str, &str, &str); 28] = [
    ("grading/around.rs", "MOST", "responses_are_counted_by_client_and_the_clients_are_bounded"),
    ("grading/grader/places.rs", "MOST", "classes_without_a_place_are_judged_as_one"),
    ("grading/grader/places.rs", "MOST_OTHERS", "counts_of_clients_and_products_say_where_they_end"),
    ("grading/grader/class.rs", "MOST_RULES", "a_fault_under_a_rule_beyond_those_told_apart_is_found"),
    ("grading/grader/class.rs", "MOST_CLIENTS", "counts_of_clients_and_products_say_where_they_end"),
    ("grading/report.rs", "MOST_CLIENTS", "counts_of_clients_and_products_say_where_they_end"),
    ("grading/report.rs", "MOST_GAPS", "the_waits_of_thousands_of_retries_are_a_sample_and_say_so"),
    ("grading/run.rs", "MOST_NAMES", "rules_that_did_not_fire_are_named_up_to_a_number"),
    ("grading/evidence_store.rs", "MOST", "counts_are_of_all_operations_however_few_are_kept_as_evidence"),
    ("grading/evidence_store.rs", "NAMED", "counts_are_of_all_operations_however_few_are_kept_as_evidence"),
    ("grading/evidence_store.rs", "OTHERS", "counts_are_of_all_operations_however_few_are_kept_as_evidence"),
    ("grading/checks/evidence.rs", "MOST", "counts_are_of_all_operations_however_few_are_kept_as_evidence"),
    ("grading/recent_activity.rs", "MOST_CLIENTS", "forgotten_requests_of_a_client_are_not_held_against_it"),
    (
        "grading/recent_activity.rs",
        "MOST_OPERATIONS",
        "forgotten_requests_of_a_client_are_not_held_against_it",
    ),
    ("grading/checks/herd.rs", "MOST", "crowds_that_are_forgotten_let_nothing_pass"),
    ("grading/checks/amplification.rs", "MOST_WINDOWS", "the_worst_ten_seconds_are_remembered"),
    ("grading/backoff.rs", "MOST_COLUMNS", "immediate_retries_beyond_the_columns_of_the_law_count"),
    ("grading/correlate/mod.rs", "HELD_ATTEMPTS", "too_many_do_not_wait"),
    ("grading/correlate/mod.rs", "OPEN_OPERATIONS", "of_many_clients_too"),
    (
        "grading/correlate/mod.rs",
        "OPEN_OPERATIONS_OF_A_CLIENT",
        "operations_that_are_put_away_let_nothing_pass",
    ),
    ("grading/correlate/mod.rs", "KEPT_TRIES", "nothing_passes_by_tries_that_were_not_kept"),
    ("grading/correlate/mod.rs", "KEPT_TRIES_OVERALL", "tries_are_bounded_over_all_operations"),
    ("grading/correlate/mod.rs", "READS", "the_last_reads_are_kept"),
    (
        "grading/correlate/mod.rs",
        "CANDIDATES",
        "calls_beyond_those_that_are_looked_at_are_accused_of_nothing",
    ),
    ("grading/correlate/past_writes.rs", "GENERATION", "a_write_that_succeeded_long_ago_may_be_sent_anew"),
    ("grading/correlate/past_writes.rs", "MOST", "one_that_is_full_knows_of_nothing_that_it_was_not_there"),
    ("model/version.rs", "MOST", "a_reading_for_more_rules_than_are_kept_may_be_one_for_each"),
    ("journal/collector.rs", "MOST_WAITING", "whoever_comes_too_fast_is_counted_and_does_not_wait"),
];

/// Names of numbers that drop no evidence: versions, times, thresholds.
const MEASURES: [&str; 42] = [
    "VERSION",
    "FORMAT",
    "FEW",
    "MANY",
    "BUDGET",
    "SLACK",
    "DATE_SLACK",
    "TOGETHER",
    "WINDOW",
    "CROWD",
    "LARGE_CROWD",
    "HUGE_CROWD",
    "LEAST_IMMEDIATE",
    "LEAST_LOOPS",
    "LEAST_GAPS",
    "LONG",
    "LEAST_OPERATIONS",
    "CAP",
    "IMMEDIATE",
    "SECOND",
    "SHORTEST_WINDOW",
    "LONGEST_WINDOW",
    "LATENESS",
    "STRETCH",
    "REACTION",
    "QUIET",
    "ENOUGH",
    "STARTUP",
    "CHAIN",
    "HARDLY_LATER",
    "SWIFT",
    "TWENTIETH",
    "TWENTY_FIFTH",
    "FOURTH",
    "MANY_WAITS",
    "TO_END",
    "OWN_WAIT",
    "NOISE",
    "BITS",
    "PROBES",
    "AMPLIFICATION",
    "PAUSE",
];

/// Bounds that drop only data on which no verdict rests, and why.
const HARMLESS: [(&str, &str, &str); 7] = [
    ("grading/correlate/spacing.rs", "PLACES", "waits are summed up by their place, modulo this"),
    ("grading/correlate/open.rs", "SEEN", "what may be missing of the reads is noted: `has_forgotten_reads`"),
    ("grading/correlate/mod.rs", "MARKERS", "a call of more keys is found by its request"),
    ("grading/report.rs", "MOST_BARS", "bars are as wide as the time needs"),
    ("journal/batch.rs", "MOST", "spare memory"),
    ("journal/read.rs", "LONGEST", "a longer line is torn, as one without its end is"),
    ("journal/sink.rs", "LONGEST", "a first line that is longer is no journal's, and is refused"),
];

#[test]
fn every_bound_has_a_test_that_goes_beyond_it() {
    let tests = source(&["src", "core/src", "tests/it"].map(PathBuf::from));
    let has_test = |name: &str| tests.iter().any(|(_, text)| text.contains(&format!("fn {name}()")));
    for (file, bound, test) in BOUNDS {
        assert!(has_test(test), "{file}: {bound}: there is no test {test}");
    }
    let listed: BTreeSet<(&str, &str)> =
        BOUNDS.iter().chain(&HARMLESS).map(|(file, name, _)| (*file, *name)).collect();
    let places = ["core/src/grading", "src/journal"].map(PathBuf::from);
    for (file, text) in source(&places) {
        for line in text.lines() {
            let Some((_, rest)) = line.split_once("const ") else { continue };
            let Some((name, kind)) = rest.split_once(": ") else { continue };
            let is_number = ["usize =", "u64 =", "u32 ="].iter().any(|number| kind.starts_with(number));
            let is_listed = listed.iter().any(|(place, bound)| file.ends_with(place) && *bound == name);
            assert!(
                !is_number || is_listed || MEASURES.contains(&name),
                "{}: is {name} a bound? Then a test goes beyond it, and both are listed here",
                file.display()
            );
        }
    }
}

fn source(folders: &[PathBuf]) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> =
        folders.iter().map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                files.push((path, text));
            }
        }
    }
    files
}
