//! Other programs' words for our keys and values: Toxiproxy's `toxicity`, WireMock's `request`, Envoy's
//! `percentage`, and the like.

mod table;

use toml::de::DeValue;

use crate::rules::keys::{EXPECT, NOT, PASS, REPLY, RULE, SELECTOR, Section, TLS, TOP, UPSTREAM_TLS};
use crate::rules::units;

use self::table::{
    EXPECT_WORDS, MATCH_WORDS, PASS_WORDS, REPLY_WORDS, RULE_WORDS, TLS_WORDS, TOP_WORDS, WordTable,
};
use super::paths;

/// The advice for an unknown key `name` of `section`: its name here.
pub fn advice(section: &Section, name: &str, value: &DeValue) -> Option<String> {
    // No known word is longer.
    if name.len() > 40 {
        return None;
    }
    let squashed: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let tables: &[WordTable] = match section.name {
        name if name == RULE.name => &[RULE_WORDS, MATCH_WORDS],
        name if name == NOT.name || name == SELECTOR.name => &[MATCH_WORDS],
        name if name == REPLY.name => &[REPLY_WORDS],
        name if name == PASS.name => &[PASS_WORDS],
        name if name == EXPECT.name => &[EXPECT_WORDS],
        name if name == TLS.name || name == UPSTREAM_TLS.name => &[TLS_WORDS],
        name if name == TOP.name => &[TOP_WORDS],
        _ => &[],
    };
    let of =
        |table: &WordTable| table.iter().find(|(words, _)| words.contains(&&*squashed)).map(|(_, say)| *say);
    tables.iter().find_map(of).map(|say| say.with(value))
}

/// The advice, with the file's own value where there is a place for it.
#[derive(Clone, Copy)]
pub enum Say {
    Plain(&'static str),
    /// A share, from a number that may be in percent.
    Share,
    Percent,
    /// A whole number between these.
    Count(&'static str, &'static str),
    Status,
    /// Tries after the first.
    Retries,
    /// A duration.
    Delay(&'static str, &'static str),
    /// A rate of requests.
    Rate,
    /// A path that others begin with.
    Prefix,
    /// A path, in our words.
    Path,
    /// A text or a list between these.
    Text(&'static str, &'static str),
}

impl Say {
    fn with(self, value: &DeValue) -> String {
        let number = number(value);
        let whole =
            |least: f64| number.filter(|number| *number >= least && number.fract() == 0.0 && *number < 1e9);
        match self {
            Say::Plain(text) => text.to_owned(),
            Say::Share => {
                let share = number.map(|number| if number > 1.0 { number / 100.0 } else { number });
                format!("a share of the requests is `rate`: write `rate = {}`", share_of(share))
            }
            Say::Percent => {
                format!(
                    "a share, from 0 to 1, is `rate`: write `rate = {}`",
                    share_of(number.map(|n| n / 100.0))
                )
            }
            Say::Count(before, behind) => format!("{before}{}{behind}", whole(1.0).unwrap_or(2.0)),
            Say::Status => {
                let status = whole(400.0).filter(|status| *status < 600.0).unwrap_or(409.0);
                format!("belongs in `reply`: write `reply = {{ status = {status} }}`")
            }
            Say::Retries => {
                format!("the first try counts too: write `max_tries = {}`", whole(0.0).unwrap_or(4.0) + 1.0)
            }
            Say::Delay(before, behind) => {
                let text = value.as_str().filter(|text| units::duration(text).is_ok());
                let delay = match (text, whole(0.0)) {
                    (Some(text), _) => text.to_owned(),
                    (None, Some(milliseconds)) => format!("{milliseconds}ms"),
                    (None, None) => "300ms".to_owned(),
                };
                format!("{before}\"{delay}\"{behind}")
            }
            Say::Rate => {
                let text = value.as_str().filter(|text| units::rate(text).is_ok());
                let rate = text.map_or_else(|| format!("{}/s", whole(1.0).unwrap_or(20.0)), str::to_owned);
                format!("beyond a rate of requests is `above`: write `above = \"{rate}\"`")
            }
            Say::Prefix => {
                let prefix = value.as_str().map(|text| text.trim_end_matches('/'));
                let prefix =
                    prefix.filter(|text| text.starts_with('/') && text.len() <= 60 && !text.contains('"'));
                format!("everything below is `**`: write `path = \"{}/**\"`", prefix.unwrap_or("/items"))
            }
            Say::Path => {
                let path = value.as_str().filter(|text| text.len() <= 100).and_then(paths::ours);
                match path {
                    Some(paths::Ours::Regex(regex)) => format!("write `path_regex = '{regex}'`"),
                    Some(paths::Ours::Pattern(path)) => format!("write `path = \"{path}\"`"),
                    None => "write `path = \"/items/{id}\"`".to_owned(),
                }
            }
            Say::Text(before, behind) => {
                let text =
                    value.as_str().filter(|text| text.len() <= 60 && !text.contains(['"', '\\', '\n']));
                format!("{before}{}{behind}", text.map_or("…".to_owned(), |text| format!("\"{text}\"")))
            }
        }
    }
}

fn share_of(share: Option<f64>) -> f64 {
    share.filter(|share| (0.0..=1.0).contains(share)).map_or(0.25, |share| (share * 1e6).round() / 1e6)
}

fn number(value: &DeValue) -> Option<f64> {
    match value {
        DeValue::Integer(number) => number.as_str().parse().ok(),
        DeValue::Float(number) => number.as_str().parse().ok(),
        DeValue::Boolean(true) => Some(1.0),
        DeValue::String(text) => text.trim_end_matches(['%', ' ']).parse().ok(),
        _ => None,
    }
}

/// Other words for the values of `per`.
pub fn per(text: &str) -> Option<String> {
    if text.starts_with(['/', '$', '{', ':']) {
        return dotted(text);
    }
    let squashed: String =
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).take(40).collect();
    let plain = match &*squashed {
        "ip" | "address" | "ipaddress" | "remoteaddr" | "remoteip" | "clientip" | "sourceip" | "user"
        | "caller" | "consumer" | "useragent" | "addressuseragent" => "client",
        "url" | "uri" | "resource" | "endpoint" | "route" => "path",
        "global" | "all" | "none" | "total" | "server" => "rule",
        "session" | "sessionid" => "cookie:session",
        "token" | "auth" | "authorization" | "apikeyheader" => "header:authorization",
        "apikey" | "xapikey" => "header:x-api-key",
        "idempotencykey" => "header:idempotency-key",
        _ => return dotted(text),
    };
    Some(plain.to_owned())
}

