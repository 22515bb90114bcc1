//! Does a fitted table promise what the data keep?

use khop_evaluate::calibration::{Fit, FitError, FitOptions, fit};
use khop_evaluate::{Comparison, Comparisons, Subjects, Verification};
use khop_vocabulary::{Calibration, Llr};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

fn options() -> FitOptions {
    let provenance = vec!["made by a test".into()];
    FitOptions { name: "test-1".into(), provenance, equal_subjects: false, floor: Llr::new(-4.0) }
}

/// Spread over forty subjects with twenty samples each, whatever the number of comparisons.
fn spread(mated: &[f32], non_mated: &[f32]) -> Verification {
    let subjects = Subjects::new((0..800).map(|s| s / 20).collect(), vec![0; 40]).unwrap();
    let place = |values: &[f32], wanted: bool| {
        let pairs = (0..800u32).flat_map(|a| (a + 1..800).map(move |b| (a, b)));
        let pairs: Vec<_> = pairs.filter(|&(a, b)| subjects.are_mated(a, b) == wanted).collect();
        let places = pairs.iter().cycle();
        values
            .iter()
            .zip(places)
            .map(|(&similarity, &(probe, reference))| Comparison { similarity, probe, reference })
            .collect()
    };
    let comparisons = Comparisons::new(subjects.clone(), place(mated, true), place(non_mated, false));
    Verification::new(comparisons.unwrap())
}

fn gaussians(seed: u64, mated: usize, non_mated: usize, distance: f32) -> (Vec<f32>, Vec<f32>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = move || {
        let (u, v): (f64, f64) = (1.0 - random.random::<f64>(), random.random());
        ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
    };
    ((0..mated).map(|_| normal() + distance).collect(), (0..non_mated).map(|_| normal()).collect())
}

#[test]
fn the_ratio_of_two_gaussians_is_found() {
    let (mated, non_mated) = gaussians(5, 20_000, 200_000, 3.0);
    let Fit { calibration, cap, cllr_bits, mean_non_mated_ratio, .. } =
        fit(&spread(&mated, &non_mated), &options()).unwrap();
    for similarity in [0.5f32, 1.0, 1.5, 2.0, 2.5] {
        let (found, truth) = (calibration.llr(similarity).nats(), 3.0 * similarity - 4.5);
        assert!((found - truth).abs() < 0.35, "at {similarity}: {found}, in truth {truth}");
    }
    for (similarity, score) in [(1.281_6f32, 10.0), (2.326_3, 20.0), (3.090_2, 30.0), (3.719, 40.0)] {
        let found = calibration.score(similarity).value();
        assert!((found - score).abs() < score * 0.03 + 0.2, "at {similarity}: {found}, in truth {score}");
    }
    assert!((cap.nats() - (200_000f32 / 30.0).ln()).abs() < 1e-3);
    assert!(calibration.llr(9.0) <= cap && calibration.llr(-9.0).nats() >= -4.0);
    assert!((0.8..1.1).contains(&mean_non_mated_ratio), "{mean_non_mated_ratio}");
    assert!((0.1..0.25).contains(&cllr_bits), "{cllr_bits}");
}

#[test]
fn an_exponential_tail_goes_on_straight() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let non_mated: Vec<f32> = (0..100_000).map(|_| -(1.0 - random.random::<f64>()).ln() as f32).collect();
    let mated: Vec<f32> = (0..2000).map(|i| 4.0 + i as f32 / 200.0).collect();
    let found = fit(&spread(&mated, &non_mated), &options()).unwrap();
    assert!((found.measured_to - (100_000f32 / 30.0).ln()).abs() < 0.6, "{}", found.measured_to);
    let score = found.calibration.score(18.42).value(); // FMR 1e-8 in truth
    assert!((score - 80.0).abs() < 12.0, "{score}");
}

