//! Are records of the three formats read as they lie, with the mistakes that records in the field make?

mod layout;

use khop_formats::{Area, Deviation, FormatError, MAX_RECORD_BYTES, RecordFormat, read_minutiae};
use khop_vocabulary::{FingerPosition, FingerSampleError, Impression, MinutiaKind, Resolution};
use layout::{IMAGE, Image, Packed, area, incits_2004, iso_2005, iso_2011, two_views};

#[test]
fn iso_2005_byte_by_byte() {
    let bytes = [
        b"FMR\0 20\0".as_slice(),
        &[0, 0, 0, 42, 0, 7],                // total length, equipment
        &[1, 0x2c, 1, 0x90, 0, 197, 0, 118], // 300 × 400 px, 197 × 118 px/cm
        &[1, 0],                             // one view
        &[3, 0x21, 90, 2],                   // right middle, view 2, rolled, quality 90, two minutiae
        &[0x40, 100, 0x01, 0x00, 64, 50],    // ending at 100, 256, 90°, quality 50
        &[0x81, 0x00, 0xc0, 20, 255, 0],     // bifurcation at 256, 20 (reserved bits set), 358.6°, no quality
        &[0, 0],
    ]
    .concat();
    let record = read_minutiae(&bytes).unwrap();
    assert_eq!(record.format, RecordFormat::Iso19794Part2Of2005);
    assert!(record.deviations.is_empty() && record.areas.is_empty(), "{:?}", record.deviations);
    let [view] = &record.views[..] else { panic!("{} views", record.views.len()) };
    assert_eq!((view.position, view.impression), (FingerPosition::RightMiddle, Impression::LiveRolled));
    assert_eq!(view.quality.unwrap().value(), 90);
    assert_eq!((view.width_px, view.height_px), (300, 400));
    assert_eq!(view.resolution, Resolution { x_px_per_cm: 197, y_px_per_cm: 118 });
    let [a, b] = view.minutiae[..] else { panic!("{} minutiae", view.minutiae.len()) };
    assert_eq!((a.x_px, a.y_px, a.angle_deg, a.kind, a.quality), (100, 256, 90.0, MinutiaKind::Ending, Some(50)));
    assert_eq!((b.x_px, b.y_px, b.kind, b.quality), (256, 20, MinutiaKind::Bifurcation, None));
    assert!((b.angle_deg - 358.59375).abs() < 1e-4);
}

#[test]
fn the_same_minutiae_in_every_format() {
    let views = two_views();
    let records = [
        (RecordFormat::Iso19794Part2Of2005, 360.0 / 256.0, iso_2005(IMAGE, &views)),
        (RecordFormat::Incits378Of2004, 2.0, incits_2004(IMAGE, &views, false)),
        (RecordFormat::Incits378Of2004, 2.0, incits_2004(IMAGE, &views, true)),
        (RecordFormat::Iso19794Part2Of2011, 360.0 / 256.0, iso_2011(IMAGE, &views, false, 6)),
        (RecordFormat::Iso19794Part2Of2011, 360.0 / 256.0, iso_2011(IMAGE, &views, true, 6)),
        (RecordFormat::Iso19794Part2Of2011, 360.0 / 256.0, iso_2011(IMAGE, &views, true, 5)),
    ];
    for (index, (format, unit, bytes)) in records.iter().enumerate() {
        let record = read_minutiae(bytes).unwrap();
        assert_eq!(record.format, *format);
        assert_eq!(record.deviations, [], "record {index}");
        assert_eq!(record.areas, [Area { view: 1, kind: 2, length: 6 }], "record {index}");
        assert_eq!(record.views.len(), 2);
        for (view, packed) in record.views.iter().zip(&views) {
            assert_eq!(view.position.code(), packed.position);
            assert_eq!(view.quality.unwrap().value(), packed.quality);
            assert_eq!((view.width_px, view.height_px), (300, 400));
            assert_eq!(view.resolution, Resolution::DPI_500);
            assert_eq!(view.minutiae.len(), packed.minutiae.len());
            for (minutia, Packed { kind, x, y, angle, quality }) in view.minutiae.iter().zip(&packed.minutiae) {
                let expected = [MinutiaKind::Other, MinutiaKind::Ending, MinutiaKind::Bifurcation];
                assert_eq!((minutia.kind, minutia.x_px, minutia.y_px), (expected[usize::from(*kind)], *x, *y));
                assert!((minutia.angle_deg - f32::from(*angle) * unit).abs() < 1e-3);
                let reported = match (index, quality) {
                    (5, _) => None,        // five bytes: no room for quality
                    (3 | 4, 0) => Some(1), // 2011 says 254 for unreported: 0 is the worst
                    (_, 0) => None,
                    (_, &given) => Some(given),
                };
                assert_eq!(minutia.quality, reported, "record {index}");
            }
        }
        assert_eq!(record.views[1].impression, Impression::Swipe);
    }
}

