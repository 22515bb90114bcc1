//! Khop (khớp, Vietnamese for *match*): enrol, verify, identify and deduplicate faces and fingerprints.
//!
//! An [`Engine`] owns one data directory. A [`Realm`] is a tenant or a flight inside it; encounters are enrolled
//! into it and searched in it, never across realms.
//!
//! ```no_run
//! use khop::{DuplicateCheck, Engine, Search};
//! # fn main() -> Result<(), khop::Error> {
//! # let (encounter, probe): (khop::Encounter, Vec<khop::Sample>) = unimplemented!();
//! let engine = Engine::builder("/var/lib/khop").open()?;
//! let realm = engine.realm(&khop::RealmId::new("default").unwrap())?;
//! let enrolment = realm.enrol(encounter, DuplicateCheck::Search)?;
//! let found = realm.identify(&probe, &Search::default())?;
//! println!("{:?}, {} candidates", found.decision.outcome(), found.candidates.len());
//! # Ok(()) }
//! ```
//!
//! Every call blocks while it compares; run calls on [`Engine::pool`] when the caller is asynchronous. A search
//! that could not see every reference is an [`Error`], never an empty answer.
#![forbid(unsafe_code)]

mod calibrations;
mod candidates;
mod case;
mod columns;
mod compaction;
mod compare;
mod core;
mod decision;
mod deduplicate;
mod effort;
mod engine;
mod enrol;
mod enrolment;
mod erase;
mod error;
mod evidence;
mod explanation;
mod face_index;
mod face_planes;
mod finger_scan;
mod identify;
mod labels;
mod last_scrub;
mod mask;
mod members;
mod part;
mod prepared;
mod probe_set;
mod realm;
mod realm_state;
mod receipt;
mod recovery;
mod references;
mod request;
mod revise;
mod row;
mod scan;
mod scrub;
mod search;
mod status;
mod tail;
mod task;
mod verify;
mod writer;

pub use calibrations::DEFAULT_REALM;
pub use case::{Case, CaseId};
pub use compaction::Compaction;
pub use compare::{compare, trace};
pub use decision::Decision;
pub use deduplicate::Duplicate;
pub use effort::Effort;
pub use engine::{Engine, EngineBuilder};
pub use enrol::DuplicateCheck;
pub use enrolment::Enrolment;
pub use erase::{Erasure, Purge};
pub use error::{Error, ErrorKind};
pub use explanation::{Explanation, FingerTally};
pub use face_index::{FaceIndex, PlaneStatus};
pub use face_planes::FacePlanes;
pub use identify::Identification;
pub use khop_face::FaceModel;
pub use khop_fingerprint::{Term, Trace, TracedMinutia};
pub use khop_index::{Guarantee, Mode, Plan, Tally};
pub use khop_store::{Backup, Forgotten, Pace, RootKey, RootSource, Scrubbed};
pub use khop_vocabulary::*;
pub use labels::{FingerLabels, LabelsRead};
pub use last_scrub::Scrub;
pub use realm::Realm;
pub use request::{Only, Search};
pub use status::{EngineStatus, RealmStatus};
pub use task::TaskId;
pub use verify::{Claim, Verification};
