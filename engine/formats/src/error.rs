//! Why are these bytes not what they claim to be? The field, the byte, what was expected and what was found.

/// Why bytes cannot be read, or samples not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// More bytes than any honest record has; nothing was read.
    #[error("{what}: expected at most {limit} bytes, found {found}")]
    TooLarge {
        /// What was to be read.
        what: &'static str,
        /// The most that is accepted.
        limit: usize,
        /// How many bytes were given.
        found: usize,
    },
    /// The bytes end inside a field.
    #[error("{field} at byte {offset}: expected {}, found {found} before the end", bytes(*.expected))]
    Truncated {
        /// The field that is cut off.
        field: &'static str,
        /// Where it starts, counted from 0.
        offset: usize,
        /// How long it is.
        expected: usize,
        /// How many bytes are left.
        found: usize,
    },
    /// A field holds what it must not.
    #[error("{field} at byte {offset}: expected {expected}, found {found}")]
    Unexpected {
        /// The field.
        field: &'static str,
        /// Where it starts, counted from 0.
        offset: usize,
        /// What may stand there.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A sample that the record to be written has no room for.
    #[error("view {view}, {field}: expected {expected}, found {found}")]
    Unwritable {
        /// Index of the view, from 0.
        view: usize,
        /// The field.
        field: &'static str,
        /// What the record can carry.
        expected: String,
        /// What was to be written.
        found: String,
    },
}

fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".into() } else { format!("{count} bytes") }
}

impl FormatError {
    pub(crate) fn unexpected(
        field: &'static str,
        offset: usize,
        expected: impl Into<String>,
        found: impl std::fmt::Display,
    ) -> Self {
        Self::Unexpected { field, offset, expected: expected.into(), found: found.to_string() }
    }

    pub(crate) fn unwritable(
        view: usize,
        field: &'static str,
        expected: impl Into<String>,
        found: impl std::fmt::Display,
    ) -> Self {
        Self::Unwritable { view, field, expected: expected.into(), found: found.to_string() }
    }
}
