//! Does a comparison tell the same finger from another, whatever the prints are like?

use khop_fingerprint::{Comparator, Probe, Reference, Template, calibration};
use khop_vocabulary::{FingerPosition, FingerSample, Impression, Minutia, MinutiaKind, Resolution};
use proptest::prelude::*;

fn sample(minutiae: Vec<Minutia>) -> FingerSample {
    FingerSample {
        position: FingerPosition::Unknown,
        impression: Impression::LivePlain,
        quality: None,
        width_px: 16384,
        height_px: 16384,
        resolution: Resolution::DPI_500,
        minutiae,
    }
}

fn minutia(x_px: u16, y_px: u16, angle_deg: f32) -> Minutia {
    Minutia { x_px, y_px, angle_deg, kind: MinutiaKind::Ending, quality: None }
}

fn similarity(probe: &FingerSample, reference: &FingerSample) -> f32 {
    let (probe, reference) = (Template::of(probe).unwrap(), Template::of(reference).unwrap());
    Comparator::new().compare(&Probe::of(&probe), &Reference::of(&reference))
}

/// Numbers below `below`, the same for a seed.
fn random(seed: u64) -> impl FnMut(u32) -> u32 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 32) % u64::from(below)) as u32
    }
}

/// A finger of `count` minutiae spread over 320 × 400 px.
fn finger(seed: u64, count: usize) -> FingerSample {
    let mut next = random(seed);
    let make = |_| minutia(200 + next(320) as u16, 200 + next(400) as u16, next(256) as f32 * 360.0 / 256.0);
    sample((0..count).map(make).collect())
}

/// Another impression of it: turned and shifted, every minutia displaced a little, one in six missing, a few false.
fn impression(finger: &FingerSample, seed: u64, turn_deg: f32, shift: (f32, f32)) -> FingerSample {
    let mut next = random(seed);
    let mut noise = |amount: f32| (next(1001) as f32 / 500.0 - 1.0) * amount;
    let (sine, cosine) = turn_deg.to_radians().sin_cos();
    let mut minutiae: Vec<Minutia> = Vec::new();
    for (i, m) in finger.minutiae.iter().enumerate() {
        let (x, y) = (f32::from(m.x_px) - 360.0, f32::from(m.y_px) - 400.0);
        let (x, y) = (cosine * x + sine * y + shift.0 + noise(4.0), cosine * y - sine * x + shift.1 + noise(4.0));
        let angle = (m.angle_deg + turn_deg + noise(8.0)).rem_euclid(360.0);
        if !(i as u64 + seed).is_multiple_of(6) {
            minutiae.push(minutia((x + 800.0).round() as u16, (y + 800.0).round() as u16, angle));
        }
    }
    for _ in 0..4 {
        let place = |v: f32| (800.0 + v) as u16;
        minutiae.push(minutia(place(noise(150.0)), place(noise(200.0)), noise(180.0) + 180.0));
    }
    sample(minutiae)
}

#[test]
fn impressions_of_a_finger_stand_out() {
    for seed in 1..20 {
        let finger_a = finger(seed, 40);
        let mated = similarity(&finger_a, &impression(&finger_a, seed + 100, 25.0, (30.0, -20.0)));
        let other = similarity(&finger_a, &impression(&finger(seed + 1000, 40), seed + 100, 25.0, (30.0, -20.0)));
        assert!(calibration().score(mated).value() > 40.0, "seed {seed}: mated {mated}");
        assert!(calibration().score(other).value() < 25.0, "seed {seed}: other {other}");
        assert!(calibration().llr(mated).nats() > 4.0 && calibration().llr(other).nats() < 2.0);
    }
}

#[test]
fn a_turn_or_shift_of_the_probe_changes_little() {
    for seed in 1..8 {
        let finger = finger(seed, 35);
        let reference = impression(&finger, seed, 0.0, (0.0, 0.0));
        let straight = similarity(&impression(&finger, 77, 0.0, (0.0, 0.0)), &reference);
        for (turn, shift) in [(45.0, (0.0, 0.0)), (-70.0, (50.0, 0.0)), (70.0, (0.0, -90.0)), (-33.0, (77.0, 31.0))] {
            let moved = similarity(&impression(&finger, 77, turn, shift), &reference);
            assert!((moved / straight - 1.0).abs() < 0.25, "seed {seed}, {turn}°: {moved}, not {straight}");
        }
        // A pure shift by whole pixels changes nothing at all.
        let mut shifted = reference.clone();
        shifted.minutiae.iter_mut().for_each(|m| (m.x_px, m.y_px) = (m.x_px + 123, m.y_px + 45));
        assert_eq!(similarity(&finger, &shifted), similarity(&finger, &reference));
    }
}

#[test]
fn a_finger_upside_down_is_another_until_it_is_turned() {
    for seed in 1..8 {
        let finger = finger(seed, 35);
        let (probe, reference) =
            (impression(&finger, 77, 180.0, (9.0, 50.0)), impression(&finger, seed, 0.0, (0.0, 0.0)));
        let upright = similarity(&impression(&finger, 77, 0.0, (9.0, 50.0)), &reference);
        assert!(similarity(&probe, &reference) < 0.5 * upright, "seed {seed}");
        let (probe, reference) = (Template::of(&probe).unwrap(), Template::of(&reference).unwrap());
        let turned = Comparator::new().compare_upside_down(&Probe::of(&probe), &Reference::of(&reference));
        assert!((turned / upright - 1.0).abs() < 0.25, "seed {seed}: {turned}, not {upright}");
    }
}

