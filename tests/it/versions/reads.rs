//! Reads that are not GETs.

use super::play;

/// How one API reads and writes by POST.
struct Api {
    /// Which requests write, and which read, as the rule says.
    writes: &'static str,
    reads: &'static str,
    write: &'static str,
    read: &'static str,
    /// A read of something else, where the rule's `per` tells that apart.
    other: Option<&'static str>,
}

const APIS: [Api; 5] = [
    // JSON-RPC.
    Api {
        writes: r#"path = "/rpc"
body = { "/method" = "item.update" }
per = "body:/params/0""#,
        reads: r#"read = { method = "POST", body = { "/method" = "item.get" } }"#,
        write: r#"POST /rpc {"method":"item.update","params":[1,"x"]} -> 200 {}"#,
        read: r#"POST /rpc {"method":"item.get","params":[1]} -> 200 {"result":{}}"#,
        other: Some(r#"POST /rpc {"method":"item.get","params":[2]} -> 200 {"result":{}}"#),
    },
    // GraphQL.
    Api {
        writes: r#"path = "/graphql"
body = { "/operationName" = "Rename" }"#,
        reads: r#"read = { body = { "/operationName" = "Item" } }"#,
        write: r#"POST /graphql {"operationName":"Rename","variables":{"id":1}} -> 200 {}"#,
        read: r#"POST /graphql {"operationName":"Item","variables":{"id":1}} -> 200 {"data":{}}"#,
        other: None,
    },
    // SOAP.
    Api {
        writes: r#"path = "/soap"
header = { soapaction = "*Update*" }"#,
        reads: r#"read = { header = { soapaction = "*Get*" } }"#,
        write: "POST /soap soapaction:UpdateItem <update/> -> 200 {}",
        read: "POST /soap soapaction:GetItem <get/> -> 200 {}",
        other: None,
    },
    // OData, elsewhere.
    Api {
        writes: r#"path = "/items/{id}""#,
        reads: r#"read = { method = "POST", path = "/$batch" }"#,
        write: r#"PATCH /items/1 {"name":"x"} -> 200 {}"#,
        read: r#"POST /$batch {"requests":[{"method":"GET","url":"items/1"}]} -> 200 {}"#,
        other: None,
    },
    // Elasticsearch, elsewhere.
    Api {
        writes: r#"path = "/idx/_doc/{id}""#,
        reads: r#"read = { method = ["GET", "POST"], path = "/_mget" }"#,
        write: r#"PUT /idx/_doc/1 {"name":"x"} -> 200 {}"#,
        read: r#"POST /_mget {"docs":[{"_index":"idx","_id":"1"}]} -> 200 {"docs":[]}"#,
        other: None,
    },
];

fn rules(api: &Api, reads: &str, clear: &str) -> String {
    format!("[[rule]]\n{}\nfirst = 1\nkind = \"version\"\n{clear}\n{reads}\n", api.writes)
}

fn steps(api: &Api, steps: &str) -> Vec<String> {
    let step = |step| match step {
        "write" => api.write,
        "read" => api.read,
        _ => api.other.expect("a read of something else"),
    };
    steps.split(' ').map(|word| step(word).to_owned()).collect()
}

#[test]
fn a_request_that_a_rule_calls_a_read_is_one() {
    for api in &APIS {
        let read = play(&rules(api, api.reads, ""), &steps(api, "read write read write"));
        assert_eq!(read.verdicts(), "pass pass -", "{}", api.read);
        assert_eq!(read.statuses, [200, 409, 200, 200], "{}", api.read);
        let blind = play(&rules(api, api.reads, ""), &steps(api, "read write write"));
        assert_eq!(blind.verdicts(), "fail fail -", "{}", api.read);
    }
}

#[test]
fn without_the_key_another_request_to_the_same_path_may_have_read() {
    for api in &APIS[..3] {
        let read = play(&rules(api, "", ""), &steps(api, "read write read write"));
        assert_eq!(read.verdicts(), "undetermined undetermined -", "{}", api.read);
        for check in [1, 2] {
            assert!(read.advice(check).contains("`read = {"), "{}: {}", api.read, read.advice(check));
        }
        let blind = play(&rules(api, "", ""), &steps(api, "read write write"));
        assert_eq!(blind.verdicts(), "fail fail -", "{}", api.read);
    }
}

#[test]
fn it_ends_a_conflict_that_a_new_read_clears() {
    for api in &APIS {
        let clear = "clear = \"refetch\"";
        let played = play(&rules(api, api.reads, clear), &steps(api, "write write read write write"));
        assert_eq!(played.statuses, [409, 409, 200, 200, 200], "{}", api.read);
        // Without the key, only a GET of the path does.
        let played = play(&rules(api, "", clear), &steps(api, "write read write"));
        assert_eq!(played.statuses, [409, 200, 409], "{}", api.read);
    }
}

#[test]
fn a_read_of_another_key_is_none() {
    for api in APIS.iter().filter(|api| api.other.is_some()) {
        let trace = steps(api, "write other write");
        let played = play(&rules(api, api.reads, "clear = \"refetch\""), &trace);
        assert_eq!(played.statuses, [409, 200, 409], "{}", api.read);
        assert_eq!(play(&rules(api, api.reads, ""), &trace).verdicts(), "fail fail -", "{}", api.read);
    }
}

/// A POST that reads shows versions, too, in its response.
#[test]
fn its_answer_shows_versions() {
    let api = Api {
        writes: "path = \"/rpc\"\nbody = { \"/method\" = \"set\" }\nper = \"body:/id\"\n\
                 version = { request = \"body:/version\", response = \"body:/result/version\" }",
        reads: "read = { body = { \"/method\" = \"get\" } }",
        write: r#"POST /rpc {"method":"set","id":1,"version":1} -> 200 {}"#,
        read: r#"POST /rpc {"method":"get","id":1} -> 200 {"result":{"version":2}}"#,
        other: None,
    };
    let new = api.write.replace("\"version\":1", "\"version\":2");
    let mut trace = steps(&api, "write read write");
    assert_eq!(play(&rules(&api, api.reads, ""), &trace).verdicts(), "pass pass fail", "the version it had");
    trace[2] = new;
    assert_eq!(play(&rules(&api, api.reads, ""), &trace).verdicts(), "pass pass pass", "the version it read");
}
