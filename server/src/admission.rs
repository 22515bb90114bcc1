//! May this work start, and when? A bounded queue between the async side and the threads that compare.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use khop::ErrorKind;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::problem::{Fault, Problem};

/// What a running job should know of the one who waits for it.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    /// From this moment on nobody takes its answer.
    pub(crate) deadline: std::time::Instant,
    /// Set once nobody waits any more: the time was up, or the client has gone.
    pub(crate) abandoned: Arc<AtomicBool>,
}

/// Tells the job, when it is dropped, that nobody waits any more.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Admits blocking work: a bounded number of jobs waits or runs, fewer run at once, each has a deadline.
///
/// A job runs on a blocking thread of its own and leaves comparing to the engine's thread pool. It does not run
/// *on* that pool: a pool thread that waits for its share of a search takes up other jobs meanwhile, and two
/// jobs of which one holds a lock must never lie on top of each other on one stack.
pub(crate) struct Admission {
    /// Jobs admitted, waiting or running.
    places: Arc<Semaphore>,
    /// Jobs running.
    turns: Arc<Semaphore>,
    queue: usize,
    running: usize,
    within: Duration,
}

impl Admission {
    /// At most `queue` jobs in all, `running` of them at once, each to be done `within` this time.
    pub(crate) fn new(queue: usize, running: usize, within: Duration) -> Self {
        let places = Arc::new(Semaphore::new(queue));
        Self { places, turns: Arc::new(Semaphore::new(running)), queue, running, within }
    }

    /// Jobs that may run at once.
    pub(crate) fn running(&self) -> usize {
        self.running
    }

    /// Jobs waiting or running.
    pub(crate) fn depth(&self) -> usize {
        self.queue - self.places.available_permits()
    }

    /// Runs the job in its turn.
    ///
    /// A job whose client has gone, or whose time is up, before its turn comes never starts. One that has started
    /// keeps its place until it ends, so that what the process holds stays bounded; its patience tells it when it
    /// may end early.
    ///
    /// # Errors
    /// [`Fault::QueueFull`] at once when every place is taken, [`Fault::Deadline`] when it takes too long,
    /// [`Fault::Internal`] when the job panics, or the job's own error.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(Patience) -> Result<T, khop::Error> + Send + 'static,
    ) -> Result<T, Problem> {
        self.run_within(self.within, job).await
    }

    /// The same, with another time than usual.
    ///
    /// # Errors
    /// As [`Admission::run`].
    pub(crate) async fn run_within<T: Send + 'static>(
        &self,
        within: Duration,
        job: impl FnOnce(Patience) -> Result<T, khop::Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Problem::new(Fault::QueueFull, "every place is taken; try again"))?;
        let deadline = Instant::now() + within;
        let turn = tokio::time::timeout_at(deadline, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = match turn {
            // A turn that comes just as the time is up comes too late.
            Ok(turn) if Instant::now() < deadline => turn.expect("the semaphore is never closed"),
            _ => return Err(late(within, "it was never begun")),
        };
        let abandoned = Arc::new(AtomicBool::new(false));
        let patience = Patience { deadline: deadline.into_std(), abandoned: Arc::clone(&abandoned) };
        let _waiting = Waiting(abandoned);
        let work = move || {
            let _held_until_done = (place, turn);
            job(patience)
        };
        match tokio::time::timeout_at(deadline, tokio::task::spawn_blocking(work)).await {
            // A search that saw its time run out a moment before this task did.
            Ok(Ok(Err(error))) if error.kind() == ErrorKind::Incomplete && Instant::now() >= deadline => {
                Err(late(within, "the search was stopped"))
            }
            Ok(Ok(result)) => result.map_err(Problem::from),
            Ok(Err(panicked)) => {
                tracing::error!(%panicked, "a job failed");
                Err(Problem::new(Fault::Internal, "an unexpected failure; the service's log has the details"))
            }
            Err(_) => Err(late(within, "what was asked may still happen")),
        }
    }
}

