//! Which prints are compared? A synthetic population's, the same for every comparator.

use khop_evaluate::synth::{Population, PopulationOptions};
use khop_vocabulary::FingerSample;

/// Two impressions of every finger of some people.
pub struct Prints {
    samples: Vec<FingerSample>,
    /// The finger of each sample.
    finger: Vec<u64>,
}

/// Probe and reference by index.
pub type Pair = (usize, usize);

/// A probe is compared with so many references in a row, as in a search.
const RUN: usize = 100;

impl Prints {
    /// The people of this seed from number 0 on.
    pub fn synthetic(seed: u64, people: u64) -> Self {
        let population = Population::new(seed, PopulationOptions::default());
        let (mut samples, mut finger) = (Vec::new(), Vec::new());
        for person in 0..people {
            for encounter in 0..2 {
                for sample in population.person(person).fingers(encounter) {
                    finger.push(person * 10 + u64::from(sample.position.code()));
                    samples.push(sample);
                }
            }
        }
        Self { samples, finger }
    }

    pub fn samples(&self) -> &[FingerSample] {
        &self.samples
    }

    pub fn count(&self) -> usize {
        self.samples.len()
    }

    pub fn minutiae_mean(&self) -> f64 {
        self.samples.iter().map(|sample| sample.minutiae.len()).sum::<usize>() as f64 / self.samples.len() as f64
    }

    /// At most so many pairs of impressions of one finger, spread over all of them.
    pub fn mated(&self, most: usize) -> Vec<Pair> {
        let all: Vec<Pair> = (0..self.count())
            .flat_map(|probe| (probe + 1..self.count()).map(move |reference| (probe, reference)))
            .filter(|&(probe, reference)| self.finger[probe] == self.finger[reference])
            .collect();
        let step = all.len().div_ceil(most).max(1);
        all.into_iter().step_by(step).collect()
    }

    /// At most so many pairs of different fingers: probes spread over all samples, each with a run of others.
    pub fn non_mated(&self, most: usize) -> Vec<Pair> {
        let n = self.count();
        let probes = most.div_ceil(RUN).min(n);
        let run = move |probe: usize| {
            let probe = probe * n / probes;
            let others = (1..n).map(move |step| (probe, (probe + step) % n));
            others.filter(|&(probe, other)| self.finger[probe] != self.finger[other]).take(RUN)
        };
        (0..probes).flat_map(run).take(most).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_of_their_kind() {
        let prints = Prints::synthetic(3, 4);
        let (mated, non_mated) = (prints.mated(15), prints.non_mated(250));
        assert!((10..=15).contains(&mated.len()) && non_mated.len() == 3 * (non_mated.len() / 3));
        assert!(mated.iter().all(|&(a, b)| a != b && prints.finger[a] == prints.finger[b]));
        assert!(non_mated.iter().all(|&(a, b)| prints.finger[a] != prints.finger[b]));
        let mut probes: Vec<usize> = non_mated.iter().map(|pair| pair.0).collect();
        probes.dedup();
        assert_eq!(probes.len(), 3, "a run for every probe");
    }
}
