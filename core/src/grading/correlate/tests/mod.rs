//! Tests of grouping: traces as text, what came of them as text, and what must hold of any record.

mod any;
mod bounds;
mod certain;
mod likely;
mod readings;
mod side_by_side;
mod slowly;
mod trace;
mod windows;
