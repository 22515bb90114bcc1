//! Does any input make a reader panic? Arbitrary bytes, and good records with bytes changed, cut off and added.

mod layout;

use khop_formats::{FormatError, MAX_VIEWS, MinutiaeRecord, npy, read_minutiae, write_iso_2005};
use layout::{IMAGE, incits_2004, iso_2005, iso_2011, two_views};
use proptest::prelude::*;
use proptest::sample::Index;

/// What holds for everything that was read, and for every error.
fn check(bytes: &[u8], result: &Result<MinutiaeRecord, FormatError>) -> Result<(), TestCaseError> {
    match result {
        Ok(record) => {
            prop_assert!((1..=MAX_VIEWS).contains(&record.views.len()));
            for view in &record.views {
                prop_assert!(view.minutiae.len() <= 255);
                for m in &view.minutiae {
                    prop_assert!(m.x_px < view.width_px && m.y_px < view.height_px);
                    prop_assert!((0.0..360.0).contains(&m.angle_deg));
                    prop_assert!(m.quality.is_none_or(|q| (1..=100).contains(&q)));
                }
            }
            prop_assert!(record.areas.iter().all(|area| area.view < record.views.len()));
        }
        Err(FormatError::Truncated { offset, .. } | FormatError::Unexpected { offset, .. }) => {
            prop_assert!(*offset <= bytes.len());
        }
        Err(FormatError::TooLarge { .. }) => {}
        Err(error @ FormatError::Unwritable { .. }) => prop_assert!(false, "{error}"),
    }
    Ok(())
}

fn good_records() -> impl Strategy<Value = Vec<u8>> {
    let views = two_views();
    prop_oneof![
        Just(iso_2005(IMAGE, &views)),
        Just(incits_2004(IMAGE, &views, false)),
        Just(incits_2004(IMAGE, &views, true)),
        Just(iso_2011(IMAGE, &views, true, 6)),
        Just(iso_2011(IMAGE, &views, false, 5)),
    ]
}

fn mutate(bytes: &mut Vec<u8>, changes: &[(Index, u8)], cut: Option<Index>, added: &[u8]) {
    for (at, value) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *value;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(bytes.len()));
    }
    bytes.extend(added);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400), version in 0..3usize) {
        let magic = [&b""[..], b"FMR\0 20\0", b"FMR\x00030\0"][version];
        let bytes = [magic, &bytes].concat();
        check(&bytes, &read_minutiae(&bytes))?;
    }

    #[test]
    fn mutated_records(
        mut bytes in good_records(),
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 0..6),
        cut in proptest::option::of(any::<Index>()),
        added in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        mutate(&mut bytes, &changes, cut, &added);
        let result = read_minutiae(&bytes);
        check(&bytes, &result)?;
        if let Ok(record) = result {
            let _ = write_iso_2005(&record.views); // may not fit one record, but must not panic
        }
    }

    #[test]
    fn arbitrary_arrays(bytes in proptest::collection::vec(any::<u8>(), 0..300), magic in any::<bool>()) {
        let magic = if magic { &b"\x93NUMPY"[..] } else { b"" };
        let _ = npy::read(&[magic, &bytes].concat());
    }

    #[test]
    fn mutated_arrays(
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 0..4),
        cut in proptest::option::of(any::<Index>()),
        added in proptest::collection::vec(any::<u8>(), 0..9),
    ) {
        let mut bytes = npy::write_f32(&[3, 2], &[1.0; 6]);
        mutate(&mut bytes, &changes, cut, &added);
        if let Ok(array) = npy::read(&bytes) {
            prop_assert_eq!(array.shape.iter().product::<usize>(), array.values.len());
        }
    }

    #[test]
    fn arbitrary_headers(header in "\\PC{0,80}|\\{'descr': '<f[248]', 'fortran_order': (True|False), 'shape': \\([0-9, ]{0,30}\\),? ?\\}") {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        let _ = npy::read(&bytes);
    }
}
