//! Whose samples are they? Subjects from the labels of score files.

use std::collections::HashMap;

use khop_evaluate::Subjects;

use super::score_file::{Engine, Row, SampleNames};
use super::sheet::Sheet;
use crate::failure::Failure;

/// Which samples are one subject's: those that are mated with each other, and those of which a column says so.
pub struct People(Vec<u32>);

impl People {
    pub fn of(names: &SampleNames, files: &[Sheet]) -> Self {
        let mut people = Self((0..names.samples.len() as u32).collect());
        let mut first_of: HashMap<&str, u32> = HashMap::new();
        for (sample, named) in (0..).zip(&names.samples) {
            if let Some(subject) = &named.subject {
                let first = *first_of.entry(subject).or_insert(sample);
                people.join(first, sample);
            }
        }
        for row in files.iter().flat_map(Sheet::rows).filter(|row| row.mated) {
            people.join(row.pair.0, row.pair.1);
        }
        for sample in 0..people.0.len() as u32 {
            people.0[sample as usize] = people.root(sample);
        }
        people
    }

    fn root(&self, mut sample: u32) -> u32 {
        while self.0[sample as usize] != sample {
            sample = self.0[sample as usize];
        }
        sample
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        // The lower is the root, so that the outcome does not depend on the order of rows.
        self.0[a.max(b) as usize] = a.min(b);
    }

    /// No file may call two samples non-mated that are one subject's.
    pub fn expect_labels(&self, engines: &[Engine], names: &SampleNames, files: &[Sheet]) -> Result<(), Failure> {
        for (engine, sheet) in engines.iter().zip(files) {
            let denied = |row: &&Row| !row.mated && self.0[row.pair.0 as usize] == self.0[row.pair.1 as usize];
            let first = sheet.rows().iter().filter(denied).min_by_key(|row| row.number);
            if let Some(&Row { pair: (a, b), number, .. }) = first {
                let [a, b] = [a, b].map(|s| &names.samples[s as usize].name);
                let what = format!("{a} and {b} are non-mated here, but other rows make them one subject's");
                return Err(Failure::new(format!("{} {} {number}: {what}", engine.path.display(), sheet.unit())));
            }
        }
        Ok(())
    }

    /// The samples in the order in which they are numbered, and who they are. Subjects are resampled within their data
    /// set.
    pub fn arranged(&self, names: &SampleNames, files: &[Sheet]) -> Result<(Vec<u32>, Subjects, Vec<String>), Failure> {
        let set = |sample: u32| &*names.samples[sample as usize].dataset;
        // What stands before a `/` is a data set only where nothing is compared across: a face's name begins with its
        // subject.
        let has_sets = files.iter().flat_map(Sheet::rows).all(|row| set(row.pair.0) == set(row.pair.1));
        let mut order: Vec<u32> = (0..names.samples.len() as u32).collect();
        let set = |sample: u32| if has_sets { set(sample) } else { "" };
        order.sort_unstable_by_key(|&sample| (set(sample), &names.samples[sample as usize].name));
        let (mut datasets, mut strata, mut of_sample) = (Vec::<String>::new(), Vec::new(), Vec::new());
        let mut subject_of: HashMap<u32, u32> = HashMap::new();
        for &sample in &order {
            let subject = *subject_of.entry(self.0[sample as usize]).or_insert_with(|| {
                let set = set(sample);
                let stratum = datasets.iter().position(|known| known == set).unwrap_or_else(|| {
                    datasets.push(set.to_owned());
                    datasets.len() - 1
                });
                strata.push(stratum as u32);
                strata.len() as u32 - 1
            });
            of_sample.push(subject);
        }
        Ok((order, Subjects::new(of_sample, strata)?, datasets))
    }
}
