//! Have all engines made the same comparisons? Several score files as lists in step, or the first thing that differs.

use std::collections::{BTreeSet, HashMap};

use khop_evaluate::{Comparison, Comparisons, Subjects};

use super::score_file::{Engine, SampleNames, read};
use crate::failure::Failure;

/// The scores of several engines for the same comparisons of the same samples.
pub struct Joint {
    pub subjects: Subjects,
    /// The samples by number: data set by data set, then by name.
    pub names: Vec<String>,
    /// By stratum number; one without a name where samples are compared across data sets or names tell none.
    pub datasets: Vec<String>,
    pub engines: Vec<EngineScores>,
}

/// What one engine said.
pub struct EngineScores {
    pub name: String,
    /// Similarities are places in the scale.
    pub comparisons: Comparisons,
    pub scale: Scale,
    /// Comparisons it had no score for.
    pub missing: usize,
}

/// The different scores of an engine, ascending. Their places stand for them wherever only their order counts: so
/// that scores are told apart to the last digit of the file, whatever an engine's range is.
pub struct Scale(Vec<f64>);

impl Scale {
    /// Places must be exact as `f32`.
    const MOST: usize = 1 << 24;

    fn of(mut scores: Vec<f64>) -> Result<Self, String> {
        scores.sort_unstable_by(f64::total_cmp);
        scores.dedup_by(|a, b| a == b); // −0 is 0
        if scores.len() > Self::MOST {
            return Err(format!("expected at most {} different scores, got {}", Self::MOST, scores.len()));
        }
        Ok(Self(scores))
    }

    fn place(&self, score: f64) -> f32 {
        self.0.partition_point(|&s| s < score) as f32
    }

    /// The lowest score that is at or above a place; `None` above all.
    pub fn score(&self, place: f32) -> Option<f64> {
        self.0.get(place.max(0.0).ceil() as usize).copied()
    }
}

/// A row of a file, once its samples are known by number.
struct Row {
    line: u64,
    score: Option<f64>,
    mated: bool,
}

/// Two samples, the lower number first: a comparison is the same in both directions.
type Pair = (u32, u32);

impl Joint {
    /// Reads the files. A comparison that one of them lacks, or has no score for, counts as `missing_score`, and
    /// without one is a failure; so is a pair that a file lists twice or that two files label differently. The order
    /// of rows is of no matter.
    pub fn read(engines: &[Engine], missing_score: Option<f64>) -> Result<Self, Failure> {
        let mut names = SampleNames::default();
        let mut files: Vec<HashMap<Pair, Row>> = Vec::new();
        for Engine { path, .. } in engines {
            let mut rows: HashMap<Pair, Row> = HashMap::new();
            let mut twice = None;
            read(path, &mut names, |row| {
                let pair = (row.probe.min(row.reference), row.probe.max(row.reference));
                let new = Row { line: row.line, score: row.score, mated: row.mated };
                if let Some(old) = rows.insert(pair, new) {
                    twice = twice.or(Some((pair, old.line, row.line)));
                }
                Ok(())
            })?;
            if let Some(((a, b), first, second)) = twice {
                let [a, b] = [a, b].map(|s| &names.samples[s as usize].name);
                let what = format!("{a} and {b} are compared on line {first} and again on line {second}");
                return Err(Failure::at(path)(what));
            }
            files.push(rows);
        }
        names.expect_distinct()?;
        let people = People::of(&names, &files);
        people.expect_labels(engines, &names, &files)?;
        let (order, subjects, datasets) = people.arranged(&names, &files)?;
        let mut number = vec![0; order.len()];
        (0..).zip(&order).for_each(|(place, &sample)| number[sample as usize] = place);

        let mut pairs: Vec<(Pair, Pair)> = files
            .iter()
            .flat_map(HashMap::keys)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(|&(a, b)| {
                let [a_number, b_number] = [a, b].map(|s| number[s as usize]);
                ((a_number.min(b_number), a_number.max(b_number)), (a, b))
            })
            .collect();
        pairs.sort_unstable();
        let of_file = |(engine, rows): (&Engine, &HashMap<Pair, Row>)| {
            scores(engine, rows, &pairs, &names, &subjects, missing_score)
        };
        let scores = engines.iter().zip(&files).map(of_file).collect::<Result<_, _>>()?;
        let names = order.iter().map(|&sample| names.samples[sample as usize].name.clone()).collect();
        Ok(Self { subjects, names, datasets, engines: scores })
    }
}

