//! Which encounters does a population directory hold? People with fingers, a face and attributes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use khop::{
    Attributes, Encounter, EncounterKey, FingerPosition, GalleryId, ModelId, Region, Sample, SampleFormat, Sex,
};

use super::faces::FaceVectors;
use super::{Source, read_record};
use crate::failure::Failure;
use crate::table::{Column, Row, Table};

/// A directory with `people.csv`, the finger records it names, `faces.npy` and `model.txt`.
///
/// Columns of `people.csv`: subject, encounter, year_of_birth, sex (F or M), region, finger_1 to finger_10 (paths
/// relative to the directory, numbered by finger position) and face_row (a row of `faces.npy`). Every field but the
/// first two may be empty. `model.txt` names the model of the faces; both files may be missing where no row has one.
pub struct Population {
    directory: PathBuf,
    people: Table,
    columns: Columns,
    faces: Option<FaceVectors>,
    galleries: BTreeSet<GalleryId>,
}

struct Columns {
    subject: Column,
    encounter: Column,
    year_of_birth: Column,
    sex: Column,
    region: Column,
    fingers: Vec<(FingerPosition, Column)>,
    face_row: Column,
}

impl Columns {
    fn of(people: &Table) -> Result<Self, Failure> {
        let finger = |position: FingerPosition| Ok((position, people.column(&format!("finger_{}", position.code()))?));
        Ok(Self {
            subject: people.column("subject")?,
            encounter: people.column("encounter")?,
            year_of_birth: people.column("year_of_birth")?,
            sex: people.column("sex")?,
            region: people.column("region")?,
            fingers: FingerPosition::TEN.into_iter().map(finger).collect::<Result<_, Failure>>()?,
            face_row: people.column("face_row")?,
        })
    }
}

impl Population {
    /// Reads the list of people and their faces; finger records are read one by one later.
    pub fn read(directory: &Path, galleries: BTreeSet<GalleryId>) -> Result<Self, Failure> {
        let people = Table::read(&directory.join("people.csv"))?;
        let columns = Columns::of(&people)?;
        let has_faces = people.rows().any(|person| !person.field(columns.face_row).is_empty());
        let faces = if has_faces { Some(read_faces(directory)?) } else { None };
        Ok(Self { directory: directory.to_owned(), people, columns, faces, galleries })
    }

    fn attributes(&self, person: Row<'_>) -> Result<Attributes, Failure> {
        let Columns { year_of_birth, sex, region, .. } = self.columns;
        let given = |column| Some(person.field(column)).filter(|text| !text.is_empty());
        Ok(Attributes {
            year_of_birth: match given(year_of_birth) {
                Some(_) => Some(person.parse(year_of_birth, "a year")?),
                None => None,
            },
            sex: match given(sex) {
                None => None,
                Some("F") => Some(Sex::Female),
                Some("M") => Some(Sex::Male),
                Some(other) => return Err(person.wrong(sex, &format!("expected F or M, got {other:?}"))),
            },
            region: given(region).map(Region::new).transpose()?,
        })
    }

    fn samples(&self, person: Row<'_>) -> Result<Vec<Sample>, Failure> {
        let mut samples = Vec::new();
        for &(position, column) in &self.columns.fingers {
            let file = person.field(column);
            if !file.is_empty() {
                let path = self.directory.join(file);
                let bytes = read_record(&path)?;
                khop_formats::read_minutiae(&bytes).map_err(Failure::at(&path))?;
                let position = Some(position);
                samples.push(Sample { format: SampleFormat::Minutiae, position, quality: None, bytes });
            }
        }
        let face_row = self.columns.face_row;
        if let (Some(faces), false) = (&self.faces, person.field(face_row).is_empty()) {
            let expected =
                format!("a row of {}, from 0 to {}", faces.path().display(), faces.count().saturating_sub(1));
            let row: usize = person.parse(face_row, &expected)?;
            if row >= faces.count() {
                return Err(person.wrong(face_row, &format!("expected {expected}, got {row}")));
            }
            samples.push(faces.sample(row));
        }
        Ok(samples)
    }
}

fn read_faces(directory: &Path) -> Result<FaceVectors, Failure> {
    let path = directory.join("model.txt");
    let model = std::fs::read_to_string(&path).map_err(Failure::at(&path))?;
    let model = ModelId::new(model.trim()).map_err(Failure::at(&path))?;
    FaceVectors::read(&directory.join("faces.npy"), model)
}

impl Source for Population {
    fn count(&self) -> usize {
        self.people.rows().len()
    }

    fn name(&self, index: usize) -> String {
        self.people.row(index).field(self.columns.encounter).to_owned()
    }

    fn encounter(&self, index: usize) -> Result<Option<Encounter>, Failure> {
        let person = self.people.row(index);
        let samples = self.samples(person)?;
        if samples.is_empty() {
            return Ok(None);
        }
        let key = EncounterKey::new(person.field(self.columns.subject), person.field(self.columns.encounter))?;
        let (galleries, attributes) = (self.galleries.clone(), self.attributes(person)?);
        Ok(Some(Encounter { galleries, attributes, ..Encounter::new(key, samples) }))
    }

    fn face_model(&self) -> Option<(&ModelId, usize)> {
        self.faces.as_ref().map(FaceVectors::model)
    }
}
