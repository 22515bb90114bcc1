//! When was everything looked at the last time, and was it well? The engine's pass over what it believes.

use std::time::{SystemTime, UNIX_EPOCH};

use khop_store::{Change, Pace, Scrubbed};

use crate::{Engine, Error};

/// Where the catalogue keeps when a pass ended, and what it found: two little-endian numbers.
const KEY: &str = "scrubbed";

/// The last pass that looked at everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrub {
    /// When it ended, seconds since 1970.
    pub ended_unix_s: u64,
    /// Entries and segments that were not what was written. Segments are made again from the catalogue.
    pub damaged: u64,
}

impl Engine {
    /// Reads everything that is kept, once, at the pace given, while searches and enrolments go on: every value of the
    /// catalogue and every segment file. `None` when the pace ended it. Segments that are damaged are made again; a damaged
    /// value of the catalogue is an error whenever it is asked for, and stays until it is restored or erased.
    ///
    /// Memory: some megabytes.
    ///
    /// # Errors
    /// A catalogue that cannot be read at all, or a failed write.
    pub fn scrub(&self, pace: &Pace<'_>) -> Result<Option<Scrubbed>, Error> {
        let (core, mut report) = (self.core(), Scrubbed::default());
        if !core.store.scrub_catalogue(&mut report, pace)? {
            return Ok(None);
        }
        let realms: Vec<_> = core.realms.load().values().cloned().collect();
        for realm in realms {
            let snapshot = realm.snapshot.load_full();
            let filed = snapshot.views().iter().map(|view| &view.segment).filter(|segment| segment.path().is_some());
            let mut is_damaged = false;
            for segment in filed {
                if !core.store.scrub_segment(segment, &mut report, pace) {
                    return Ok(None);
                }
                is_damaged |= segment.is_damaged();
            }
            if is_damaged {
                self.writer().mend(&realm);
            }
        }
        let ended = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let value = [ended.to_le_bytes(), report.damaged.to_le_bytes()].concat();
        self.writer().keep(Change::PutMeta { key: KEY.to_owned(), value: Some(value) })?;
        Ok(Some(report))
    }

    /// The last pass that looked at everything, by this process or one before it; `None` if there was none yet.
    ///
    /// # Errors
    /// A damaged catalogue.
    pub fn last_scrub(&self) -> Result<Option<Scrub>, Error> {
        let value = self.core().store.meta(KEY)?;
        let numbers = value.as_deref().and_then(|value| value.split_first_chunk::<8>());
        let scrub = numbers.and_then(|(ended, damaged)| {
            let damaged = u64::from_le_bytes(*damaged.first_chunk()?);
            Some(Scrub { ended_unix_s: u64::from_le_bytes(*ended), damaged })
        });
        Ok(scrub)
    }
}
