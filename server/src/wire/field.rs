//! Which field was wrong? An id that is none, named by the field it came in.

use crate::problem::Problem;

/// For `map_err`: the field and what was wrong with the id in it.
pub(crate) fn at(field: &'static str) -> impl Fn(khop::IdError) -> Problem {
    move |error| Problem::field(field, error.to_string())
}
