//! How is a registry answered? The request read, done in its turn, and told in OSIA's words; or promised, and told later.

use axum::http::HeaderMap;
use khop::{DEFAULT_REALM, Effort, Realm, TaskId};

use super::answer::{Answer, TaskName};
use super::call::{Call, Texts};
use super::operation::Operation;
use super::perform::{done_once, prepare};
use super::task::Task;
use super::words::TaskStatus;
use crate::body::{InPath, InQuery, Text};
use crate::problem::{Fault, Problem};
use crate::service::Service;

/// Does what a request asks, or promises to.
pub(crate) async fn respond(
    operation: Operation,
    service: Service,
    InPath(path): InPath<Texts>,
    InQuery(query): InQuery<Texts>,
    headers: HeaderMap,
    Text(body): Text,
) -> Result<Answer, Problem> {
    let call = Call::new(operation, path, query, body, &headers)?;
    if operation.is_about_tasks() {
        return about_task(service, &call).await;
    }
    let job = prepare(&call)?;
    if let Some(callback) = call.text("callback").map(str::to_owned) {
        service.callbacks().check(&callback)?;
        return promise(service, call, callback).await;
    }
    let done = move |realm: &Realm, effort: Effort| {
        Ok(match call.once {
            Some(once) => done_once(&once, operation, job, realm, effort),
            None => job(realm, effort),
        })
    };
    service.search_in(DEFAULT_REALM.to_owned(), done).await?
}

/// Keeps the call, and says so once it is durable.
async fn promise(service: Service, mut call: Call, callback: String) -> Result<Answer, Problem> {
    if !service.tasks().has_room() {
        return Err(Problem::new(Fault::QueueFull, "too many tasks wait; try again"));
    }
    call.wants_csv = false; // callbacks speak JSON
    let (priority, task) = (call.priority(), Task::new(call, callback));
    let id = service.work_in(DEFAULT_REALM.to_owned(), move |realm| realm.add_task(task.to_bytes())).await?;
    service.tasks().add(id, priority);
    Ok(Answer::Promised(TaskName { task_id: id.0.to_string() }))
}

/// How far a task is, or that it is to be told once more.
async fn about_task(service: Service, call: &Call) -> Result<Answer, Problem> {
    let unknown = || Problem::new(Fault::UnknownTask, "taskId: there is no such task, or it was told long ago");
    let (id, redeliver) = (call.task().ok_or_else(unknown)?, call.operation == Operation::RedeliverTaskResult);
    let read = move |realm: &Realm| {
        let task = Task::read(realm, id);
        let Ok(Some(mut task)) = task else { return Ok(task) };
        if redeliver && task.outcome.is_some() {
            (task.status, task.attempts, task.ended_at_unix_s) = (TaskStatus::RESPONSE_SCHEDULED, 0, None);
            return Ok(task.write(realm, id).map(|()| Some(task)));
        }
        Ok(Ok(Some(task)))
    };
    let task = service.work_in(DEFAULT_REALM.to_owned(), read).await??.ok_or_else(unknown)?;
    if !redeliver {
        return Ok(Answer::json(&task.status));
    }
    if task.outcome.is_some() {
        service.tasks().add(TaskId(id.0), task.priority);
    }
    Ok(Answer::Done)
}
