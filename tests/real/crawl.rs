//! A crawler that has every page in the end, although a quarter of its requests conflict.

use std::collections::BTreeMap;

use serde_json::json;

use crate::binary::Fracas;
use crate::client::{Runs, run};

/// Pages of which a quarter conflict.
const FLAKY: &str = r#"
    [[rule]]
    name   = "flaky-pages"
    method = "GET"
    path   = "/pages/{n}"
    rate   = 0.25
    reply  = { style = "html" }
"#;

/// The sample API writes absolute links for the host that it is asked for: the client's, or its own, which are then
/// rewritten.
#[test]
fn scrapy_gets_every_page_and_stays_inside_the_proxy() {
    for inside in ["host = \"client\"", "rewrite_bodies = true"] {
        let fracas = Fracas::start(&format!("{inside}\n{FLAKY}"));
        let address = fracas.address().to_string();
        let crawl = run(Runs::Python, "crawl_scrapy.py", &[&format!("http://{address}")]);

        let every_page: BTreeMap<String, u32> = (1..=50).map(|n| (format!("/pages/{n}"), 1)).collect();
        assert_eq!(crawl["visited"], json!(every_page), "{inside}");
        assert_eq!(crawl["linked_hosts"], json!([address]), "{inside}");
        assert_eq!(crawl["gave_up"], json!(0), "{inside}");
        let conflicts = crawl["conflicts"].as_u64().expect("a count");
        assert!((5..=40).contains(&conflicts), "about a quarter of the tries, not {conflicts}");
        assert_eq!(crawl["answers"], json!(50 + conflicts), "{inside}");
        assert_eq!(fracas.upstream_saw("GET /pages/{n}").0, 50, "a conflict is not seen upstream");
    }
}
