//! Which array of a file is meant, or which column? The one that was named, or the only one there is.

use std::path::Path;

use crate::failure::Failure;

/// The one that is meant of these names, all of one kind of thing.
pub fn choose<'a>(what: &str, names: &[&'a str], asked: Option<&str>, path: &Path) -> Result<&'a str, Failure> {
    let wrong = |cause: String| Err(Failure::at(path)(cause));
    let mut listed = names.iter().take(8).copied().collect::<Vec<_>>().join(", ");
    if names.len() > 8 {
        listed += " and more";
    }
    match (asked, names) {
        (_, []) => wrong(format!("expected {what}, got none")),
        (None, [only]) => Ok(only),
        (None, [first, ..]) => wrong(format!("it has {listed}; name one: {}:{first}", path.display())),
        (Some(asked), _) => match names.iter().find(|name| **name == asked) {
            Some(name) => Ok(name),
            None => wrong(format!("expected {what} called {asked:?}; it has {listed}")),
        },
    }
}
