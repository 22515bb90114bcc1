//! When is what was promised done, and when told? Tasks in order of their priority, tried again where that may help.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use khop::{DEFAULT_REALM, Effort, Realm, TaskId};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use super::answer::Answer;
use super::call::Call;
use super::fault;
use super::perform::{done_once, prepare};
use super::task::{Outcome, Task};
use super::words::TaskStatus;
use crate::once::{self, Once, now_unix_s};
use crate::problem::{Fault, Problem};
use crate::service::Service;

/// Tasks that may wait; one more is refused.
const MOST: usize = 100_000;
/// A task is given this long; nobody waits at the other end of a connection.
const WITHIN: Duration = Duration::from_secs(600);
/// The first pause before something is tried again; each is four times the one before, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// After so many failures a task is told as failed, or left to be redelivered.
const ATTEMPTS: u32 = 8;
/// What was told is kept this long for redelivery, and what could not be told this long.
const KEPT_TOLD_S: u64 = 24 * 60 * 60;
const KEPT_UNTOLD_S: u64 = 14 * 24 * 60 * 60;
/// How often is looked for what need not be kept any more.
const CLEAR_EVERY: Duration = Duration::from_secs(60 * 60);

/// Tasks that wait.
#[derive(Default)]
pub(crate) struct Tasks {
    waiting: Mutex<Waiting>,
    news: Notify,
}

/// Each task stands in one of these places, or in none.
#[derive(Default)]
struct Waiting {
    /// Highest priority first, then the oldest.
    ready: BTreeSet<(u8, TaskId)>,
    /// Ready at that moment.
    later: BTreeSet<(Instant, TaskId)>,
    /// When each of those is ready, and its priority.
    due: BTreeMap<TaskId, (Instant, u8)>,
    /// Being done or told: not given out a second time before that ends.
    in_hand: BTreeSet<TaskId>,
}

impl Waiting {
    fn take_from_later(&mut self, id: TaskId) -> Option<u8> {
        let (at, priority) = self.due.remove(&id)?;
        self.later.remove(&(at, id));
        Some(priority)
    }
}

impl Tasks {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one more may wait.
    pub(crate) fn has_room(&self) -> bool {
        let waiting = self.lock();
        waiting.ready.len() + waiting.later.len() < MOST
    }

    /// A task that may be taken in hand.
    pub(crate) fn add(&self, id: TaskId, priority: u8) {
        let mut waiting = self.lock();
        waiting.take_from_later(id);
        waiting.ready.insert((u8::MAX - priority, id));
        drop(waiting);
        self.news.notify_one();
    }

    fn add_later(&self, id: TaskId, priority: u8, pause: Duration) {
        let (mut waiting, at) = (self.lock(), Instant::now() + pause);
        waiting.take_from_later(id);
        waiting.later.insert((at, id));
        waiting.due.insert(id, (at, priority));
        drop(waiting);
        self.news.notify_one();
    }

    /// Takes the next one in hand, or says when to ask again.
    fn next(&self) -> Result<TaskId, Option<Instant>> {
        let mut waiting = self.lock();
        while let Some((_, id)) = waiting.later.first().copied().filter(|(at, _)| *at <= Instant::now()) {
            let priority = waiting.take_from_later(id).unwrap_or_default();
            waiting.ready.insert((u8::MAX - priority, id));
        }
        let next = waiting.ready.iter().find(|(_, id)| !waiting.in_hand.contains(id)).copied();
        let Some(next @ (_, id)) = next else { return Err(waiting.later.first().map(|(at, _)| *at)) };
        waiting.ready.remove(&next);
        waiting.in_hand.insert(id);
        Ok(id)
    }

    /// Lets a task be given out again.
    fn put_down(&self, id: TaskId) {
        self.lock().in_hand.remove(&id);
        self.news.notify_one();
    }
}