#[test]
fn the_first_stage_alone_tells_fingers_apart_and_stops_early() {
    let mut comparator = Comparator::new();
    for seed in 1..12 {
        let finger_a = finger(seed, 40);
        let reference = Reference::of(&Template::of(&impression(&finger_a, seed, 0.0, (0.0, 0.0))).unwrap());
        let probe =
            |finger: &FingerSample| Probe::of(&Template::of(&impression(finger, 99, 20.0, (5.0, 5.0))).unwrap());
        let (mate, stranger) = (probe(&finger_a), probe(&finger(seed + 500, 40)));
        let places = [&mate, &stranger].map(|probe| comparator.compare_places(probe, &reference));
        assert!(places[0] > places[1] + 0.05 && places[1] > 0.0 && places[0] < 1.0, "seed {seed}: {places:?}");
        let full = comparator.compare(&mate, &reference);
        assert_eq!(comparator.compare_from(&mate, &reference, places[0]), full);
        assert_eq!(comparator.compare_from(&mate, &reference, places[0] + 0.001), 0.0);
    }
}

#[test]
fn probe_and_reference_may_change_places() {
    for seed in 1..12 {
        let finger = finger(seed, 45);
        let (a, b) = (impression(&finger, seed, 10.0, (0.0, 0.0)), impression(&finger, seed + 50, -20.0, (9.0, 40.0)));
        let (forth, back) = (similarity(&a, &b), similarity(&b, &a));
        assert!((forth - back).abs() < 0.1 * forth.max(back), "seed {seed}: {forth} and {back}");
    }
}

#[test]
fn resolutions_meet_at_500_dpi() {
    let finger = finger(5, 40);
    let mut fine = finger.clone(); // x at 1000 dpi, y at 750 dpi
    fine.resolution = Resolution { x_px_per_cm: 394, y_px_per_cm: 295 };
    fine.minutiae.iter_mut().for_each(|m| (m.x_px, m.y_px) = (m.x_px * 2, (f32::from(m.y_px) * 1.5) as u16));
    let own = similarity(&finger, &finger);
    assert!((similarity(&finger, &fine) / own - 1.0).abs() < 0.05);
    fine.resolution = Resolution::DPI_500;
    assert!(similarity(&finger, &fine) < 0.5 * own);
}

#[test]
fn a_used_comparator_forgets() {
    let fingers: Vec<FingerSample> = (0..12).map(|i| finger(i, 1 + 21 * i as usize)).collect();
    let templates: Vec<Template> = fingers.iter().map(|f| Template::of(f).unwrap()).collect();
    let mut used = Comparator::new();
    for a in &templates {
        for b in &templates {
            let (probe, reference) = (Probe::of(a), Reference::of(b));
            assert_eq!(used.compare(&probe, &reference), Comparator::new().compare(&probe, &reference));
        }
    }
}

#[test]
fn degenerate_fingers_are_compared() {
    let line = |n: u16| sample((0..n).map(|i| minutia(i * 60, 0, 0.0)).collect());
    let point = |n: u16| sample((0..n).map(|i| minutia(5, 5, f32::from(i))).collect());
    let corners = sample([(0, 0), (16383, 0), (0, 16383), (16383, 16383)].map(|(x, y)| minutia(x, y, 45.0)).to_vec());
    let lattice = sample((0..100).map(|i| minutia(i % 10 * 20, i / 10 * 20, 0.0)).collect());
    let fingers = [line(1), line(2), line(255), point(1), point(2), point(255), corners, lattice, finger(1, 255)];
    for a in &fingers {
        for b in &fingers {
            let similarity = similarity(a, b);
            assert!(similarity.is_finite() && similarity >= 0.0, "{similarity}");
        }
    }
    assert_eq!(similarity(&line(1), &line(1)), 0.0, "one minutia says nothing");
}

fn any_minutia() -> impl Strategy<Value = Minutia> {
    let coordinate = || prop_oneof![0u16..16384, 100u16..140, Just(0u16), Just(16383u16), Just(u16::MAX)];
    let angle = prop_oneof![0f32..360.0, Just(0.0), any::<f32>()];
    (coordinate(), coordinate(), angle, 0u8..3, proptest::option::of(0u8..=255)).prop_map(
        |(x_px, y_px, angle_deg, k, quality)| {
            let kind = [MinutiaKind::Other, MinutiaKind::Ending, MinutiaKind::Bifurcation][usize::from(k)];
            Minutia { x_px, y_px, angle_deg, kind, quality }
        },
    )
}

fn any_sample() -> impl Strategy<Value = FingerSample> {
    let resolution = prop_oneof![Just(197u16), 1u16..=65535, Just(1u16)];
    (proptest::collection::vec(any_minutia(), 1..=255), resolution.clone(), resolution).prop_map(|(minutiae, x, y)| {
        FingerSample { resolution: Resolution { x_px_per_cm: x, y_px_per_cm: y }, ..sample(minutiae) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_two_samples_can_be_compared(a in any_sample(), b in any_sample()) {
        let similarity = [similarity(&a, &b), similarity(&a, &a)];
        prop_assert!(similarity.iter().all(|s| s.is_finite() && *s >= 0.0));
    }
}
