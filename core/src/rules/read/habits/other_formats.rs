//! JSON and YAML where a rules file is expected: one mistake, with the first rule as TOML.

use serde_json::{Map, Value as Json};

use super::{paths, yaml};
use crate::rules::keys::RULE;
use crate::rules::{Code, Diagnostic};

/// The diagnostic of a text that is no TOML, if it is another format; `is_valid` says whether a text is a rules file.
pub fn check(text: &str, is_valid: &dyn Fn(&str) -> bool) -> Option<Diagnostic> {
    let whole = text;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (format, tree) = if looks_like_json(text) {
        ("JSON", serde_json::from_str(text).ok())
    } else {
        ("YAML", Some(yaml::read(text)?))
    };
    let mut lines = text.split_inclusive('\n');
    let comments =
        lines.by_ref().take_while(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    let comments: usize = comments.map(str::len).sum();
    let rest = text.get(comments..).unwrap_or_default();
    let begins = whole.len() - rest.trim_start().len();
    let first = rest.trim_start().chars().next().map_or(0, char::len_utf8);
    let rule = tree.as_ref().and_then(|tree| first_rule(tree, is_valid));
    let help = match rule {
        // As `--journal` begins its files.
        _ if text.starts_with("{\"fracas\":") => {
            "it begins as a journal does: `fracas report FILE` grades one; rules are given with `--rules`"
                .to_owned()
        }
        Some(rule) => {
            format!("its first rule as TOML:\n{rule}\n`fracas check` says whether the others fit, too")
        }
        None => "`fracas init` writes a rules file to begin with".to_owned(),
    };
    let title = format!("this is {format}, and a rules file is TOML");
    Some(Diagnostic::error(Code::Syntax, title).at(begins..begins + first, "not TOML").help(help))
}

fn looks_like_json(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('{')
        || text.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['{', '"']))
}

/// The first rule of a tree, in ours or in another program's words, as TOML that can be used.
fn first_rule(tree: &Json, is_valid: &dyn Fn(&str) -> bool) -> Option<String> {
    let node = first_node(tree)?;
    let is_ours = !node.is_empty() && node.keys().all(|key| RULE.entry(key).is_some());
    let whole = if is_ours { written(&tidied(node)) } else { translated(tree, node) };
    let bare = || {
        let mut bare = Map::new();
        for key in ["method", "path", "path_regex"] {
            bare.extend(translated(tree, node).1.get(key).map(|value| (key.to_owned(), value.clone())));
        }
        (!bare.is_empty()).then(|| written(&bare))
    };
    // A name and a response are no rule of their own.
    let says_which = |rule: &Map<String, Json>| rule.keys().any(|key| !matches!(&**key, "name" | "reply"));
    [whole]
        .into_iter()
        .chain(bare())
        .filter(|(_, rule)| says_which(rule))
        .map(|(text, _)| text)
        .find(|text| text.len() < LONGEST && is_valid(text))
}

/// Bytes of a rule that are worth a place in a message.
const LONGEST: usize = 1_000;

/// Lists of rules, by their names in programs that have such.
const LISTS: [&str; 14] = [
    "rule",
    "rules",
    "mappings",
    "stubs",
    "imposters",
    "expectations",
    "mocks",
    "errors",
    "routes",
    "interactions",
    "spec",
    "http",
    "faults",
    "toxics",
];

/// The table that the first rule is.
fn first_node(tree: &Json) -> Option<&Map<String, Json>> {
    let mut tree = tree;
    for _ in 0..8 {
        tree = match tree {
            Json::Array(items) => items.first()?,
            Json::Object(table) => {
                let below = LISTS.iter().find_map(|name| table.get(*name));
                match below.filter(|below| below.is_array() || below.is_object()) {
                    Some(below) => below,
                    None => return Some(table),
                }
            }
            _ => return None,
        };
    }
    None
}

