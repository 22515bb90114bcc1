//! Who gave which sample? The samples of an evaluation, arranged by data set with the gallery first.

use std::collections::HashMap;
use std::ops::Range;

use khop_evaluate::Subjects;

use crate::failure::Failure;

/// One sample as a manifest or a labels file lists it.
pub struct Entry {
    /// Comparisons are made within a data set only.
    pub dataset: String,
    /// Subjects of one stratum are resampled together; the same subject may be in several data sets of a stratum.
    pub stratum: String,
    /// The subject, unique within the stratum.
    pub subject: String,
    /// Impression or sample number: the lowest is the subject's first.
    pub number: String,
    /// How score files call it.
    pub name: String,
}

/// All samples in the order in which they are compared.
pub struct Samples {
    pub names: Vec<String>,
    pub subjects: Subjects,
    pub datasets: Vec<Dataset>,
}

/// A data set: its samples, of which the first of each subject form the gallery and stand in front.
pub struct Dataset {
    pub name: String,
    pub samples: Range<usize>,
    pub gallery: Range<usize>,
}

impl Samples {
    /// Arranges the entries; also tells which entry each sample is.
    pub fn arrange(entries: &[Entry]) -> Result<(Self, Vec<usize>), Failure> {
        let mut strata: HashMap<&str, u32> = HashMap::new();
        let mut people: HashMap<(&str, &str), u32> = HashMap::new();
        let mut stratum_of = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        let mut sorted = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let next = strata.len() as u32;
            let stratum = *strata.entry(&entry.stratum).or_insert(next);
            let subject = *people.entry((&entry.stratum, &entry.subject)).or_insert_with(|| {
                stratum_of.push(stratum);
                stratum_of.len() as u32 - 1
            });
            let dataset = names.iter().position(|name| *name == entry.dataset).unwrap_or_else(|| {
                names.push(&entry.dataset);
                names.len() - 1
            });
            let number = entry.number.parse::<u64>().unwrap_or(u64::MAX);
            sorted.push((dataset, subject, number, index));
        }
        sorted.sort_unstable();
        let is_first = |i: usize| i == 0 || (sorted[i - 1].0, sorted[i - 1].1) != (sorted[i].0, sorted[i].1);
        let mut order: Vec<usize> = (0..sorted.len()).collect();
        order.sort_by_key(|&i| (sorted[i].0, !is_first(i))); // stable: subjects stay together
        let mut datasets: Vec<Dataset> = Vec::new();
        for (place, &i) in order.iter().enumerate() {
            if datasets.len() == sorted[i].0 {
                let (samples, gallery) = (place..place, place..place);
                datasets.push(Dataset { name: names[sorted[i].0].to_owned(), samples, gallery });
            }
            if let Some(dataset) = datasets.last_mut() {
                dataset.samples.end = place + 1;
                dataset.gallery.end += usize::from(is_first(i));
            }
        }
        let order: Vec<_> = order.into_iter().map(|i| sorted[i]).collect();
        let subjects = Subjects::new(order.iter().map(|s| s.1).collect(), stratum_of)?;
        let order: Vec<usize> = order.into_iter().map(|s| s.3).collect();
        let names = order.iter().map(|&index| entries[index].name.clone()).collect();
        Ok((Self { names, subjects, datasets }, order))
    }

    /// Samples that lie in order already: subjects by data set, of which `datasets` names each stratum.
    pub fn in_order(names: Vec<String>, subjects: Subjects, datasets: Vec<String>) -> Self {
        let set_of = |sample: usize| subjects.strata()[subjects.of(sample as u32) as usize] as usize;
        let dataset = |(set, name): (usize, String)| {
            let first = (0..names.len()).position(|sample| set_of(sample) == set).unwrap_or(names.len());
            let count = (first..names.len()).take_while(|&sample| set_of(sample) == set).count();
            let name = if name.is_empty() { "all".to_owned() } else { name };
            Dataset { name, samples: first..first + count, gallery: first..first }
        };
        let datasets = datasets.into_iter().enumerate().map(dataset).collect();
        Self { names, subjects, datasets }
    }

    /// The same with every gallery in an order that depends on nothing but the number of its subjects, so that any stretch
    /// of it is a random sample; and which sample stands now in each place.
    pub fn scattered(self) -> Result<(Self, Vec<usize>), Failure> {
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        for dataset in &self.datasets {
            order[dataset.gallery.clone()].sort_unstable_by_key(|&sample| scattered(self.of(sample)));
        }
        let subjects =
            Subjects::new(order.iter().map(|&sample| self.of(sample)).collect(), self.subjects.strata().to_vec())?;
        let names = order.iter().map(|&sample| self.names[sample].clone()).collect();
        Ok((Self { names, subjects, datasets: self.datasets }, order))
    }

    /// The subject of a sample.
    pub fn of(&self, sample: usize) -> u32 {
        self.subjects.of(sample as u32)
    }
}

