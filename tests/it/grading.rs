//! The grading from outside: findings on simulated clients.

mod bounds;
mod clients;
mod expectations;
mod fairness;
mod policies;
mod sentences;
mod side_by_side;
mod uncertain;
mod workers;

use fracas::grading::CHECKS;

use self::policies::{CELLS, HERDS, TABLE};

#[test]
fn the_classifier_is_as_accurate_as_documented() {
    for (policy, expected) in TABLE {
        for ((gaps, operations), expected) in CELLS.into_iter().zip(expected) {
            let found = policy.accuracy(gaps, operations, 300);
            assert!(
                found >= expected - 5.0,
                "{policy:?}, {gaps} gaps of {operations}: {found}, not {expected}"
            );
        }
    }
}

#[test]
fn the_herd_index_is_as_documented() {
    for (herding, expected) in HERDS {
        for (clients, expected) in [10, 50].into_iter().zip(expected) {
            let found = policies::herd(herding, clients, 400);
            assert!(
                (found - expected).abs() <= 0.05,
                "{herding:?}, {clients} clients: {found}, not {expected}"
            );
        }
    }
}

#[test]
fn the_document_explains_every_check_under_its_anchor() {
    let document = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/GRADING.md");
    let text = std::fs::read_to_string(document).expect("docs/GRADING.md");
    let sections: Vec<&str> = text.split("\n### ").skip(1).filter(|section| is_of_a_check(section)).collect();
    assert_eq!(sections.len(), CHECKS.len());
    for (check, section) in CHECKS.iter().zip(sections) {
        let heading = section.lines().next().expect("a heading");
        assert_eq!(heading.to_lowercase().replace(' ', "-"), check.anchor);
        assert!(check.anchor.starts_with(&format!("{}-", check.id).to_lowercase()), "{}", check.anchor);
        assert!(
            section.contains(&format!("*{}.*", check.id.title())),
            "{heading} does not say: {}",
            check.id.title()
        );
        assert!(check.id.title().chars().count() <= 40, "{}", check.id.title());
    }
    for (policy, cells) in policies::measured() {
        let row = format!("| {policy} |{}", cells.map(|cell| format!(" {cell:.0} |")).concat());
        assert!(text.contains(&row), "not in the document: {row}");
    }
}

fn is_of_a_check(section: &str) -> bool {
    section.strip_prefix('R').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}
