//! Which threshold keeps a rate, and what does the whole trade-off look like? Walks over sorted similarities.

/// One point of a detection error trade-off: a threshold and the two rates it gives.
///
/// Of a verification FMR and FNMR, of an identification FPIR and FNIR.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetPoint {
    /// Similarities at or above it are accepted.
    pub threshold: f32,
    /// Share of non-mated trials accepted.
    pub false_positive: f64,
    /// Share of mated trials rejected.
    pub false_negative: f64,
}

/// Where the two error rates are equal, or as near as steps allow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Crossing {
    pub threshold: f32,
    pub rate: f64,
}

/// The highest similarity that must be rejected so that the weight of accepted trials stays within `allowed`;
/// `None` when all may be accepted. `descending` yields similarity and weight.
pub(crate) fn highest_rejected(descending: impl Iterator<Item = (f32, f64)>, allowed: f64) -> Option<f32> {
    let mut accepted = 0.0;
    for (similarity, weight) in descending {
        accepted += weight;
        if accepted > allowed {
            return Some(similarity);
        }
    }
    None
}

/// How much weight may be accepted at this rate; a hair more, so that 0.01 of 300 is 3.
pub(crate) fn allowed(rate: f64, total: f64) -> f64 {
    rate * total * (1.0 + 1e-9)
}

/// Lowers the threshold until false positives reach false negatives. Both iterators descend.
pub(crate) fn crossing(
    mated: impl Iterator<Item = (f32, f64)>,
    mated_total: f64,
    non_mated: impl Iterator<Item = (f32, f64)>,
    non_mated_total: f64,
) -> Crossing {
    let (mut mated, mut non_mated) = (mated.peekable(), non_mated.peekable());
    let (mut hits, mut false_matches) = (0.0, 0.0);
    let (mut before, mut before_gap) = (Crossing { threshold: f32::INFINITY, rate: 0.5 }, 1.0);
    loop {
        let threshold = match (mated.peek(), non_mated.peek()) {
            (Some(a), Some(b)) => a.0.max(b.0),
            (Some(a), None) => a.0,
            (None, Some(b)) => b.0,
            (None, None) => return before,
        };
        while let Some((_, weight)) = mated.next_if(|t| t.0 >= threshold) {
            hits += weight;
        }
        while let Some((_, weight)) = non_mated.next_if(|t| t.0 >= threshold) {
            false_matches += weight;
        }
        let (fnmr, fmr) = (1.0 - hits / mated_total, false_matches / non_mated_total);
        let now = Crossing { threshold, rate: f64::midpoint(fmr, fnmr) };
        if fmr >= fnmr {
            return if fmr - fnmr < before_gap { now } else { before };
        }
        (before, before_gap) = (now, fnmr - fmr);
    }
}

