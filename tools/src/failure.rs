//! Why did a command stop? One clear line: what was being done, and what was wrong with it.

use std::fmt;
use std::path::Path;

/// What a failed command prints behind `khop: `.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// A plain message.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// `path: cause`, for `map_err` on file operations.
    pub fn at<E: fmt::Display>(path: &Path) -> impl FnOnce(E) -> Self + '_ {
        move |cause| Self(format!("{}: {cause}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}
