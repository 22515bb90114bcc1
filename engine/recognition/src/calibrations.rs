//! What do this engine's similarities mean? The tables in force: fingers, finger codes, and each face model.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use khop_face::FaceModel;
use khop_index::EvidenceTable;
use khop_vocabulary::{Calibration, ModelId};

use crate::Error;

/// The realm that always exists.
pub const DEFAULT_REALM: &str = "default";

/// A wrong or dead finger says at most this much against a mate in the code scan, nats (design: a bad finger must
/// not hide a duplicate; facts of ten-finger sums in `docs/adr/0004`).
const CODE_FLOOR_NATS: f32 = -2.0;
/// One finger code says at most this much for a mate, nats.
pub(crate) const CODE_CAP_NATS: f32 = 6.0;

/// Likelihood ratio of a finger code's cosine as a look-up table, shared by every search.
pub(crate) static CODE_EVIDENCE: LazyLock<EvidenceTable> =
    LazyLock::new(|| EvidenceTable::new(khop_fingerprint::code::calibration(), CODE_FLOOR_NATS, CODE_CAP_NATS));

/// Over strangers the ratio e^LLR of a finger code, clipped so, has a mean of 0.31 and not of 1 (by the table and its FMR):
/// what the sum of n independent fingers must reach so that one stranger in so many does is n times this lower, nats.
/// Less than −ln 0.31 = 1.19, for other data than the table's.
pub(crate) const CODE_SLACK_NATS: f32 = 1.0;
/// The same of signs, whose mean is 0.38: less than −ln 0.38 = 0.96.
pub(crate) const SIGN_SLACK_NATS: f32 = 0.8;
/// No scan keeps whom the codes give less than this, nats.
pub(crate) const LEAST_CODE_NATS: f32 = 2.0;

/// As [`CODE_EVIDENCE`], of what a finger code's signs estimate.
pub(crate) static SIGN_EVIDENCE: LazyLock<EvidenceTable> =
    LazyLock::new(|| EvidenceTable::new(khop_fingerprint::code::sign_calibration(), CODE_FLOOR_NATS, CODE_CAP_NATS));

/// Where the catalogue keeps the models that were registered.
pub(crate) const MODELS_KEY: &str = "face-models";

/// The face models an engine knows, by id: the embedded ones and those registered in its catalogue.
#[derive(Clone, Default)]
pub(crate) struct FaceModels {
    known: BTreeMap<ModelId, Arc<FaceModel>>,
    registered: BTreeSet<ModelId>,
}

impl FaceModels {
    pub(crate) fn embedded() -> Self {
        let known = khop_face::embedded_models().iter().map(|m| (m.id.clone(), Arc::new(m.clone()))).collect();
        Self { known, registered: BTreeSet::new() }
    }

    /// Adds a model, or replaces the one of its name.
    pub(crate) fn register(&mut self, model: FaceModel) {
        self.registered.insert(model.id.clone());
        self.known.insert(model.id.clone(), Arc::new(model));
    }

    pub(crate) fn ids(&self) -> Vec<ModelId> {
        self.known.keys().cloned().collect()
    }

    /// The model's table: without one a similarity gets no score and no decision.
    pub(crate) fn calibration(&self, id: &ModelId) -> Result<Calibration, Error> {
        let model = self.known.get(id).and_then(|m| m.calibration.clone());
        model.ok_or_else(|| Error::Uncalibrated(id.clone()))
    }

    /// The registered models as text: for each a line `ID DIM LINES` and so many lines of its table.
    pub(crate) fn to_meta(&self) -> Vec<u8> {
        let mut text = String::new();
        for model in self.registered.iter().filter_map(|id| self.known.get(id)) {
            let table = model.calibration.as_ref().map_or(String::new(), Calibration::to_text);
            text.push_str(&format!("{} {} {}\n{table}", model.id, model.dim, table.lines().count()));
        }
        text.into_bytes()
    }

    /// Registers what [`FaceModels::to_meta`] wrote.
    pub(crate) fn register_meta(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let bad = |cause: &dyn std::fmt::Display| Error::BadInput { field: "face-models", cause: cause.to_string() };
        let text = std::str::from_utf8(bytes).map_err(|cause| bad(&cause))?;
        let mut lines = text.lines();
        while let Some(head) = lines.next() {
            let words: Vec<&str> = head.split(' ').collect();
            let [id, dim, count] = words[..] else { return Err(bad(&"expected ID DIM LINES")) };
            let id = ModelId::new(id).map_err(|cause| bad(&cause))?;
            let dim = dim.parse().map_err(|_| bad(&"expected a dimension"))?;
            let count: usize = count.parse().map_err(|_| bad(&"expected a number of lines"))?;
            let table: Vec<&str> = lines.by_ref().take(count).collect();
            let table = (count > 0).then(|| Calibration::from_text(&table.join("\n")));
            let calibration = table.transpose().map_err(|cause| bad(&cause))?;
            self.register(FaceModel { id, dim, calibration });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use khop_vocabulary::Knot;

    #[test]
    fn registered_models_come_back() {
        let knot = |similarity, score, llr| Knot { similarity, score, llr };
        let table = Calibration::new("m:1", vec![knot(0.0, 0.0, -1.0), knot(0.5, 40.0, 9.0)], Default::default());
        let id = |text| ModelId::new(text).unwrap();
        let mut models = FaceModels::embedded();
        models.register(FaceModel { id: id("m:1"), dim: 512, calibration: Some(table.unwrap()) });
        models.register(FaceModel { id: id("bare"), dim: 128, calibration: None });
        let mut again = FaceModels::embedded();
        again.register_meta(&models.to_meta()).unwrap();
        assert_eq!(again.calibration(&id("m:1")).unwrap(), models.calibration(&id("m:1")).unwrap());
        assert!(matches!(again.calibration(&id("bare")), Err(Error::Uncalibrated(_))));
        assert!(again.register_meta(b"m:1 many").is_err());
    }
}
