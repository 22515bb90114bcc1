//! Do verification measures say what counting by hand says?

use khop_evaluate::{Comparison, Comparisons, Resampling, Subjects, Verification};
use khop_vocabulary::Fmr;
use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

fn fmr(rate: f64) -> Fmr {
    Fmr::new(rate).unwrap()
}

/// Every pair of samples, compared by a function of the two.
fn all_pairs(subjects: &Subjects, mut compare: impl FnMut(u32, u32) -> f32) -> Verification {
    let (mut mated, mut non_mated) = (Vec::new(), Vec::new());
    let samples = subjects.samples() as u32;
    for probe in 0..samples {
        for reference in probe + 1..samples {
            let list = if subjects.are_mated(probe, reference) { &mut mated } else { &mut non_mated };
            list.push(Comparison { similarity: compare(probe, reference), probe, reference });
        }
    }
    Verification::new(Comparisons::new(subjects.clone(), mated, non_mated).unwrap())
}

/// Similarities as given, every mated one of its own subject, every non-mated one of its own pair.
fn listed(mated: &[f32], non_mated: &[f32]) -> Verification {
    let (m, n) = (mated.len() as u32, non_mated.len() as u32);
    let of_sample = (0..m).flat_map(|s| [s, s]).chain(m..m + 2 * n).collect();
    let subjects = Subjects::new(of_sample, vec![0; (m + 2 * n) as usize]).unwrap();
    let pair =
        |(i, &similarity): (usize, &f32)| Comparison { similarity, probe: 2 * i as u32, reference: 2 * i as u32 + 1 };
    let mated = mated.iter().enumerate().map(pair).collect();
    let non_mated = non_mated.iter().enumerate().map(|(i, s)| pair((i + m as usize, s))).collect();
    Verification::new(Comparisons::new(subjects, mated, non_mated).unwrap())
}

#[test]
fn ten_comparisons_by_hand() {
    let all = listed(&[0.9, 0.8, 0.35, 0.7], &[0.1, 0.6, 0.3, 0.2, 0.4, 0.05]);
    let asked = [0.0, 0.17, 1.0 / 6.0, 0.34, 1.0].map(fmr);
    let found = all.measure(&asked, &Resampling { seed: 1, resamples: 20 });
    let lines: Vec<_> = found.fnmr_at_fmr.iter().map(|l| (l.threshold, l.false_matches, l.errors)).collect();
    assert_eq!(lines, [(0.7, 0, 1), (0.6, 1, 1), (0.6, 1, 1), (0.35, 2, 0), (0.05, 6, 0)]);
    // At 0.4 FMR is 2/6 and FNMR 1/4, at 0.6 they are 1/6 and 1/4: equally near; the mean there.
    assert!((found.eer.rate - 0.25).abs() < 0.05, "{:?}", found.eer);
    assert_eq!(found.fnmr_at_fmr[0].fnmr.value(), 0.25);
    let certain = &found.fnmr_at_fmr[3];
    assert!(certain.ci95.high >= 0.75, "no error in four trials proves little: {certain:?}");
}

#[test]
fn two_gaussians_cross_where_theory_says() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut normal = || (0..12).map(|_| random.random::<f32>()).sum::<f32>() - 6.0;
    let mated: Vec<f32> = (0..40_000).map(|_| normal() + 2.563_1).collect();
    let non_mated: Vec<f32> = (0..40_000).map(|_| normal()).collect();
    // One subject each would make a needlessly large count matrix: spread the samples over forty.
    let subjects = Subjects::new((0..400).map(|s| s / 10).collect(), vec![0; 40]).unwrap();
    let place = |mated: bool| {
        let subjects = subjects.clone();
        let pairs = (0..400u32).flat_map(|a| (a + 1..400).map(move |b| (a, b)));
        pairs.filter(move |&(a, b)| subjects.are_mated(a, b) == mated).collect::<Vec<_>>()
    };
    let fill = |values: &[f32], pairs: &[(u32, u32)]| {
        let pairs = pairs.iter().cycle();
        values.iter().zip(pairs).map(|(&s, &(p, r))| Comparison { similarity: s, probe: p, reference: r }).collect()
    };
    let comparisons = Comparisons::new(subjects.clone(), fill(&mated, &place(true)), fill(&non_mated, &place(false)));
    let found = Verification::new(comparisons.unwrap()).measure(&[fmr(0.01)], &Resampling::default());
    assert!((found.eer.rate - 0.1).abs() < 0.004, "Φ(−d′/2) = 0.1, got {:?}", found.eer);
    assert!((found.eer.threshold - 1.28).abs() < 0.05);
    let line = &found.fnmr_at_fmr[0]; // Φ(2.326 − 2.563) = 0.406
    assert!((line.fnmr.value() - 0.406).abs() < 0.02, "{line:?}");
    assert!(found.eer.ci95.low < 0.1 && 0.1 < found.eer.ci95.high);
}

