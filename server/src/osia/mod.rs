//! How does a registry speak OSIA to Khop? The ABIS interface 1.6.0 (ITU-T X.1281): its paths, words and status codes.
//!
//! A request becomes a [`call::Call`], whatever it asks for; `perform.rs` turns that into a [`job::Job`] on the realm, now or
//! later; an [`answer::Answer`] goes back as the response or to the client's callback.

mod answer;
mod biographic;
mod biometric;
mod call;
mod callback;
mod candidate;
mod content;
mod description;
mod document;
mod encounter;
mod fault;
mod filter;
mod job;
mod operation;
mod perform;
mod respond;
mod task;
mod tasks;
mod words;

pub use callback::CallbackError;
pub(crate) use callback::Callbacks;
pub(crate) use description::OsiaOperations;
pub(crate) use fault::in_osia_words;
pub(crate) use operation::{Operation, PREFIX};
pub(crate) use respond::respond;
pub(crate) use tasks::{Tasks, run};
