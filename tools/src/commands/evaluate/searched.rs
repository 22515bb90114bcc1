//! Who was searched for among whom, and what came out? Searches, from similarities or from a score file.

use std::collections::HashMap;
use std::ops::Range;

use khop_evaluate::{Mate, Search};
use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;

use super::grouping::{By, Grouping};
use super::people::People;
use super::samples::{Dataset, Samples, scattered};
use super::scale::Scale;
use super::score_file::{Engine, Row, SampleNames};
use super::sheet::{Direction, Sheet};
use crate::failure::Failure;

/// All searches of one gallery.
pub struct Searched {
    pub name: String,
    /// Subjects in the gallery, N.
    pub references: u64,
    pub searches: Vec<Search>,
}

/// Searches of a file, with what is known beside them.
pub struct SearchFile {
    pub name: String,
    pub samples: Samples,
    pub sets: Vec<Searched>,
    /// The same searches with whom they found, by data set.
    pub answers: Vec<Answers>,
    pub scale: Scale,
    /// Comparisons it had no score for.
    pub missing: usize,
    pub grouping: Grouping,
    /// The group of each sample that was a probe.
    pub groups: HashMap<u32, u32>,
}

/// The searches of a gallery with the similarity of every subject in it.
#[derive(Default)]
pub struct Answers {
    /// The subjects in the gallery, ascending.
    pub subjects: Vec<u32>,
    all: Vec<Answer>,
}

/// What one search found: every subject once, by its most similar reference.
struct Answer {
    probe: u32,
    own: u32,
    found: Vec<(u32, f32)>,
}

impl Answer {
    /// The search among these subjects alone; `None` where it met none of them.
    fn among(&self, is_there: impl Fn(u32) -> bool) -> Option<Search> {
        let (mut mate, mut strangers) = (None, Vec::new());
        for &(subject, similarity) in self.found.iter().filter(|(subject, _)| is_there(*subject)) {
            if subject == self.own { mate = Some(similarity) } else { strangers.push(similarity) }
        }
        (mate.is_some() || !strangers.is_empty()).then(|| Search::new(self.probe, mate, strangers))
    }
}

impl Answers {
    /// Every search in parts of the gallery, each of `size` subjects, at most `parts` of them, drawn by their numbers.
    pub fn in_parts(&self, size: usize, parts: usize) -> Vec<Search> {
        let mut subjects = self.subjects.clone();
        subjects.sort_unstable_by_key(|&subject| scattered(subject));
        let parts = parts.min(subjects.len() / size);
        let mut part_of = vec![parts; self.subjects.last().map_or(0, |&last| last as usize + 1)];
        for (part, subjects) in subjects.chunks_exact(size).take(parts).enumerate() {
            subjects.iter().for_each(|&subject| part_of[subject as usize] = part);
        }
        let in_each = |answer: &Answer| -> Vec<Search> {
            (0..parts).filter_map(|part| answer.among(|subject| part_of[subject as usize] == part)).collect()
        };
        self.all.par_iter().flat_map_iter(in_each).collect()
    }
}

/// How a file is to be read that does not hold every comparison.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lacking {
    /// A comparison without a score counts as this.
    pub missing_score: Option<f64>,
    /// The file holds candidate lists of searches among so many subjects: whom a list lacks was not returned.
    pub candidates_of: Option<u64>,
}