/// A rule in our words, with values that another program may write in them.
fn tidied(rule: &Map<String, Json>) -> Map<String, Json> {
    let mut rule = rule.clone();
    if let Some(name) = rule.get("name").and_then(Json::as_str).map(plain_name) {
        rule.insert("name".to_owned(), name.into());
    }
    match rule.get("path").and_then(Json::as_str).and_then(paths::ours) {
        Some(paths::Ours::Pattern(path)) => drop(rule.insert("path".to_owned(), path.into())),
        Some(paths::Ours::Regex(regex)) => {
            rule.remove("path");
            rule.insert("path_regex".to_owned(), regex.into());
        }
        None => {}
    }
    if let Some(methods) = rule.remove("method").map(|methods| all_methods(&methods)) {
        rule.extend(one_or_list(methods).map(|methods| ("method".to_owned(), methods)));
    }
    rule
}

/// A rule of another program: the parts that have a word here.
fn translated(tree: &Json, node: &Map<String, Json>) -> (String, Map<String, Json>) {
    let find = |words: &[&str]| find(node, words, 0);
    let mut rule = Map::new();
    let mut put = |key: &str, value: Option<Json>| rule.extend(value.map(|value| (key.to_owned(), value)));
    let name = ["name", "id", "title"].into_iter().find_map(|key| node.get(key)?.as_str()).map(plain_name);
    put("name", name.filter(|name| !name.is_empty()).map(Json::from));
    let (path, method) = described(tree).unzip();
    let methods = find(&["method", "methods", "verb", "httpmethod"]).map(all_methods).unwrap_or_default();
    let methods = method.map_or(methods, |method| vec![Json::from(method)]);
    put("method", one_or_list(methods));
    const PATHS: [&str; 10] = [
        "path",
        "url",
        "urlpath",
        "urlpattern",
        "urlpathpattern",
        "urlpathtemplate",
        "uri",
        "endpoint",
        "route",
        "regex",
    ];
    let path = path.or_else(|| find(&PATHS).and_then(Json::as_str).map(str::to_owned));
    let prefix =
        find(&["prefix"]).and_then(Json::as_str).map(|prefix| format!("{}/**", prefix.trim_end_matches('/')));
    match path.or(prefix).and_then(|path| paths::ours(&path)) {
        Some(paths::Ours::Pattern(path)) => put("path", Some(path.into())),
        Some(paths::Ours::Regex(regex)) => put("path_regex", Some(regex.into())),
        None => {}
    }
    let share = find(&["probability", "toxicity", "failurerate", "errorrate", "rate"]).and_then(Json::as_f64);
    let percent =
        find(&["percentage", "percent", "value"]).and_then(Json::as_f64).map(|percent| percent / 100.0);
    let share = share.or(percent).filter(|share| (0.0..1.0).contains(share) && *share > 0.0);
    let first = find(&["times", "remainingtimes", "uptontimes", "failrequestcount"]).and_then(Json::as_u64);
    match (share, first.filter(|first| *first > 0)) {
        (Some(share), _) => put("rate", Some(share.into())),
        (None, first) => put("first", first.map(Json::from)),
    }
    put("reply", Some(reply(node).into()));
    written(&rule)
}

fn reply(node: &Map<String, Json>) -> Map<String, Json> {
    let inside = ["response", "responses", "httpresponse", "reply", "is", "abort", "fault"];
    let response = find(node, &inside, 0);
    let response = match response {
        Some(Json::Array(items)) => items.first().and_then(Json::as_object),
        Some(response) => response.as_object(),
        None => None,
    };
    let response = response.unwrap_or(node);
    let mut reply = Map::new();
    let status = find(response, &["status", "statuscode", "httpstatus", "code"], 0);
    let status = status.and_then(|status| status.as_u64().or_else(|| status.as_str()?.parse().ok()));
    reply.insert(
        "status".to_owned(),
        status.filter(|status| (400..600).contains(status)).unwrap_or(409).into(),
    );
    let wait = find(response, &["retryafter"], 0)
        .and_then(|wait| wait.as_u64().or_else(|| wait.as_str()?.parse().ok()));
    reply.extend(wait.map(|wait| ("retry_after".to_owned(), format!("{wait}s").into())));
    // The request has a body, too, where the response has no table of its own.
    let body = find(response, &["body", "jsonbody"], 0).filter(|_| !std::ptr::eq(response, node));
    let body = body.map(|body| body.as_str().map_or_else(|| body.to_string(), str::to_owned));
    reply.extend(body.filter(|body| body.len() <= 200).map(|body| ("body".to_owned(), body.into())));
    reply
}

