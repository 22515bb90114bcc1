//! What do the golden files hold? One small record of each format, an array and a face vector, made from constants.

#[path = "../../tests/layout/mod.rs"]
mod layout;

use layout::{IMAGE, area, incits_2004, iso_2005, iso_2011, two_views};

/// Every golden file: its name in `testdata/` and its bytes.
pub fn golden_files() -> Vec<(&'static str, Vec<u8>)> {
    let views = two_views();
    let mut exclusive = views.clone();
    exclusive[1].extended = area(0x0221, &[1, 68, 188, 54, 33, 67], 0);
    let written = khop_formats::read_minutiae(&iso_2005(IMAGE, &views)).expect("a record of this crate's tests").views;
    let values: Vec<f32> = (0..12).map(|i| (i as f32 - 5.5) / 8.0).collect();
    vec![
        ("iso-19794-2-2005.fmr", khop_formats::write_iso_2005(&written).expect("what was read can be written")),
        ("iso-19794-2-2005-extended.fmr", iso_2005(IMAGE, &views)),
        ("iso-19794-2-2005-area-without-header.fmr", iso_2005(IMAGE, &exclusive)),
        ("iso-19794-2-2011.fmr", iso_2011(IMAGE, &views, true, 6)),
        ("incits-378-2004.fmr", incits_2004(IMAGE, &views, false)),
        ("float32-3x4.npy", khop_formats::npy::write_f32(&[3, 4], &values)),
        ("face-vector-12.f32", khop_formats::write_face_vector(&values)),
    ]
}
