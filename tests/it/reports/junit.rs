//! JUnit reports against the common ground of readers of JUnit XML: elements and their order, attributes that
//! must be there or may, and counts that match the cases. The rules are those that the schemas of
//! Surefire and Jenkins have in common; `skipped` of `testsuites` is newer, and left alone by older readers.

use std::collections::BTreeMap;

use fracas::report::Format;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{samples, written};

/// An element: its name, attributes that it must have and may have, and the elements in it, in order.
struct Rule(&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

const RULES: &[Rule] = &[
    Rule(
        "testsuites",
        &["name", "tests", "failures"],
        &["errors", "skipped", "time", "timestamp"],
        &["testsuite"],
    ),
    Rule(
        "testsuite",
        &["name", "tests", "failures", "errors"],
        &["skipped", "time", "timestamp", "hostname", "id", "package"],
        &["properties", "testcase", "system-out", "system-err"],
    ),
    Rule("properties", &[], &[], &["property"]),
    Rule("property", &["name", "value"], &[], &[]),
    Rule(
        "testcase",
        &["name", "classname", "time"],
        &[],
        &["skipped", "error", "failure", "system-out", "system-err"],
    ),
    Rule("skipped", &[], &["message"], &[]),
    Rule("failure", &["message", "type"], &[], &[]),
    Rule("error", &["message", "type"], &[], &[]),
    Rule("system-out", &[], &[], &[]),
    Rule("system-err", &[], &[], &[]),
];

/// The counts of cases in a `testsuite`, or in all of them.
const COUNTED: [(&str, &str); 4] =
    [("testcase", "tests"), ("failure", "failures"), ("error", "errors"), ("skipped", "skipped")];

#[test]
fn every_document_keeps_the_rules() {
    for (name, report) in samples::all() {
        let faults = faults(&written(Format::Junit, &report));
        assert!(faults.is_empty(), "{name}: {faults:#?}");
    }
}

#[test]
fn each_rule_can_be_broken() {
    let document = |suite: &str| {
        format!(
            r#"<testsuites name="n" tests="1" failures="0"><testsuite name="s" tests="1" failures="0" errors="0">{suite}</testsuite></testsuites>"#
        )
    };
    let case = r#"<testcase name="a" classname="b" time="0"/>"#;
    let good = document(case);
    assert_eq!(faults(&good), Vec::<String>::new());
    for (broken, fault) in [
        (good.replace("time=\"0\"", ""), "testcase has no time"),
        (good.replace("time=\"0\"", "time=\"now\""), "testcase: time is no number: now"),
        (good.replace("classname", "colour=\"red\" classname"), "testcase may not have colour"),
        (good.replace("testcase", "case"), "no such element: case"),
        (document(&format!("<system-out>x</system-out>{case}")), "testcase comes after system-out"),
        (document(&format!("{case}{case}")), "testsuite: tests is not 2"),
        (
            document(
                r#"<testcase name="a" classname="b" time="0"><skipped/><failure message="m" type="t"/></testcase>"#,
            ),
            "testcase has several ends",
        ),
        (good.replace("name=\"s\"", "name=\"s\u{1}\""), "a character that XML does not have"),
    ] {
        let faults = faults(&broken);
        assert!(faults.iter().any(|found| found == fault), "{fault}: {faults:?}");
    }
}

/// An element that is open.
struct Open {
    rule: &'static Rule,
    attributes: BTreeMap<String, String>,
    /// The place, in the rule's order, of the last element in it.
    last: usize,
    counts: BTreeMap<&'static str, usize>,
}

fn faults(document: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let is_foreign = |character: char| character < ' ' && !matches!(character, '\t' | '\n' | '\r');
    if document.contains(is_foreign) || document.contains(['\u{fffe}', '\u{ffff}']) {
        faults.push("a character that XML does not have".to_owned());
    }
    let mut reader = Reader::from_str(document);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Open> = Vec::new();
    loop {
        match reader.read_event().expect("it is well-formed") {
            Event::Start(start) => match begin(&start, open.last_mut(), &mut faults) {
                Some(element) => open.push(element),
                // The content of an unknown element is unknown too.
                None => return faults,
            },
            Event::End(_) => {
                let ended = open.pop().expect("it is well-formed");
                end(&ended, open.last_mut(), &mut faults);
            }
            Event::Eof => return faults,
            _ => {}
        }
    }
}

fn begin(start: &BytesStart<'_>, parent: Option<&mut Open>, faults: &mut Vec<String>) -> Option<Open> {
    let name = text(start.name().as_ref());
    let Some(rule) = RULES.iter().find(|rule| rule.0 == name) else {
        faults.push(format!("no such element: {name}"));
        return None;
    };
    if let Some(parent) = parent {
        match parent.rule.3.iter().position(|child| *child == name) {
            None => faults.push(format!("{name} may not be in {}", parent.rule.0)),
            Some(place) if place < parent.last => {
                faults.push(format!("{name} comes after {}", parent.rule.3[parent.last]));
            }
            Some(place) => parent.last = place,
        }
        *parent.counts.entry(rule.0).or_default() += 1;
    } else if name != "testsuites" {
        faults.push(format!("{name} is the root"));
    }
    let attributes: BTreeMap<String, String> = start
        .attributes()
        .map(|attribute| attribute.expect("it is well-formed"))
        .map(|found| (text(found.key.as_ref()), text(&found.value)))
        .collect();
    let missing = rule.1.iter().filter(|must| !attributes.contains_key(**must));
    faults.extend(missing.map(|must| format!("{name} has no {must}")));
    for (attribute, value) in &attributes {
        if !rule.1.contains(&&**attribute) && !rule.2.contains(&&**attribute) {
            faults.push(format!("{name} may not have {attribute}"));
        }
        let is_seconds = |value: &str| value.parse::<f64>().is_ok_and(|number| number >= 0.0);
        if attribute == "time" && !is_seconds(value) {
            faults.push(format!("{name}: time is no number: {value}"));
        }
    }
    Some(Open { rule, attributes, last: 0, counts: BTreeMap::new() })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn end(ended: &Open, parent: Option<&mut Open>, faults: &mut Vec<String>) {
    let name = ended.rule.0;
    let count = |of: &str| ended.counts.get(of).copied().unwrap_or(0);
    if name == "testcase" && count("skipped") + count("failure") + count("error") > 1 {
        faults.push("testcase has several ends".to_owned());
    }
    if name == "testsuite" || name == "testsuites" {
        for (of, attribute) in COUNTED {
            let said = ended.attributes.get(attribute);
            if said.is_some_and(|said| *said != count(of).to_string()) {
                faults.push(format!("{name}: {attribute} is not {}", count(of)));
            }
        }
    }
    if let Some(parent) = parent.filter(|_| name == "testcase" || name == "testsuite") {
        for (of, _) in COUNTED {
            *parent.counts.entry(of).or_default() += count(of);
        }
    }
}
