//! What was promised and is not done yet? Bytes of the caller's, each task's sealed under a key of its own.

use khop_store::{Applied, Change, TaskNumber};

use crate::{Error, Realm};

/// A task's number, unique in its realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u64);

impl Realm {
    /// Keeps a task; it is durable when this returns.
    ///
    /// # Errors
    /// An expired realm or a failed write.
    pub fn add_task(&self, value: Vec<u8>) -> Result<TaskId, Error> {
        let state = self.state()?;
        match self.writer.keep(Change::AddTask { realm: state.number, value })? {
            Applied::Tasked { task } => Ok(TaskId(task.get())),
            _ => Err(Error::Expired(self.id.clone())),
        }
    }

    /// Keeps other bytes of a task, or removes it with `None`: then nobody reads any of them again once
    /// [`crate::Engine::forget`] has run. Whether there was such a task.
    ///
    /// # Errors
    /// An expired realm or a failed write.
    pub fn set_task(&self, task: TaskId, value: Option<Vec<u8>>) -> Result<bool, Error> {
        let (state, task) = (self.state()?, TaskNumber::new(task.0));
        Ok(self.writer.keep(Change::SetTask { realm: state.number, task, value })? == Applied::Done)
    }

    /// What is kept of a task, if it is there.
    ///
    /// # Errors
    /// An expired realm or a damaged catalogue.
    pub fn task(&self, task: TaskId) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.core.store.task(self.state()?.number, TaskNumber::new(task.0))?)
    }

    /// The tasks that are there, oldest first.
    ///
    /// # Errors
    /// An expired realm or a damaged catalogue.
    pub fn tasks(&self) -> Result<Vec<TaskId>, Error> {
        let tasks = self.core.store.tasks(self.state()?.number)?;
        Ok(tasks.into_iter().map(|task| TaskId(task.get())).collect())
    }
}
