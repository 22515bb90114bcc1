//! How is a search to be done, and how long may it take? The mode, the loss accepted, the deadline, the way to stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use khop_index::{Demand, Mode, Stop};

use crate::Error;

/// What a caller asks of a search besides whom to look for. By default nothing may be lost and nothing stops it.
#[derive(Debug, Clone, Default)]
pub struct Effort {
    /// How faces are scanned, whatever that costs; by default the cheapest mode that loses no more than `loss`.
    pub mode: Option<Mode>,
    /// The probability, 0 to 0.5, with which the scan may miss a mate's face at its threshold; 0, the default, rules
    /// bounded searches out.
    pub loss: f64,
    /// The moment from which the search is an error instead of an answer.
    pub deadline: Option<Instant>,
    /// Once set, by whoever holds it too, the search is an error instead of an answer.
    pub cancelled: Option<Arc<AtomicBool>>,
}

impl Effort {
    /// Whether to stop now. Some tens of nanoseconds.
    pub(crate) fn stop(&self) -> Option<Stop> {
        if self.cancelled.as_ref().is_some_and(|cancelled| cancelled.load(Ordering::Relaxed)) {
            return Some(Stop::Cancelled);
        }
        self.deadline.filter(|&deadline| Instant::now() >= deadline).map(|_| Stop::Deadline)
    }

    /// # Errors
    /// [`Error::Incomplete`] when it is time to stop.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let error = |stop| Err(Error::incomplete(khop_index::SearchError::Stopped(stop)));
        self.stop().map_or(Ok(()), error)
    }

    pub(crate) fn demand(&self) -> Demand {
        Demand { mode: self.mode, loss: self.loss, ..Demand::default() }
    }

    /// # Errors
    /// [`Error::BadInput`] when the loss is no probability, or the mode is one that decides nothing.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        let loss = match self.mode {
            Some(Mode::Graph) => {
                let cause = "expected exact, bounded or certified: a graph misses people, so no decision rests on it";
                return Err(Error::BadInput { field: "mode", cause: cause.into() });
            }
            Some(Mode::Bounded { loss }) if loss > 0.0 => loss,
            Some(Mode::Bounded { .. }) => f64::NAN,
            _ => self.loss,
        };
        if (0.0..=0.5).contains(&loss) {
            return Ok(());
        }
        let cause = "expected a probability of at most 0.5, and for a bounded search above 0".into();
        Err(Error::BadInput { field: "loss", cause })
    }
}
