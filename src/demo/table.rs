//! A bounded table of JSON objects with versions: items and orders are kept in one each.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};

use super::request::{JSON_LIMIT, too_large};
use super::response::Problem;

/// Maximum number of rows of a table, and of every other collection of the service.
pub(super) const MAX_ROWS: usize = 100_000;

/// The most bytes that the bodies of a table's rows have together.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// The greatest id that a client may choose: far enough below 2⁵³, up to which every JSON reader is
/// exact (RFC 8259 §6), that the ids that follow it never run out.
const MAX_CHOSEN_ID: u64 = 1 << 40;

/// Rows by id.
pub(super) struct SampleTable {
    /// Noun for the rows, for people.
    plural: &'static str,
    rows: BTreeMap<u64, SampleRow>,
    /// No row was ever given this id or one above it.
    next: u64,
    /// The greatest version of any row that was removed: a new row with an id that may have been
    /// in use starts above it, so that no entity tag ever means two things.
    retired: u64,
    bytes: usize,
}

/// One row, ready to be sent. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SampleRow {
    pub id: u64,
    version: u64,
    /// The version in quotes.
    pub etag: HeaderValue,
    /// The JSON object, with `id` and `rev`, the version.
    pub body: Bytes,
}

impl SampleTable {
    /// An empty table of rows that are called `plural`.
    pub fn new(plural: &'static str) -> SampleTable {
        SampleTable { plural, rows: BTreeMap::new(), next: 1, retired: 0, bytes: 0 }
    }

    /// The row of an id.
    pub fn get(&self, id: u64) -> Option<&SampleRow> {
        self.rows.get(&id)
    }

    /// Adds a row under an id that was never used.
    ///
    /// # Errors
    /// 413 when the row is too long, 507 when the table is full.
    pub fn add(&mut self, members: Map<String, Value>) -> Result<SampleRow, Problem> {
        self.store(self.next, 1, members)
    }

    /// Replaces the row of an id, or makes it.
    ///
    /// # Errors
    /// 404 when there can be no such id, otherwise as for [`SampleTable::add`].
    pub fn put(&mut self, id: u64, members: Map<String, Value>) -> Result<SampleRow, Problem> {
        let version = match self.rows.get(&id) {
            Some(row) => row.version + 1,
            None if id == 0 || id > MAX_CHOSEN_ID => {
                let detail = format!("Ids are numbers from 1 to {MAX_CHOSEN_ID}.");
                return Err(Problem::new(StatusCode::NOT_FOUND, detail));
            }
            None if id < self.next => self.retired + 1,
            None => 1,
        };
        self.store(id, version, members)
    }

    /// Removes the row of an id.
    pub fn remove(&mut self, id: u64) -> Option<SampleRow> {
        let row = self.rows.remove(&id)?;
        self.bytes -= row.body.len();
        self.retired = self.retired.max(row.version);
        Some(row)
    }

    /// All rows as the pieces of one JSON array.
    pub fn pieces(&self) -> Vec<Bytes> {
        let mut pieces = Vec::with_capacity(2 * self.rows.len() + 2);
        let mut before = "[";
        for row in self.rows.values() {
            pieces.push(Bytes::from_static(before.as_bytes()));
            pieces.push(row.body.clone());
            before = ",";
        }
        pieces.push(Bytes::from_static(if self.rows.is_empty() { b"[]" } else { b"]" }));
        pieces
    }

    fn store(
        &mut self,
        id: u64,
        version: u64,
        mut members: Map<String, Value>,
    ) -> Result<SampleRow, Problem> {
        members.insert("id".to_owned(), id.into());
        members.insert("rev".to_owned(), version.into());
        let body = Bytes::from(Value::Object(members).to_string());
        if body.len() > JSON_LIMIT {
            return Err(too_large());
        }
        let old = self.rows.get(&id);
        let bytes = self.bytes - old.map_or(0, |row| row.body.len()) + body.len();
        if (old.is_none() && self.rows.len() >= MAX_ROWS) || bytes > MAX_BYTES {
            return Err(Problem::full(self.plural));
        }
        let row = SampleRow { id, version, etag: etag(version)?, body };
        self.rows.insert(id, row.clone());
        self.bytes = bytes;
        self.next = self.next.max(id + 1);
        Ok(row)
    }
}

impl SampleRow {
    /// The members of the row, `id` and `rev` included.
    pub fn members(&self) -> Result<Value, Problem> {
        super::request::parse(&self.body)
    }
}

fn etag(version: u64) -> Result<HeaderValue, Problem> {
    super::response::value(format!("\"{version}\""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn members(value: Value) -> Map<String, Value> {
        super::super::request::object(value).unwrap()
    }

    #[test]
    fn versions_count_up_and_are_never_used_twice_for_an_id() {
        enum Step {
            Add,
            Put(u64),
            Remove(u64),
        }
        use Step::{Add, Put, Remove};
        let steps = [
            (Add, Some((1, 1))),
            (Put(1), Some((1, 2))),
            (Put(1), Some((1, 3))),
            (Add, Some((2, 1))),
            (Remove(1), Some((1, 3))),
            (Remove(1), None),
            (Put(1), Some((1, 4))),
            (Put(7), Some((7, 1))),
            (Add, Some((8, 1))),
            (Put(5), Some((5, 4))),
            (Put(0), None),
            (Put(MAX_CHOSEN_ID), Some((MAX_CHOSEN_ID, 1))),
            (Put(MAX_CHOSEN_ID + 1), None),
            (Add, Some((MAX_CHOSEN_ID + 1, 1))),
            (Put(MAX_CHOSEN_ID + 1), Some((MAX_CHOSEN_ID + 1, 2))),
        ];
        let mut table = SampleTable::new("rows");
        for (at, (step, expected)) in steps.into_iter().enumerate() {
            let row = match step {
                Add => table.add(Map::new()).ok(),
                Put(id) => table.put(id, Map::new()).ok(),
                Remove(id) => table.remove(id),
            };
            assert_eq!(row.map(|row| (row.id, row.version)), expected, "step {at}");
        }
    }

    #[test]
    fn a_row_shows_its_id_and_version_whatever_the_client_wrote() {
        let mut table = SampleTable::new("rows");
        let row = table.add(members(json!({"name": "lamp", "id": 9, "rev": "x"}))).unwrap();
        assert_eq!(row.body, r#"{"id":1,"name":"lamp","rev":1}"#);
        assert_eq!(row.etag, "\"1\"");
        assert_eq!(table.pieces().concat(), br#"[{"id":1,"name":"lamp","rev":1}]"#);
        table.remove(1);
        assert_eq!(table.pieces().concat(), b"[]");
        assert_eq!(table.bytes, 0);
    }

    #[test]
    fn a_table_is_bounded_in_rows_and_bytes() {
        let mut table = SampleTable::new("rows");
        let long = members(json!({"text": "x".repeat(JSON_LIMIT)}));
        assert_eq!(table.add(long).unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);

        for _ in 0..MAX_ROWS {
            table.add(Map::new()).unwrap();
        }
        assert_eq!(table.add(Map::new()).unwrap_err().status, StatusCode::INSUFFICIENT_STORAGE);
        assert!(table.put(1, Map::new()).is_ok());
        table.remove(2);
        assert!(table.add(Map::new()).is_ok());

        table.bytes = MAX_BYTES;
        let longer = members(json!({"text": "more than there was"}));
        assert_eq!(table.put(1, longer).unwrap_err().status, StatusCode::INSUFFICIENT_STORAGE);
        assert!(table.put(1, Map::new()).is_ok());
    }
}
