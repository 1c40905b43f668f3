//! Several replies of one rule, in turn or by weight.

use super::Task;

pub const TASKS: &[Task] = &[];