/// The scores of one file for all pairs, given by number and as the file knows them.
fn scores(
    engine: &Engine,
    rows: &HashMap<Pair, Row>,
    pairs: &[(Pair, Pair)],
    names: &SampleNames,
    subjects: &Subjects,
    missing_score: Option<f64>,
) -> Result<EngineScores, Failure> {
    let score = |pair: &Pair| rows.get(pair).and_then(|row| row.score);
    let lacking: Vec<&Pair> = pairs.iter().map(|(_, pair)| pair).filter(|pair| score(pair).is_none()).collect();
    let missing = match (lacking.first(), missing_score) {
        (Some(&&(a, b)), None) => {
            let [a, b] = [a, b].map(|s| &names.samples[s as usize].name);
            let more = if lacking.len() > 1 { format!(" and {} more", lacking.len() - 1) } else { String::new() };
            let what = format!("no score for {a} and {b}{more}; --missing-score 0 would count each as 0");
            return Err(Failure::at(&engine.path)(what));
        }
        (_, given) => given.unwrap_or(0.0),
    };
    let all: Vec<f64> = pairs.iter().map(|(_, pair)| score(pair).unwrap_or(missing)).collect();
    let scale = Scale::of(all.clone()).map_err(Failure::at(&engine.path))?;
    let (mut mated, mut non_mated) = (Vec::new(), Vec::new());
    for (&((probe, reference), _), &score) in pairs.iter().zip(&all) {
        let list = if subjects.are_mated(probe, reference) { &mut mated } else { &mut non_mated };
        list.push(Comparison { similarity: scale.place(score), probe, reference });
    }
    let comparisons =
        Comparisons::new(subjects.clone(), mated, non_mated).map_err(|error| Failure::at(&engine.path)(error))?;
    Ok(EngineScores { name: engine.name.clone(), comparisons, scale, missing: lacking.len() })
}

/// Which samples are one subject's: those that are mated with each other, and those of one finger of one data set.
struct People(Vec<u32>);