#[test]
fn a_wrong_total_length_is_forgiven() {
    let mut bytes = iso_2005(IMAGE, &two_views());
    let length = bytes.len();
    bytes[11] -= 1; // one too few, as in records of a well-known test set
    let record = read_minutiae(&bytes).unwrap();
    let declared = length as u64 - 1;
    assert_eq!(record.deviations, [Deviation::Length { declared, read: length, given: length }]);
    bytes[11] += 1;
    bytes.extend([0; 100]); // a fixed buffer handed over whole
    let record = read_minutiae(&bytes).unwrap();
    let [deviation] = record.deviations[..] else { panic!("{:?}", record.deviations) };
    assert_eq!(deviation, Deviation::Length { declared: length as u64, read: length, given: length + 100 });
    assert!(deviation.to_string().contains(&format!("{} were given", length + 100)));
}

#[test]
fn area_lengths_count_their_header_or_not() {
    let mut views = two_views();
    let shapes = |views: &[layout::View]| {
        let record = read_minutiae(&iso_2005(IMAGE, views)).unwrap();
        (record.areas.iter().map(|a| (a.view, a.kind, a.length)).collect::<Vec<_>>(), record.deviations)
    };
    let both = |counted| [area(1, &[0, 1, 2, 5], counted), area(0x0221, &[9; 7], counted)].concat();
    for counted in [4, 0] {
        views[0].extended = both(counted);
        let (areas, deviations) = shapes(&views);
        assert_eq!(areas, [(0, 1, 4), (0, 0x0221, 7), (1, 2, 6)], "{counted} counted");
        assert!(deviations.is_empty());
    }
    views[0].extended = vec![0, 1, 0, 99, 1, 2, 3]; // fits neither way: skipped, the next view is still read
    let (areas, deviations) = shapes(&views);
    assert_eq!(areas, [(1, 2, 6)]);
    assert_eq!(deviations, [Deviation::AreaLengths { view: 0 }]);
}

#[test]
fn minutiae_outside_the_image_are_left_out() {
    let image = Image { width: 299, height: 400, px_per_cm: 197 }; // the second minutia has x = 299
    for bytes in [iso_2005(image, &two_views()), iso_2011(image, &two_views(), false, 6)] {
        let record = read_minutiae(&bytes).unwrap();
        assert_eq!(record.views[0].minutiae.len(), 2);
        assert_eq!(record.deviations, [Deviation::OutsideImage { view: 0, dropped: 1 }]);
    }
    let low = Image { width: 300, height: 399, px_per_cm: 197 };
    assert_eq!(read_minutiae(&iso_2005(low, &two_views())).unwrap().views[0].minutiae.len(), 2);
}

#[test]
fn repeated_view_numbers_are_read() {
    let one = two_views().remove(0);
    let record = read_minutiae(&iso_2005(IMAGE, &[one.clone(), one.clone(), one])).unwrap();
    assert_eq!(record.views.len(), 3);
    assert!(record.deviations.is_empty());
}

#[test]
fn qualities_that_say_nothing() {
    let mut views = two_views();
    for (value, expected) in [(0, None), (1, Some(1)), (100, Some(100)), (101, None), (254, None), (255, None)] {
        views[0].quality = value;
        views[0].minutiae[0].quality = value;
        let record = read_minutiae(&iso_2005(IMAGE, &views)).unwrap();
        assert_eq!(record.views[0].quality.map(|q| q.value()), expected);
        assert_eq!(record.views[0].minutiae[0].quality, expected);
        let record = read_minutiae(&iso_2011(IMAGE, &views, false, 6)).unwrap();
        let next = if value > 100 { Some(3) } else { Some(value) }; // the first algorithm that worked
        assert_eq!(record.views[0].quality.map(|q| q.value()), next);
        assert_eq!(record.views[0].minutiae[0].quality, if value == 0 { Some(1) } else { expected });
    }
}

#[test]
fn a_view_without_minutiae_is_read_and_refused_later() {
    let mut views = two_views();
    views[0].minutiae.clear();
    for bytes in [iso_2005(IMAGE, &views), incits_2004(IMAGE, &views, false), iso_2011(IMAGE, &views, false, 6)] {
        let record = read_minutiae(&bytes).unwrap();
        assert_eq!(record.views.len(), 2);
        let error = record.views[0].validate().unwrap_err();
        assert_eq!(error, FingerSampleError::NoMinutiae { position: "LEFT_INDEX" });
    }
}

#[test]
fn every_truncation_names_a_field() {
    let views = two_views();
    for bytes in [iso_2005(IMAGE, &views), incits_2004(IMAGE, &views, true), iso_2011(IMAGE, &views, true, 6)] {
        for length in 0..bytes.len() {
            match read_minutiae(&bytes[..length]) {
                Err(FormatError::Truncated { field, offset, expected, found }) => {
                    assert!(!field.is_empty() && found < expected && offset + found == length, "{field} at {offset}");
                }
                // cut inside the magic or the version, the piece that is there is already refused
                other => panic!("{length} of {} bytes: {other:?}", bytes.len()),
            }
        }
    }
}