/// The searches of a data set: each sample's own subject, unless it is the sample itself, and all others.
pub fn searches(samples: &Samples, dataset: &Dataset, similarities: &Array2<f32>) -> Searched {
    let search =
        |(probe, row): (usize, ArrayView1<'_, f32>)| search(samples, probe, dataset.gallery.clone(), row.to_vec());
    let searches = dataset.samples.clone().zip(similarities.rows()).map(search).collect();
    Searched { name: dataset.name.clone(), references: dataset.gallery.len() as u64, searches }
}

/// A search in these references, which it was as similar to.
pub fn search(samples: &Samples, probe: usize, references: Range<usize>, mut similarities: Vec<f32>) -> Search {
    let own = references.clone().position(|reference| samples.of(reference) == samples.of(probe));
    let mate = own.map(|column| similarities.remove(column));
    let is_itself = references.contains(&probe);
    Search::new(probe as u32, mate.filter(|_| !is_itself), similarities)
}

impl SearchFile {
    /// Reads a file whose every probe is a search among the references of its data set.
    ///
    /// Of several references of one subject the most similar speaks. A search that lacks a reference is a failure that
    /// names both, unless `lacking` says what that means.
    pub fn read(engine: &Engine, lacking: Lacking, by: &[By]) -> Result<Self, Failure> {
        let (mut names, mut grouping) = (SampleNames::default(), Grouping::new(by));
        let files = [Sheet::read(engine, &mut names, &mut grouping, Direction::ProbeFirst)?];
        names.expect_distinct()?;
        let people = People::of(&names, &files);
        people.expect_labels(std::slice::from_ref(engine), &names, &files)?;
        let (order, subjects, datasets) = people.arranged(&names, &files)?;
        let mut number = vec![0u32; order.len()];
        (0..).zip(&order).for_each(|(place, &sample)| number[sample as usize] = place);
        let [sheet] = files;
        let names = order.iter().map(|&sample| names.samples[sample as usize].name.clone()).collect();
        let samples = Samples::in_order(names, subjects, datasets);

        let mut scores: Vec<f64> = sheet.rows().iter().filter_map(|row| row.score).collect();
        scores.extend(lacking.missing_score);
        let scale = Scale::of(scores).map_err(Failure::at(&engine.path))?;
        let galleries = samples.datasets.iter().map(|dataset| Gallery::of(dataset, &sheet, &samples, &number));
        let mut galleries: Vec<Gallery<'_>> = galleries.collect();
        let (mut missing, mut groups) = (0, HashMap::new());
        for rows in sheet.rows().chunk_by(|a, b| a.pair.0 == b.pair.0) {
            let probe = number[rows[0].pair.0 as usize];
            let set = samples.subjects.strata()[samples.subjects.of(probe) as usize] as usize;
            let gallery = &mut galleries[set];
            missing += gallery.search(probe, rows, lacking, &scale).map_err(|what| Failure::at(&engine.path)(what))?;
            groups.insert(probe, expect_one_group(engine, &sheet, rows, &grouping, &samples.names[probe as usize])?);
        }
        let of_gallery = |gallery: Gallery<'_>| Searched {
            name: gallery.dataset.name.clone(),
            references: lacking.candidates_of.unwrap_or(gallery.subjects),
            searches: gallery.searches,
        };
        let answers = galleries.iter_mut().map(|gallery| std::mem::take(&mut gallery.answers)).collect();
        let sets = galleries.into_iter().map(of_gallery).collect();
        Ok(Self { name: engine.name.clone(), samples, sets, answers, scale, missing, grouping, groups })
    }
}

/// A search is of one group: the columns of all its rows must agree.
fn expect_one_group(
    engine: &Engine,
    sheet: &Sheet,
    rows: &[Row],
    grouping: &Grouping,
    probe: &str,
) -> Result<u32, Failure> {
    let first = &rows[0];
    let Some(other) = rows.iter().find(|row| row.group != first.group) else { return Ok(first.group) };
    let differs = |column: &usize| grouping.value(first.group, *column) != grouping.value(other.group, *column);
    let Some(column) = (0..grouping.columns().len()).find(differs) else { return Ok(first.group) };
    let name = &grouping.columns()[column].column;
    let value = |row: &Row| format!("{:?} on {} {}", grouping.value(row.group, column), sheet.unit(), row.number);
    let [a, b] = [first, other].map(value);
    let what = format!("{name}: the probe {probe} has {a} and {b}; a search is of one group");
    Err(Failure::at(&engine.path)(what))
}

/// The references of a data set, while it is searched.
struct Gallery<'a> {
    dataset: &'a Dataset,
    samples: &'a Samples,
    number: &'a [u32],
    /// Ascending.
    references: Vec<u32>,
    subjects: u64,
    searches: Vec<Search>,
    answers: Answers,
}

