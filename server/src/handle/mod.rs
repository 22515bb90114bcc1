//! What is done for a request? One file per noun; a handler reads, calls the engine in its turn, and answers.

pub(crate) mod boarding;
pub(crate) mod encounters;
pub(crate) mod health;
pub(crate) mod realms;
pub(crate) mod searches;
