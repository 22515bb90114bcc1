//! Is what is believed still what was written? A slow pass over every value and every segment file, while they are in use.
//!
//! A flipped bit in a value is found when it is read, and one in a column when it is first touched; what nobody asks for
//! would rot unseen. The pass looks at all of it, a little at a time, and says how far it is to whoever paces it.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::os::unix::fs::FileExt;

use khop_keys::OVERHEAD;

use crate::catalogue::Fault;
use crate::envelope::{self, Envelope, FRAME};
use crate::table::{ALL, Table};
use crate::{Segment, SegmentError, SegmentFault, Store, StoreError};

/// Entries looked at in one transaction: none is held for long, so that the pages of older states are given back.
const TOGETHER: usize = 256;
/// Bytes of items between two looks at the pace.
const ITEMS: u64 = 1 << 20;

/// What a pass has seen so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scrubbed {
    /// Entries of the catalogue.
    pub entries: u64,
    /// Segment files.
    pub segments: u64,
    /// Bytes of both.
    pub bytes: u64,
    /// Entries and segments that are not what was written.
    pub damaged: u64,
    /// The first of these, in words.
    pub first: Option<String>,
}

/// Is told how many bytes were read, and waits as long as the reader may not go on; `false` ends the pass.
pub type Pace<'a> = dyn Fn(u64) -> bool + 'a;

impl Scrubbed {
    fn found(&mut self, damage: impl std::fmt::Display) {
        self.damaged += 1;
        self.first.get_or_insert_with(|| damage.to_string());
    }
}

/// What one transaction saw: the last key, bytes, entries, and what is damaged.
type Seen = (Option<Vec<u8>>, u64, u64, Vec<StoreError>);

impl Store {
    /// Opens every value of the catalogue once. `false` when it was told to stop.
    ///
    /// # Errors
    /// A catalogue that cannot be read at all; single damaged values are in the report.
    pub fn scrub_catalogue(&self, report: &mut Scrubbed, pace: &Pace<'_>) -> Result<bool, StoreError> {
        for table in ALL {
            let mut after = None;
            loop {
                let (last, bytes, entries, damaged) = self.scrub_some(table, after.as_deref())?;
                report.bytes += bytes;
                report.entries += entries;
                damaged.iter().for_each(|damage| report.found(damage));
                if !pace(bytes) {
                    return Ok(false);
                }
                if last.is_none() {
                    break;
                }
                after = last;
            }
        }
        Ok(true)
    }

    fn scrub_some(&self, table: Table, after: Option<&[u8]>) -> Result<Seen, StoreError> {
        self.reading(|reading| {
            let entries = reading.open(table)?;
            let (mut last, mut bytes, mut count, mut damaged) = (None, 0, 0, Vec::new());
            let start = after.map_or(Bound::Unbounded, Bound::Excluded);
            for pair in entries.opened.range::<&[u8]>((start, Bound::Unbounded))?.take(TOGETHER) {
                let (key, value) = pair?;
                bytes += (key.value().len() + value.value().len()) as u64;
                count += 1;
                damaged.extend(entries.unseal(key.value(), value.value()).err());
                last = Some(key.value().to_vec());
            }
            Ok::<Seen, Fault>((last, bytes, count, damaged))
        })
    }

    /// Reads a segment's file again, every frame or column and every item. `false` when it was told to stop. A segment that is
    /// damaged knows it afterwards ([`Segment::is_damaged`]); one that was replaced meanwhile is passed over.
    pub fn scrub_segment(&self, segment: &Segment, report: &mut Scrubbed, pace: &Pace<'_>) -> bool {
        report.segments += 1;
        match self.scrub_file(segment, report, pace) {
            Ok(goes_on) => goes_on,
            Err(fault) => {
                segment.condemn();
                let (realm, number) = (segment.realm(), segment.number());
                report.found(SegmentError { realm, number, path: segment.path().map(Into::into), fault });
                true
            }
        }
    }

    fn scrub_file(&self, segment: &Segment, report: &mut Scrubbed, pace: &Pace<'_>) -> Result<bool, SegmentFault> {
        let Some(path) = segment.path() else { return Ok(true) };
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            file => file?,
        };
        let mut front = [0; envelope::BYTES];
        file.read_exact_at(&mut front, 0)?;
        let envelope = Envelope::decode(&front, file.metadata()?.len())?;
        let mut reading = |bytes: u64| {
            report.bytes += bytes;
            pace(bytes)
        };
        if !envelope.is_sealed {
            for bytes in segment.checked_columns() {
                if !reading(bytes?) {
                    return Ok(false);
                }
            }
        } else if !self.scrub_frames(&file, &envelope, &mut reading)? {
            return Ok(false);
        }
        let mut unpaced = 0;
        for row in 0..segment.rows() {
            match segment.item(row) {
                Ok(item) => unpaced += item.len() as u64,
                Err(SegmentError { fault: SegmentFault::Destroyed(_), .. }) => (),
                Err(error) => return Err(error.fault),
            }
            if unpaced >= ITEMS && !reading(std::mem::take(&mut unpaced)) {
                return Ok(false);
            }
        }
        Ok(reading(unpaced))
    }

    fn scrub_frames(
        &self,
        file: &File,
        envelope: &Envelope,
        reading: &mut dyn FnMut(u64) -> bool,
    ) -> Result<bool, SegmentFault> {
        let key = self.shelf.key(envelope.realm, envelope.number).ok_or(SegmentFault::Forgotten)?;
        let (mut sealed, mut opened) = (vec![0; FRAME + OVERHEAD], vec![0; FRAME]);
        for index in 0..envelope.image.div_ceil(FRAME as u64) {
            let length = FRAME.min((envelope.image - index * FRAME as u64) as usize);
            let (sealed, opened) = (&mut sealed[..length + OVERHEAD], &mut opened[..length]);
            file.read_exact_at(sealed, envelope::BYTES as u64 + index * (FRAME + OVERHEAD) as u64)?;
            envelope.open_frame(&key, index, sealed, opened).map_err(|_| SegmentFault::Frame(index))?;
            if !reading(sealed.len() as u64) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
