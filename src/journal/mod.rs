//! Floor 3: the journal, the bounded record of attempts.
//!
//! Workers hand attempts over in batches, through an [`JournalSender`] that never makes them wait, to one
//! thread, which keeps the latest, appends them to a file, grades them, and counts those it could not keep.
//! `line.rs` is the file's format, `read.rs` its reader, `sink.rs` its destination.

mod batch;
mod collector;
mod file;
mod line;
mod place;
mod read;
mod room;
mod sender;
mod sink;

pub use self::batch::Batch;
pub use self::collector::{AtEnd, Clients, Journal, JournalResult, Progress, Tallying};
pub use self::file::JournalFile;
pub use self::line::{Ending, Header, HeaderRule, JournalLine, RuleCounts, RunOrigin};
pub use self::read::read;
pub use self::sender::JournalSender;