/// `headers.x-user`, `request.header[x-user]`, `$.user.name`, `{id}`.
fn dotted(text: &str) -> Option<String> {
    let braced = text.trim_start_matches('$').strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    if let Some(name) = braced.or_else(|| text.strip_prefix(':')).filter(|name| is_name(name)) {
        return Some(format!("param:{name}"));
    }
    if text.starts_with("$.") || text.starts_with('/') {
        return Some(format!("body:{}", pointer(text).unwrap_or_else(|| text.to_owned())));
    }
    let text = text.strip_prefix("request.").or_else(|| text.strip_prefix("req.")).unwrap_or(text);
    let (source, name) = text.split_once(['.', '['])?;
    let name = name.trim_end_matches(']').trim_matches(['"', '\'']);
    let source = match source {
        "header" | "headers" => "header",
        "cookie" | "cookies" => "cookie",
        "query" | "queries" | "params" | "args" => "query",
        "param" | "path" | "pathParams" => "param",
        "body" | "json" => return Some(format!("body:/{}", name.replace('.', "/"))),
        _ => return None,
    };
    is_name(name).then(|| format!("{source}:{name}"))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The JSON pointer of a JSONPath such as `$.items[0].name`, or of jq's `.items[0].name`.
pub fn pointer(text: &str) -> Option<String> {
    let path = text.strip_prefix('$').unwrap_or(text);
    if !path.starts_with(['.', '[']) || path.len() > 200 {
        return None;
    }
    let mut pointer = String::new();
    for piece in path.split(['.', '[', ']']).map(|piece| piece.trim_matches(['\'', '"'])) {
        if piece.is_empty() {
            continue;
        }
        if matches!(piece, "*" | "@") || piece.starts_with('?') {
            return None;
        }
        pointer.push('/');
        pointer.push_str(&piece.replace('~', "~0").replace('/', "~1"));
    }
    (!pointer.is_empty()).then_some(pointer)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_word_is_there_twice_or_is_a_key_of_ours() {
        for (table, section) in [
            (RULE_WORDS, &RULE),
            (MATCH_WORDS, &RULE),
            (MATCH_WORDS, &SELECTOR),
            (REPLY_WORDS, &REPLY),
            (PASS_WORDS, &PASS),
            (EXPECT_WORDS, &EXPECT),
            (TOP_WORDS, &TOP),
            (TLS_WORDS, &TLS),
        ] {
            let mut seen = BTreeSet::new();
            for word in table.iter().flat_map(|(words, _)| words.iter()) {
                assert!(seen.insert(word), "{word} twice");
                assert!(word.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{word} is not squashed");
                assert!(section.entry(word).is_none(), "{word} is a key of {}", section.name);
            }
        }
    }

    #[test]
    fn keys_are_found_in_other_programs_words() {
        for (text, meant) in [
            ("ip", Some("client")),
            ("remote_addr", Some("client")),
            ("URL", Some("path")),
            ("global", Some("rule")),
            ("Idempotency-Key", Some("header:idempotency-key")),
            ("headers.x-user", Some("header:x-user")),
            ("request.header[\"x-user\"]", Some("header:x-user")),
            ("{id}", Some("param:id")),
            (":id", Some("param:id")),
            ("/user", Some("body:/user")),
            ("$.user.name", Some("body:/user/name")),
            ("body.user.name", Some("body:/user/name")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(per(text).as_deref(), meant, "{text}");
        }
        for (text, meant) in [
            ("$.a.b", Some("/a/b")),
            (".a[0].b", Some("/a/0/b")),
            ("$['a']['b/c']", Some("/a/b~1c")),
            ("$.a[*].b", None),
            ("$", None),
            ("a.b", None),
        ] {
            assert_eq!(pointer(text).as_deref(), meant, "{text}");
        }
    }
}
