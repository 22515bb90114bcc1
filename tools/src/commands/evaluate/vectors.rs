//! How do vectors compare? Cosines of faces or finger codes, as the index computes them and exactly.

use std::ops::Range;
use std::path::Path;

use khop_evaluate::CANDIDATES;
use khop_evaluate::synth::Population;
use khop_index::{Plane, PlaneBuilder, PlaneBytes, Probe, Rotation, SignPlane, SignRow, place_signs, sign_bytes};
use rayon::prelude::*;

use super::samples::{Entry, Samples};
use super::trials::Comparing;
use crate::array::ArrayFile;
use crate::failure::Failure;
use crate::labels::Labels;

/// Vectors of one length, `None` where a sample failed to enrol.
pub struct Vectors {
    dim: usize,
    rows: Vec<Option<Vec<f32>>>,
}

impl Vectors {
    /// Vectors as they are; all of `dim` numbers.
    pub fn new(dim: usize, rows: Vec<Option<Vec<f32>>>) -> Self {
        Self { dim, rows }
    }

    /// The labelled rows of an array, one data set. A row that is not finite or zero is a failure.
    pub fn read(vectors: &Path, labels: &Path, clean: bool) -> Result<(Samples, Self), Failure> {
        let labelled = Labels::read(labels, clean)?;
        let array = ArrayFile::read(vectors)?;
        let &[count, dim] = &array.shape[..] else {
            let message = format!("{}: expected a table of vectors, got one dimension", vectors.display());
            return Err(Failure::new(message));
        };
        labelled.expect_within(count, vectors)?;
        let dataset = vectors.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let entry = |label: &crate::labels::LabelRow| Entry {
            dataset: dataset.clone(),
            stratum: String::new(),
            subject: label.subject.clone(),
            number: label.sample.clone(),
            name: format!("{}/{}", label.subject, label.sample),
        };
        let entries: Vec<Entry> = labelled.rows.iter().map(entry).collect();
        let (samples, order) = Samples::arrange(&entries)?;
        let row = |&index: &usize| {
            let row = labelled.rows[index].row;
            let values = &array.values[row * dim..(row + 1) * dim];
            match Probe::new(values) {
                Ok(_) => Ok(Some(values.to_vec())),
                Err(error) => Err(Failure::new(format!("{} row {row}: {error}", vectors.display()))),
            }
        };
        let rows = order.iter().map(row).collect::<Result<_, _>>()?;
        Ok((samples, Self { dim, rows }))
    }

    /// In another order: which stands now in each place.
    pub fn arranged(mut self, order: Vec<usize>) -> Self {
        let rows = order.into_iter().map(|place| self.rows[place].take()).collect();
        Self { dim: self.dim, rows }
    }

    /// The faces of so many synthetic people, two encounters each.
    pub fn synthetic(population: &Population, people: u64) -> Result<(Samples, Self), Failure> {
        let made: Vec<_> = (0..people).flat_map(|person| [(person, 0), (person, 1)]).collect();
        let entry = |&(person, encounter): &(u64, u32)| Entry {
            dataset: "synthetic".to_owned(),
            stratum: String::new(),
            subject: person.to_string(),
            number: encounter.to_string(),
            name: format!("{person}_{encounter}"),
        };
        let entries: Vec<Entry> = made.iter().map(entry).collect();
        let (samples, order) = Samples::arrange(&entries)?;
        let face = |&index: &usize| Some(population.person(made[index].0).face(made[index].1));
        let rows: Vec<_> = order.par_iter().map(face).collect();
        let dim = rows.iter().flatten().map(Vec::len).next().unwrap_or(0);
        Ok((samples, Self { dim, rows }))
    }
}

/// Cosines as every search of the engine computes them: of vectors quantised to a byte a number; in a search the best
/// [`CANDIDATES`] are rescored exactly.
pub struct Int8 {
    exact: Exact,
    bytes: PlaneBytes,
}

impl Int8 {
    /// Quantises every vector.
    pub fn new(vectors: Vectors) -> Result<Self, Failure> {
        let mut builder = PlaneBuilder::new(vectors.dim);
        for row in &vectors.rows {
            builder.push(row.as_deref())?;
        }
        let bytes = builder.finish();
        Plane::new(vectors.dim, &bytes.codes, &bytes.scales)?;
        Ok(Self { exact: Exact::new(vectors), bytes })
    }

