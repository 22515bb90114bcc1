//! How do the fingers of a manifest compare? Templates from its records, and the minutiae comparator over them.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use khop_evaluate::synth::Population;
use khop_fingerprint::{Comparator, Probe, Reference, Template, Weights, code};
use rayon::prelude::*;

use super::samples::{Entry, Samples};
use super::trials::Comparing;
use super::vectors::Vectors;
use crate::failure::Failure;
use crate::manifest::Manifest;

/// Templates of the samples of a manifest, `None` where a sample failed to enrol.
pub struct Fingers {
    pub samples: Samples,
    pub templates: Vec<Option<Template>>,
}

impl Fingers {
    /// Reads the records. One that lacks a path, cannot be decoded or yields no template failed to enrol (the last
    /// two are named on standard error); one that cannot be read from disk is a failure.
    pub fn read(manifest: &Path, wheres: &[String]) -> Result<Self, Failure> {
        let rows = Manifest::read(manifest, wheres)?.rows;
        let extractors: HashSet<&str> = rows.iter().map(|row| &*row.extractor).collect();
        let entry = |row: &crate::manifest::ManifestRow| {
            let stratum = row.dataset.clone();
            let dataset = match extractors.len() {
                1 => stratum.clone(),
                _ => format!("{stratum}/{}", row.extractor),
            };
            let name = format!("{dataset}/{}_{}", row.finger, row.impression);
            Entry { dataset, stratum, subject: row.finger.clone(), number: row.impression.clone(), name }
        };
        let entries: Vec<Entry> = rows.iter().map(entry).collect();
        let (samples, order) = Samples::arrange(&entries)?;
        let of = |index: &usize| rows[*index].path.as_ref().map_or(Ok(None), template);
        let templates = order.par_iter().map(of).collect::<Result<_, _>>()?;
        Ok(Self { samples, templates })
    }

    /// The same with galleries in random order.
    pub fn scattered(self) -> Result<Self, Failure> {
        let (samples, order) = self.samples.scattered()?;
        let mut templates = self.templates;
        let templates = order.into_iter().map(|place| templates[place].take()).collect();
        Ok(Self { samples, templates })
    }

    /// Two encounters of each of so many synthetic people; every finger is a subject.
    pub fn synthetic(population: &Population, people: u64) -> Result<Self, Failure> {
        let encounter = |(person, encounter): (u64, u32)| population.person(person).fingers(encounter);
        let made: Vec<_> = (0..people).flat_map(|person| [(person, 0), (person, 1)]).collect();
        let captured: Vec<_> = made.par_iter().map(|&place| encounter(place)).collect();
        let (mut entries, mut fingers) = (Vec::new(), Vec::new());
        for ((person, encounter), captured) in made.into_iter().zip(captured) {
            for sample in captured {
                let subject = format!("{person}-{}", sample.position.code());
                entries.push(Entry {
                    dataset: "synthetic".to_owned(),
                    stratum: String::new(),
                    name: format!("{subject}_{encounter}"),
                    subject,
                    number: encounter.to_string(),
                });
                fingers.push(sample);
            }
        }
        let (samples, order) = Samples::arrange(&entries)?;
        let templates = order.par_iter().map(|&index| Template::of(&fingers[index]).ok()).collect();
        Ok(Self { samples, templates })
    }

    /// The fixed-length code of every template that has minutiae enough for one.
    pub fn codes(&self) -> Vectors {
        let rows = self.templates.par_iter().map(|t| t.as_ref().and_then(code::code)).collect();
        Vectors::new(code::DIM, rows)
    }

    /// The same as they are before their signs are taken.
    pub fn widened_codes(&self) -> Vectors {
        let code = |template: &Option<Template>| Some(code::widened(&code::code(template.as_ref()?)?));
        Vectors::new(code::SIGN_DIM, self.templates.par_iter().map(code).collect())
    }
}

fn template(path: &PathBuf) -> Result<Option<Template>, Failure> {
    let bytes = std::fs::read(path).map_err(Failure::at(path))?;
    let failed = |cause: &dyn std::fmt::Display| {
        eprintln!("{}: failed to enrol: {cause}", path.display());
        Ok(None)
    };
    match khop_formats::read_minutiae(&bytes).map(|record| record.views) {
        Err(error) => failed(&error),
        Ok(views) => match views.first().map(Template::of) {
            Some(Ok(template)) => Ok(Some(template)),
            Some(Err(error)) => failed(&error),
            None => failed(&"the record holds no finger view"),
        },
    }
}

/// The minutiae comparator, every sample prepared as a reference.
pub struct Minutiae<'a> {
    templates: &'a [Option<Template>],
    references: Vec<Option<Reference>>,
    weights: Weights,
    stage: Stage,
    /// Probes are cut to so many minutiae.
    innermost: Option<usize>,
}

/// How much of the comparator is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Full,
    /// Places that look alike, alone.
    Places,
}

impl<'a> Minutiae<'a> {
    pub fn new(templates: &'a [Option<Template>]) -> Self {
        Self::weighing(templates, Weights::built_in().clone())
    }

    pub fn weighing(templates: &'a [Option<Template>], weights: Weights) -> Self {
        let references = templates.par_iter().map(|t| t.as_ref().map(Reference::of)).collect();
        Self { templates, references, weights, stage: Stage::Full, innermost: None }
    }

    /// Compares in this stage only, probes cut to their innermost minutiae where asked.
    pub fn with(self, stage: Stage, innermost: Option<usize>) -> Self {
        Self { stage, innermost, ..self }
    }
}

impl Comparing for Minutiae<'_> {
    type Probe = Probe;
    type Scratch = Comparator;

    fn scratch(&self) -> Comparator {
        Comparator::weighing(self.weights.clone())
    }

    fn probe(&self, sample: usize) -> Option<Probe> {
        let template = self.templates[sample].as_ref()?;
        Some(match self.innermost {
            Some(count) => Probe::of(&template.innermost(count)),
            None => Probe::of(template),
        })
    }

    fn compare(&self, scratch: &mut Comparator, probe: &Probe, references: Range<usize>, out: &mut [f32]) {
        for (reference, out) in self.references[references].iter().zip(out) {
            *out = reference.as_ref().map_or(0.0, |reference| match self.stage {
                Stage::Full => scratch.compare(probe, reference),
                Stage::Places => scratch.compare_places(probe, reference),
            });
        }
    }

    fn failures(&self) -> usize {
        self.references.iter().filter(|r| r.is_none()).count()
    }
}
