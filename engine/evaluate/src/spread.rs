//! Where do similarities lie, and how far apart? Mean and standard deviation.

/// Mean and standard deviation of similarities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The weighted mean.
    pub mean: f64,
    /// The weighted standard deviation, of these comparisons and not of a population that they are drawn from.
    pub sd: f64,
}

impl Spread {
    /// Of similarities with their weights, in two passes, so that a mean far from 0 costs no digits. NaN where there
    /// is none.
    pub(crate) fn of(weighted: impl Iterator<Item = (f32, f64)> + Clone) -> Self {
        let whole: f64 = weighted.clone().map(|(_, weight)| weight).sum();
        let mean = weighted.clone().map(|(similarity, weight)| f64::from(similarity) * weight).sum::<f64>() / whole;
        let squares: f64 = weighted.map(|(similarity, weight)| (f64::from(similarity) - mean).powi(2) * weight).sum();
        Self { mean, sd: (squares / whole).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_count_as_copies_do() {
        let copies = [(2.0, 1.0), (2.0, 1.0), (2.0, 1.0), (6.0, 1.0)];
        let weighted = [(2.0, 3.0), (6.0, 1.0)];
        let spread = Spread::of(weighted.into_iter());
        assert_eq!(spread, Spread::of(copies.into_iter()));
        assert_eq!(spread, Spread { mean: 3.0, sd: 3.0f64.sqrt() });
    }

    #[test]
    fn a_mean_far_away_costs_no_digits() {
        let far = [(1e6, 1.0), (1e6 + 1.0, 1.0)];
        assert_eq!(Spread::of(far.into_iter()).sd, 0.5);
    }
}
