//! Have all engines made the same comparisons? Several score files as lists in step, or the first thing that differs.

use khop_evaluate::{Comparison, Comparisons, Subjects};

use super::grouping::{By, Grouping};
use super::people::People;
use super::scale::Scale;
use super::score_file::{Engine, Pair, Row, SampleNames};
use super::sheet::{Direction, Sheet};
use crate::failure::Failure;

/// The scores of several engines for the same comparisons of the same samples.
pub struct Joint {
    pub subjects: Subjects,
    /// The samples by number: data set by data set, then by name.
    pub names: Vec<String>,
    /// By stratum number; one without a name where samples are compared across data sets or names tell none.
    pub datasets: Vec<String>,
    pub engines: Vec<EngineScores>,
    /// What the groups of comparisons are.
    pub grouping: Grouping,
}

/// What one engine said.
pub struct EngineScores {
    pub name: String,
    /// Similarities are places in the scale.
    pub comparisons: Comparisons,
    /// The group of every mated and of every non-mated comparison, where one file is read.
    pub groups: [Vec<u32>; 2],
    pub scale: Scale,
    /// Comparisons it had no score for.
    pub missing: usize,
}

impl Joint {
    /// Reads the files. A comparison that one of them lacks, or has no score for, counts as `missing_score`, and
    /// without one is a failure; so is a pair that a file lists twice or that two files label differently. The order
    /// of rows is of no matter.
    pub fn read(engines: &[Engine], missing_score: Option<f64>, by: &[By]) -> Result<Self, Failure> {
        let (mut names, mut grouping) = (SampleNames::default(), Grouping::new(by));
        let mut sheet = |engine: &Engine| Sheet::read(engine, &mut names, &mut grouping, Direction::Either);
        let files = engines.iter().map(&mut sheet).collect::<Result<Vec<_>, _>>()?;
        names.expect_distinct()?;
        let people = People::of(&names, &files);
        people.expect_labels(engines, &names, &files)?;
        let (order, subjects, datasets) = people.arranged(&names, &files)?;
        let mut number = vec![0; order.len()];
        (0..).zip(&order).for_each(|(place, &sample)| number[sample as usize] = place);

        let numbered = |row: &Row| {
            let [a, b] = [row.pair.0, row.pair.1].map(|sample| number[sample as usize]);
            ((a.min(b), a.max(b)), row.pair)
        };
        let mut pairs: Vec<(Pair, Pair)> = files.iter().flat_map(Sheet::rows).map(numbered).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let of_file = |(engine, sheet): (&Engine, &Sheet)| {
            let lists = Lists { sheet, names: &names, subjects: &subjects };
            lists.scores(engine, &pairs, missing_score)
        };
        let scores = engines.iter().zip(&files).map(of_file).collect::<Result<_, _>>()?;
        let names = order.iter().map(|&sample| names.samples[sample as usize].name.clone()).collect();
        Ok(Self { subjects, names, datasets, engines: scores, grouping })
    }
}

/// One file, about to become lists.
struct Lists<'a> {
    sheet: &'a Sheet,
    names: &'a SampleNames,
    subjects: &'a Subjects,
}

impl Lists<'_> {
    /// The scores for all pairs, given by number and as the file knows them.
    fn scores(
        &self,
        engine: &Engine,
        pairs: &[(Pair, Pair)],
        missing_score: Option<f64>,
    ) -> Result<EngineScores, Failure> {
        let rows: Vec<Option<&Row>> = pairs.iter().map(|&(_, pair)| self.sheet.find(pair)).collect();
        let score = |row: &Option<&Row>| row.and_then(|row| row.score);
        let lacking = pairs.iter().zip(&rows).filter(|(_, row)| score(row).is_none()).map(|(&(_, pair), _)| pair);
        let missing = lacking.clone().count();
        if let (Some((a, b)), None) = (lacking.clone().next(), missing_score) {
            let [a, b] = [a, b].map(|s| &self.names.samples[s as usize].name);
            let more = if missing > 1 { format!(" and {} more", missing - 1) } else { String::new() };
            let what = format!("no score for {a} and {b}{more}; --missing-score 0 would count each as 0");
            return Err(Failure::at(&engine.path)(what));
        }
        let all: Vec<f64> = rows.iter().map(|row| score(row).or(missing_score).unwrap_or(0.0)).collect();
        let scale = Scale::of(all.clone()).map_err(Failure::at(&engine.path))?;
        let (mut mated, mut non_mated, mut groups) = (Vec::new(), Vec::new(), [Vec::new(), Vec::new()]);
        for ((&((probe, reference), _), &score), row) in pairs.iter().zip(&all).zip(&rows) {
            let is_mated = self.subjects.are_mated(probe, reference);
            let list = if is_mated { &mut mated } else { &mut non_mated };
            list.push(Comparison { similarity: scale.place(score), probe, reference });
            groups[usize::from(!is_mated)].extend(row.map(|row| row.group));
        }
        let comparisons =
            Comparisons::new(self.subjects.clone(), mated, non_mated).map_err(Failure::at(&engine.path))?;
        Ok(EngineScores { name: engine.name.clone(), comparisons, groups, scale, missing })
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
        Joint::read(&engines, missing_score, &[]).map_err(|failure| failure.to_string().replace(&folder, ""))
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
