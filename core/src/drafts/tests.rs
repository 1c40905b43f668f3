//! Small descriptions and records of our own, and the files that they give.

use super::*;
use crate::rules::{BodyFileError, Config, read};

const OPENAPI: &str = "\
openapi: 3.1.0
info: { title: 'Shop, \"the\" API', version: '1' }
servers: [{ url: 'https://shop.example/v1' }]
paths:
  /items/{item-id}:
    parameters:
      - $ref: '#/components/parameters/IfMatch'
    get:
      operationId: getItem
      responses:
        '200': { description: the item, headers: { ETag: { schema: { type: string } } } }
        '429':
          description: too many requests
          headers: { retry-after: { schema: { type: integer } } }
    put:
      operationId: replaceItem
      responses:
        '409': { description: The item was changed meanwhile. }
        '412': { $ref: '#/components/responses/Precondition' }
        '423': { description: somebody holds a lock }
    delete:
      operationId: items/delete
      responses: { '409': { description: 'The item is referenced by orders, ${TENANT} {id}.' } }
  /orders:
    post:
      operationId: createOrder
      parameters:
        - { in: header, name: Idempotency-Key, required: true }
      responses:
        '409': { description: the same Idempotency-Key is still in use }
        429: { description: slow down }
  /users:
    post:
      responses: { '409': { description: a user of that name already exists } }
  /docs/{id}:
    patch:
      operationId: patchDoc
      requestBody:
        content:
          application/json:
            schema:
              allOf: [{ $ref: '#/components/schemas/Doc' }]
      responses: { '409': { description: no } }
  /nothing:
    get: { responses: { '200': { description: fine } } }
  /{a}{b}/odd path:
    put: { operationId: odd, responses: {} }
  /loop:
    $ref: '#/paths/~1loop'
components:
  parameters:
    IfMatch: { in: header, name: If-Match }
  responses:
    Precondition: { description: the version is old }
  schemas:
    Doc: { properties: { name: {}, rev: {} } }
";

const HAR: &str = r#"{"log":{"version":"1.2","entries":[
 {"request":{"method":"GET","url":"http://localhost:9000/items/7","headers":[]},"response":{"status":200,"headers":[]}},
 {"request":{"method":"PUT","url":"http://localhost:9000/items/7?x=1","headers":[{"name":"If-Match","value":"\"3\""}]},
  "response":{"status":412,"headers":[{"name":"Retry-After","value":"2"}],"content":{"text":"{\"error\":\"old\"}"}}},
 {"request":{"method":"PUT","url":"http://localhost:9000/items/8","headers":[]},"response":{"status":200,"headers":[]}},
 {"request":{"method":"POST","url":"http://localhost:9000/orders","headers":[{"name":"idempotency-key","value":"k"}]},
  "response":{"status":409,"headers":[],"content":{"text":"locked"}}},
 {"request":{"method":"POST","url":"data:x","headers":[]}},
 {"request":{}}
]}}"#;

