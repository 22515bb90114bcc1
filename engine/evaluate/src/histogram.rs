//! How are similarities distributed? Shares of mated and non-mated comparisons over even bins.

use crate::Comparisons;
use crate::chart::{Chart, ChartAxis, Line, Tick};

/// Bins there are.
const BINS: usize = 80;

/// Mated and non-mated similarities in even bins from the lowest to the highest of all.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Lower end of the first bin.
    pub low: f32,
    /// Upper end of the last bin.
    pub high: f32,
    /// Mated comparisons, bin by bin.
    pub mated: Vec<u64>,
    /// Non-mated comparisons, bin by bin.
    pub non_mated: Vec<u64>,
}

impl Histogram {
    /// Counts all comparisons, in two passes.
    #[must_use]
    pub fn of(comparisons: &Comparisons) -> Self {
        let lists = [comparisons.mated(), comparisons.non_mated()];
        let all = || lists.iter().flat_map(|list| list.iter().map(|comparison| comparison.similarity));
        let (low, high) = all().fold((f32::MAX, f32::MIN), |(low, high), s| (low.min(s), high.max(s)));
        let per_bin = (f64::from(high) - f64::from(low)).max(f64::MIN_POSITIVE) / BINS as f64;
        let [mated, non_mated] = lists.map(|list| {
            let mut counts = vec![0u64; BINS];
            for comparison in list {
                let bin = (f64::from(comparison.similarity) - f64::from(low)) / per_bin;
                counts[(bin as usize).min(BINS - 1)] += 1;
            }
            counts
        });
        Self { low, high, mated, non_mated }
    }

    /// Drawn with logarithmic shares, so that the tails that decide are seen, and empty bins left out; `scale` names the
    /// similarities.
    #[must_use]
    pub fn chart(&self, title: &str, scale: &str) -> Chart {
        let decades = |counts: &[u64]| (counts.iter().sum::<u64>() as f64).max(10.0).log10().ceil() as i32;
        let lowest = -decades(&self.mated).max(decades(&self.non_mated)).min(9);
        let tick = |decade: i32| Tick { at: f64::from(decade), label: format!("{} %", percent(decade)) };
        let line = |name: &str, counts: &[u64]| {
            let total = counts.iter().sum::<u64>() as f64;
            let width = (f64::from(self.high) - f64::from(self.low)) / counts.len() as f64;
            let bin = |(bin, &count): (usize, &u64)| {
                let (from, share) = (f64::from(self.low) + bin as f64 * width, (count as f64 / total).log10());
                [(from, share), (from + width, share)]
            };
            Line::new(name, counts.iter().enumerate().flat_map(bin).collect())
        };
        Chart {
            title: title.into(),
            across: ChartAxis::even(scale, self.low.into(), self.high.into()),
            up: ChartAxis { title: "Share of its kind in a bin".into(), ticks: (lowest..=0).map(tick).collect() },
            lines: vec![line("mated", &self.mated), line("non-mated", &self.non_mated)],
        }
    }
}

/// Ten to this power in percent.
fn percent(decade: i32) -> String {
    let decimals = (-decade - 2).max(0) as usize;
    format!("{:.decimals$}", 100.0 * 10f64.powi(decade))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Comparison, Subjects};

    #[test]
    fn every_comparison_is_in_one_bin() {
        let subjects = Subjects::new(vec![0, 0, 1], vec![0, 0]).unwrap();
        let comparison = |similarity, probe, reference| Comparison { similarity, probe, reference };
        let mated = vec![comparison(1.0, 0, 1), comparison(0.99, 1, 0)];
        let non_mated = vec![comparison(-1.0, 0, 2), comparison(0.0, 1, 2), comparison(1.0, 2, 0)];
        let histogram = Histogram::of(&Comparisons::new(subjects, mated, non_mated).unwrap());
        assert_eq!((histogram.low, histogram.high), (-1.0, 1.0));
        let filled = |counts: &[u64]| -> Vec<(usize, u64)> {
            counts.iter().copied().enumerate().filter(|&(_, count)| count > 0).collect()
        };
        assert_eq!(filled(&histogram.mated), [(79, 2)]);
        assert_eq!(filled(&histogram.non_mated), [(0, 1), (40, 1), (79, 1)]);
        let svg = histogram.chart("scores", "similarity").to_svg();
        assert!(svg.contains(">100 %<") && svg.contains(">10 %<") && svg.contains(">non-mated<"));
    }
}