/// Does and tells tasks until the service stops, those first that an earlier process left.
pub(crate) async fn run(service: Service) {
    if let Err(problem) = in_realm(&service, resume).await {
        tracing::error!(problem = %problem.detail, "tasks of an earlier process were not taken up");
    }
    // Half of what may run: requests that somebody waits for always find the other half.
    let hands = Arc::new(Semaphore::new((service.admission().running() / 2).max(1)));
    let mut clear_at = Instant::now();
    loop {
        if Instant::now() >= clear_at {
            clear_at = Instant::now() + CLEAR_EVERY;
            if let Err(problem) = in_realm(&service, |realm, _| clear(realm)).await {
                tracing::error!(problem = %problem.detail, "old tasks were not cleared away");
            }
        }
        let hand = Arc::clone(&hands).acquire_owned().await.expect("the semaphore is never closed");
        match service.tasks().next() {
            Ok(id) => {
                let service = service.clone();
                tokio::spawn(async move {
                    let _hands = (hand, InHand(service.clone(), id));
                    advance(&service, id).await;
                });
            }
            Err(until) => {
                drop(hand);
                let until = until.map_or(clear_at, |until| until.min(clear_at));
                tokio::select! {
                    () = service.tasks().news.notified() => (),
                    () = tokio::time::sleep_until(until) => (),
                }
            }
        }
    }
}

/// A task in hand; put down when this is dropped, however the work on it ended.
struct InHand(Service, TaskId);

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.tasks().put_down(self.1);
    }
}

/// Does something with the realm on a thread that may wait.
async fn in_realm<T: Send + 'static>(
    service: &Service,
    run: impl FnOnce(&Realm, &Service) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let service = service.clone();
    let work = move || {
        let id = khop::RealmId::new(DEFAULT_REALM).expect("a good name");
        run(&service.engine().realm(&id)?, &service)
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a task failed");
        Err(Problem::internal())
    })
}

/// Takes up what an earlier process left. One that cannot be read was logged, and stands in no other's way.
fn resume(realm: &Realm, service: &Service) -> Result<(), Problem> {
    for id in realm.tasks()? {
        if let Ok(Some(task)) = Task::read(realm, id)
            && task.is_open()
        {
            service.tasks().add(id, task.priority);
        }
    }
    Ok(())
}

/// Removes what was told, or could not be told, long ago, and the answers to requests with a name.
fn clear(realm: &Realm) -> Result<(), Problem> {
    for id in realm.tasks()? {
        let Ok(Some(task)) = Task::read(realm, id) else { continue };
        let kept_s = if task.status == TaskStatus::COMPLETED { KEPT_TOLD_S } else { KEPT_UNTOLD_S };
        if task.ended_at_unix_s.is_some_and(|ended| now_unix_s() >= ended + kept_s) {
            realm.set_task(id, None)?;
        }
    }
    once::clear(realm)
}

/// Brings a task as far as it goes now: done, then told.
async fn advance(service: &Service, id: TaskId) {
    let read = in_realm(service, move |realm, _| Task::read(realm, id)).await;
    let mut task = match read {
        Ok(Some(task)) => task,
        Ok(None) => return,
        Err(problem) => {
            tracing::error!(task = id.0, problem = %problem.detail, "a task was not read; trying again");
            return service.tasks().add_later(id, 0, LONGEST_PAUSE);
        }
    };
    if let Some(call) = task.call.take() {
        match perform(service, id, &call).await {
            Err(problem) if may_help_later(problem.fault) && task.attempts + 1 < ATTEMPTS => {
                task.call = Some(call);
                return again(service, id, task, TaskStatus::PENDING).await;
            }
            done => {
                task.outcome = Some(outcome(done));
                task.attempts = 0;
                task.status = TaskStatus::RESPONSE_SCHEDULED;
                let Some(kept) = keep(service, id, task).await else { return };
                task = kept;
            }
        }
    }
    tell(service, id, task).await;
}

