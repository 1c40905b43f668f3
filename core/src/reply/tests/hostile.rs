//! Requests that try to break out of the place where they are quoted.

use std::borrow::Cow;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// Every style under every kind, and a text of a rule's own.
static REPLIES: LazyLock<Vec<(&str, CompiledReply)>> = LazyLock::new(|| {
    let mut replies = Vec::new();
    let mut add = |name, kind, body| {
        let mut rule = rule(kind, body);
        rule.per = Key(vec![KeyPart::Param("id".into())]);
        replies.push((name, compiled(&rule)));
    };
    for style in ReplyStyle::ALL {
        for kind in Kind::ALL {
            add(style.as_str(), kind, ReplyBody::Style(*style));
        }
    }
    let own = r#"{"a":"{path}","b":{param.id},"c":"{header.if-match}","d":"{key}"}"#;
    add("own", Kind::Version, super::text(own, ReplyStyle::Json));
    replies
});

/// Every reply to requests with `text` as path, parameter and headers.
fn each(text: &str, check: impl Fn(&str, &Response<Bytes>)) {
    let value = HeaderValue::from_bytes(&text.bytes().filter(|b| !b.is_ascii_control()).collect::<Vec<_>>())
        .expect("no control bytes");
    let mut head = head("PUT", "/", &[]);
    for name in ["if-match", "idempotency-key", "x-ms-version", "x-ms-client-request-id"] {
        head.headers.insert(HeaderName::from_static(name), value.clone());
    }
    let query: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let uri = format!("/?name={query}&id={query}");
    head.uri = uri.parse().expect("a URI");
    for path in [
        format!("/items/{text}"),
        format!("/apis/{text}/v1/{text}/{text}"),
        format!("/{text}/_doc/{text}"),
        format!("/{text}/_bulk"),
    ] {
        let mut facts = Facts::new(&head, IpAddr::from([127, 0, 0, 1]));
        facts.path = Cow::Borrowed(&path);
        let row = serde_json::json!({ "update": { "_id": text, "_index": text } }).to_string();
        facts.body = BodyFacts::read(Bytes::from(row));
        let asked = Asked { captures: Captures(vec![("id", text)]), ..Asked::new(&head) };
        for (name, reply) in REPLIES.iter() {
            check(name, &asked.with(&facts, reply));
        }
    }
}

fn stays_well_formed(name: &str, response: &Response<Bytes>) {
    let content_type = response.headers()["content-type"].to_str().expect("ASCII");
    let body = body(response);
    if content_type.contains("json") || body.starts_with('{') {
        let parsed = serde_json::from_str::<serde_json::Value>(body);
        assert!(parsed.is_ok(), "{name}: {parsed:?}: {body}");
        assert!(parsed.is_ok_and(|json| json.get("evil").is_none()));
    } else if content_type.contains("xml") || content_type.contains("html") {
        tags_balance(name, body);
    }
    for (_, value) in response.headers() {
        assert!(!value.as_bytes().iter().any(u8::is_ascii_control), "{name}: {value:?}");
    }
    assert_eq!(response.headers()["content-length"], body.len().to_string());
}

/// Every tag is one of the style's own and is closed; nothing is quoted raw.
fn tags_balance(name: &str, body: &str) {
    let mut open = Vec::new();
    for part in body.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or_else(|| panic!("{name}: an open tag in {body}"));
        assert!(!text.contains(['"', '>', '\'']), "{name}: raw text in {body}");
        let word: &str = tag.split(' ').next().unwrap_or_default();
        if let Some(word) = word.strip_prefix('/') {
            assert_eq!(open.pop(), Some(word), "{name}: {body}");
        } else if !matches!(word, "?xml" | "!doctype" | "meta") {
            assert!(
                !word.eq_ignore_ascii_case("script") && !word.eq_ignore_ascii_case("evil"),
                "{name}: {body}"
            );
            open.push(word);
        }
    }
    assert!(open.is_empty(), "{name}: {open:?} in {body}");
}

#[test]
fn nothing_breaks_out_of_any_style() {
    for text in [
        "\"><script>alert(1)</script>",
        "\"},\"evil\":{\"",
        "'&lt;]]></Message><Evil>",
        "\\",
        "\\\"",
        "{path}{{n}}",
        "a\r\nset-cookie: evil=1",
        "\u{0}\u{b}\u{1f}\u{7f}\u{2028}\u{ffff}é",
        "%22%7D%2C%22evil%22%3A1",
        "",
        "..",
    ] {
        each(text, stays_well_formed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_answer_is_well_formed_whatever_is_asked(text in any::<String>()) {
        each(&text, stays_well_formed);
    }
}
