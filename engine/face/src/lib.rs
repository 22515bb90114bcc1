//! Are these two faces the same person? Embeddings compared by cosine, and what a cosine of each model means.
//!
//! A [`khop_vocabulary::FaceVector`] comes from an embedding model that ran elsewhere. Here it becomes a
//! [`UnitVector`], two of which are compared exactly by [`cosine`]; searches among many go through `khop-index`, which
//! quantises the same unit vectors. A [`FaceModel`] says how wide the vectors of a model are and, when a calibration
//! table is known for it, which score a cosine stands for. [`embedded_models`] are the models whose tables come with
//! Khop; without a table a model can be searched by rank but gives no score and no decision.
#![forbid(unsafe_code)]

mod model;
mod unit;

pub use model::{FaceModel, SYNTHETIC_MODEL, embedded_models};
pub use unit::{UnitVector, cosine};
