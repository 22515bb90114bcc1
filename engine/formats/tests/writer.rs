//! Does what is written read back? ISO/IEC 19794-2:2005.

mod layout;

use khop_formats::{MAX_VIEWS, RecordFormat, read_minutiae, write_iso_2005};
use khop_vocabulary::{FingerPosition, FingerSample, Impression, Minutia, MinutiaKind, Quality, Resolution};
use proptest::prelude::*;

fn minutia(width: u16, height: u16) -> impl Strategy<Value = Minutia> {
    let kind = prop_oneof![Just(MinutiaKind::Other), Just(MinutiaKind::Ending), Just(MinutiaKind::Bifurcation)];
    let quality = proptest::option::of(1..=100u8);
    (0..width, 0..height, 0f32..360.0, kind, quality).prop_map(|(x_px, y_px, angle_deg, kind, quality)| Minutia {
        x_px,
        y_px,
        angle_deg,
        kind,
        quality,
    })
}

fn view(width_px: u16, height_px: u16, resolution: Resolution) -> impl Strategy<Value = FingerSample> {
    let position = (0..=10u8).prop_map(|code| FingerPosition::from_code(code).unwrap());
    let impression = prop_oneof![
        Just(Impression::LivePlain),
        Just(Impression::LiveRolled),
        Just(Impression::NonLivePlain),
        Just(Impression::NonLiveRolled),
        Just(Impression::Swipe),
        (9..=15u8).prop_map(Impression::Other)
    ];
    let quality = proptest::option::of((1..=100u8).prop_map(|q| Quality::new(q).unwrap()));
    let minutiae = proptest::collection::vec(minutia(width_px, height_px), 0..=255);
    (position, impression, quality, minutiae).prop_map(move |(position, impression, quality, minutiae)| FingerSample {
        position,
        impression,
        quality,
        width_px,
        height_px,
        resolution,
        minutiae,
    })
}

fn views() -> impl Strategy<Value = Vec<FingerSample>> {
    (1..=16384u16, 1..=16384u16, 1..=u16::MAX, 1..=u16::MAX).prop_flat_map(|(w, h, x_px_per_cm, y_px_per_cm)| {
        proptest::collection::vec(view(w, h, Resolution { x_px_per_cm, y_px_per_cm }), 1..=16)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn round_trips(views in views()) {
        let bytes = write_iso_2005(&views).unwrap();
        let record = read_minutiae(&bytes).unwrap();
        prop_assert_eq!(record.format, RecordFormat::Iso19794Part2Of2005);
        prop_assert_eq!(&record.deviations, &[]);
        prop_assert_eq!(record.views.len(), views.len());
        for (read, written) in record.views.iter().zip(&views) {
            for (a, b) in read.minutiae.iter().zip(&written.minutiae) {
                let turn = (a.angle_deg - b.angle_deg).rem_euclid(360.0);
                prop_assert!(turn.min(360.0 - turn) <= 180.0 / 256.0 + 1e-3, "{} became {}", b.angle_deg, a.angle_deg);
            }
            let without_angles = |sample: &FingerSample| {
                let mut sample = sample.clone();
                sample.minutiae.iter_mut().for_each(|m| m.angle_deg = 0.0);
                sample
            };
            prop_assert_eq!(without_angles(read), without_angles(written));
        }
        prop_assert_eq!(write_iso_2005(&record.views).unwrap(), bytes); // nothing is lost the second time
    }
}

#[test]
fn the_bytes_lie_as_the_layout_says() {
    let record = read_minutiae(&layout::iso_2005(layout::IMAGE, &layout::two_views())).unwrap();
    let mut plain = layout::two_views();
    plain.iter_mut().for_each(|view| view.extended.clear());
    let mut expected = layout::iso_2005(layout::IMAGE, &plain);
    expected[12..14].fill(0); // the writer names no capture equipment
    assert_eq!(write_iso_2005(&record.views).unwrap(), expected);
}

#[test]
fn views_of_one_finger_are_numbered() {
    let mut view = read_minutiae(&layout::iso_2005(layout::IMAGE, &layout::two_views())).unwrap().views.remove(0);
    view.minutiae.clear();
    let other = FingerSample { position: FingerPosition::LeftThumb, ..view.clone() };
    let bytes = write_iso_2005(&[view.clone(), other, view.clone(), view]).unwrap();
    let numbers: Vec<u8> = bytes[24..].chunks_exact(6).map(|view_header| view_header[1] >> 4).collect();
    assert_eq!(numbers, [0, 0, 1, 2]);
}

#[test]
fn what_does_not_fit_is_named() {
    let read = || read_minutiae(&layout::iso_2005(layout::IMAGE, &layout::two_views())).unwrap().views;
    let refused = |change: &dyn Fn(&mut Vec<FingerSample>)| {
        let mut views = read();
        change(&mut views);
        write_iso_2005(&views).unwrap_err().to_string()
    };
    assert_eq!(refused(&|v| v.clear()), "view 0, number of finger views: expected 1 to 176, found 0");
    let many = refused(&|v| *v = vec![v[0].clone(); MAX_VIEWS + 1]);
    assert_eq!(many, "view 0, number of finger views: expected 1 to 176, found 177");
    let same_finger = refused(&|v| *v = vec![v[0].clone(); 17]);
    assert_eq!(same_finger, "view 16, view number: expected at most 16 views of one finger, found 17");
    let size = refused(&|v| v[1].width_px = 301);
    assert_eq!(size, "view 1, image size: expected 300 × 400 px as in view 0, found 301 × 400 px");
    let huge = refused(&|v| v[0].height_px = 16385);
    assert_eq!(huge, "view 0, image size: expected 1 to 16384 px each way, found 300 × 16385 px");
    let scale = refused(&|v| v[1].resolution = Resolution { x_px_per_cm: 197, y_px_per_cm: 99 });
    assert_eq!(scale, "view 1, resolution: expected 197 × 197 px/cm as in view 0, found 197 × 99");
    assert!(refused(&|v| v[0].resolution.x_px_per_cm = 0).contains("resolution"));
    let outside = refused(&|v| v[0].minutiae[0].x_px = 300);
    assert_eq!(outside, "view 0, minutia: expected all inside the image, found 1 outside");
    assert!(refused(&|v| v[0].minutiae[0].angle_deg = f32::NAN).contains("minutia angle"));
    assert!(refused(&|v| v[0].impression = Impression::Other(24)).contains("impression type"));
    let crowd = refused(&|v| v[0].minutiae = vec![v[0].minutiae[0]; 256]);
    assert_eq!(crowd, "view 0, number of minutiae: expected at most 255, found 256");
}
