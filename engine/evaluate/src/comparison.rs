//! What was compared, and how alike was it? Comparisons between samples, each sample known by its subject.

/// One completed comparison of two samples. 12 bytes: tens of millions fit in memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// What the comparator said; larger is more alike. Any finite number.
    pub similarity: f32,
    /// Index of the probe sample.
    pub probe: u32,
    /// Index of the reference sample.
    pub reference: u32,
}

/// Whose samples were compared: the subject of each sample and the data set (stratum) of each subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subjects {
    of_sample: Vec<u32>,
    stratum: Vec<u32>,
}

/// Why a set of comparisons cannot be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ComparisonsError {
    /// A sample that names a subject without a data set.
    #[error("sample {sample}: expected a subject below {subjects}, got {subject}")]
    UnknownSubject {
        /// Index of the sample.
        sample: usize,
        /// Its subject.
        subject: u32,
        /// How many subjects there are.
        subjects: usize,
    },
    /// A comparison that names a sample nobody gave.
    #[error("comparison {index}: expected samples below {samples}")]
    UnknownSample {
        /// Index within its list.
        index: usize,
        /// How many samples there are.
        samples: usize,
    },
    /// A mated comparison of two subjects, or a non-mated one within a subject.
    #[error("{list} comparison {index}: its two samples say otherwise")]
    WrongList {
        /// `mated` or `non-mated`.
        list: &'static str,
        /// Index within the list.
        index: usize,
    },
    /// A similarity that is NaN or infinite.
    #[error("{list} comparison {index}: expected a finite similarity")]
    NotFinite {
        /// `mated` or `non-mated`.
        list: &'static str,
        /// Index within the list.
        index: usize,
    },
    /// One of the lists is empty: no rate can be measured.
    #[error("expected at least one {0}, got none")]
    Empty(&'static str),
}

impl Subjects {
    /// `of_sample[s]` is the subject of sample s, `stratum[p]` the data set of subject p.
    ///
    /// # Errors
    /// [`ComparisonsError::UnknownSubject`].
    pub fn new(of_sample: Vec<u32>, stratum: Vec<u32>) -> Result<Self, ComparisonsError> {
        let subjects = stratum.len();
        match of_sample.iter().position(|&p| p as usize >= subjects) {
            Some(sample) => Err(ComparisonsError::UnknownSubject { sample, subject: of_sample[sample], subjects }),
            None => Ok(Self { of_sample, stratum }),
        }
    }

    /// How many subjects.
    #[must_use]
    pub fn count(&self) -> usize {
        self.stratum.len()
    }

    /// How many samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.of_sample.len()
    }

    /// The subject of a sample.
    ///
    /// # Panics
    /// When there is no such sample.
    #[must_use]
    pub fn of(&self, sample: u32) -> u32 {
        self.of_sample[sample as usize]
    }

    /// The data set of each subject.
    #[must_use]
    pub fn strata(&self) -> &[u32] {
        &self.stratum
    }

    /// Whether two samples come from one subject.
    #[must_use]
    pub fn are_mated(&self, a: u32, b: u32) -> bool {
        self.of(a) == self.of(b)
    }
}

/// Comparisons of one evaluation, checked: every similarity is finite and every comparison in the right list.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparisons {
    pub(crate) subjects: Subjects,
    pub(crate) mated: Vec<Comparison>,
    pub(crate) non_mated: Vec<Comparison>,
}

impl Comparisons {
    /// Checks every comparison once.
    ///
    /// # Errors
    /// [`ComparisonsError`] names the first comparison that is wrong.
    pub fn new(
        subjects: Subjects,
        mated: Vec<Comparison>,
        non_mated: Vec<Comparison>,
    ) -> Result<Self, ComparisonsError> {
        for (list, comparisons, expected) in [("mated", &mated, true), ("non-mated", &non_mated, false)] {
            if comparisons.is_empty() {
                return Err(ComparisonsError::Empty(if expected {
                    "mated comparison"
                } else {
                    "non-mated comparison"
                }));
            }
            let samples = subjects.samples();
            for (index, c) in comparisons.iter().enumerate() {
                if c.probe.max(c.reference) as usize >= samples {
                    return Err(ComparisonsError::UnknownSample { index, samples });
                }
                if subjects.are_mated(c.probe, c.reference) != expected {
                    return Err(ComparisonsError::WrongList { list, index });
                }
                if !c.similarity.is_finite() {
                    return Err(ComparisonsError::NotFinite { list, index });
                }
            }
        }
        Ok(Self { subjects, mated, non_mated })
    }

    /// Whose samples they are.
    #[must_use]
    pub fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    /// Comparisons of samples of the same subject.
    #[must_use]
    pub fn mated(&self) -> &[Comparison] {
        &self.mated
    }

    /// Comparisons of samples of different subjects.
    #[must_use]
    pub fn non_mated(&self) -> &[Comparison] {
        &self.non_mated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        let subjects = Subjects::new(vec![0, 0, 1], vec![0, 0]).unwrap();
        let c = |probe, reference, similarity| Comparison { similarity, probe, reference };
        let make = |m, n| Comparisons::new(subjects.clone(), m, n);
        assert!(make(vec![c(0, 1, 0.5)], vec![c(0, 2, 0.1)]).is_ok());
        let wrong = make(vec![c(0, 2, 0.5)], vec![c(0, 2, 0.1)]).unwrap_err();
        assert_eq!(wrong, ComparisonsError::WrongList { list: "mated", index: 0 });
        let wrong = make(vec![c(0, 1, 0.5)], vec![c(0, 1, 0.1)]).unwrap_err();
        assert_eq!(wrong, ComparisonsError::WrongList { list: "non-mated", index: 0 });
        let nan = make(vec![c(0, 1, f32::NAN)], vec![c(0, 2, 0.1)]).unwrap_err();
        assert_eq!(nan, ComparisonsError::NotFinite { list: "mated", index: 0 });
        let unknown = make(vec![c(0, 1, 0.5)], vec![c(0, 3, 0.1)]).unwrap_err();
        assert_eq!(unknown, ComparisonsError::UnknownSample { index: 0, samples: 3 });
        assert_eq!(make(vec![], vec![c(0, 2, 0.1)]), Err(ComparisonsError::Empty("mated comparison")));
        assert!(Subjects::new(vec![0, 2], vec![0, 0]).is_err());
    }
}
