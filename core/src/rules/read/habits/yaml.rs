//! YAML, read no further than a message needs it.

use serde_json::{Map, Value as Json};
use yaml_rust2::{Yaml, YamlLoader};

/// Longer texts, in bytes, are not looked into.
const LONGEST: usize = 64 * 1024;
/// Deeper trees are not looked into.
const DEEPEST: usize = 32;

/// The tree of a text that looks like YAML and not like TOML with a mistake; of one that cannot be read, an
/// empty one.
pub fn read(text: &str) -> Option<Json> {
    let mut lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty() && !line.trim_start().starts_with('#'));
    let first = lines.clone().next()?;
    let begins = first == "---" || first.starts_with("- ") || first == "-" || key(first).is_some();
    let has_toml = lines.any(|line| {
        let line = line.trim_start();
        line.starts_with('[') || line.split_once('=').is_some_and(|(key, _)| is_key(key.trim_end()))
    });
    if !begins || has_toml || text.len() > LONGEST || may_explode(text) {
        return None;
    }
    let tree = match YamlLoader::load_from_str(text) {
        Ok(documents) => documents.first().and_then(|document| json(document, 0)).unwrap_or_default(),
        Err(_) => return None,
    };
    // A single `seed: 1` is TOML with a colon.
    let nests = |tree: &Json| tree.is_object() || tree.is_array();
    let is_tree = match &tree {
        Json::Object(table) => table.values().any(nests),
        Json::Array(items) => items.iter().any(nests),
        _ => false,
    };
    is_tree.then_some(tree)
}

/// The key of a line such as `rules:` or `name: x`.
fn key(line: &str) -> Option<&str> {
    let (key, rest) = line.split_once(':')?;
    (is_key(key) && (rest.is_empty() || rest.starts_with(' '))).then_some(key)
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.\"".contains(&byte))
}

/// Whether a small text may stand for a large tree, by aliases, or for a deep one.
fn may_explode(text: &str) -> bool {
    let deepest = text.bytes().fold((0_usize, 0_usize), |(depth, deepest), byte| match byte {
        b'[' | b'{' => (depth + 1, deepest.max(depth + 1)),
        b']' | b'}' => (depth.saturating_sub(1), deepest),
        _ => (depth, deepest),
    });
    let is_steep = |line: &str| line.matches("- ").count() + line.matches("? ").count() > DEEPEST;
    deepest.1 > DEEPEST
        || text.contains([' ', '\t']) && (text.contains(" *") || text.contains(" &"))
        || text.lines().any(is_steep)
}

fn json(yaml: &Yaml, depth: usize) -> Option<Json> {
    if depth > DEEPEST {
        return None;
    }
    Some(match yaml {
        Yaml::String(text) => Json::from(text.as_str()),
        Yaml::Integer(number) => Json::from(*number),
        Yaml::Real(text) => text.parse::<f64>().map_or_else(|_| Json::from(text.as_str()), Json::from),
        Yaml::Boolean(value) => Json::from(*value),
        Yaml::Array(items) => {
            items.iter().filter_map(|item| json(item, depth + 1)).collect::<Vec<_>>().into()
        }
        Yaml::Hash(table) => {
            let entries = table.iter().filter_map(|(key, value)| {
                let key = match key {
                    Yaml::String(text) => text.clone(),
                    Yaml::Integer(number) => number.to_string(),
                    _ => return None,
                };
                Some((key, json(value, depth + 1)?))
            });
            Json::Object(entries.collect::<Map<_, _>>())
        }
        _ => Json::Null,
    })
}