#[test]
fn no_ratio_exceeds_its_own_rate() {
    let (mated, non_mated) = gaussians(6, 3000, 30_000, 2.0);
    let table = fit(&spread(&mated, &non_mated), &options()).unwrap().calibration;
    for k in table.knots() {
        assert!(k.llr <= k.score * std::f32::consts::LN_10 / 10.0 + 2e-3 || k.llr == table.knots()[0].llr, "{k:?}");
    }
    let unseen = gaussians(99, 1, 100_000, 2.0).1;
    for threshold in [1.0f32, 2.0, 3.0] {
        let above = unseen.iter().filter(|&&s| table.llr(s) >= Llr::new(threshold)).count() as f32 / 1e5;
        assert!(above <= (-threshold).exp() * 1.1, "P(LLR ≥ {threshold}) = {above}");
    }
}

#[test]
fn ties_and_separation_are_survived() {
    let mated: Vec<f32> = (0..500).map(|i| if i < 20 { 0.0 } else { 10.0 + (i % 30) as f32 }).collect();
    let non_mated: Vec<f32> = (0..5000).map(|i| if i % 3 > 0 { 0.0 } else { (i % 9) as f32 }).collect();
    let found = fit(&spread(&mated, &non_mated), &options()).unwrap();
    let sure = found.calibration.llr(30.0).nats(); // two thirds of the mated are beyond every stranger
    assert!(sure > 4.0 && sure <= (5000f32 / 30.0).ln(), "{sure}");
    assert!(found.calibration.llr(0.0).nats() < -1.0);
    let apart = fit(&spread(&[1.0; 200], &[0.0; 200]), &options()).unwrap();
    assert!(apart.calibration.llr(1.0).nats() <= (200f32 / 30.0).ln() + 1e-3);
    let text = found.calibration.to_text();
    assert_eq!(Calibration::from_text(&text).unwrap(), found.calibration);
    assert!(text.contains("# made by a test\n# 500 mated and 5000 non-mated comparisons of 40 subjects\n"), "{text}");
}

#[test]
fn subjects_may_weigh_the_same() {
    // Subject 0 gave 40 samples that never resemble each other, the other 20 gave 4 each that always do.
    let of_sample: Vec<u32> = std::iter::repeat_n(0, 40).chain((0..80).map(|s| 1 + s / 4)).collect();
    let subjects = Subjects::new(of_sample, vec![0; 21]).unwrap();
    let (mut mated, mut non_mated) = (Vec::new(), Vec::new());
    for probe in 0..120u32 {
        for reference in probe + 1..120 {
            let noise = (probe * 31 + reference * 17) as f32 % 97.0 / 97.0;
            let is_mated = subjects.are_mated(probe, reference);
            let similarity = noise + if is_mated && subjects.of(probe) > 0 { 2.0 } else { 0.0 };
            if is_mated { &mut mated } else { &mut non_mated }.push(Comparison { similarity, probe, reference });
        }
    }
    let all = Verification::new(Comparisons::new(subjects, mated, non_mated).unwrap());
    let low = |equal_subjects| {
        let options = FitOptions { equal_subjects, ..options() };
        fit(&all, &options).unwrap().calibration.llr(0.5).nats()
    };
    let (counted, fair) = (low(false), low(true));
    assert!((counted - (780f32 / 900.0).ln()).abs() < 0.2, "{counted}"); // 780 of 900 pairs are subject 0's
    // One in 21 were −3 nats, but so unequal weights are worth 130 comparisons: no more than ln(130/30) either way.
    assert!((-1.7..-1.2).contains(&fair), "{fair}");
}

#[test]
fn too_little_or_no_contrast_is_refused() {
    let few = fit(&spread(&[1.0; 99], &[0.0; 500]), &options());
    assert_eq!(few.unwrap_err(), FitError::TooFew { mated: 99, non_mated: 500 });
    let (a, b) = gaussians(3, 500, 500, 0.0);
    let reversed: Vec<f32> = a.iter().map(|s| s - 5.0).collect();
    assert_eq!(fit(&spread(&reversed, &b), &options()).unwrap_err(), FitError::NoContrast);
}
