//! What is to be done on the realm? A request that was read and found sound, ready to run on a thread that may wait.

use khop::{Effort, Realm};

use super::answer::Answer;
use crate::problem::Problem;

/// Work on one realm.
pub(crate) type Job = Box<dyn FnOnce(&Realm, Effort) -> Result<Answer, Problem> + Send>;

/// Makes a job of a closure.
pub(crate) fn job(
    run: impl FnOnce(&Realm, Effort) -> Result<Answer, Problem> + Send + 'static,
) -> Result<Job, Problem> {
    Ok(Box::new(run))
}