/// A key that puts subjects into random order. The finaliser of SplitMix64: numbers that follow each other come out far apart.
pub fn scattered(number: u32) -> u64 {
    let mut z = (u64::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(dataset: &str, subject: &str, number: &str) -> Entry {
        Entry {
            dataset: dataset.into(),
            stratum: dataset.split('/').next().unwrap().into(),
            subject: subject.into(),
            number: number.into(),
            name: format!("{dataset}:{subject}_{number}"),
        }
    }

    #[test]
    fn the_first_of_each_subject_stand_in_front() {
        let listed = [("b", "2", "1"), ("a", "1", "10"), ("b", "1", "2"), ("a", "2", "1"), ("a", "1", "9")];
        let entries: Vec<Entry> = listed.iter().map(|(d, s, n)| entry(d, s, n)).collect();
        let (samples, order) = Samples::arrange(&entries).unwrap();
        assert_eq!(samples.names, ["b:2_1", "b:1_2", "a:1_9", "a:2_1", "a:1_10"]);
        assert_eq!(order, [0, 2, 4, 3, 1]);
        let [b, a] = &samples.datasets[..] else { panic!("two data sets") };
        assert_eq!((&*b.name, b.samples.clone(), b.gallery.clone()), ("b", 0..2, 0..2));
        assert_eq!((&*a.name, a.samples.clone(), a.gallery.clone()), ("a", 2..5, 2..4));
        assert_eq!(samples.subjects.count(), 4, "finger 1 of a is not finger 1 of b");
        assert!(samples.subjects.are_mated(2, 4));
    }

    #[test]
    fn a_stretch_of_a_scattered_gallery_is_a_random_sample() {
        let entries: Vec<Entry> =
            (0..4000).map(|i| entry("a", &format!("{:04}", i / 2), &(i % 2).to_string())).collect();
        let (samples, _) = Samples::arrange(&entries).unwrap();
        let names = samples.names.clone();
        let (scattered, order) = samples.scattered().unwrap();
        assert_eq!(scattered.names[2000..], names[2000..], "those that are searched for stay");
        assert!((0..4000).all(|place| scattered.names[place] == names[order[place]]));
        assert!((0..4000).all(|place| scattered.of(place) as usize == order[place] % 2000));
        let mut every = order;
        let early = every[..200].iter().filter(|&&subject| subject < 1000).count();
        assert!((75..=125).contains(&early), "{early} of 200");
        every.sort_unstable();
        assert!(every.into_iter().eq(0..4000));
    }

    #[test]
    fn one_subject_may_be_in_several_sets_of_a_stratum() {
        let entries = [entry("a/x", "1", "1"), entry("a/y", "1", "1"), entry("a/y", "1", "2")];
        let (samples, _) = Samples::arrange(&entries).unwrap();
        assert_eq!((samples.subjects.count(), samples.datasets.len()), (1, 2));
        assert_eq!(samples.datasets[1].gallery, 1..2);
    }
}
