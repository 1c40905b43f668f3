//! Codes that commands exit with, beside 0.

/// Found mistakes (`check`).
pub const MISTAKES: u8 = 1;
/// The client fell short of the expectations (`run`, `report`).
pub const SHORT: u8 = 1;
/// Usage, or rules that cannot be used.
pub const UNUSABLE: u8 = 2;
