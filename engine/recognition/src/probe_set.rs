//! What is searched for? The traits of one person, each as comparators and planes need it.

use khop_face::UnitVector;
use khop_fingerprint::code;
use khop_index::Probe;
use khop_store::RecordNumber;
use khop_vocabulary::{Calibration, ModelId};

use crate::Error;
use crate::core::Core;
use crate::evidence::FingerProbes;
use crate::labels::FingerLabels;
use crate::prepared::{Prepared, SLOTS};
use crate::realm_state::RealmState;

/// A probe prepared once for every segment.
pub(crate) struct ProbeSet {
    pub(crate) fingers: Option<FingerProbes>,
    pub(crate) codes: Vec<CodeProbe>,
    /// For each reading of the labels the position of the reference that each label is taken for, the labels as told
    /// first, both hands swapped next.
    pub(crate) readings: Vec<[usize; SLOTS]>,
    pub(crate) face: Option<FaceProbe>,
    /// Only references enrolled before this record are compared with it.
    pub(crate) before: RecordNumber,
}

/// The fixed-length code of one finger of a probe.
pub(crate) struct CodeProbe {
    pub(crate) slot: usize,
    pub(crate) bytes: Probe,
    pub(crate) signs: Probe,
}

/// The face of a probe.
pub(crate) struct FaceProbe {
    pub(crate) model: ModelId,
    pub(crate) vector: UnitVector,
    pub(crate) probe: Probe,
    pub(crate) calibration: Calibration,
}

impl ProbeSet {
    pub(crate) fn of(
        prepared: &Prepared,
        labels: FingerLabels,
        core: &Core,
        realm: &RealmState,
    ) -> Result<Self, Error> {
        let probe = |vector: &[f32]| {
            Probe::new(vector).map_err(|cause| Error::BadInput { field: "samples", cause: cause.to_string() })
        };
        let present = || prepared.fingers.iter().enumerate().filter_map(|(slot, f)| Some((slot, f.as_ref()?)));
        let mut codes = Vec::new();
        for (slot, finger) in present() {
            if let Some(code) = &finger.code {
                codes.push(CodeProbe { slot, bytes: probe(code)?, signs: probe(&code::widened(code))? });
            }
        }
        let face = match &prepared.face {
            None => None,
            Some(face) => {
                realm.check_face_model(&face.model, face.vector.dim())?;
                Some(FaceProbe {
                    model: face.model.clone(),
                    vector: face.vector.clone(),
                    probe: probe(face.vector.as_slice())?,
                    calibration: core.models.load().calibration(&face.model)?,
                })
            }
        };
        let templates = || present().map(|(slot, f)| (slot, &f.template));
        let fingers = present().next().map(|_| FingerProbes::of(templates(), labels));
        let readings =
            labels.readings().into_iter().filter(|reading| !reading.upside_down).map(|reading| reading.positions);
        Ok(Self { fingers, codes, readings: readings.collect(), face, before: RecordNumber::new(u64::MAX) })
    }

    /// How many traits it has.
    pub(crate) fn traits(&self) -> u64 {
        self.fingers.as_ref().map_or(0, FingerProbes::count) + u64::from(self.face.is_some())
    }
}