/// Tells the outcome to the callback.
async fn tell(service: &Service, id: TaskId, mut task: Task) {
    match service.callbacks().tell(&task, &id.0.to_string()).await {
        Ok(()) => {
            task.status = TaskStatus::COMPLETED;
            task.ended_at_unix_s = Some(now_unix_s());
            keep(service, id, task).await;
        }
        Err(cause) if task.attempts + 1 >= ATTEMPTS => {
            tracing::error!(task = id.0, cause, "a callback does not take its answer; it waits to be redelivered");
            task.status = TaskStatus::RESPONSE_ERROR;
            task.ended_at_unix_s = Some(now_unix_s());
            keep(service, id, task).await;
        }
        Err(cause) => {
            tracing::warn!(task = id.0, cause, "a callback did not take its answer; trying again");
            again(service, id, task, TaskStatus::RESPONSE_RETRY).await;
        }
    }
}

/// Keeps a task and comes back to it later.
async fn again(service: &Service, id: TaskId, mut task: Task, status: TaskStatus) {
    let pause = FIRST_PAUSE.saturating_mul(4u32.saturating_pow(task.attempts)).min(LONGEST_PAUSE);
    let priority = task.priority;
    task.attempts += 1;
    task.status = status;
    if keep(service, id, task).await.is_some() {
        service.tasks().add_later(id, priority, pause);
    }
}

/// Keeps a task as it is now. What cannot be kept is taken up again as it was before.
async fn keep(service: &Service, id: TaskId, task: Task) -> Option<Task> {
    let priority = task.priority;
    let kept = in_realm(service, move |realm, _| {
        task.write(realm, id)?;
        if task.outcome.is_some() {
            realm.drop_receipt(own(id).name())?;
        }
        Ok(task)
    });
    match kept.await {
        Ok(task) => Some(task),
        Err(problem) => {
            tracing::error!(task = id.0, problem = %problem.detail, "a task was not kept; trying again");
            service.tasks().add_later(id, priority, LONGEST_PAUSE.min(FIRST_PAUSE * 60));
            None
        }
    }
}

/// Does what was asked, once: what an earlier attempt did, and did not live to tell, is in its receipt.
async fn perform(service: &Service, id: TaskId, call: &Call) -> Result<Answer, Problem> {
    let (job, operation) = (prepare(call)?, call.operation);
    let once = call.once.clone().unwrap_or_else(|| own(id));
    let work = move |realm: &Realm, effort: Effort| Ok(done_once(&once, operation, job, realm, effort));
    service.search_within(Some(WITHIN), DEFAULT_REALM.to_owned(), work).await?
}

/// The name under which a task is done, unless the client has one.
fn own(id: TaskId) -> Once {
    Once::named(format!("task-{}", id.0))
}

fn outcome(done: Result<Answer, Problem>) -> Outcome {
    match done {
        Ok(answer) => Outcome { is_error: false, body: answer.told() },
        Err(problem) => {
            let (_, error) = fault::told(&problem);
            Outcome { is_error: true, body: serde_json::to_value(error).expect("two plain fields") }
        }
    }
}

/// Whether the same may succeed after a while.
fn may_help_later(fault: Fault) -> bool {
    use Fault::{Deadline, Full, Incomplete, QueueFull, Stopping, Superseded};
    matches!(fault, Deadline | Full | Incomplete | QueueFull | Stopping | Superseded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_is_given_out_once_however_often_it_is_asked_for() {
        let tasks = Tasks::default();
        let [first, second] = [TaskId(1), TaskId(2)];
        tasks.add(first, 5);
        tasks.add(first, 5);
        tasks.add(second, 9);
        assert_eq!((tasks.next(), tasks.next(), tasks.next()), (Ok(second), Ok(first), Err(None)));
        // Asked for while it is in hand: once more, afterwards.
        tasks.add(first, 5);
        tasks.add_later(second, 5, Duration::ZERO);
        assert_eq!(tasks.next(), Err(None));
        tasks.put_down(first);
        assert_eq!((tasks.next(), tasks.next()), (Ok(first), Err(None)));
        // Put off again and again: one moment, the last.
        for _ in 0..5 {
            tasks.add_later(TaskId(3), 5, Duration::from_secs(3600));
        }
        assert!(matches!(tasks.next(), Err(Some(_))));
        tasks.add(TaskId(3), 5);
        assert_eq!((tasks.next(), tasks.next()), (Ok(TaskId(3)), Err(None)));
    }
}