/// The trade-off at every step when there are few, else at steps evenly spread over the decades of false positives.
/// `mated` ascends, `non_mated` descends. The first point accepts no non-mated trial at all.
pub(crate) fn det(mated: &[f32], non_mated: &[f32]) -> Vec<DetPoint> {
    const STEPS_PER_DECADE: f64 = 60.0;
    let n = non_mated.len();
    let mut points = Vec::new();
    let mut accepted = 0;
    while accepted <= n {
        // Accept exactly those above the first rejected one: with ties, fewer than asked for.
        let (threshold, count) = match non_mated.get(accepted) {
            Some(&rejected) => (rejected.next_up(), non_mated.partition_point(|&s| s > rejected)),
            None => (non_mated[n - 1].min(mated[0]), n),
        };
        let missed = mated.partition_point(|&s| s < threshold);
        let point = DetPoint {
            threshold,
            false_positive: count as f64 / n as f64,
            false_negative: missed as f64 / mated.len() as f64,
        };
        if points.last() != Some(&point) {
            points.push(point);
        }
        let next = (accepted as f64 * 10f64.powf(1.0 / STEPS_PER_DECADE)) as usize;
        accepted = if accepted < n { next.clamp(accepted + 1, n) } else { n + 1 };
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ones(values: &[f32]) -> impl Iterator<Item = (f32, f64)> + '_ {
        values.iter().map(|&v| (v, 1.0))
    }

    #[test]
    fn by_hand() {
        let non_mated = [0.5, 0.4, 0.4, 0.1];
        assert_eq!(highest_rejected(ones(&non_mated), 0.0), Some(0.5));
        assert_eq!(highest_rejected(ones(&non_mated), 1.0), Some(0.4));
        assert_eq!(highest_rejected(ones(&non_mated), 2.0), Some(0.4)); // tied: two or none
        assert_eq!(highest_rejected(ones(&non_mated), 3.0), Some(0.1));
        assert_eq!(highest_rejected(ones(&non_mated), 4.0), None);
        assert_eq!(highest_rejected(ones(&[3.0, 2.0, 1.0, 0.0]), allowed(0.1 + 0.2 - 0.05, 4.0)), Some(2.0));
    }

    #[test]
    fn every_step_of_a_small_curve() {
        let points = det(&[0.2, 0.45, 0.9], &[0.5, 0.4, 0.4, 0.1]);
        let rates: Vec<_> = points.iter().map(|p| (p.false_positive, p.false_negative)).collect();
        assert_eq!(rates, [(0.0, 2.0 / 3.0), (0.25, 1.0 / 3.0), (0.75, 0.0), (1.0, 0.0)]);
    }

    proptest! {
        #[test]
        fn a_curve_falls(mut mated in prop::collection::vec(0f32..1.0, 1..300),
                         mut non_mated in prop::collection::vec(0f32..1.0, 1..3000)) {
            mated.sort_by(f32::total_cmp);
            non_mated.sort_by(|a, b| b.total_cmp(a));
            let points = det(&mated, &non_mated);
            prop_assert_eq!(points[0].false_positive, 0.0);
            prop_assert_eq!(points[points.len() - 1].false_positive, 1.0);
            for p in &points {
                let fmr = non_mated.iter().filter(|&&s| s >= p.threshold).count() as f64 / non_mated.len() as f64;
                let fnmr = mated.iter().filter(|&&s| s < p.threshold).count() as f64 / mated.len() as f64;
                prop_assert_eq!((p.false_positive, p.false_negative), (fmr, fnmr));
            }
            for w in points.windows(2) {
                prop_assert!(w[0].false_positive < w[1].false_positive || w[0].threshold > w[1].threshold);
                prop_assert!(w[0].false_negative >= w[1].false_negative);
            }
        }

        #[test]
        fn the_crossing_is_the_nearest(mut mated in prop::collection::vec(0u8..20, 1..40),
                                       mut non_mated in prop::collection::vec(0u8..20, 1..40)) {
            mated.sort_unstable_by(|a, b| b.cmp(a));
            non_mated.sort_unstable_by(|a, b| b.cmp(a));
            let f = |v: &[u8]| v.iter().map(|&x| f32::from(x)).collect::<Vec<_>>();
            let (m, n) = (f(&mated), f(&non_mated));
            let c = crossing(ones(&m), m.len() as f64, ones(&n), n.len() as f64);
            let gap_and_mean = |t: f32| {
                let fmr = n.iter().filter(|&&s| s >= t).count() as f64 / n.len() as f64;
                let fnmr = m.iter().filter(|&&s| s < t).count() as f64 / m.len() as f64;
                ((fmr - fnmr).abs(), (fmr + fnmr) / 2.0)
            };
            let (gap, mean) = gap_and_mean(c.threshold);
            prop_assert!((mean - c.rate).abs() < 1e-9);
            for t in 0..21 {
                prop_assert!(gap <= gap_and_mean(t as f32).0 + 1e-9);
            }
        }
    }
}