#[test]
fn an_oversized_record_is_not_read() {
    let mut bytes = iso_2005(IMAGE, &two_views());
    bytes.resize(MAX_RECORD_BYTES, 0);
    assert!(read_minutiae(&bytes).is_ok());
    bytes.push(0);
    let error = read_minutiae(&bytes).unwrap_err().to_string();
    assert_eq!(error, "minutiae record: expected at most 1048576 bytes, found 1048577");
}

/// What is wrong, by which change, and what the error must name.
#[test]
fn a_bad_field_is_named_with_its_byte() {
    let record = |change: &[(usize, u8)]| {
        let mut bytes = iso_2005(IMAGE, &two_views());
        change.iter().for_each(|&(at, value)| bytes[at] = value);
        read_minutiae(&bytes).unwrap_err().to_string()
    };
    let magic = "format identifier at byte 0: expected \"FMR\\0\", found \"FIR\\x00\"";
    assert_eq!(record(&[(1, b'I')]), magic);
    let version = record(&[(5, b'1')]);
    assert!(version.starts_with("version at byte 4") && version.ends_with("found \" 10\\x00\""), "{version}");
    assert_eq!(record(&[(14, 0), (15, 0)]), "image width at byte 14: expected 1 to 16384 px, found 0");
    assert_eq!(record(&[(16, 0xff), (17, 0xff)]), "image height at byte 16: expected 1 to 16384 px, found 65535");
    assert_eq!(record(&[(19, 0)]), "x resolution at byte 18: expected at least 1 px/cm, found 0");
    assert_eq!(record(&[(21, 0)]), "y resolution at byte 20: expected at least 1 px/cm, found 0");
    assert_eq!(record(&[(22, 0)]), "number of finger views at byte 22: expected 1 to 176, found 0");
    assert_eq!(record(&[(22, 177)]), "number of finger views at byte 22: expected 1 to 176, found 177");
    assert_eq!(record(&[(24, 11)]), "finger position at byte 24: expected 0 to 10, found 11");

    let mut bytes = incits_2004(IMAGE, &two_views(), false);
    bytes[26 + 4 + 4] = 180;
    let error = read_minutiae(&bytes).unwrap_err().to_string();
    assert_eq!(error, "minutia angle at byte 34: expected 0 to 179 units of 2°, found 180");
}

#[test]
fn a_bad_field_of_2011_is_named_with_its_byte() {
    let record = |change: &[(usize, u8)]| {
        let mut bytes = iso_2011(IMAGE, &two_views(), false, 6);
        change.iter().for_each(|&(at, value)| bytes[at] = value);
        read_minutiae(&bytes).unwrap_err().to_string()
    };
    assert_eq!(record(&[(12, 1)]), "number of finger views at byte 12: expected 1 to 176, found 258");
    assert_eq!(record(&[(14, 2)]), "certification flag at byte 14: expected 0 or 1, found 2");
    assert_eq!(record(&[(60, 0x70)]), "minutia size at byte 60: expected 5 or 6 bytes, found 7");
    let short = record(&[(18, 20)]);
    assert_eq!(short, "representation length at byte 15: expected at least the 67 bytes its fields take, found 20");
    let long = record(&[(15, 1)]);
    assert!(long.starts_with("rest of the representation at byte 82: expected 16777216 bytes"), "{long}");
}

#[test]
fn a_representation_may_be_longer_than_its_known_fields() {
    let views = two_views();
    let mut bytes = iso_2011(IMAGE, &views[..1], false, 6);
    bytes[18] += 3;
    bytes[11] += 3;
    bytes.extend([1, 2, 3]);
    let record = read_minutiae(&bytes).unwrap();
    assert!(record.deviations.is_empty() && record.views[0].minutiae.len() == 3);
}

#[test]
fn iso_2005_and_incits_are_told_apart_by_their_length_field() {
    let views = two_views();
    let format = |bytes: &[u8]| read_minutiae(bytes).unwrap().format;
    assert_eq!(format(&iso_2005(IMAGE, &views)), RecordFormat::Iso19794Part2Of2005);
    assert_eq!(format(&incits_2004(IMAGE, &views, false)), RecordFormat::Incits378Of2004);
    assert_eq!(format(&incits_2004(IMAGE, &views, true)), RecordFormat::Incits378Of2004);
    let mut long = iso_2005(IMAGE, &views);
    long[8..12].copy_from_slice(&0x0001_2345_u32.to_be_bytes()); // more than 64 KiB declared: high half 1
    assert_eq!(format(&long), RecordFormat::Iso19794Part2Of2005);
}
