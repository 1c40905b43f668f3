//! JSON or YAML as a tree, within bounds.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};
use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::TScalarStyle;

use super::DraftError;

/// Values inside values; as deep as JSON is read.
const DEEPEST: usize = 128;

/// Values of a tree at most, those that aliases repeat counted each time.
const MOST_VALUES: usize = 5_000_000;

/// Reads JSON, or else YAML.
pub(super) fn read(text: &str) -> Result<Json, DraftError> {
    if text.trim_start().starts_with(['{', '[']) {
        return serde_json::from_str(text).map_err(|error| {
            DraftError::new(
                format!("it is not the JSON that it looks like: {error}"),
                "mend it, or save it anew",
            )
        });
    }
    yaml(text)
}

/// A list or a table under way.
struct Open {
    value: Json,
    /// The key that waits for its value.
    key: Option<String>,
    anchor: usize,
    size: usize,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, (Json, usize)>,
    values: usize,
    root: Option<Json>,
}

/// The first document of a YAML text. Events are pulled one by one, so that no depth is a recursion.
fn yaml(text: &str) -> Result<Json, DraftError> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::default();
    while builder.root.is_none() {
        let (event, _) = parser.next_token().map_err(|error| {
            DraftError::new(format!("it is neither JSON nor YAML: {error}"), "mend it, or save it anew")
        })?;
        match event {
            Event::Scalar(text, style, anchor, _) => builder.put(scalar(text, style), anchor, 1)?,
            Event::SequenceStart(anchor, _) => builder.begin(Json::Array(Vec::new()), anchor)?,
            Event::MappingStart(anchor, _) => builder.begin(Json::Object(Map::new()), anchor)?,
            Event::SequenceEnd | Event::MappingEnd => builder.end()?,
            Event::Alias(anchor) => {
                let (value, size) = builder.anchors.get(&anchor).cloned().unwrap_or((Json::Null, 1));
                builder.put(value, 0, size)?;
            }
            Event::StreamEnd => break,
            _ => {}
        }
    }
    builder.root.ok_or_else(|| DraftError::new("it is empty", "name a file with something in it"))
}

impl Builder {
    fn begin(&mut self, value: Json, anchor: usize) -> Result<(), DraftError> {
        if self.open.len() >= DEEPEST {
            return Err(DraftError::new(
                format!("it nests deeper than {DEEPEST} values"),
                "name a description that is less deep",
            ));
        }
        self.open.push(Open { value, key: None, anchor, size: 1 });
        Ok(())
    }

    fn end(&mut self) -> Result<(), DraftError> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        self.put(open.value, open.anchor, open.size)
    }

    /// Puts a finished value of `size` values in its place.
    fn put(&mut self, value: Json, anchor: usize, size: usize) -> Result<(), DraftError> {
        self.values += size;
        if self.values > MOST_VALUES {
            return Err(DraftError::new(
                "it stands for more than 5,000,000 values, perhaps by its aliases",
                "name a smaller description",
            ));
        }
        if anchor > 0 {
            // Kept once more for its aliases.
            self.values += size;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        open.size += size;
        match &mut open.value {
            Json::Array(items) => items.push(value),
            Json::Object(table) => match open.key.take() {
                Some(key) => drop(table.insert(key, value)),
                None => {
                    open.key = Some(match value {
                        Json::String(text) => text,
                        other => other.to_string(),
                    });
                }
            },
            _ => {}
        }
        Ok(())
    }
}

/// A plain scalar in the core schema (YAML 1.2.2, §10.3); dates and all else are texts.
fn scalar(text: String, style: TScalarStyle) -> Json {
    if style != TScalarStyle::Plain {
        return Json::String(text);
    }
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Json::Null,
        "true" | "True" | "TRUE" => Json::Bool(true),
        "false" | "False" | "FALSE" => Json::Bool(false),
        _ => {
            if let Ok(number) = text.parse::<i64>() {
                return number.into();
            }
            let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
            match text.parse::<f64>() {
                Ok(number) if is_number && number.is_finite() => number.into(),
                _ => Json::String(text),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_and_yaml_are_the_same_tree() {
        let yaml = "a: 1\nb: [x, 'y', 2.5, true, ~]\n'409':\n  c: |\n    text\n  d: &d {e: 2024-01-01}\n  f: *d\n404: g\n";
        let tree = json!({
            "a": 1, "b": ["x", "y", 2.5, true, null],
            "409": { "c": "text\n", "d": { "e": "2024-01-01" }, "f": { "e": "2024-01-01" } },
            "404": "g",
        });
        assert_eq!(read(yaml).expect("YAML"), tree);
        assert_eq!(read(&tree.to_string()).expect("JSON"), tree);
    }

    #[test]
    fn bombs_and_broken_texts_are_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..10 {
            let items = vec![format!("*a{}", n - 1); 10].join(", ");
            bomb.push_str(&format!("a{n}: &a{n} [{items}]\n"));
        }
        let deep = "- ".repeat(100_000) + "x";
        let flow = format!("a: {}", "[".repeat(100_000));
        for (text, title) in [
            (&*bomb, "5,000,000 values"),
            (&*deep, "nests deeper than 128"),
            (&*flow, ""),
            ("{\"a\": ", "not the JSON"),
            (&*"[".repeat(100_000), "not the JSON"),
            ("a: [", "neither JSON nor YAML"),
            ("a: b: c", "neither JSON nor YAML"),
            ("", "it is empty"),
            ("# nothing", "it is empty"),
        ] {
            let error = read(text).expect_err(title);
            assert!(error.title.contains(title), "{error}");
            assert!(!error.help.is_empty());
        }
    }
}