impl<'a> Gallery<'a> {
    fn of(dataset: &'a Dataset, sheet: &Sheet, samples: &'a Samples, number: &'a [u32]) -> Self {
        let mut is_reference = vec![false; number.len()];
        sheet.rows().iter().for_each(|row| is_reference[number[row.pair.1 as usize] as usize] = true);
        let references: Vec<u32> =
            dataset.samples.clone().filter(|&sample| is_reference[sample]).map(|s| s as u32).collect();
        let mut subjects: Vec<u32> = references.iter().map(|&reference| samples.subjects.of(reference)).collect();
        subjects.sort_unstable();
        subjects.dedup();
        let (count, answers) = (subjects.len() as u64, Answers { subjects, all: Vec::new() });
        Self { dataset, samples, number, references, subjects: count, searches: Vec::new(), answers }
    }

    /// Adds the search of a probe; how many references it had no score for.
    fn search(&mut self, probe: u32, rows: &[Row], lacking: Lacking, scale: &Scale) -> Result<usize, String> {
        let subject_of = |reference: u32| self.samples.subjects.of(reference);
        let scored = rows.iter().filter_map(|row| Some((self.number[row.pair.1 as usize], row.score?)));
        let mut best: Vec<(u32, f32)> = scored.map(|(r, score)| (subject_of(r), scale.place(score))).collect();
        let is_itself = self.references.binary_search(&probe).is_ok();
        let missing = self.references.len() - usize::from(is_itself) - best.len();
        if lacking.candidates_of.is_none() && missing > 0 {
            let mut listed: Vec<u32> =
                rows.iter().filter(|row| row.score.is_some()).map(|row| self.number[row.pair.1 as usize]).collect();
            listed.sort_unstable();
            let is_absent = |reference: &u32| *reference != probe && listed.binary_search(reference).is_err();
            let mut absent = self.references.iter().copied().filter(is_absent);
            let Some(score) = lacking.missing_score else {
                let first = absent.next().map_or("", |reference| &self.samples.names[reference as usize]);
                let name = &self.samples.names[probe as usize];
                let more = if missing > 1 { format!(" and {} more", missing - 1) } else { String::new() };
                return Err(format!(
                    "the search of {name} has no score for the reference {first}{more}; --missing-score 0 would count \
                     each as 0, --candidates-of N says that the file holds candidate lists"
                ));
            };
            best.extend(absent.map(|reference| (subject_of(reference), scale.place(score))));
        }
        best.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        best.dedup_by_key(|candidate| candidate.0);
        let answer = Answer { probe, own: subject_of(probe), found: best };
        let mut search = answer.among(|_| true).unwrap_or_else(|| Search::new(probe, None, Vec::new()));
        if lacking.candidates_of.is_none() {
            self.searches.push(search);
            self.answers.all.push(answer);
            return Ok(missing);
        }
        if search.strangers.is_empty() {
            search.strangers.push(scale.below_all()); // it returned nobody, and is a search all the same
        }
        if search.mate.is_none() && rows.iter().any(|row| row.mated) {
            search.mate = Some(Mate { similarity: scale.below_all(), rank: u32::MAX });
        }
        self.searches.push(search);
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, lacking: Lacking, by: &[&str]) -> Result<SearchFile, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.csv");
        std::fs::write(&path, text).unwrap();
        let by: Vec<By> = by.iter().map(|by| by.parse().unwrap()).collect();
        let read = SearchFile::read(&Engine { name: "e".into(), path: path.clone() }, lacking, &by);
        read.map_err(|failure| failure.to_string().replace(path.to_str().unwrap(), "s.csv"))
    }

    /// Three enrolled people, of whom b has two references; two probes of theirs and one of a stranger.
    const FILE: &str = "probe,reference,score,mated,sex\n\
        pa,a,0.9,1,F\npa,b1,0.2,0,F\npa,b2,0.3,0,F\npa,c,0.1,0,F\n\
        px,a,0.3,0,M\npx,b1,0.4,0,M\npx,b2,0.1,0,M\npx,c,0.2,0,M\n\
        pb,c,0.5,0,M\npb,b2,0.4,1,M\npb,b1,0.6,1,M\npb,a,0.6,0,M\n";

    fn shown(file: &SearchFile) -> Vec<String> {
        let searches = file.sets.iter().flat_map(|set| &set.searches);
        let score = |place: f32| file.scale.score(place).unwrap();
        let one = |s: &Search| {
            let mate = s.mate.map_or("absent".into(), |m| match m.rank {
                u32::MAX => "not returned".to_owned(),
                rank => format!("{} at {rank}", score(m.similarity)),
            });
            let strangers: Vec<String> = s.strangers.iter().map(|&p| score(p).to_string()).collect();
            format!("{}: {mate}; {}", file.samples.names[s.probe as usize], strangers.join(" "))
        };
        searches.map(one).collect()
    }

    #[test]
    fn the_best_reference_of_a_subject_speaks() {
        let file = read(FILE, Lacking::default(), &["sex"]).unwrap();
        let expected = ["pa: 0.9 at 1; 0.3 0.1", "px: absent; 0.4 0.3 0.2", "pb: 0.6 at 2; 0.6 0.5"];
        let mut found = shown(&file);
        found.sort_by_key(|line| expected.iter().position(|e| e == line));
        assert_eq!(found, expected);
        assert_eq!((file.sets[0].references, file.missing), (3, 0));
        let sexes: Vec<&str> = ["pa", "px", "pb"]
            .map(|name| file.samples.names.iter().position(|n| n == name).unwrap() as u32)
            .map(|probe| file.grouping.value(file.groups[&probe], 0))
            .to_vec();
        assert_eq!(sexes, ["F", "M", "M"]);
    }

    #[test]
    fn a_search_that_lacks_a_reference_is_named_or_counts_as_asked() {
        let cut = FILE.replace("px,c,0.2,0,M\n", "").replace("pa,b1,0.2,", "pa,b1,,");
        let refused = read(&cut, Lacking::default(), &[]).err().expect("a refusal");
        assert!(
            refused.starts_with("s.csv: the search of pa has no score for the reference b1; --missing-"),
            "{refused}"
        );
        let filled = read(&cut, Lacking { missing_score: Some(-1.0), candidates_of: None }, &[]).unwrap();
        assert_eq!(filled.missing, 2);
        assert!(shown(&filled).contains(&"px: absent; 0.4 0.3 -1".to_owned()), "{:?}", shown(&filled));
    }

    #[test]
    fn candidate_lists_name_only_who_was_returned() {
        let lists = "probe,reference,score,mated\npa,a,0.9,1\npa,b1,0.3,0\npb,c,0.5,0\npb,b1,,1\nc2,c,0.7,1\n";
        let file = read(lists, Lacking { missing_score: None, candidates_of: Some(1_000_000) }, &[]).unwrap();
        assert_eq!((file.sets[0].references, file.missing), (1_000_000, 0));
        let [pa, pb, c2] = ["pa", "pb", "c2"].map(|name| {
            let of = |s: &&Search| file.samples.names[s.probe as usize] == name;
            file.sets[0].searches.iter().find(of).unwrap()
        });
        assert_eq!((pa.mate.unwrap().rank, pa.strangers.len()), (1, 1));
        assert_eq!(pb.mate.unwrap(), Mate { similarity: file.scale.below_all(), rank: u32::MAX });
        assert_eq!(c2.strangers, [file.scale.below_all()], "with its mate set aside it returned nobody");
    }

    #[test]
    fn a_search_is_of_one_group() {
        let mixed = FILE.replace("pb,b2,0.4,1,M", "pb,b2,0.4,1,F");
        let refused = read(&mixed, Lacking::default(), &["sex"]).err().expect("a refusal");
        assert!(refused.starts_with("s.csv: sex: the probe pb has "), "{refused}");
        assert!(read(&mixed, Lacking::default(), &[]).is_ok());
    }

    #[test]
    fn what_contradicts_itself_is_named() {
        let refused = |text: &str| read(text, Lacking::default(), &[]).err().expect("a refusal");
        let twice = format!("{FILE}pa,a,0.9,1,F\n");
        assert_eq!(refused(&twice), "s.csv: pa and a are compared on line 2 and again on line 14");
        let denied = FILE.replace("pb,b2,0.4,1,M", "pb,b2,0.4,0,M").replace("px,b2,0.1,0,M", "px,b2,0.1,1,M");
        let denied = denied.replace("px,b1,0.4,0,M", "px,b1,0.4,1,M");
        assert!(refused(&denied).ends_with("pb and b2 are non-mated here, but other rows make them one subject's"));
        assert!(refused("probe,reference,score,mated\n").contains("expected at least one row"));
    }
}
