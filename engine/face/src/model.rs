//! Which embedding models are known, and what does a cosine of theirs mean?

use std::sync::LazyLock;

use khop_vocabulary::{Calibration, ModelId};

/// The model of synthetic populations: vectors drawn, not computed from images.
pub const SYNTHETIC_MODEL: &str = "khop-synth-512";

/// An embedding model: who made the vectors, how long they are, what their cosines mean.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceModel {
    /// Its name, as face vectors carry it.
    pub id: ModelId,
    /// Numbers a vector.
    pub dim: usize,
    /// Cosine to score and likelihood ratio; without it there are ranks, but no scores and no decisions.
    pub calibration: Option<Calibration>,
}

/// The tables that come with Khop: dimension and text, the model's name being the table's. `khop calibrate face` writes
/// them; a new file needs one more line.
const EMBEDDED: &[(usize, &str)] = &[
    (512, include_str!("../calibrations/khop-synth-512.txt")),
    (512, include_str!("../calibrations/webface600k-mbf-512.txt")),
];

/// The models whose calibration comes with Khop.
#[must_use]
pub fn embedded_models() -> &'static [FaceModel] {
    static MODELS: LazyLock<Vec<FaceModel>> = LazyLock::new(|| {
        let model = |&(dim, text): &(usize, &str)| {
            let calibration = Calibration::from_text(text).expect("an embedded table was tested");
            let id = ModelId::new(calibration.name()).expect("an embedded table's name was tested");
            FaceModel { id, dim, calibration: Some(calibration) }
        };
        EMBEDDED.iter().map(model).collect()
    });
    &MODELS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads every embedded table, and looks that each file in `calibrations/` is one of them.
    #[test]
    fn every_table_is_embedded_and_right() {
        let mut names: Vec<String> = embedded_models().iter().map(|model| format!("{}.txt", model.id)).collect();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/calibrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .map(|files| files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect())
            .unwrap_or_default();
        names.sort();
        files.sort();
        assert_eq!(names, files);
        assert!(names.iter().any(|name| *name == format!("{SYNTHETIC_MODEL}.txt")));
        for model in embedded_models() {
            let table = model.calibration.as_ref().unwrap();
            assert!((64..=4096).contains(&model.dim), "{}", model.id);
            assert!(table.score(0.9) > table.score(0.1), "{}", model.id);
            assert!(!table.provenance().lines.is_empty(), "{}: says where it comes from", model.id);
        }
    }
}
