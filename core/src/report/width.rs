//! How wide the lines of a text are.

/// Columns of a text: those of the terminal, within readable bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Width(u16);

impl Width {
    /// The width of a terminal, or without one the default. A line beyond 120 is hard to follow, and a table below 80
    /// falls apart.
    pub fn of(terminal: Option<u16>) -> Width {
        Width(terminal.unwrap_or(80).clamp(80, 120))
    }

    /// In columns.
    pub fn columns(self) -> usize {
        usize::from(self.0)
    }
}
