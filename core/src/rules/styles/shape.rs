//! The response of a style: status, headers and body, as templates.

use http::StatusCode;

use super::rows::BulkWrite;
use crate::model::Facts;

/// One response of an API.
pub struct ResponseShape {
    /// Which requests it is for; `None`: all.
    pub when: Option<fn(&Facts<'_>) -> bool>,
    /// In place of the reply's own; for bulk responses with the conflict in their rows.
    pub status: Option<StatusCode>,
    pub content_type: &'static str,
    /// A header with an empty value is left out.
    pub headers: &'static [(&'static str, &'static str)],
    pub body: ShapeBody,
    /// Texts for the words of the body that depend on the kind.
    pub fills: &'static [(&'static str, &'static str)],
}

/// The kind of a shape's body.
#[derive(Clone, Copy)]
pub enum ShapeBody {
    Text(&'static str),
    /// A text before the rows, one for each row with commas between, and one after.
    Rows {
        before: &'static str,
        row: &'static str,
        after: &'static str,
        rows: fn(&Facts<'_>) -> Vec<BulkWrite>,
    },
}

impl ResponseShape {
    /// A response for every request, without headers of its own.
    pub fn new(content_type: &'static str, body: &'static str) -> ResponseShape {
        ResponseShape {
            when: None,
            status: None,
            content_type,
            headers: &[],
            body: ShapeBody::Text(body),
            fills: &[],
        }
    }

    pub fn headers(self, headers: &'static [(&'static str, &'static str)]) -> ResponseShape {
        ResponseShape { headers, ..self }
    }

    pub fn fills(self, fills: &'static [(&'static str, &'static str)]) -> ResponseShape {
        ResponseShape { fills, ..self }
    }

    pub fn when(self, when: fn(&Facts<'_>) -> bool) -> ResponseShape {
        ResponseShape { when: Some(when), ..self }
    }
}