fn late(within: Duration, then: &str) -> Problem {
    Problem::new(Fault::Deadline, format!("not done within {} s; {then}", within.as_secs_f32()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    fn status(problem: Problem) -> u64 {
        serde_json::to_value(problem).unwrap()["status"].as_u64().unwrap()
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_recovers() {
        let admission = Arc::new(Admission::new(2, 1, LONG));
        let (release, gate) = mpsc::channel::<u8>();
        let first = tokio::spawn({
            let admission = Arc::clone(&admission);
            async move { admission.run(move |_| Ok(gate.recv().unwrap())).await }
        });
        let second = tokio::spawn({
            let admission = Arc::clone(&admission);
            async move { admission.run(|_| Ok(2)).await }
        });
        while admission.depth() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(status(admission.run(|_| Ok(3)).await.unwrap_err()), 503);
        release.send(1).unwrap();
        first.await.unwrap().unwrap();
        assert_eq!(second.await.unwrap().unwrap(), 2);
        assert_eq!((admission.depth(), admission.run(|_| Ok(4)).await.unwrap()), (0, 4));
    }

    #[tokio::test]
    async fn work_whose_time_is_up_never_starts() {
        let admission = Admission::new(8, 1, Duration::from_millis(20));
        let (release, gate) = mpsc::channel::<u8>();
        let slow = admission.run(move |_| Ok(gate.recv().unwrap())).await;
        assert_eq!(status(slow.unwrap_err()), 504);
        let started = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&started);
        let late = admission.run(move |_| Ok(flag.swap(true, Ordering::SeqCst))).await;
        assert_eq!(status(late.unwrap_err()), 504);
        assert_eq!(admission.depth(), 1); // the slow one still holds its place, the late one gave it back
        release.send(1).unwrap();
        while admission.depth() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(!started.load(Ordering::SeqCst));
    }

    /// A job that goes on until nobody waits for it, and says on which of the two signs it ended.
    fn until_abandoned(patience: &Patience) -> &'static str {
        loop {
            std::thread::yield_now();
            if patience.abandoned.load(Ordering::Relaxed) {
                return "abandoned";
            }
            assert!(std::time::Instant::now() < patience.deadline, "it was not told");
        }
    }

    #[tokio::test]
    async fn a_job_learns_that_its_client_has_gone() {
        let admission = Arc::new(Admission::new(1, 1, LONG));
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (tell, told) = tokio::sync::oneshot::channel();
        let client = tokio::spawn({
            let admission = Arc::clone(&admission);
            let job = move |patience: Patience| {
                begun.send(()).unwrap();
                tell.send(until_abandoned(&patience)).unwrap();
                Ok(())
            };
            async move { admission.run(job).await }
        });
        has_begun.await.unwrap();
        client.abort();
        assert_eq!(told.await.unwrap(), "abandoned");
    }

    #[tokio::test]
    async fn a_job_knows_its_deadline() {
        let within = Duration::from_millis(20);
        let admission = Admission::new(1, 1, within);
        let before = std::time::Instant::now();
        let left = admission.run(move |patience| Ok(patience.deadline.duration_since(before))).await;
        assert!(left.unwrap() >= within);
    }

    #[tokio::test]
    async fn without_any_time_nothing_is_begun() {
        let admission = Admission::new(1, 1, Duration::ZERO);
        for _ in 0..100 {
            let begun = admission.run(|_| -> Result<(), khop::Error> { panic!("never begun") }).await;
            assert_eq!(status(begun.unwrap_err()), 504);
        }
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_gives_the_place_back() {
        let admission = Admission::new(1, 1, LONG);
        let failed = admission.run(|_| -> Result<(), khop::Error> { panic!("on purpose") }).await;
        assert_eq!(status(failed.unwrap_err()), 500);
        assert_eq!(admission.run(|_| Ok(1)).await.unwrap(), 1);
    }
}
