//! The table of keys as a JSON Schema (draft 2020-12), for editors.

#![expect(clippy::indexing_slicing, reason = "a key set in a JSON object is made if it is not there")]

use serde_json::{Map, Value as Json, json};
use toml::de::DeValue;

use super::{Fallback, Form, KeyEntry, Section, TOP, ValueType};
use crate::rules::triggers;

/// The schema of rules files.
pub fn schema() -> Json {
    let mut schema = of_section(&TOP);
    if let Some(root) = schema.as_object_mut() {
        root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        root.insert("title".to_owned(), json!("fracas rules file"));
    }
    schema
}

fn of_section(section: &Section) -> Json {
    let properties: Map<String, Json> =
        section.entries().map(|entry| (entry.name.to_owned(), of_entry(entry))).collect();
    let required: Vec<&str> = section
        .entries()
        .filter(|entry| matches!(entry.default, Fallback::Required))
        .map(|entry| entry.name)
        .collect();
    let mut schema = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn of_entry(entry: &KeyEntry) -> Json {
    let mut schema = of_value(&entry.value);
    let example = entry.for_example().replacen("for", "For", 1);
    schema["description"] = json!(format!("{} {example}", triggers::meaning(entry)));
    if let Fallback::Is(default) = entry.default
        && let Ok(default) = DeValue::parse(default)
    {
        schema["default"] = to_json(default.get_ref());
    }
    schema
}

fn of_value(value: &ValueType) -> Json {
    match value {
        ValueType::Boolean => or_variable(json!({ "type": "boolean" })),
        ValueType::Integer { least, most } => {
            or_variable(json!({ "type": "integer", "minimum": least, "maximum": most }))
        }
        ValueType::Share => or_variable(json!({ "type": "number", "minimum": 0, "maximum": 1 })),
        ValueType::Number { least } => or_variable(json!({ "type": "number", "minimum": least })),
        ValueType::Duration { .. } => text("^([0-9]+(ms|s|m|h))+$"),
        ValueType::Size { least, most } => json!({ "anyOf": [
            text("^[0-9]+ *(B|KiB|MiB|GiB)$"),
            { "type": "integer", "minimum": least, "maximum": most },
        ] }),
        ValueType::Rate => text("^[0-9]+/[smh]$"),
        ValueType::Choice(words) => json!({ "enum": words }),
        ValueType::Text(form) => of_form(*form),
        ValueType::List(form) => json!({ "type": "array", "items": of_form(*form) }),
        ValueType::OneOrList(form) => {
            let list = json!({ "type": "array", "items": of_form(*form), "minItems": 1 });
            json!({ "anyOf": [of_form(*form), list] })
        }
        ValueType::Table(section) => of_section(section),
        ValueType::OneOrMore(value) => {
            let one = of_value(value);
            json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
        }
        ValueType::Tables(section) => json!({ "type": "array", "items": of_section(section) }),
        ValueType::Map { value, .. } => json!({ "type": "object", "additionalProperties": of_value(value) }),
        ValueType::Scalars => {
            let scalar = json!({ "type": ["string", "number", "boolean"] });
            json!({ "anyOf": [scalar, { "type": "array", "items": scalar, "minItems": 1 }] })
        }
        ValueType::Any(values) => json!({ "anyOf": values.iter().map(of_value).collect::<Vec<_>>() }),
    }
}

fn of_form(form: Form) -> Json {
    match form.shape() {
        Some(shape) => text(shape),
        None => json!({ "type": "string" }),
    }
}

/// A text of a shape, or one that is filled in from the environment.
fn text(shape: &str) -> Json {
    json!({ "type": "string", "pattern": format!("{shape}|\\$\\{{[A-Za-z_]") })
}

/// A value that is no text, or one that comes whole from the environment: bounds are those of numbers, and the
/// pattern is that of texts.
fn or_variable(mut schema: Json) -> Json {
    schema["type"] = json!([schema["type"], "string"]);
    schema["pattern"] = json!("^\\$\\{[A-Za-z_][^}]*\\}$");
    schema
}

/// A default of the table of keys as JSON.
fn to_json(value: &DeValue) -> Json {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Boolean(value) => json!(value),
        DeValue::Integer(number) => number.as_str().parse::<u64>().map_or(Json::Null, |number| json!(number)),
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Json::Null, |number| json!(number)),
        DeValue::Array(items) => items.iter().map(|item| to_json(item.get_ref())).collect(),
        DeValue::Table(_) => json!({}),
        DeValue::Datetime(_) => Json::Null,
    }
}
