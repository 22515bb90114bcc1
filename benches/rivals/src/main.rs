//! How fast are other open comparators on this machine, on the same prints, in the same minute? Ratios to ours.
//!
//! ```text
//! cargo run --release -p khop-rivals
//! ```
//!
//! The prints are those of `khop bench fingerprint`: a synthetic population of seed 1, ten fingers and two encounters of
//! each person, as 500 dpi minutiae. Both sides compare the same pairs in the same order, turn by turn, on one thread;
//! a figure is the median of the turns. Khop prepares a probe once and its references beforehand, as a search does;
//! a rival prepares what its interface lets it prepare. Mean scores of both kinds are printed, so that a rival that does
//! not tell mates from strangers on these prints is seen not to.
//!
//! Which rivals, and why no others:
//!
//! * `fprint-bozorth3` 0.1 (MIT or Apache-2.0, no dependencies): BOZORTH3 of NIST in safe Rust, score for score. One call
//!   takes two lists of minutiae and prepares both anew; there is nothing to prepare beforehand.
//! * `nbis-rs` 0.1 binds NIST's own C code but cannot be taken up: it depends on `uniffi` (MPL-2.0) and on image codecs
//!   (BSD-2-Clause, among some two hundred packages) that `deny.toml` does not allow. The C code itself is not measured.
//! * SourceAFIS (Java, .NET) and OpenAFIS (C++) have no Rust crate; their accuracy stands beside ours by their score files,
//!   with `khop evaluate compare`.
#![forbid(unsafe_code)]

mod bozorth3;
mod khop;
mod prints;

use std::time::Instant;

use prints::{Pair, Prints};

/// A comparator over all prints.
trait Comparator {
    /// Prepares what may be prepared once, before any comparison.
    fn new(prints: &Prints) -> Self
    where
        Self: Sized;

    fn name(&self) -> &'static str;

    /// Compares in order; the sum of the scores.
    fn compare(&mut self, pairs: &[Pair]) -> f64;
}

/// Comparisons a second and the mean score, over the turns.
struct Figures {
    per_s: Vec<f64>,
    score_mean: f64,
}

/// Turns of which medians are taken.
const TURNS: usize = 7;
const PEOPLE: u64 = 40;
const NON_MATED: usize = 2000;
const MATED: usize = 200;

fn main() {
    let prints = Prints::synthetic(1, PEOPLE);
    let kinds = [("non-mated", prints.non_mated(NON_MATED)), ("mated", prints.mated(MATED))];
    let mut comparators: [Box<dyn Comparator>; 2] =
        [Box::new(khop::Khop::new(&prints)), Box::new(bozorth3::Bozorth3::new(&prints))];
    println!("{} prints, {:.1} minutiae on average; median of {TURNS} turns", prints.count(), prints.minutiae_mean());
    println!(
        "{:<12} {:<10} {:>14} {:>12} {:>12}",
        "comparator", "pairs", "comparisons/s", "share of ours", "mean score"
    );
    for (kind, pairs) in &kinds {
        let figures = measure(&mut comparators, pairs);
        for (comparator, found) in comparators.iter().zip(&figures) {
            // Turn by turn, so that what else the machine does falls on both sides alike.
            let shares: Vec<f64> =
                found.per_s.iter().zip(&figures[0].per_s).map(|(theirs, ours)| theirs / ours).collect();
            let (per_s, share, mean) = (median(&found.per_s), median(&shares), found.score_mean);
            println!("{:<12} {kind:<10} {per_s:>14.0} {share:>13.4} {mean:>12.1}", comparator.name());
        }
    }
}

/// Each comparator's turn after the other's.
fn measure(comparators: &mut [Box<dyn Comparator>], pairs: &[Pair]) -> Vec<Figures> {
    let mut figures: Vec<Figures> =
        comparators.iter().map(|_| Figures { per_s: Vec::new(), score_mean: 0.0 }).collect();
    for _ in 0..TURNS {
        for (comparator, figures) in comparators.iter_mut().zip(&mut figures) {
            let start = Instant::now();
            let sum = comparator.compare(pairs);
            figures.per_s.push(pairs.len() as f64 / start.elapsed().as_secs_f64());
            figures.score_mean = sum / pairs.len() as f64;
        }
    }
    figures
}

/// The middle one.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_comparator_tells_mates_from_strangers() {
        let prints = Prints::synthetic(1, 3);
        let (mated, non_mated) = (prints.mated(20), prints.non_mated(60));
        let mut comparators: [Box<dyn Comparator>; 2] =
            [Box::new(khop::Khop::new(&prints)), Box::new(bozorth3::Bozorth3::new(&prints))];
        for comparator in &mut comparators {
            let (mates, strangers) = (comparator.compare(&mated) / 20.0, comparator.compare(&non_mated) / 60.0);
            assert!(mates > 3.0 * strangers, "{}: {mates} and {strangers}", comparator.name());
        }
        let figures = measure(&mut comparators, &non_mated[..20]);
        assert!(figures.iter().all(|f| f.per_s.len() == TURNS && f.per_s.iter().all(|&rate| rate > 0.0)));
    }
}
