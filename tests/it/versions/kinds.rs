//! Every place of a version, and clients that read it there or do not.

use super::play;

/// How one API has its versions.
struct Api {
    /// The rule's `version`, with its key; empty for a place that needs no rule.
    rule: &'static str,
    /// A write with version `@`, and the response to a read that shows `@`.
    write: &'static str,
    shows: &'static str,
}

const APIS: [Api; 14] = [
    // GitHub's contents, and the response to a write.
    Api { rule: "version = 'body:/sha'", write: r#"PUT /it {"sha":"@"}"#, shows: r#"{"sha":"@"}"# },
    Api {
        rule: "version = 'body:/sha'",
        write: r#"PUT /it {"sha":"@"}"#,
        shows: r#"{"content":{"sha":"@"}}"#,
    },
    // Kubernetes: a text here, a number there.
    Api {
        rule: "version = 'body:/metadata/resourceVersion'",
        write: r#"PUT /it {"metadata":{"resourceVersion":@}}"#,
        shows: r#"{"metadata":{"resourceVersion":"@"}}"#,
    },
    // Rails.
    Api {
        rule: "version = 'body:/item/lock_version'",
        write: r#"PATCH /it {"item":{"lock_version":@}}"#,
        shows: r#"{"item":{"lock_version":@}}"#,
    },
    Api { rule: "version = 'body:/version'", write: r#"POST /it {"version":@}"#, shows: r#"{"version":@}"# },
    // Elasticsearch.
    Api { rule: "version = 'query:if_seq_no'", write: "PUT /it?if_seq_no=@ {}", shows: r#"{"_seq_no":@}"# },
    Api {
        rule: "version = { request = 'query:if_seq_no', response = 'body:/hit/seq' }",
        write: "PUT /it?if_seq_no=@ {}",
        shows: r#"{"_seq_no":1,"hit":{"seq":@}}"#,
    },
    // CouchDB.
    Api { rule: "version = 'body:/_rev'", write: r#"PUT /it {"_rev":"@"}"#, shows: r#"{"_rev":"@"}"# },
    Api { rule: "version = 'query:rev'", write: "DELETE /it?rev=@", shows: r#"{"_rev":"@"}"# },
    // Google Cloud Storage, by JSON and by a header.
    Api { rule: GCS, write: "PUT /it?ifGenerationMatch=@ {}", shows: r#"{"generation":"@"}"# },
    Api { rule: GCS, write: "PUT /it?ifGenerationMatch=@ {}", shows: "x-goog-generation:@" },
    Api { rule: "version = 'header:x-rev'", write: "PUT /it x-rev:@ {}", shows: "x-rev:@" },
    Api {
        rule: "version = { request = 'header:if-match', response = 'body:/etag' }",
        write: "PUT /it if-match:@ {}",
        shows: r#"{"etag":"@"}"#,
    },
    Api {
        rule: "",
        write: "PUT /it if-unmodified-since:Sun,_06_Nov_1994_08:49:0@_GMT {}",
        shows: "last-modified:Sun,_06_Nov_1994_08:49:0@_GMT",
    },
];

const GCS: &str = "version = { request = 'query:ifGenerationMatch', response = ['body:/generation', 'header:x-goog-generation'] }";

/// Tags that have nothing to do with the versions, as content hashes have not.
const TAGS: [&str; 3] = ["", "etag:\"hash-@\"", "etag:W/\"hash-@\""];

/// A client's actions after its write with version 1 was refused, as versions that it reads (`r`) and writes
/// (`w`), and the verdicts of R1 to R3.
const CLIENTS: [(&str, &str); 6] = [
    // It reads again, and writes with the version that it read: another one, or the same once more.
    ("r2 w2", "pass pass pass"),
    ("r1 w1", "pass pass pass"),
    // It reads again, and writes with its earlier version.
    ("r2 w1", "pass pass fail"),
    ("r2 r3 w2", "pass pass warn"),
    // It does not read.
    ("w1", "fail fail fail"),
    ("w1 r2 w2", "fail fail fail"),
];

fn trace(api: &Api, tag: &str, steps: &str) -> Vec<String> {
    let step = |step: &str| {
        let (what, version) = step.split_at(1);
        // Headers go before a body.
        let shows = format!("{tag} {}", api.shows).replace('@', version);
        match what {
            "r" => format!("GET /it -> 200 {shows}"),
            _ => format!("{} -> 200 {shows}", api.write.replace('@', version)),
        }
    };
    ["r1", "w1"].into_iter().chain(steps.split(' ')).map(step).collect()
}

fn rules(api: &Api) -> String {
    let version = api.rule;
    format!(
        "[[rule]]\npath = '/it'\nmethod = ['PUT', 'POST', 'PATCH', 'DELETE']\nfirst = 1\nkind = 'version'\n{version}"
    )
}

#[test]
fn sent_versions_are_compared_with_shown_ones_at_every_place() {
    let mut complaints = Vec::new();
    for api in &APIS {
        for tag in TAGS {
            for (steps, verdicts) in CLIENTS {
                let played = play(&rules(api), &trace(api, tag, steps));
                // Only the first write is refused: where a second one fails, that is the trace's doing.
                let said = played.verdicts();
                if said != verdicts && !(steps.starts_with("w1 r2") && said.ends_with("fail")) {
                    complaints.push(format!("{} {tag} {steps}: {said}, not {verdicts}", api.write));
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_tag_is_its_own_place_strong_or_weak() {
    let api = |write, shows| Api { rule: "", write, shows };
    for (write, shows) in [
        ("PUT /it if-match:\"@\" {}", "etag:\"@\""),
        ("PUT /it if-match:\"@\" {}", "etag:W/\"@\""),
        ("PUT /it if-match:W/\"@\" {}", "etag:W/\"@\""),
    ] {
        let api = api(write, shows);
        for (steps, verdicts) in CLIENTS.into_iter().take(5) {
            assert_eq!(
                play(&rules(&api), &trace(&api, "", steps)).verdicts(),
                verdicts,
                "{write} {shows} {steps}"
            );
        }
    }
}

/// A version at a place that no rule names is compared with nothing, and the report names the setting that
/// would settle it, unless the rules have it already.
#[test]
fn a_version_at_another_place_accuses_no_client() {
    for (rule, write, shows, advice) in [
        ("", r#"PUT /it {"sha":"@"}"#, r#"etag:"x-@" {"sha":"@"}"#, "`version = \"body:/sha\"` in the rule"),
        ("", "PUT /it?rev=@ {}", r#"etag:"x-@" {"_rev":"@"}"#, "`version = \"query:rev\"` in the rule"),
        ("", r#"PUT /it if-match:"@" {}"#, r#"{"etag":"@"}"#, "answered with an `ETag`"),
        (
            "version = 'body:/sha'",
            r#"PUT /it {"sha":"@"}"#,
            r#"etag:"x-@" {"id":"@"}"#,
            "no answer showed a version at `body:/sha`",
        ),
        (
            "version = 'body:/sha'",
            r#"PUT /it {"sha":"@"}"#,
            r#"content-encoding:gzip {"sha":"@"}"#,
            "answered with JSON",
        ),
    ] {
        let api = Api { rule, write, shows };
        let played = play(&rules(&api), &trace(&api, "", "r2 w2"));
        assert_eq!(played.verdicts(), "pass pass undetermined", "{rule} {write} {shows}");
        assert!(played.advice(3).contains(advice), "{rule} {write}: {}", played.advice(3));
        assert!(rule.is_empty() || !played.advice(3).contains("in the rule would"), "{}", played.advice(3));
    }
}

/// The refusal's own body may show the newest version: no other read is needed.
#[test]
fn a_refusal_may_show_the_newest_version() {
    for (body, verdicts) in [
        (r#"{"current":"{version.current}"}"#, "pass pass pass"),
        // Where it came from is not known.
        (r#"{"error":"conflict"}"#, "pass undetermined undetermined"),
    ] {
        let rules = format!(
            "[[rule]]\nmethod = 'PUT'\npath = '/it'\non = 'stale'\nreply = {{ status = 412, style = 'json', body = '{body}' }}"
        );
        let trace = [
            r#"GET /it -> 200 etag:"7""#,
            r#"PUT /it if-match:"6" {"a":1} -> 200 etag:"8""#,
            r#"PUT /it if-match:"7" {"a":1} -> 200 etag:"8""#,
        ];
        let played = play(&rules, &trace.map(str::to_owned));
        assert_eq!((&played.statuses[..], &*played.verdicts()), (&[200, 412, 200][..], verdicts), "{body}");
    }
}