/// The first path and method of an API's description.
fn described(tree: &Json) -> Option<(String, String)> {
    let (path, item) = tree.get("paths")?.as_object()?.iter().next()?;
    let known = ["put", "patch", "post", "delete", "get"];
    let method = known.into_iter().find(|method| item.get(method).is_some())?;
    Some((path.clone(), method.to_ascii_uppercase()))
}

/// The value of the first of `words` in a table or, one level after the other, in the tables below.
fn find<'j>(table: &'j Map<String, Json>, words: &[&str], depth: usize) -> Option<&'j Json> {
    let squashed = |key: &str| {
        let letters = key.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|c| c.to_ascii_lowercase()).collect::<String>()
    };
    let here = words.iter().find_map(|word| {
        let mut entries = table.iter();
        entries.find(|(key, _)| squashed(key) == *word).map(|(_, value)| value)
    });
    // A table in place of a plain value is another program's way of saying how to compare.
    let wants_tables = words.contains(&"response") || words.contains(&"jsonbody");
    let here = here.filter(|value| wants_tables || !value.is_object());
    here.or_else(|| {
        let below = table.values().filter_map(|value| match value {
            Json::Object(below) => Some(below),
            Json::Array(items) => items.first().and_then(Json::as_object),
            _ => None,
        });
        (depth < 6).then(|| below.into_iter().find_map(|below| find(below, words, depth + 1)))?
    })
}

fn all_methods(value: &Json) -> Vec<Json> {
    let one = |text: &str| {
        let text = text.to_ascii_uppercase();
        (text.bytes().all(|byte| byte.is_ascii_uppercase()) && !matches!(&*text, "ANY" | "ALL" | ""))
            .then(|| text.into())
    };
    match value {
        Json::String(text) => text.split(['|', ',', ' ']).filter_map(one).collect(),
        Json::Array(items) => items.iter().filter_map(Json::as_str).filter_map(one).collect(),
        _ => Vec::new(),
    }
}

fn one_or_list(mut methods: Vec<Json>) -> Option<Json> {
    match methods.len() {
        0 => None,
        1 => methods.pop(),
        _ => Some(methods.into()),
    }
}

fn plain_name(text: &str) -> String {
    let odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    text.to_ascii_lowercase()
        .split(odd)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-")
        .chars()
        .take(64)
        .collect()
}

/// A `[[rule]]`, and the keys that it was made from.
fn written(rule: &Map<String, Json>) -> (String, Map<String, Json>) {
    let mut text = "[[rule]]".to_owned();
    for entry in RULE.entries() {
        if let Some(value) = rule.get(entry.name).filter(|value| !value.is_null()) {
            text.push_str(&format!("\n{} = {}", entry.name, toml(value)));
        }
    }
    (text, rule.clone())
}

/// A value on one line of TOML.
fn toml(value: &Json) -> String {
    match value {
        Json::String(text) if text.contains(['"', '\\']) && !text.contains(['\'', '\n', '\r']) => {
            format!("'{text}'")
        }
        Json::String(text) => Json::from(text.replace('\u{7f}', "")).to_string(),
        Json::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Json::Object(table) => {
            let is_bare = |key: &str| {
                !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
            };
            let mut entries: Vec<_> = table.iter().filter(|(_, value)| !value.is_null()).collect();
            entries.sort_by_key(|(key, _)| *key != "status");
            let entries = entries.into_iter().map(|(key, value)| {
                let key = if is_bare(key) { key.clone() } else { toml(&Json::from(key.as_str())) };
                format!("{key} = {}", toml(value))
            });
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
