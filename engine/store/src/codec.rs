//! How do catalogue values become bytes? The one module that knows bincode, and the rows it writes.
//!
//! bincode 2.0.1 is frozen and unmaintained. It is contained here: private rows, whose bytes are pinned by golden
//! tests, inside checksummed frames, decoded with a size limit. Replacing it means replacing this file. Rows borrow
//! what they write and what they read.

use std::collections::BTreeSet;

use bincode::{BorrowDecode, Encode};
use khop_vocabulary::{
    Attributes, Encounter, EncounterId, EncounterKey, FingerPosition, GalleryId, ModelId, Quality, RealmId, Region,
    Sample, SampleFormat, Sex, SubjectId,
};

use crate::{CaseNumber, CaseRecord, RecordNumber};

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
    pub next_task: u64,
    pub tasks: u64,
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
    is_active: bool,
    document: &'a [u8],
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
            is_active: encounter.is_active,
            document: &encounter.document,
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
            is_active: self.is_active,
            document: self.document.to_vec(),
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
    pub key: EncounterKey,
    pub galleries: BTreeSet<GalleryId>,
}

impl IdentityRow<'_> {
    pub(crate) fn to_identity(&self) -> Result<Identity, String> {
        Ok(Identity { key: encounter_key(self.subject, self.encounter)?, galleries: galleries(&self.galleries)? })
    }
}

impl Identity {
    pub(crate) fn of(encounter: &Encounter) -> Self {
        Self { key: encounter.key(), galleries: encounter.galleries.clone() }
    }

    pub(crate) fn row(&self) -> IdentityRow<'_> {
        let galleries = self.galleries.iter().map(GalleryId::as_str).collect();
        IdentityRow { subject: self.key.subject.as_str(), encounter: self.key.encounter.as_str(), galleries }
    }
}

/// A live segment.
#[derive(Debug, PartialEq, Eq, Encode, BorrowDecode)]
pub(crate) struct SegmentRow {
    pub rows: u32,
    pub bytes: u64,
    pub checksum: u64,
    pub algorithms: String,
    pub is_sealed: bool,
}

/// A case for a human.
#[derive(Debug, PartialEq, Encode, BorrowDecode)]
pub(crate) struct CaseRow {
    record: u64,
    subject: String,
    encounter: String,
    outcome: u8,
    /// Subject, encounter, score.
    candidates: Vec<(String, String, f32)>,
}

impl CaseRow {
    pub(crate) fn of(case: &CaseRecord) -> Self {
        let names = |key: &EncounterKey| (key.subject.as_str().to_owned(), key.encounter.as_str().to_owned());
        let (subject, encounter) = names(&case.encounter);
        let candidate = |(key, score): &(EncounterKey, f32)| {
            let (subject, encounter) = names(key);
            (subject, encounter, *score)
        };
        let candidates = case.candidates.iter().map(candidate).collect();
        Self { record: case.record.get(), subject, encounter, outcome: case.outcome, candidates }
    }

