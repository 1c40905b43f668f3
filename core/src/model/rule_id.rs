//! Which rule it is.

use std::fmt;
use std::sync::Arc;

/// A rule's name, which tells it apart from all others of its file, and from one version of the file to the next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RuleId(pub Arc<str>);

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