const JOURNAL: &str = r#"{"fracas":"0.1.0","run":"x"}
{"id":1,"start":0,"end":1,"method":"GET","path":"/items/7","sent":{"bytes":0},"got":{"status":200,"upstream":200}}
{"id":2,"start":0,"end":1,"method":"PUT","path":"/items/7","sent":{"version":"\"3\"","bytes":0},"got":{"status":409,"upstream":409}}
{"id":3,"start":0,"end":1,"method":"POST","path":"/orders","sent":{"idempotency_key":"a","bytes":0},"got":{"status":409}}
{"id":4,"start":0,"#;

fn accepted(text: &str) -> Config {
    let accepted = read("rules.toml", text, &|_| Err(BodyFileError::Missing));
    let accepted = accepted.unwrap_or_else(|mistakes| panic!("{text}\n{mistakes}"));
    let warnings: Vec<String> = accepted.warnings.iter().map(ToString::to_string).collect();
    assert!(warnings.is_empty(), "{text}\n{}", warnings.join("\n"));
    accepted.config
}

fn written(name: &str, source: &str) -> String {
    let drafts = drafts(name, source).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(accepted(&drafts.text).rules.len(), drafts.rules, "{}", drafts.text);
    drafts.text
}

#[test]
fn openapi_in_yaml_and_json_give_the_same_rules() {
    let text = written("openapi.yaml", OPENAPI);
    insta::assert_snapshot!("openapi", text);
    let json = tree::read(OPENAPI).expect("YAML").to_string();
    // A JSON tree is in the order of its names, and so is one of YAML here.
    assert_eq!(written("openapi.yaml", &json), text);
    let older = OPENAPI.replace("3.1.0", "3.0.3");
    assert_eq!(written("openapi.yaml", &older), text);
}

#[test]
fn records_give_rules_for_what_was_seen() {
    insta::assert_snapshot!("har", written("run.har", HAR));
    insta::assert_snapshot!("journal", written("journal.jsonl", JOURNAL));
}

#[test]
fn other_texts_are_refused_with_a_next_step() {
    for (text, title) in [
        ("swagger: '2.0'\npaths: {}\n", "Swagger 2.0"),
        ("openapi: 4.0.0\npaths: {}\n", "OpenAPI 4.0.0 is not known"),
        ("openapi: 3.0.0\npaths: {}\n", "has no request that a rule could be about"),
        ("openapi: 3.0.0\n", "has no request"),
        ("openapi: 3.0.0\npaths: 5\n", "has no request"),
        (r#"{"log":{"entries":[]}}"#, "a HAR has no request"),
        ("{\"fracas\":\"0.1.0\"}\n", "a journal has no request"),
        ("[[rule]]\n", "not the JSON"),
        ("a: 1\n", "neither OpenAPI 3, nor HAR"),
        ("", "it is empty"),
    ] {
        let error = drafts("x", text).expect_err(title);
        assert!(error.title.contains(title), "{text}: {error}");
        assert!(!error.help.is_empty(), "{text}");
    }
}

#[test]
fn no_more_rules_are_written_than_a_file_may_have() {
    let paths: String =
        (0..=MOST_DRAFTS).map(|n| format!("  /a{n}:\n    put: {{ operationId: same }}\n")).collect();
    let drafts = drafts("x", &format!("openapi: 3.0.0\npaths:\n{paths}")).expect("rules");
    assert_eq!((drafts.rules, drafts.left_out), (MOST_DRAFTS, 1));
    assert_eq!(accepted(&drafts.text).rules.len(), MOST_DRAFTS);
    assert!(drafts.text.contains("# Left out: 1."));
}

/// Set `FRACAS_OPENAPI` to a folder with descriptions, such as those of Stripe and GitHub.
#[test]
fn public_descriptions_give_files_that_are_accepted() {
    let Some(folder) = std::env::var_os("FRACAS_OPENAPI") else { return };
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a description");
        let name = path.display().to_string();
        let drafts = drafts(&name, &text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(accepted(&drafts.text).rules.len(), drafts.rules, "{name}");
        assert!(drafts.rules > 0, "{name}");
    }
}

mod property {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of names and texts, right and odd.
    fn odd() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "/", "a", "{id}", "{", "}", "*", "**", "\"", "\\", "\n", "#", "?", "é", "${N}", "$${", ":", "..",
            " ", "7", "'", "{a-b}", "%41",
        ]);
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn whatever_a_description_says_its_rules_are_accepted(
            path in odd(), id in odd(), words in odd(), title in odd(), version in odd(), status in 400_u16..430,
        ) {
            let tree = serde_json::json!({
                "openapi": "3.1.0", "info": { "title": title },
                "servers": [{ "url": format!("http://{words}") }],
                "paths": { format!("/{path}"): {
                    "put": { "operationId": id, "parameters": [{ "in": "query", "name": version }],
                             "responses": { status.to_string(): { "description": words } } },
                    "get": { "responses": { "429": { "description": words } } },
                } },
            });
            if let Ok(drafts) = drafts(&title, &tree.to_string()) {
                prop_assert_eq!(accepted(&drafts.text).rules.len(), drafts.rules);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a-z:{}\\[\\]\n &*!|>'\"-]{0,60}") {
            let _ = drafts("x", &text);
        }
    }
}
