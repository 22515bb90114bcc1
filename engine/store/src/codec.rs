//! How do catalogue values become bytes? The one module that knows bincode, and the rows it writes.
//!
//! bincode 2.0.1 is frozen and unmaintained. It is contained here: private rows, whose bytes are pinned by golden
//! tests, inside checksummed frames, decoded with a size limit. Replacing it means replacing this file. Rows borrow
//! what they write and what they read.

use std::collections::BTreeSet;

use bincode::{BorrowDecode, Encode};
use khop_vocabulary::{
    Attributes, Encounter, EncounterId, FingerPosition, GalleryId, ModelId, Quality, RealmId, Region, Sample,
    SampleFormat, Sex, SubjectId,
};

/// The largest value written or read, bytes.
pub(crate) const LIMIT: usize = 16 << 20;

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<LIMIT>()
}

/// Anything that can be written.
pub(crate) trait Row: Encode {}
impl<T: Encode> Row for T {}

/// Anything that can be read.
pub(crate) trait ReadRow<'a>: BorrowDecode<'a, ()> {}
impl<'a, T: BorrowDecode<'a, ()>> ReadRow<'a> for T {}

/// The bytes of a row.
pub(crate) fn encode(row: &impl Row) -> Vec<u8> {
    bincode::encode_to_vec(row, config()).expect("writing to memory does not fail")
}

/// The row in these bytes, all of them.
pub(crate) fn decode<'a, R: ReadRow<'a>>(bytes: &'a [u8]) -> Result<R, String> {
    match bincode::borrow_decode_from_slice(bytes, config()) {
        Ok((row, used)) if used == bytes.len() => Ok(row),
        Ok((_, used)) => Err(format!("expected {used} bytes, got {}", bytes.len())),
        Err(cause) => Err(cause.to_string()),
    }
}

/// The store as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, BorrowDecode)]
pub(crate) struct HeadRow {
    pub format: u32,
    /// The next realm's number.
    pub next_realm: u32,
    /// Realms there are.
    pub realms: u32,
    /// The next audit entry's number.
    pub next_audit: u64,
    /// The last audit entry's hash; zeros before the first.
    pub audit_hash: [u8; 32],
}

/// One realm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, BorrowDecode)]
pub(crate) struct RealmRow {
    pub id: String,
    pub expires_at_unix_s: Option<u64>,
    pub face_model: Option<(String, u32)>,
    /// The next record's number.
    pub next_record: u64,
    /// Records that are there; those missing below `next_record` are in the table of the erased.
    pub live: u64,
    /// The next segment's number.
    pub next_segment: u64,
    pub segments: u32,
    pub next_case: u64,
    pub cases: u64,
}

/// An encounter as received.
#[derive(Encode, BorrowDecode)]
pub(crate) struct EncounterRow<'a> {
    id: &'a str,
    subject: &'a str,
    galleries: Vec<&'a str>,
    year_of_birth: Option<u16>,
    /// 1 female, 2 male.
    sex: Option<u8>,
    region: Option<&'a str>,
    samples: Vec<SampleRow<'a>>,
}

#[derive(Encode, BorrowDecode)]
struct SampleRow<'a> {
    /// A face's model; none for minutiae.
    face_model: Option<&'a str>,
    position: Option<u8>,
    quality: Option<u8>,
    bytes: &'a [u8],
}

