//! Do bytes written by an earlier version still mean the same? The files of `testdata/`.

#[path = "../examples/golden/files.rs"]
mod files;

use std::path::Path;

use khop_formats::{Area, RecordFormat, npy, read_face_vector, read_minutiae};

fn stored(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn what_is_made_today_is_what_is_stored() {
    for (name, bytes) in files::golden_files() {
        assert!(stored(name) == bytes, "{name} differs: cargo run -p khop-formats --example golden, and say why");
    }
}

#[test]
fn what_is_stored_is_read() {
    let records = [
        ("iso-19794-2-2005.fmr", RecordFormat::Iso19794Part2Of2005, vec![]),
        ("iso-19794-2-2005-extended.fmr", RecordFormat::Iso19794Part2Of2005, vec![(2, 6)]),
        ("iso-19794-2-2005-area-without-header.fmr", RecordFormat::Iso19794Part2Of2005, vec![(0x0221, 6)]),
        ("iso-19794-2-2011.fmr", RecordFormat::Iso19794Part2Of2011, vec![(2, 6)]),
        ("incits-378-2004.fmr", RecordFormat::Incits378Of2004, vec![(2, 6)]),
    ];
    for (name, format, areas) in records {
        let record = read_minutiae(&stored(name)).unwrap();
        assert_eq!((record.format, &record.deviations[..]), (format, &[][..]), "{name}");
        let areas: Vec<Area> = areas.into_iter().map(|(kind, length)| Area { view: 1, kind, length }).collect();
        assert_eq!(record.areas, areas, "{name}");
        let shape: Vec<_> = record.views.iter().map(|v| (v.position.code(), v.minutiae.len())).collect();
        assert_eq!(shape, [(7, 3), (2, 1)], "{name}");
        let place = record.views[1].minutiae[0];
        assert_eq!((place.x_px, place.y_px), (150, 201), "{name}");
    }
    let array = npy::read(&stored("float32-3x4.npy")).unwrap();
    assert_eq!((&array.shape[..], array.values[0], array.values[11]), (&[3, 4][..], -0.6875, 0.6875));
    assert_eq!(read_face_vector(&stored("face-vector-12.f32")).unwrap(), array.values);
}
