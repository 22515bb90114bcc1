//! What goes over the wire? The JSON bodies, apart from the engine's types: only this module knows serde.

pub(crate) mod attributes;
pub(crate) mod boarding;
pub(crate) mod decision;
pub(crate) mod encounter;
pub(crate) mod enrolment;
pub(crate) mod field;
pub(crate) mod realm;
pub(crate) mod sample;
pub(crate) mod search;
