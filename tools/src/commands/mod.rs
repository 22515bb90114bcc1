//! The subcommands of `khop`, one file each.

pub mod backup;
pub mod bench;
pub mod calibrate;
pub mod compare;
pub mod dedup;
pub mod demo;
pub mod enrol;
pub mod erase;
pub mod evaluate;
pub mod identify;
pub mod import;
pub mod index;
pub mod inspect;
pub mod key;
pub mod restore;
pub mod serve;
pub mod store;
pub mod synth;
pub mod train;
pub mod verify;
