//! Bulk requests: many writes in one, each with its own response inside a 200 or 201.
//!
//! Every row conflicts. A body that could not be read is refused as a whole: its client would take
//! rows that go unmentioned for written.

use serde_json::Value as Json;

use crate::model::{BodyFacts, Facts};

/// Maximum number of rows, so that a body of tiny rows cannot ask for a huge response.
const MOST_ROWS: usize = 10_000;
/// Bytes of a line that names the action: it holds an index and an id.
const LONGEST_LINE: usize = 16 * 1024;

/// One write of a bulk request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkWrite {
    /// `index`, `create`, `update` or `delete`.
    pub action: String,
    pub index: Option<String>,
    pub id: Option<String>,
    /// `if_seq_no`.
    pub version: Option<u64>,
}

/// Whether the rows can be told.
pub fn are_known(facts: &Facts<'_>) -> bool {
    matches!(facts.body, BodyFacts::Read { .. })
}

/// The rows of Elasticsearch's `_bulk`: an action a line, all but deletes followed by a document.
pub fn elasticsearch(facts: &Facts<'_>) -> Vec<BulkWrite> {
    let mut rows = Vec::new();
    if let BodyFacts::Read { bytes, .. } = &facts.body {
        let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        while let Some(line) = lines.next()
            && rows.len() < MOST_ROWS
        {
            if line.len() > LONGEST_LINE {
                break;
            }
            let Ok(Json::Object(action)) = serde_json::from_slice(line) else { break };
            let Some((name, about)) = action.iter().next() else { break };
            let text = |key: &str| about.get(key).and_then(Json::as_str).map(str::to_owned);
            rows.push(BulkWrite {
                action: name.clone(),
                index: text("_index"),
                id: text("_id"),
                version: about.get("if_seq_no").and_then(Json::as_u64),
            });
            if name != "delete" {
                lines.next();
            }
        }
    }
    or_one(rows, "update")
}

/// The rows of CouchDB's `_bulk_docs`: `{"docs": [{"_id": …}, …]}`.
pub fn couchdb(facts: &Facts<'_>) -> Vec<BulkWrite> {
    let docs = facts.body.json().map(|body| body.items("/docs", MOST_ROWS)).unwrap_or_default();
    let id = |doc: &Json| doc.get("_id").and_then(Json::as_str).map(str::to_owned);
    let row = |doc: &Json| BulkWrite { action: "update".to_owned(), index: None, id: id(doc), version: None };
    or_one(docs.iter().map(|doc| row(doc)).collect(), "update")
}

fn or_one(mut rows: Vec<BulkWrite>, action: &str) -> Vec<BulkWrite> {
    if rows.is_empty() {
        rows.push(BulkWrite { action: action.to_owned(), index: None, id: None, version: None });
    }
    rows
}