    fn plane(&self) -> Plane<'_> {
        Plane::new(self.exact.vectors.dim, &self.bytes.codes, &self.bytes.scales).expect("checked when it was made")
    }
}

impl Comparing for Int8 {
    type Probe = (usize, Probe);
    type Scratch = ();

    fn scratch(&self) {}

    fn probe(&self, sample: usize) -> Option<(usize, Probe)> {
        let values = self.exact.vectors.rows[sample].as_deref()?;
        Some((sample, Probe::new(values).ok()?))
    }

    fn compare(&self, (): &mut (), (_, probe): &(usize, Probe), references: Range<usize>, out: &mut [f32]) {
        self.plane().similarities(probe, references, out);
        out.iter_mut().filter(|similarity| similarity.is_nan()).for_each(|absent| *absent = 0.0);
    }

    fn search(&self, (): &mut (), probe: &(usize, Probe), references: Range<usize>, out: &mut [f32]) {
        self.compare(&mut (), probe, references.clone(), out);
        let mut best: Vec<usize> = (0..out.len()).collect();
        if best.len() > CANDIDATES {
            best.select_nth_unstable_by(CANDIDATES, |&a, &b| out[b].total_cmp(&out[a]));
            best.truncate(CANDIDATES);
        }
        best.into_iter().for_each(|i| out[i] = self.exact.cosine(probe.0, references.start + i));
    }

    fn failures(&self) -> usize {
        self.exact.failures()
    }
}

/// Cosines as the first scan of a search estimates them: from one bit a number of the reference.
pub struct Signs {
    vectors: Vectors,
    codes: Vec<u8>,
    agreements: Vec<u8>,
}

impl Signs {
    /// Turns every vector and takes its signs.
    pub fn new(vectors: Vectors) -> Result<Self, Failure> {
        let (rows, dim) = (vectors.rows.len(), vectors.dim);
        let (mut codes, mut agreements) = (vec![0; sign_bytes(rows, dim)], vec![0; 4 * rows]);
        let rotation = Rotation::new(dim);
        let rows = vectors.rows.iter().enumerate().filter_map(|(index, row)| Some((index, row.as_deref()?)));
        for (index, row) in rows {
            let signs = SignRow::of(row, &rotation)?;
            place_signs(&mut codes, index, &signs.bits);
            agreements[4 * index..][..4].copy_from_slice(&signs.agreement.to_le_bytes());
        }
        SignPlane::new(dim, &codes, &agreements)?;
        Ok(Self { vectors, codes, agreements })
    }

    fn plane(&self) -> SignPlane<'_> {
        SignPlane::new(self.vectors.dim, &self.codes, &self.agreements).expect("checked when it was made")
    }
}

impl Comparing for Signs {
    type Probe = Probe;
    type Scratch = ();

    fn scratch(&self) {}

    fn probe(&self, sample: usize) -> Option<Probe> {
        Probe::new(self.vectors.rows[sample].as_deref()?).ok()
    }

    fn compare(&self, (): &mut (), probe: &Probe, references: Range<usize>, out: &mut [f32]) {
        self.plane().similarities(probe, references, out);
        out.iter_mut().filter(|similarity| similarity.is_nan()).for_each(|absent| *absent = 0.0);
    }

    fn failures(&self) -> usize {
        self.vectors.rows.iter().filter(|row| row.is_none()).count()
    }
}

/// Cosines of the vectors as given, in single precision.
pub struct Exact {
    vectors: Vectors,
}

impl Exact {
    /// Scales every vector to unit length.
    pub fn new(mut vectors: Vectors) -> Self {
        for row in vectors.rows.iter_mut().flatten() {
            let norm = row.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt();
            row.iter_mut().for_each(|v| *v = (f64::from(*v) / norm) as f32);
        }
        Self { vectors }
    }

