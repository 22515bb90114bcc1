//! What does a similarity mean? Fits the table that turns it into a score and a log likelihood ratio.
//!
//! *Score.* As far up as thirty non-mated comparisons remain, the FMR is what was counted. Beyond, ln FMR goes on as
//! a straight line whose slope is the reciprocal mean excess of the highest similarities (an exponential tail).
//!
//! *LLR.* Where both kinds of comparison are plenty, the isotonic ratio of their densities; where they are few, a
//! logistic line; blended by the number there, made to rise. Beyond the last thirty of n non-mated comparisons, at u,
//! it is at least ln P(u ≤ similarity ≤ s | mated) + ln(n/30), which follows from rising alone: the line would undersell
//! a comparator whose mated similarities have a few far outliers. It is bounded three times: by the floor (a bad
//! sample of the right person must not veto the others), by the cap ln(n/30) that n non-mated comparisons can verify,
//! and by the table's own FMR, which no likelihood ratio that rises can exceed: LLR ≤ −ln FMR.

use khop_vocabulary::{Calibration, CalibrationError, Knot, Llr, Provenance};

use crate::Verification;
use crate::isotonic::{self, Block};
use crate::logistic::LogOdds;

/// Errors a measured rate must rest on (the rule of thirty).
pub const RULE_OF_THIRTY: f64 = 30.0;

/// How a table is to be fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct FitOptions {
    /// What is calibrated: a comparator's version or a model id.
    pub name: String,
    /// Lines about the data and the command, put before those of the fit.
    pub provenance: Vec<String>,
    /// Whether every subject's mated comparisons weigh the same together. Their number grows with the square of its
    /// samples, so that otherwise a few subjects decide what mates look like. Non-mated comparisons count as made.
    pub equal_subjects: bool,
    /// The lowest LLR a comparison may yield, nats.
    pub floor: Llr,
}

/// A fitted table and how far it can be trusted.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The table.
    pub calibration: Calibration,
    /// The highest LLR the data can verify, nats.
    pub cap: Llr,
    /// Above this similarity the FMR is extrapolated.
    pub measured_to: f32,
    /// Cost of the LLRs on the data themselves, bits: 0 is perfect, 1 says nothing.
    pub cllr_bits: f64,
    /// Mean of e^LLR over the non-mated comparisons: at most about 1 if the LLRs promise no more than they keep.
    pub mean_non_mated_ratio: f64,
}

/// Why no table can be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Too few comparisons.
    #[error("expected at least 100 mated and 100 non-mated comparisons, got {mated} and {non_mated}")]
    TooFew {
        /// Mated comparisons.
        mated: usize,
        /// Non-mated comparisons.
        non_mated: usize,
    },
    /// Mated comparisons are no more alike than non-mated ones.
    #[error("expected mated comparisons to be more alike than non-mated ones")]
    NoContrast,
    /// The fitted knots are no table.
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
}