impl<'a> EncounterRow<'a> {
    pub(crate) fn of(encounter: &'a Encounter) -> Self {
        let sample = |sample: &'a Sample| SampleRow {
            face_model: match &sample.format {
                SampleFormat::Minutiae => None,
                SampleFormat::FaceVector(model) => Some(model.as_str()),
            },
            position: sample.position.map(FingerPosition::code),
            quality: sample.quality.map(Quality::value),
            bytes: &sample.bytes,
        };
        Self {
            id: encounter.id.as_str(),
            subject: encounter.subject.as_str(),
            galleries: encounter.galleries.iter().map(GalleryId::as_str).collect(),
            year_of_birth: encounter.attributes.year_of_birth,
            sex: encounter.attributes.sex.map(|sex| match sex {
                Sex::Female => 1,
                Sex::Male => 2,
            }),
            region: encounter.attributes.region.as_ref().map(Region::as_str),
            samples: encounter.samples.iter().map(sample).collect(),
        }
    }

    pub(crate) fn to_encounter(&self) -> Result<Encounter, String> {
        let sex = match self.sex {
            None => None,
            Some(1) => Some(Sex::Female),
            Some(2) => Some(Sex::Male),
            Some(code) => return Err(format!("sex: expected 1 or 2, got {code}")),
        };
        let region = self.region.map(Region::new).transpose().map_err(text)?;
        Ok(Encounter {
            id: EncounterId::new(self.id).map_err(text)?,
            subject: SubjectId::new(self.subject).map_err(text)?,
            galleries: galleries(&self.galleries)?,
            attributes: Attributes { year_of_birth: self.year_of_birth, sex, region },
            samples: self.samples.iter().map(SampleRow::to_sample).collect::<Result<_, _>>()?,
        })
    }
}

impl SampleRow<'_> {
    fn to_sample(&self) -> Result<Sample, String> {
        let format = match self.face_model {
            None => SampleFormat::Minutiae,
            Some(model) => SampleFormat::FaceVector(ModelId::new(model).map_err(text)?),
        };
        let position = self.position.map(|code| FingerPosition::from_code(code).ok_or(format!("finger {code}")));
        let quality = self.quality.map(Quality::new).transpose().map_err(text)?;
        Ok(Sample { format, position: position.transpose()?, quality, bytes: self.bytes.to_vec() })
    }
}

/// Who is behind a record.
#[derive(Debug, PartialEq, Eq, Encode, BorrowDecode)]
pub(crate) struct IdentityRow<'a> {
    pub subject: &'a str,
    pub encounter: &'a str,
    pub galleries: Vec<&'a str>,
}

/// Who is behind a record, owned.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub subject: SubjectId,
    pub encounter: EncounterId,
    pub galleries: BTreeSet<GalleryId>,
}

impl IdentityRow<'_> {
    pub(crate) fn to_identity(&self) -> Result<Identity, String> {
        Ok(Identity {
            subject: SubjectId::new(self.subject).map_err(text)?,
            encounter: EncounterId::new(self.encounter).map_err(text)?,
            galleries: galleries(&self.galleries)?,
        })
    }
}

impl Identity {
    pub(crate) fn of(encounter: &Encounter) -> Self {
        let Encounter { id, subject, galleries, .. } = encounter;
        Self { subject: subject.clone(), encounter: id.clone(), galleries: galleries.clone() }
    }

    pub(crate) fn row(&self) -> IdentityRow<'_> {
        let galleries = self.galleries.iter().map(GalleryId::as_str).collect();
        IdentityRow { subject: self.subject.as_str(), encounter: self.encounter.as_str(), galleries }
    }
}

/// A live segment.
#[derive(Debug, PartialEq, Eq, Encode, BorrowDecode)]
pub(crate) struct SegmentRow {
    pub rows: u32,
    pub bytes: u64,
    pub checksum: u64,
    pub algorithms: String,
}

/// A case for a human.
#[derive(Debug, PartialEq, Encode, BorrowDecode)]
pub(crate) struct CaseRow {
    pub record: u64,
    pub encounter: String,
    pub outcome: u8,
    pub candidates: Vec<(String, f32)>,
}

/// An audit entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(crate) struct AuditRow {
    pub previous: [u8; 32],
    pub at_unix_ms: u64,
    pub act: u8,
    pub realm: u32,
    pub number: u64,
    pub note: String,
}

/// The identifier in a stored string.
pub(crate) fn realm_id(id: &str) -> Result<RealmId, String> {
    RealmId::new(id).map_err(text)
}

/// The model in a stored string.
pub(crate) fn model_id(id: &str) -> Result<ModelId, String> {
    ModelId::new(id).map_err(text)
}

/// The encounter in a stored string.
pub(crate) fn encounter_id(id: &str) -> Result<EncounterId, String> {
    EncounterId::new(id).map_err(text)
}

fn galleries(names: &[&str]) -> Result<BTreeSet<GalleryId>, String> {
    names.iter().map(|name| GalleryId::named(name).map_err(text)).collect()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
