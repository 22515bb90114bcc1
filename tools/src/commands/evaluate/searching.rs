//! What is measured of searches, and how is a rate of theirs told? For one gallery, and over its size.

use khop_evaluate::FnirAtFpir;
use khop_vocabulary::Fpir;
use serde_json::{Value, json};

use super::subgroups::interval;

/// What is measured of searches.
pub struct Searching {
    /// Count a mate only within this rank; `None`: any rank.
    pub rank: Option<u32>,
    pub fpirs: Vec<Fpir>,
    /// False positives are counted in searches without a mate alone.
    pub mate_absent_only: bool,
}

pub(super) fn fnir_json(l: &FnirAtFpir, threshold: impl Fn(f32) -> f64) -> Value {
    let m = l.measured.as_ref();
    json!({
        "fpir": l.asked.value(), "threshold": m.map(|m| threshold(m.threshold)), "fnir": m.map(|m| m.fnir.value()),
        "errors": m.map(|m| m.errors), "ci95": m.map(|m| interval(m.ci95)),
        "binomial95": m.map(|m| interval(m.binomial95)), "false_positives": m.map(|m| m.false_positives),
        "selectivity": m.map(|m| m.selectivity),
    })
}
