//! The API that a client can read responses of, by its `User-Agent`.

use crate::rules::ReplyStyle;

/// The style of responses that a client of this product can read; `None` for a client of no API in
/// particular.
pub(super) fn of(agent: &str) -> Option<ReplyStyle> {
    let agent = agent.to_ascii_lowercase();
    let speaks = |style: &ReplyStyle| style.style().agents.iter().any(|product| agent.starts_with(product));
    ReplyStyle::ALL.iter().copied().find(speaks)
}
