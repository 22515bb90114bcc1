//! Does a template keep what it should, and refuse bytes that are none?

use khop_fingerprint::{TEMPLATE_VERSION, Template, TemplateError};
use khop_vocabulary::{FingerPosition, FingerSample, Impression, Minutia, MinutiaKind, Quality, Resolution};
use proptest::prelude::*;

fn sample(places: impl IntoIterator<Item = (u16, u16)>) -> FingerSample {
    let minutia = |(x_px, y_px)| Minutia { x_px, y_px, angle_deg: 90.0, kind: MinutiaKind::Ending, quality: Some(100) };
    FingerSample {
        position: FingerPosition::LeftRing,
        impression: Impression::LivePlain,
        quality: Some(Quality::new(71).unwrap()),
        width_px: 500,
        height_px: 500,
        resolution: Resolution::DPI_500,
        minutiae: places.into_iter().map(minutia).collect(),
    }
}

#[test]
fn the_layout_is_as_documented() {
    let template = Template::of(&sample([(100, 40), (107, 296)])).unwrap();
    // x 7, y 256, direction 64, ending, quality 63
    let second = [7, 0, 16, 64, 0b1111_1101];
    assert_eq!(template.as_bytes(), [&[TEMPLATE_VERSION, 2, 71, 0, 0, 0, 64, 0b1111_1101][..], &second].concat());
    assert_eq!((template.minutiae_count(), template.quality()), (2, Quality::new(71).ok()));
    assert_eq!(format!("{template:?}"), "Template(2 minutiae)");
    let unknown = FingerSample { quality: None, ..sample([(1, 1)]) };
    assert_eq!(Template::of(&unknown).unwrap().quality(), None);
}

#[test]
fn the_innermost_are_nearest_to_the_middle() {
    let template = Template::of(&sample([(0, 0), (100, 0), (0, 100), (100, 100), (52, 50), (45, 60)])).unwrap();
    let kept = |count| template.innermost(count);
    assert_eq!((kept(2).minutiae_count(), kept(0).minutiae_count(), kept(99).minutiae_count()), (2, 1, 6));
    // x 52, y 50, direction 64: the nearest to (49.5, 51.7) first.
    assert_eq!(kept(1).as_bytes()[3..7], [52, 32, 3, 64]);
    assert_eq!(kept(1).quality(), template.quality());
}

#[test]
fn without_minutiae_there_is_none() {
    let error = Template::of(&sample([])).unwrap_err();
    assert_eq!(error.to_string(), "finger LEFT_RING: expected at least one minutia, got none");
}

#[test]
fn of_too_many_the_loneliest_are_kept() {
    // A hundred far apart, between them a heap of 30 close together.
    let grid = (0..100).map(|i| (i % 10 * 100, i / 10 * 100));
    let heap = (0..30).map(|i| (440 + i % 6, 440 + i / 6));
    let kept = Template::of(&sample(grid.clone().chain(heap))).unwrap();
    assert_eq!(kept, Template::of(&sample(grid)).unwrap());
    assert_eq!(kept.as_bytes().len(), 3 + 5 * 100);
}

#[test]
fn both_axes_are_scaled() {
    let fine = Resolution { x_px_per_cm: 394, y_px_per_cm: 591 };
    let fine = FingerSample { resolution: fine, ..sample([(0, 0), (200, 300)]) };
    assert_eq!(Template::of(&fine).unwrap(), Template::of(&sample([(0, 0), (100, 100)])).unwrap());
}

#[test]
fn what_is_wrong_is_named() {
    let good = Template::of(&sample([(1, 2), (3, 4)])).unwrap().as_bytes().to_vec();
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        Template::from_bytes(&bytes).unwrap_err()
    };
    assert_eq!(Template::from_bytes(&good[..2]), Err(TemplateError::Header(2)));
    assert_eq!(with(0, 99), TemplateError::Version(99));
    assert_eq!(with(1, 0), TemplateError::Count(0));
    assert_eq!(with(1, 101), TemplateError::Count(101));
    assert_eq!(with(1, 3), TemplateError::Length { expected: 18, got: 13 });
    assert_eq!(with(2, 101), TemplateError::Quality(101));
    assert_eq!(with(12, 3), TemplateError::Kind(1));
    assert_eq!(with(1, 3).to_string(), "finger template length: expected 18 bytes for its count, got 13");
}

proptest! {
    #[test]
    fn bytes_lead_back(places in proptest::collection::vec((0u16..4000, 0u16..4000), 1..=255)) {
        let template = Template::of(&sample(places)).unwrap();
        prop_assert_eq!(Template::from_bytes(template.as_bytes()).unwrap(), template);
    }

    #[test]
    fn any_bytes_are_a_template_or_an_error(
        bytes in proptest::collection::vec(any::<u8>(), 0..520),
        count in 0u8..=100,
    ) {
        let mut headed = vec![TEMPLATE_VERSION, count, 255];
        headed.extend(bytes.iter().copied().chain(std::iter::repeat(0)).take(5 * usize::from(count)));
        for bytes in [bytes, headed] {
            if let Ok(template) = Template::from_bytes(&bytes) {
                prop_assert_eq!(template.as_bytes(), &bytes[..]);
                let probe = khop_fingerprint::Probe::of(&template);
                let reference = khop_fingerprint::Reference::of(&template);
                prop_assert!(khop_fingerprint::Comparator::new().compare(&probe, &reference).is_finite());
            }
        }
    }
}