/// Fits a table to the comparisons of a [`Verification`]. Deterministic; a dozen walks over all comparisons.
///
/// # Errors
/// [`FitError`].
pub fn fit(comparisons: &Verification, options: &FitOptions) -> Result<Fit, FitError> {
    let (mated, non_mated) = comparisons.lists();
    if mated.len() < 100 || non_mated.len() < 100 {
        return Err(FitError::TooFew { mated: mated.len(), non_mated: non_mated.len() });
    }
    let weights = if options.equal_subjects { comparisons.mated_weights() } else { vec![1.0; mated.len()] };
    let mated = Weighted::new(mated.iter().zip(weights).map(|(c, weight)| (c.similarity, weight)));
    let non_mated = Weighted::new(non_mated.iter().rev().map(|c| (c.similarity, 1.0)));

    let line = LogOdds::fit(1, |visit| {
        mated.iter().for_each(|(similarity, weight)| visit(&[similarity], weight, true));
        non_mated.iter().for_each(|(similarity, weight)| visit(&[similarity], weight, false));
    });
    let line = line.filter(|line| line.slopes[0] > 0.0).ok_or(FitError::NoContrast)?;
    let blocks = isotonic::blocks(mated.iter(), non_mated.iter(), mated.unit(), non_mated.unit());
    let cap = (non_mated.count_effective() / RULE_OF_THIRTY).ln().max(0.0);
    let floor = f64::from(options.floor.nats()).max(-(mated.count_effective() / RULE_OF_THIRTY).ln().max(0.0));
    let tail = Tail::of(&non_mated);

    let mut knots: Vec<Knot> = Vec::new();
    for similarity in grid(&mated, &non_mated, &tail) {
        let ln_fmr = if similarity <= tail.from {
            non_mated.share_at_least(similarity).ln()
        } else {
            tail.ln_fmr_at(similarity)
        };
        let llr = blended(&blocks, &line, similarity).max(mated.share_between(tail.from, similarity).ln() + cap);
        knots.push(knot(similarity, ln_fmr, llr, floor, cap, knots.last()));
    }
    let top = knots.last().map_or(0.0, |k| f64::from(k.llr)); // what the table reaches, at most the cap

    let mut calibration = Calibration::new(&options.name, knots.clone(), Provenance::default())?;
    let ratio = |s: f32| f64::from(calibration.llr(s).nats());
    let mean_non_mated_ratio = non_mated.iter().map(|(s, w)| w * ratio(s).exp()).sum();
    let missed: f64 = mated.iter().map(|(s, w)| w * (-ratio(s)).exp().ln_1p()).sum();
    let accepted: f64 = non_mated.iter().map(|(s, w)| w * ratio(s).exp().ln_1p()).sum();
    let cllr_bits = f64::midpoint(missed, accepted) / std::f64::consts::LN_2;

    let mut lines = options.provenance.clone();
    lines.push(format!(
        "{} mated and {} non-mated comparisons of {} subjects{}",
        mated.len(),
        non_mated.len(),
        comparisons.subject_count(),
        if options.equal_subjects { ", each subject's mated ones of equal weight" } else { "" }
    ));
    lines.push(format!("FMR counted up to similarity {}, exponential tail beyond", tail.from));
    lines.push(format!("LLR from {floor:.3} to {top:.3} nats; {cap:.3} is ln(n/30)"));
    lines.push(format!("Cllr {cllr_bits:.4} bits; mean of e^LLR over non-mated {mean_non_mated_ratio:.3}"));
    calibration = Calibration::new(&options.name, knots, Provenance { lines })?;
    let cap = Llr::new(cap as f32);
    Ok(Fit { calibration, cap, measured_to: tail.from, cllr_bits, mean_non_mated_ratio })
}

/// One line of the table: within its bounds, rounded down, not below the line before.
fn knot(similarity: f32, ln_fmr: f64, llr: f64, floor: f64, cap: f64, before: Option<&Knot>) -> Knot {
    let (score, llr) = (-10.0 * ln_fmr / std::f64::consts::LN_10, llr.min(-ln_fmr).min(cap).max(floor));
    let down = |value: f64| ((value * 1e3).floor() / 1e3) as f32; // promise less, not more
    let (mut score, mut llr) = (down(score.max(0.0)), down(llr));
    if let Some(before) = before {
        (score, llr) = (score.max(before.score), llr.max(before.llr));
    }
    Knot { similarity, score, llr }
}

/// The isotonic ratio where it has support, the logistic line where it has none.
fn blended(blocks: &[Block], line: &LogOdds, similarity: f32) -> f64 {
    let s = f64::from(similarity);
    let belief = |b: &Block| b.support / (b.support + RULE_OF_THIRTY);
    let upper = blocks.partition_point(|b| b.centre < s);
    let (ratio, belief) = match (upper.checked_sub(1).map(|i| blocks[i]), blocks.get(upper)) {
        (Some(a), Some(b)) => {
            let part = (s - a.centre) / (b.centre - a.centre);
            (a.llr + part * (b.llr - a.llr), belief(&a) + part * (belief(b) - belief(&a)))
        }
        (Some(end), None) => (end.llr, belief(&end)),
        (None, Some(end)) => (end.llr, belief(end)),
        (None, None) => (0.0, 0.0),
    };
    belief * ratio + (1.0 - belief) * line.at(&[similarity])
}