    pub(crate) fn to_case(&self, number: CaseNumber) -> Result<CaseRecord, String> {
        let candidates = self.candidates.iter();
        let candidates = candidates.map(|(subject, encounter, score)| Ok((encounter_key(subject, encounter)?, *score)));
        Ok(CaseRecord {
            number,
            record: RecordNumber::new(self.record),
            encounter: encounter_key(&self.subject, &self.encounter)?,
            candidates: candidates.collect::<Result<_, String>>()?,
            outcome: self.outcome,
        })
    }
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

fn encounter_key(subject: &str, encounter: &str) -> Result<EncounterKey, String> {
    EncounterKey::new(subject, encounter).map_err(text)
}

fn galleries(names: &[&str]) -> Result<BTreeSet<GalleryId>, String> {
    names.iter().map(|name| GalleryId::named(name).map_err(text)).collect()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(row: &impl Row) -> String {
        encode(row).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn encounter() -> Encounter {
        let finger = Sample {
            format: SampleFormat::Minutiae,
            position: Some(FingerPosition::LeftThumb),
            quality: Some(Quality::new(80).unwrap()),
            bytes: b"FMR".to_vec(),
        };
        let model = SampleFormat::FaceVector(ModelId::new("m1").unwrap());
        let face = Sample { format: model, position: None, quality: None, bytes: vec![0; 300] };
        Encounter {
            id: EncounterId::new("e1").unwrap(),
            subject: SubjectId::new("s1").unwrap(),
            galleries: ["g1", "g2"].map(|g| GalleryId::named(g).unwrap()).into(),
            attributes: Attributes {
                year_of_birth: Some(1990),
                sex: Some(Sex::Male),
                region: Some(Region::new("HN").unwrap()),
            },
            samples: vec![finger, face],
            is_active: true,
            document: b"{}".to_vec(),
        }
    }

    /// The catalogue of every store in the world is written in these bytes.
    #[test]
    fn the_bytes_are_pinned() {
        let head = HeadRow { format: 1, next_realm: 2, realms: 1, next_audit: 300, audit_hash: [7; 32] };
        assert_eq!(hex(&head), "010201fb2c010707070707070707070707070707070707070707070707070707070707070707");
        let realm = RealmRow {
            id: "default".into(),
            expires_at_unix_s: Some(1_800_000_000),
            face_model: Some(("m1".into(), 512)),
            next_record: 70_000,
            live: 250,
            next_segment: 3,
            segments: 2,
            next_case: 1,
            cases: 1,
            next_task: 6,
            tasks: 5,
        };
        assert_eq!(hex(&realm), "0764656661756c7401fc00d2496b01026d31fb0002fc70110100fa030201010605");
        let row = hex(&EncounterRow::of(&encounter()));
        assert_eq!(
            row,
            format!(
                "0265310273310202673102673201fbc60701020102484e02000106015003464d5201026d310000fb2c01{}01027b7d",
                "00".repeat(300)
            )
        );
        assert_eq!(hex(&Identity::of(&encounter()).row()), "02733102653102026731026732");
        let segment =
            SegmentRow { rows: 9, bytes: 1 << 33, checksum: u64::MAX, algorithms: "a 1".into(), is_sealed: true };
        assert_eq!(hex(&segment), "09fd0000000002000000fdffffffffffffffff0361203101");
        let key = |subject, encounter| encounter_key(subject, encounter).unwrap();
        let case = CaseRecord {
            number: CaseNumber::new(3),
            record: RecordNumber::new(5),
            encounter: key("s1", "e1"),
            candidates: vec![(key("s2", "e2"), 41.5)],
            outcome: 1,
        };
        assert_eq!(hex(&CaseRow::of(&case)), "05027331026531010102733202653200002642");
        assert_eq!(CaseRow::of(&case).to_case(case.number).unwrap(), case);
        let audit = AuditRow {
            previous: [1; 32],
            at_unix_ms: 1_800_000_000_000,
            act: 4,
            realm: 0,
            number: 9,
            note: "n".into(),
        };
        assert_eq!(
            hex(&audit),
            "0101010101010101010101010101010101010101010101010101010101010101fd00505c18a3010000040009016e"
        );
        assert_eq!(
            (hex(&70_000u64), hex(&()), hex(&vec![1u8, 2])),
            ("fc70110100".into(), String::new(), "020102".into())
        );
    }

    #[test]
    fn an_encounter_survives() {
        let bytes = encode(&EncounterRow::of(&encounter()));
        assert_eq!(decode::<EncounterRow<'_>>(&bytes).unwrap().to_encounter().unwrap(), encounter());
        let bytes = encode(&Identity::of(&encounter()).row());
        assert_eq!(decode::<IdentityRow<'_>>(&bytes).unwrap().to_identity().unwrap(), Identity::of(&encounter()));
    }

    #[test]
    fn no_bytes_panic_or_ask_for_much_memory() {
        use rand::{RngExt, SeedableRng};
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let good = encode(&EncounterRow::of(&encounter()));
        for _ in 0..20_000 {
            let mut bytes = good[..random.random_range(0..=60)].to_vec();
            for _ in 0..random.random_range(0..4) {
                let at = random.random_range(0..=bytes.len());
                bytes.insert(at, random.random());
            }
            let _ = decode::<EncounterRow<'_>>(&bytes).and_then(|row| row.to_encounter());
            let _ = decode::<CaseRow>(&bytes).is_ok() || decode::<RealmRow>(&bytes).is_ok();
        }
        let trailing = [&good[..], &[0]].concat();
        assert!(decode::<EncounterRow<'_>>(&trailing).is_err());
    }
}