#[test]
fn people_are_resampled_not_pairs() {
    // Forty subjects of eight samples; all errors are one subject's, whose samples never match.
    let subjects = Subjects::new((0..320).map(|s| s / 8).collect(), vec![0; 40]).unwrap();
    let all = all_pairs(&subjects, |p, r| match (subjects.are_mated(p, r), subjects.of(p)) {
        (true, 0) => 0.0,
        (true, _) => 1.0,
        (false, _) => 0.1 + (p * 7 + r * 13) as f32 % 100.0 / 1000.0,
    });
    let found = all.measure(&[fmr(1e-3)], &Resampling::default());
    let line = &found.fnmr_at_fmr[0];
    assert_eq!((line.errors, line.mated), (28, 1120));
    assert_eq!(line.ci95.low, 0.0, "the bad subject may well not come");
    assert!((0.07..0.11).contains(&line.ci95.high), "or come three or four times: {:?}", line.ci95);
    assert!(line.binomial95.low > 0.015 && line.binomial95.high < 0.04, "{:?}", line.binomial95);
    let again = all.measure(&[fmr(1e-3)], &Resampling::default());
    assert_eq!(found, again, "the same seed gives the same interval");
    let other = all.measure(&[fmr(1e-2), fmr(1e-3)], &Resampling { seed: 2, resamples: 50 });
    assert_eq!(other.fnmr_at_fmr[1].errors, 28);
}

#[test]
fn two_subjects_alone_do_not_break_it() {
    let subjects = Subjects::new(vec![0, 0, 1, 1], vec![0, 0]).unwrap();
    let all = all_pairs(&subjects, |p, r| if subjects.are_mated(p, r) { 0.8 } else { 0.2 });
    let found = all.measure(&[fmr(1e-2)], &Resampling { seed: 1, resamples: 100 });
    assert_eq!((found.eer.rate, found.fnmr_at_fmr[0].errors), (0.0, 0));
    assert_eq!(found.eer.ci95.high, 1.0);
}

proptest! {
    #[test]
    fn the_threshold_is_the_best_there_is(mated in prop::collection::vec(0u8..30, 1..60),
                                          non_mated in prop::collection::vec(0u8..30, 1..60), asked in 0f64..=1.0) {
        let floats = |v: &[u8]| v.iter().map(|&x| f32::from(x)).collect::<Vec<_>>();
        let all = listed(&floats(&mated), &floats(&non_mated));
        let found = all.measure(&[fmr(asked)], &Resampling { seed: 1, resamples: 2 });
        let line = &found.fnmr_at_fmr[0];
        prop_assert!(line.fmr.value() <= asked + 1e-8);
        prop_assert_eq!(line.fmr.value(), line.false_matches as f64 / non_mated.len() as f64);
        prop_assert_eq!(line.fnmr.value(), line.errors as f64 / mated.len() as f64);
        for threshold in 0..=31u8 {
            let rate = non_mated.iter().filter(|&&s| s >= threshold).count() as f64 / non_mated.len() as f64;
            let errors = mated.iter().filter(|&&s| s < threshold).count() as u64;
            prop_assert!(rate > asked + 1e-8 || errors >= line.errors);
        }
    }

    #[test]
    fn asking_for_less_fmr_never_lowers_fnmr(mated in prop::collection::vec(-1f32..1.0, 1..60),
                                             non_mated in prop::collection::vec(-1f32..1.0, 1..200)) {
        let all = listed(&mated, &non_mated);
        let asked = [1.0, 0.5, 0.1, 0.03, 0.01, 0.0].map(fmr);
        let found = all.measure(&asked, &Resampling { seed: 1, resamples: 2 }).fnmr_at_fmr;
        for pair in found.windows(2) {
            prop_assert!(pair[0].threshold <= pair[1].threshold);
            prop_assert!(pair[0].fnmr <= pair[1].fnmr);
        }
    }
}

#[test]
fn a_subject_of_many_samples_weighs_as_much_as_one_of_few() {
    // Three mated comparisons of the first subject, one of the second.
    let subjects = Subjects::new(vec![0, 0, 0, 1, 1], vec![0; 2]).unwrap();
    let of = |(probe, reference, similarity)| Comparison { similarity, probe, reference };
    let mated = [(0, 1, 0.75), (0, 2, 0.75), (1, 2, 0.75), (3, 4, 0.25)].map(of).to_vec();
    let non_mated = [(0, 3, 0.0), (1, 4, 0.5)].map(of).to_vec();
    let verification = Verification::new(Comparisons::new(subjects, mated, non_mated).unwrap());
    let (mated, non_mated) = (verification.mated_spread(), verification.non_mated_spread());
    assert!((mated.mean - 0.5).abs() < 1e-12 && (mated.sd - 0.25).abs() < 1e-12, "{mated:?}");
    assert_eq!((non_mated.mean, non_mated.sd), (0.25, 0.25));
    assert_eq!(verification.fnmr(0.5).value(), 0.25);
    assert!((verification.fnmr_by_subject(0.5).value() - 0.5).abs() < 1e-12);
}
