//! How does Khop compare? A probe prepared once for its run, references prepared beforehand.

use khop_fingerprint::{Comparator, Probe, Reference, Template};

use crate::prints::{Pair, Prints};

/// Our comparator with all its references.
pub struct Khop {
    probes: Vec<Probe>,
    references: Vec<Reference>,
    comparator: Comparator,
}

impl crate::Comparator for Khop {
    fn new(prints: &Prints) -> Self {
        let templates: Vec<Template> =
            prints.samples().iter().map(|sample| Template::of(sample).expect("a print with minutiae")).collect();
        Self {
            probes: templates.iter().map(Probe::of).collect(),
            references: templates.iter().map(Reference::of).collect(),
            comparator: Comparator::new(),
        }
    }

    fn name(&self) -> &'static str {
        "khop"
    }

    fn compare(&mut self, pairs: &[Pair]) -> f64 {
        let one = |&(p, r): &Pair| f64::from(self.comparator.compare(&self.probes[p], &self.references[r]));
        pairs.iter().map(one).sum()
    }
}