impl People {
    fn of(names: &SampleNames, files: &[HashMap<Pair, Row>]) -> Self {
        let mut people = Self((0..names.samples.len() as u32).collect());
        let mut first_of: HashMap<(&str, &str), u32> = HashMap::new();
        for (sample, named) in (0..).zip(&names.samples) {
            if let Some(finger) = &named.finger {
                let first = *first_of.entry((&named.dataset, finger)).or_insert(sample);
                people.join(first, sample);
            }
        }
        for (&(a, b), row) in files.iter().flatten() {
            if row.mated {
                people.join(a, b);
            }
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
    fn expect_labels(
        &self,
        engines: &[Engine],
        names: &SampleNames,
        files: &[HashMap<Pair, Row>],
    ) -> Result<(), Failure> {
        for (engine, rows) in engines.iter().zip(files) {
            let denied = |((a, b), row): &(&Pair, &Row)| !row.mated && self.0[*a as usize] == self.0[*b as usize];
            let first = rows.iter().filter(denied).min_by_key(|(_, row)| row.line);
            if let Some((&(a, b), Row { line, .. })) = first {
                let [a, b] = [a, b].map(|s| &names.samples[s as usize].name);
                let what = format!("{a} and {b} are non-mated here, but other rows make them one subject's");
                return Err(Failure::new(format!("{} line {line}: {what}", engine.path.display())));
            }
        }
        Ok(())
    }

    /// The samples in the order in which they are numbered, and who they are. Subjects are resampled within their data
    /// set.
    fn arranged(
        &self,
        names: &SampleNames,
        files: &[HashMap<Pair, Row>],
    ) -> Result<(Vec<u32>, Subjects, Vec<String>), Failure> {
        let set = |sample: u32| &*names.samples[sample as usize].dataset;
        // What stands before a `/` is a data set only where nothing is compared across: a face's name begins with its
        // subject.
        let has_sets = files.iter().flat_map(HashMap::keys).all(|&(a, b)| set(a) == set(b));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str], missing_score: Option<f64>) -> Result<Joint, String> {
        let directory = tempfile::tempdir().unwrap();
        let engine = |(i, text): (usize, &&str)| {
            let path = directory.path().join(format!("{i}.csv"));
            std::fs::write(&path, text).unwrap();
            Engine { name: format!("e{i}"), path }
        };
        let engines: Vec<Engine> = texts.iter().enumerate().map(engine).collect();
        let folder = format!("{}/", directory.path().display());
        Joint::read(&engines, missing_score).map_err(|failure| failure.to_string().replace(&folder, ""))
    }

    const NAMED: &str = "probe,reference,score,mated\na/1_1,a/1_2,0.9,1\na/1_1,a/2_1,0.1,0\na/1_2,a/2_1,0.2,0\n\
                         b/1_1,b/1_2,0.8,1\nb/1_1,b/2_1,0.3,0\n";
    /// The same comparisons: other order, other direction, fingers numbered by data set.
    const FINGERS: &str = "dataset,finger1,impression1,finger2,impression2,score\nb,2,1,1,1,30\na,1,1,1,2,90\n\
                           a,1,2,2,1,20\nb,1,2,1,1,80\na,2,1,1,1,10\n";

    fn lists(joint: &Joint, engine: usize) -> Vec<(u32, u32, f32)> {
        let EngineScores { comparisons, .. } = &joint.engines[engine];
        comparisons
            .mated()
            .iter()
            .chain(comparisons.non_mated())
            .map(|c| (c.probe, c.reference, c.similarity))
            .collect()
    }

    #[test]
    fn files_of_both_layouts_come_into_step() {
        let joint = read(&[NAMED, FINGERS], None).unwrap();
        assert_eq!(joint.datasets, ["a", "b"]);
        assert_eq!(joint.subjects.count(), 4, "finger 1 of a is not finger 1 of b");
        assert_eq!(joint.subjects.strata(), [0, 0, 1, 1]);
        assert_eq!(lists(&joint, 0), lists(&joint, 1));
        assert_eq!(lists(&joint, 0)[..2], [(0, 1, 4.0), (3, 4, 3.0)]);
        let scale = &joint.engines[1].scale;
        assert_eq!([0.0, 4.0, 3.5, 4.5].map(|place| scale.score(place)), [Some(10.0), Some(90.0), Some(90.0), None]);
        let shuffled = "probe,reference,score,mated\nb/2_1,b/1_1,0.3,0\na/2_1,a/1_2,0.2,0\nb/1_2,b/1_1,0.8,1\n\
                        a/1_1,a/1_2,0.9,1\na/2_1,a/1_1,0.1,0\n";
        let shuffled = read(&[FINGERS, shuffled], None).unwrap();
        assert_eq!((lists(&shuffled, 1), &shuffled.subjects), (lists(&joint, 0), &joint.subjects));
    }

    #[test]
    fn scores_that_differ_in_the_last_digit_differ() {
        let close = NAMED.replace("0.1,0", "0.1999999999,0");
        let joint = read(&[&close, NAMED], None).unwrap();
        assert_eq!(lists(&joint, 0), lists(&joint, 1), "as f32 both would be 0.2");
    }

    #[test]
    fn without_a_data_set_all_are_drawn_together() {
        let faces = "probe,reference,score,mated\nAnn/1,Ann/2,0.9,1\nAnn/1,Bob/1,0.1,0\nBob/1,Bob/2,0.7,1\n";
        let joint = read(&[faces, faces], None).unwrap();
        assert_eq!((joint.subjects.count(), joint.subjects.strata()), (2, &[0, 0][..]));
        assert_eq!(joint.datasets, [""]);
    }

    #[test]
    fn a_missing_comparison_is_named_or_counts_as_asked() {
        let without = FINGERS.replace("a,1,2,2,1,20\n", "").replace("b,2,1,1,1,30\n", "");
        let refused = |texts: &[&str]| read(texts, None).err().expect("a refusal");
        let more = "1.csv: no score for a/1_2 and a/2_1 and 1 more; --missing-score 0 would count each as 0";
        assert_eq!(refused(&[NAMED, &without]), more);
        assert_eq!(refused(&[&without, NAMED]), more.replace("1.csv", "0.csv"));
        let empty = NAMED.replace("0.2,0", ",0");
        let one = "0.csv: no score for a/1_2 and a/2_1; --missing-score 0 would count each as 0";
        assert_eq!(refused(&[&empty, FINGERS]), one);
        let joint = read(&[&empty, &without], Some(0.0)).unwrap();
        assert_eq!(joint.engines.iter().map(|e| e.missing).collect::<Vec<_>>(), [1, 2]);
        let filled = lists(&joint, 0).into_iter().find(|c| (c.0, c.1) == (1, 2)).unwrap();
        assert_eq!(joint.engines[0].scale.score(filled.2), Some(0.0));
    }

    #[test]
    fn what_contradicts_itself_is_named() {
        let refused = |texts: &[&str]| read(texts, Some(0.0)).err().expect("a refusal");
        let twice = format!("{NAMED}a/2_1,a/1_1,0.1,0\n");
        assert_eq!(refused(&[NAMED, &twice]), "1.csv: a/1_1 and a/2_1 are compared on line 3 and again on line 7");
        let denied = NAMED.replace("b/1_1,b/1_2,0.8,1", "b/1_1,b/1_2,0.8,0");
        let expected = "line 5: b/1_1 and b/1_2 are non-mated here, but other rows make them one subject's";
        assert_eq!(refused(&[&denied, FINGERS]), format!("0.csv {expected}"));
        assert_eq!(refused(&[FINGERS, &denied]), format!("1.csv {expected}"));
        let no_mates = "probe,reference,score,mated\na,b,1,0\n";
        assert_eq!(refused(&[no_mates, no_mates]), "0.csv: expected at least one mated comparison, got none");
        let cased = NAMED.replace("b/2_1", "B/2_1");
        assert_eq!(refused(&[NAMED, &cased]), "the samples \"b/2_1\" and \"B/2_1\" differ only in case or spaces");
    }
}
