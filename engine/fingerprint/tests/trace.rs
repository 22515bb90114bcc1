//! Does a trace show the comparison that was made?

use khop_fingerprint::{Comparator, Probe, Reference, Template, Trace};
use khop_vocabulary::{FingerPosition, FingerSample, Impression, Minutia, MinutiaKind, Resolution};

/// `count` minutiae scattered by `seed`, turned by a quarter and shifted where asked.
fn finger(seed: u64, count: usize, turned: bool) -> Template {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) % below
    };
    let make = |_| {
        let (x, y, angle) = (next(300) as u16, next(380) as u16, next(256) as f32 * 360.0 / 256.0);
        // A quarter to the left as one looks at it: what was right is up.
        let (x_px, y_px, angle_deg) = if turned { (y + 40, 400 - x, (angle + 90.0) % 360.0) } else { (x, y, angle) };
        Minutia { x_px, y_px, angle_deg, kind: MinutiaKind::Ending, quality: None }
    };
    let sample = FingerSample {
        position: FingerPosition::Unknown,
        impression: Impression::LivePlain,
        quality: None,
        width_px: 500,
        height_px: 500,
        resolution: Resolution::DPI_500,
        minutiae: (0..count).map(make).collect(),
    };
    Template::of(&sample).unwrap()
}

fn traced(probe: &Template, reference: &Template) -> Trace {
    Comparator::new().trace(&Probe::of(probe), &Reference::of(reference))
}

#[test]
fn it_says_what_the_comparison_says() {
    let mut comparator = Comparator::new();
    for seed in 1..30 {
        for (other, turned) in [(seed, true), (seed + 50, false)] {
            let (probe, reference) = (finger(seed, 20 + seed as usize, false), finger(other, 35, turned));
            let trace = traced(&probe, &reference);
            let similarity = comparator.compare(&Probe::of(&probe), &Reference::of(&reference));
            assert_eq!(trace.similarity, similarity, "seed {seed}");
            assert_eq!((trace.probe.len(), trace.reference.len()), (probe.minutiae_count(), 35));
            let mut seen: Vec<usize> = trace.pairs.iter().map(|p| p.0).collect();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), trace.pairs.len(), "each minutia at most once");
        }
    }
}

#[test]
fn a_turned_finger_comes_to_lie_on_itself() {
    let trace = traced(&finger(3, 35, true), &finger(3, 35, false));
    assert_eq!(trace.pairs.len(), 35);
    assert!(trace.pairs.iter().all(|(a, b)| a == b), "minutiae keep their order here");
    for (moved, there) in trace.laid_on.iter().zip(&trace.reference) {
        assert!((moved.x_px - there.x_px).hypot(moved.y_px - there.y_px) < 3.0);
        let apart = (moved.angle_deg - there.angle_deg + 540.0).rem_euclid(360.0) - 180.0;
        assert!(apart.abs() < 3.0, "{apart}");
    }
    let before = (trace.probe[0].x_px - trace.reference[0].x_px).abs();
    assert!(before > 3.0, "the probe itself is shown as it is");
    let named = |name: &str| trace.terms.iter().find(|term| term.name == name).unwrap().value;
    assert_eq!(named("paired"), 35.0 / 39.0);
    assert!(named("residual_px") < 3.0);
}

#[test]
fn nothing_in_common_is_shown_as_such() {
    let (one, many) = (finger(1, 1, false), finger(2, 35, false));
    let trace = traced(&one, &many);
    assert_eq!((trace.similarity, trace.pairs.len(), trace.terms.len(), trace.laid_on.len()), (0.0, 0, 0, 0));
    assert_eq!((trace.probe.len(), trace.reference.len()), (1, 35));
    let shown = format!("{trace:?} {:?}", trace.reference[0]);
    assert_eq!(shown, "Trace(1 and 35 minutiae, 0 pairs, similarity 0) TracedMinutia(..)");
}
