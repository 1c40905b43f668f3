use std::path::Path;

use super::entry::Place;
use super::*;
use crate::matching::TextPattern;
use crate::rules::{
    BodyFileError, Code, Config, Diagnostic, FoundFile, IncludeError, NotText, RulesText, Settings, State,
    Surroundings, read, read_all,
};

/// Every file is there, and empty.
struct Around;

impl Surroundings for Around {
    fn variable(&self, _: &str) -> Result<Option<String>, NotText> {
        Ok(None)
    }

    fn body_file(&self, _: &Path, _: &str) -> Result<String, BodyFileError> {
        Ok("{}".to_owned())
    }

    fn files(&self, _: &Path, _: &[TextPattern]) -> Result<Vec<FoundFile>, IncludeError> {
        Ok(vec![FoundFile { path: "more.toml".into(), identity: "/more.toml".into() }])
    }

    fn open(&self, _: &FoundFile) -> Result<String, Diagnostic> {
        Ok(String::new())
    }
}

fn every_entry() -> impl Iterator<Item = (&'static Section, &'static KeyEntry)> {
    SECTIONS.iter().flat_map(|section| section.entries().map(move |entry| (*section, entry)))
}

/// The file is accepted, except for keys that are not built yet.
fn assert_accepted(text: &str) {
    if let Err(mistakes) = read_all(vec![RulesText::alone("rules.toml", text)], &Around) {
        let wrong: Vec<String> = mistakes
            .list
            .iter()
            .filter(|mistake| mistake.code != Code::NotYet)
            .map(ToString::to_string)
            .collect();
        assert!(wrong.is_empty(), "{text}\n{}", wrong.join("\n"));
    }
}

#[test]
fn every_example_is_accepted_in_its_place() {
    for (section, entry) in every_entry() {
        let text = format!("{}{}\n", section.frame, entry.example);
        assert!(text.contains(entry.name), "the example of {} is about something else", entry.name);
        assert_accepted(&text);
    }
}

#[test]
fn every_word_of_every_choice_is_accepted() {
    let mut words = 0;
    for (section, entry) in every_entry() {
        let choices = match &entry.value {
            ValueType::Choice(words) => vec![words],
            ValueType::Any(values) => values
                .iter()
                .filter_map(|value| if let ValueType::Choice(words) = value { Some(words) } else { None })
                .collect(),
            _ => continue,
        };
        for word in choices.into_iter().copied().flatten() {
            words += 1;
            let state = State::named(word).filter(|_| entry.name == "on");
            if let Some(state) = state {
                assert_accepted(&format!("{}{}\n", section.frame, state.example));
                continue;
            }
            assert_accepted(&format!("{}{} = \"{word}\"\n", section.frame, entry.name));
        }
    }
    assert!(words > 90, "{words}");
}

#[test]
fn a_file_of_all_defaults_means_the_same_as_an_empty_one() {
    let mut defaults = 0;
    for (section, entry) in every_entry() {
        let Fallback::Is(value) = entry.default else { continue };
        // A mere default is no reason to call its subject unbuilt.
        let later = ["attempts", "volatile", "self_signed"];
        if later.contains(&entry.name) {
            continue;
        }
        defaults += 1;
        let read = |text: &str| -> Config {
            read("rules.toml", text, &|_| Ok(String::new()))
                .map(|accepted| accepted.config)
                .unwrap_or_else(|mistakes| panic!("{mistakes}"))
        };
        let on = State::with_key(entry.name).next().filter(|_| entry.place == Place::BesideOn);
        let frame = format!("{}{}\n", section.frame, on.map_or("", |state| state.example));
        let (with, without) = (read(&format!("{frame}{} = {value}\n", entry.name)), read(&frame));
        assert_eq!(format!("{with:?}"), format!("{without:?}"), "{}", entry.name);
    }
    assert!(defaults > 25, "{defaults}");
    let empty = read("rules.toml", "", &|_| Ok(String::new())).expect("an empty file is fine");
    assert_eq!(format!("{:?}", empty.config.settings), format!("{:?}", Settings::default()));
}

#[test]
fn no_section_has_a_key_twice() {
    for section in SECTIONS {
        let mut names: Vec<&str> = section.entries().map(|entry| entry.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{}", section.name);
    }
}

#[test]
fn the_schema_describes_every_key_and_admits_no_other() {
    fn count(schema: &serde_json::Value, keys: &mut usize) {
        if schema["type"] == "object" && schema["properties"].is_object() {
            assert_eq!(schema["additionalProperties"], false);
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                *keys += 1;
                assert!(property["description"].is_string(), "{name}");
                assert!(["type", "enum", "anyOf"].iter().any(|key| property.get(key).is_some()), "{name}");
            }
        }
        match schema {
            serde_json::Value::Object(members) => members.values().for_each(|member| count(member, keys)),
            serde_json::Value::Array(items) => items.iter().for_each(|item| count(item, keys)),
            _ => {}
        }
    }
    let schema = schema();
    let mut keys = 0;
    count(&schema, &mut keys);
    assert!(keys >= every_entry().count(), "{keys}");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["properties"]["listen"]["default"], "127.0.0.1:4090");
    let rule = &schema["properties"]["rule"]["items"]["properties"];
    assert_eq!(rule["rate"]["maximum"], 1);
    assert_eq!(rule["phase"]["enum"], serde_json::json!(["before", "after", "lost"]));
    assert_eq!(rule["release"]["required"], serde_json::json!(["path"]));
}
