use super::*;
use crate::rules::{BodyFileError, Config, Trigger, read, reference, schema};

fn config(lines: &str) -> Config {
    let text = format!("[[rule]]\n{lines}\n");
    let accepted = read("rules.toml", &text, &|_| Err(BodyFileError::Missing));
    accepted.unwrap_or_else(|mistakes| panic!("{mistakes}")).config
}

#[test]
fn every_trigger_is_in_the_reference_and_the_schema() {
    let (reference, schema) = (reference(), schema());
    let rule = &schema["properties"]["rule"]["items"]["properties"];
    let mut words: Vec<&str> = Vec::new();
    for (word, example) in trigger_examples() {
        words.push(word);
        let heading =
            if example.starts_with("on") { "## State behind `on`" } else { "### Which requests conflict" };
        let section = reference.split(heading).nth(1).and_then(|rest| rest.split("\n#").next());
        let row = format!("\n| `{word}` | ");
        assert!(section.is_some_and(|section| section.contains(&row)), "{word}");
        let is_choice = rule["on"]["enum"].as_array().is_some_and(|words| words.contains(&word.into()));
        assert!(is_choice || rule[word]["description"].is_string(), "{word}");
    }
    assert!(words.len() > 11, "{words:?}");
    words.sort_unstable();
    assert!(words.is_sorted_by(|one, next| one < next), "two triggers have one word: {words:?}");
}

#[test]
fn every_trigger_is_read_as_itself() {
    for (word, example) in trigger_examples() {
        match &config(example).rules[0].trigger {
            Trigger::Counted(counted) => {
                let written = counted.schedule.as_written();
                assert!(written.starts_with(&format!("{word} ")), "{written}");
                assert!(!counted.schedule.label().is_empty(), "{word}");
            }
            Trigger::On(state) => assert_eq!(state.as_str(), word),
        }
    }
}

#[test]
fn every_text_of_a_state_trigger_is_a_phrase() {
    for state in State::ALL {
        for text in [state.title, state.learned_from, state.ended_by, state.never_held, state.conflicts] {
            assert!(!text.is_empty() && !text.ends_with(['.', ' ']), "{}: {text:?}", state.word);
        }
        assert!(state.notes.is_empty() || state.notes.ends_with(".\n"), "{}", state.word);
        let rule = &config(state.example).rules[0];
        assert_eq!((rule.kind, &rule.per), (state.kind, &(state.per)()), "{}", state.word);
    }
}

#[test]
fn every_key_beside_on_has_its_triggers_and_every_trigger_its_keys() {
    for key in COMPANIONS {
        let states: Vec<&str> = State::with_key(key.name).map(|state| state.word).collect();
        assert!(!states.is_empty(), "{}", key.name);
        for word in &states {
            assert!(meaning(key).contains(word), "{}", key.name);
        }
        // Its own example is beside one of them.
        assert!(
            states.iter().any(|word| key.example.contains(&format!("on = \"{word}\"\n"))),
            "{}",
            key.name
        );
    }
    for state in State::ALL {
        for key in state.keys {
            assert!(COMPANIONS.iter().any(|other| other.name == key.name), "{}: {}", state.word, key.name);
        }
        let needed = state.needs.iter().flat_map(|needs| needs.one_of);
        assert!(needed.clone().all(|key| state.has_key(key.name)), "{}", state.word);
        // `on` alone is refused where a key is needed.
        let alone = format!("[[rule]]\non = \"{}\"\n", state.word);
        let is_enough = read("rules.toml", &alone, &|_| Err(BodyFileError::Missing)).is_ok();
        assert_eq!(is_enough, state.needs.is_none(), "{}", state.word);
    }
}

#[test]
fn the_reference_tells_where_state_is_not_kept_per_path() {
    let reference = reference();
    let per = reference.lines().find(|line| line.starts_with("| `per` |") && line.contains("with `on`"));
    let per = per.expect("the key `per` of a rule");
    for state in State::ALL {
        let parts: Vec<String> = (state.per)().0.iter().map(ToString::to_string).collect();
        let quoted: Vec<String> = parts.iter().map(|part| format!("\"{part}\"")).collect();
        let written =
            if let [one] = quoted.as_slice() { one.clone() } else { format!("[{}]", quoted.join(", ")) };
        let said = format!("`{written}` for `{}`", state.word);
        assert!(written == "\"path\"" || per.contains(&said), "{said} is not in {per}");
    }
}