/// Where knots stand: at round shares of both lists, five to a decade, and three decades into the tail or to the
/// highest mated similarities, whichever is farther. The last two are a decade apart and give the tail its slope.
fn grid(mated: &Weighted, non_mated: &Weighted, tail: &Tail) -> Vec<f32> {
    let shares = (0..40).map(|i| 10f64.powf(-f64::from(i) / 5.0));
    let middle = [0.99, 0.95, 0.9, 0.8, 0.7, 0.5, 0.3];
    let mut places: Vec<f32> = shares.clone().chain(middle).map(|share| non_mated.similarity_at(share)).collect();
    places.retain(|&s| s < tail.from);
    places.extend(shares.take(16).chain(middle).map(|share| mated.similarity_at(1.0 - share)));
    let decade = (std::f64::consts::LN_10 / tail.slope) as f32;
    let end = (tail.from + 2.0 * decade).max(mated.similarity_at(0.01));
    let range = f64::from((tail.from - non_mated.similarity_at(1.0)).max(decade));
    let per_unit = 10f64.powf(3.0 - range.log10().floor()); // round to a thousandth of the range or finer
    places.extend([tail.from, end]);
    let round = |place: f32| ((f64::from(place) * per_unit).round() / per_unit) as f32;
    places.iter_mut().for_each(|place| *place = round(*place));
    places.retain(|&s| s <= end + 1.0 / per_unit as f32);
    places.sort_by(f32::total_cmp);
    places.dedup();
    places.extend(places.last().map(|last| round(last + decade)));
    places
}

/// The exponential tail of the non-mated similarities.
struct Tail {
    /// It begins here: thirty (effective) comparisons are at or above.
    from: f32,
    ln_fmr: f64,
    /// Fall of ln FMR per unit of similarity.
    slope: f64,
}

impl Tail {
    fn of(non_mated: &Weighted) -> Self {
        let from = non_mated.highest_with(RULE_OF_THIRTY);
        // The mean excess over a lower threshold, where there are enough to steady it.
        let enough = (non_mated.len() as f64 * 1e-3).clamp(100.0, 3000.0).min(non_mated.len() as f64 / 4.0);
        let base = non_mated.highest_with(enough);
        let (mut weight, mut excess) = (0.0, 0.0);
        for (s, w) in non_mated.iter().rev().take_while(|&(s, _)| s > base) {
            weight += w;
            excess += w * f64::from(s - base);
        }
        let slope = if excess > 0.0 { weight / excess } else { 1.0 };
        Self { from, ln_fmr: non_mated.share_at_least(from).ln(), slope }
    }

    fn ln_fmr_at(&self, similarity: f32) -> f64 {
        self.ln_fmr - self.slope * f64::from(similarity - self.from)
    }
}

/// Similarities in ascending order, with weights that sum to 1.
struct Weighted {
    similarities: Vec<f32>,
    weights: Vec<f64>,
    /// Weight at or above each.
    above: Vec<f64>,
}

impl Weighted {
    fn new(ascending: impl Iterator<Item = (f32, f64)>) -> Self {
        let (similarities, mut weights): (Vec<f32>, Vec<f64>) = ascending.unzip();
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= total);
        let mut above = weights.clone();
        for i in (0..above.len().saturating_sub(1)).rev() {
            above[i] += above[i + 1];
        }
        Self { similarities, weights, above }
    }

    fn len(&self) -> usize {
        self.similarities.len()
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = (f32, f64)> + '_ {
        self.similarities.iter().copied().zip(self.weights.iter().copied())
    }

    /// Mean weight: what one comparison counts.
    fn unit(&self) -> f64 {
        1.0 / self.len() as f64
    }

    /// How many comparisons of equal weight would say as much (Kish).
    fn count_effective(&self) -> f64 {
        1.0 / self.weights.iter().map(|w| w * w).sum::<f64>()
    }

    fn share_at_least(&self, similarity: f32) -> f64 {
        self.above.get(self.similarities.partition_point(|&s| s < similarity)).copied().unwrap_or(0.0)
    }

    fn share_between(&self, low: f32, high: f32) -> f64 {
        (self.share_at_least(low) - self.share_at_least(high.next_up())).max(0.0)
    }

    /// The lowest similarity that at most this share is at or above; the highest of all when it is too small.
    fn similarity_at(&self, share: f64) -> f32 {
        let place = self.above.partition_point(|&a| a > share * (1.0 + 1e-9));
        self.similarities[place.min(self.len() - 1)]
    }

    /// The highest similarity that at least `count` effective comparisons are at or above.
    fn highest_with(&self, count: f64) -> f32 {
        let (mut sum, mut squares) = (0.0, 0.0);
        for (s, w) in self.iter().rev() {
            sum += w;
            squares += w * w;
            if sum * sum / squares >= count {
                return s;
            }
        }
        self.similarities[0]
    }
}