    /// 0 when one of the two failed to enrol.
    fn cosine(&self, probe: usize, reference: usize) -> f32 {
        match (&self.vectors.rows[probe], &self.vectors.rows[reference]) {
            (Some(probe), Some(reference)) => khop_kernels::dot_f32(probe, reference).clamp(-1.0, 1.0),
            _ => 0.0,
        }
    }
}

impl Comparing for Exact {
    type Probe = usize;
    type Scratch = ();

    fn scratch(&self) {}

    fn probe(&self, sample: usize) -> Option<usize> {
        self.vectors.rows[sample].is_some().then_some(sample)
    }

    fn compare(&self, (): &mut (), &probe: &usize, references: Range<usize>, out: &mut [f32]) {
        references.zip(out).for_each(|(reference, out)| *out = self.cosine(probe, reference));
    }

    fn failures(&self) -> usize {
        self.vectors.rows.iter().filter(|row| row.is_none()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Option<Vec<f32>>> {
        let row = |r: usize| (0..70).map(|i| ((r * 31 + i * 17) % 23) as f32 - 11.0).collect();
        (0..5).map(|r| (r != 2).then(|| row(r))).collect()
    }

    fn similarities<C: Comparing>(comparing: &C) -> Vec<f32> {
        let probe = comparing.probe(1).unwrap();
        assert!(comparing.probe(2).is_none());
        assert_eq!(comparing.failures(), 1);
        let mut out = vec![9.0; 4];
        comparing.compare(&mut comparing.scratch(), &probe, 1..5, &mut out);
        out
    }

    #[test]
    fn bytes_say_what_the_vectors_say() {
        let (int8, exact) = (Int8::new(Vectors::new(70, rows())).unwrap(), Exact::new(Vectors::new(70, rows())));
        let (int8, exact) = (similarities(&int8), similarities(&exact));
        assert!((exact[0] - 1.0).abs() < 1e-5);
        assert_eq!((int8[1], exact[1]), (0.0, 0.0), "a failure to enrol scores 0");
        for (a, b) in int8.iter().zip(&exact) {
            assert!((a - b).abs() < 0.01, "{a} {b}");
        }
        assert_ne!(int8, exact);
    }

    #[test]
    fn a_search_rescores_its_candidates() {
        let row = |r: usize| Some((0..70).map(|i| ((r * r * 31 + i * 17) % 23) as f32 - 11.0).collect());
        let rows: Vec<Option<Vec<f32>>> = (0..CANDIDATES + 40).map(row).collect();
        let int8 = Int8::new(Vectors::new(70, rows.clone())).unwrap();
        let exact = Exact::new(Vectors::new(70, rows));
        let (mut found, mut truth, all) = (vec![0.0; CANDIDATES + 40], vec![0.0; CANDIDATES + 40], 0..CANDIDATES + 40);
        int8.search(&mut (), &int8.probe(3).unwrap(), all.clone(), &mut found);
        exact.compare(&mut (), &3, all, &mut truth);
        let mut order: Vec<usize> = (0..found.len()).collect();
        order.sort_by(|&a, &b| truth[b].total_cmp(&truth[a]));
        assert!(order[..CANDIDATES - 10].iter().all(|&i| found[i] == truth[i]));
        assert!(order[CANDIDATES + 10..].iter().any(|&i| found[i] != truth[i]), "only the candidates");
    }

    #[test]
    fn a_bad_row_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let (vectors, labels) = (directory.path().join("x.npy"), directory.path().join("l.csv"));
        let mut values = vec![1.0f32; 3 * 64];
        values[64..128].fill(0.0);
        std::fs::write(&vectors, khop_formats::npy::write_f32(&[3, 64], &values)).unwrap();
        std::fs::write(&labels, "row,subject,sample\n0,a,1\n1,a,2\n2,b,1\n").unwrap();
        let error = Vectors::read(&vectors, &labels, false).err().expect("a refusal").to_string();
        assert!(error.contains("x.npy row 1: "), "{error}");
        std::fs::write(&labels, "row,subject,sample\n2,b,1\n0,a,1\n").unwrap();
        let (samples, read) = Vectors::read(&vectors, &labels, false).unwrap();
        assert_eq!((&samples.names[..], read.rows.len()), (&["b/1".to_owned(), "a/1".to_owned()][..], 2));
    }
}
