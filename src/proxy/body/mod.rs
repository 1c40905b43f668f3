//! Bodies on their way through: requests up, responses down.

mod faulty;
pub(super) mod looked;
pub(super) mod request;
pub(super) mod response;
mod rewritten;
