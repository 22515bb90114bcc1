//! Is everything that is believed still what was written? A pass over all of it while the engine serves.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use khop_store::{Pace, Scrubbed};

use crate::{Engine, Error, Scrub};

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
        let ended_unix_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let scrub = Scrub { ended_unix_s, damaged: report.damaged };
        self.writer().keep(scrub.keep())?;
        core.scrub.store(Some(Arc::new(scrub)));
        Ok(Some(report))
    }

    /// The last pass that looked at everything, by this process or one before it; `None` if there was none yet, or nobody can
    /// say.
    #[must_use]
    pub fn last_scrub(&self) -> Option<Scrub> {
        self.core().scrub.load().as_deref().copied()
    }
}
