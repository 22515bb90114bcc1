//! What does a segment hold of one encounter? Its record number, memberships, attributes and derived templates.

use khop_fingerprint::{Template, code};
use khop_index::{NibbleRow, Rotation, SignRow, quantise_row, stride};
use khop_store::RecordNumber;
use khop_vocabulary::{Attributes, Encounter, GalleryId};

use crate::face_planes::FacePlanes;
use crate::prepared::{Prepared, SLOTS};

/// A vector as it will stand in a plane: one byte a number, padded to the plane's stride, and its scale.
pub(crate) struct Quantised {
    pub(crate) dim: usize,
    pub(crate) codes: Box<[u8]>,
    pub(crate) scale: f32,
}

impl Quantised {
    fn of(values: &[f32]) -> Self {
        let mut codes = vec![0; stride(values.len())].into_boxed_slice();
        let scale = quantise_row(values, &mut codes);
        Self { dim: values.len(), codes, scale }
    }
}

/// A face as it will stand in the planes of its realm.
pub(crate) struct FaceRow {
    pub(crate) bytes: Quantised,
    pub(crate) signs: Option<SignRow>,
    pub(crate) nibbles: Option<NibbleRow>,
}

impl FaceRow {
    fn of(values: &[f32], planes: FacePlanes) -> Self {
        let rotation = (planes.signs || planes.nibbles).then(|| Rotation::new(values.len()));
        let of_signs = |rotation: &Rotation| SignRow::of(values, rotation).ok();
        let of_nibbles = |rotation: &Rotation| NibbleRow::of(values, rotation).ok();
        Self {
            bytes: Quantised::of(values),
            signs: rotation.as_ref().filter(|_| planes.signs).and_then(of_signs),
            nibbles: rotation.as_ref().filter(|_| planes.nibbles).and_then(of_nibbles),
        }
    }
}

/// A finger's fixed-length code as it will stand in its planes.
pub(crate) struct FingerCode {
    pub(crate) bytes: Quantised,
    pub(crate) signs: Option<SignRow>,
}

impl FingerCode {
    fn of(values: &[f32]) -> Self {
        let signs = SignRow::of(&code::widened(values), &Rotation::new(code::SIGN_DIM)).ok();
        Self { bytes: Quantised::of(values), signs }
    }
}

/// One encounter as it will stand in a segment. Derived: can be made again from the catalogue at any time.
/// About 7 kB with ten fingers and a face.
pub(crate) struct Row {
    pub(crate) record: RecordNumber,
    pub(crate) galleries: Vec<GalleryId>,
    pub(crate) attributes: Attributes,
    pub(crate) face: Option<FaceRow>,
    pub(crate) templates: [Option<Template>; SLOTS],
    pub(crate) codes: [Option<FingerCode>; SLOTS],
}

impl Row {
    /// Quantises what planes will hold: some microseconds a vector. Nothing of an inactive encounter can be compared.
    pub(crate) fn new(record: RecordNumber, encounter: &Encounter, prepared: Prepared, planes: FacePlanes) -> Self {
        let prepared = if encounter.is_active { prepared } else { Prepared::default() };
        let code = |slot: usize| {
            let code = prepared.fingers[slot].as_ref()?.code.as_ref()?;
            Some(FingerCode::of(code))
        };
        Self {
            record,
            galleries: encounter.galleries.iter().cloned().collect(),
            attributes: encounter.attributes.clone(),
            face: prepared.face.as_ref().map(|f| FaceRow::of(f.vector.as_slice(), planes)),
            codes: std::array::from_fn(code),
            templates: prepared.fingers.map(|finger| finger.map(|f| f.template)),
        }
    }

    /// Whether it has fingers, but none of them a code: then no scan can rule it out.
    pub(crate) fn is_uncoded(&self) -> bool {
        self.templates.iter().any(Option::is_some) && self.codes.iter().all(Option::is_none)
    }
}
