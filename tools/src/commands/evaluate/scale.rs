//! What stands for a score, where only the order counts? Its place among the different scores of its engine.

/// The different scores of an engine, ascending. Their places stand for them wherever only their order counts: so
/// that scores are told apart to the last digit of the file, whatever an engine's range is. Where there are more of
/// them than an `f32` can number, it stands for the score itself, if it tells them apart too.
pub struct Scale {
    scores: Vec<f64>,
    by_place: bool,
}

impl Scale {
    /// Places must be exact as `f32`.
    const MOST: usize = 1 << 24;

    pub fn of(scores: Vec<f64>) -> Result<Self, String> {
        Self::of_at_most(Self::MOST, scores)
    }

    fn of_at_most(most: usize, mut scores: Vec<f64>) -> Result<Self, String> {
        scores.sort_unstable_by(f64::total_cmp);
        scores.dedup_by(|a, b| a == b); // −0 is 0
        let by_place = scores.len() <= most;
        let is_told_apart = |w: &[f64]| (w[0] as f32) < w[1] as f32;
        let is_finite = |score: &f64| (*score as f32).is_finite();
        let stands_for_itself = || scores.windows(2).all(is_told_apart) && scores.iter().all(is_finite);
        if !by_place && !stands_for_itself() {
            let count = scores.len();
            return Err(format!(
                "expected at most {most} different scores, or such as differ in single precision, got {count}"
            ));
        }
        Ok(Self { scores, by_place })
    }

    /// What stands for a score that is one of its own.
    pub fn place(&self, score: f64) -> f32 {
        match self.by_place {
            true => self.scores.partition_point(|&s| s < score) as f32,
            false => score as f32,
        }
    }

    /// The lowest score that is at or above a place; `None` above all.
    pub fn score(&self, place: f32) -> Option<f64> {
        let index = match self.by_place {
            true => place.max(0.0).ceil() as usize,
            false => self.scores.partition_point(|&s| (s as f32) < place),
        };
        self.scores.get(index).copied()
    }

    /// What stands below every score.
    pub fn below_all(&self) -> f32 {
        match self.by_place {
            true => -1.0,
            false => self.scores.first().map_or(-1.0, |&lowest| (lowest as f32).next_down()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_come_back_as_they_were() {
        for most in [8, 2] {
            let scale = Scale::of_at_most(most, vec![0.3, -1.5, 0.3, 7.25]).unwrap();
            let back: Vec<_> = [0.3, -1.5, 7.25].iter().map(|&score| scale.score(scale.place(score))).collect();
            assert_eq!(back, [Some(0.3), Some(-1.5), Some(7.25)]);
            assert_eq!(scale.score(scale.place(0.3).next_up()), Some(7.25));
            assert_eq!(scale.score(scale.place(7.25).next_up()), None);
            assert!(scale.below_all() < scale.place(-1.5));
        }
    }

    #[test]
    fn more_than_can_be_told_apart_are_refused() {
        assert!(Scale::of_at_most(2, vec![0.1, 0.100_000_000_01, 0.2]).is_err());
        assert!(Scale::of_at_most(2, vec![0.1, 0.2, 1e300]).is_err());
        assert!(Scale::of_at_most(3, vec![0.1, 0.100_000_000_01, 0.2, -0.0, 0.0]).is_err());
        assert!(Scale::of_at_most(3, vec![0.1, 0.100_000_000_01, 0.0, -0.0]).is_ok());
    }
}
