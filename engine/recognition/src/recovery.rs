//! What was acknowledged? Realms, snapshots and tails as the catalogue tells, derived data made again where it is
//! missing, damaged or of another algorithm.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use khop_store::{Change, RealmNumber, RecordNumber, Segment, SegmentRecord, Snapshot};
use khop_vocabulary::{Encounter, RealmId};
use rayon::prelude::*;

use crate::Error;
use crate::columns::{algorithms, draft};
use crate::compaction::ROWS;
use crate::core::Core;
use crate::face_planes::FacePlanes;
use crate::prepared::Prepared;
use crate::realm_state::RealmState;
use crate::row::Row;
use crate::tail::Tail;

/// Encounters read from the catalogue at a time.
const BATCH: usize = 1024;

/// Everything the engine holds in memory after opening.
pub(crate) struct Recovered {
    pub(crate) realms: BTreeMap<RealmId, Arc<RealmState>>,
    pub(crate) tails: HashMap<RealmNumber, Tail>,
}

pub(crate) fn recover(core: &Core) -> Result<Recovered, Error> {
    let mut recovered = Recovered { realms: BTreeMap::new(), tails: HashMap::new() };
    for record in core.store.realms()? {
        let erased = core.store.erased(record.number)?;
        let opened = core.pool.install(|| core.store.open_segments(record.number))?;
        let planes = FacePlanes::of(&core.store, record.number)?;
        let made_by = algorithms(planes);
        let sound = opened.iter().all(|s| s.as_ref().is_ok_and(|s| s.algorithms() == made_by));
        let (snapshot, tail) = if sound {
            let segments: Vec<Arc<Segment>> = opened.into_iter().flatten().collect();
            let next = segments.iter().filter(|s| s.rows() > 0).map(|s| s.record(s.rows() - 1).get() + 1).max();
            let rows = rows_from(core, record.number, RecordNumber::new(next.unwrap_or(0)), planes)?;
            let tail = Tail::of(rows, planes)?;
            (Snapshot::of(segments.into_iter().chain(tail.segments()), &erased), tail)
        } else {
            let state = RealmState::new(&record, planes, Snapshot::default());
            (rebuild(core, &state, planes)?.0, Tail::empty(planes))
        };
        let state = RealmState::new(&record, planes, snapshot);
        recovered.tails.insert(record.number, tail);
        recovered.realms.insert(record.id, Arc::new(state));
    }
    Ok(recovered)
}

/// Makes every segment of a realm again from the catalogue, with these planes, and commits them in the place of the old
/// ones, the choice of planes with them.
/// Memory: the rows of one segment, about 15 kB each.
pub(crate) fn rebuild(core: &Core, realm: &RealmState, planes: FacePlanes) -> Result<(Snapshot, usize), Error> {
    let (mut segments, mut records, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    let mut next = RecordNumber::new(0);
    loop {
        let batch = core.store.records_from(realm.number, next, BATCH)?;
        let last = batch.last().map(|(record, _)| record.get());
        rows.extend(prepare(core, batch, planes)?);
        if rows.len() >= ROWS as usize || (last.is_none() && !rows.is_empty()) {
            let (record, segment) = core.store.write_segment(realm.number, &draft(&rows, planes)?)?;
            records.push(record);
            segments.push(segment);
            rows.clear();
        }
        match last {
            Some(last) => next = RecordNumber::new(last + 1),
            None => break,
        }
    }
    let choice = Change::PutMeta { key: FacePlanes::key(realm.number), value: Some(planes.to_string().into_bytes()) };
    core.store.commit(&[Change::ReplaceSegments { realm: realm.number, with: records }, choice])?;
    let count = segments.len();
    Ok((Snapshot::of(segments, &core.store.erased(realm.number)?), count))
}

/// A damaged segment made again from the catalogue, without what was erased since; `None` where nothing is left of it.
pub(crate) fn remade(
    core: &Core,
    realm: &RealmState,
    damaged: &Segment,
) -> Result<Option<(SegmentRecord, Arc<Segment>)>, Error> {
    let (Some(last), planes) = (damaged.rows().checked_sub(1), **realm.planes.load()) else { return Ok(None) };
    let (mut next, last) = (damaged.record(0), damaged.record(last));
    let mut rows = Vec::new();
    loop {
        let mut batch = core.store.records_from(realm.number, next, BATCH)?;
        batch.retain(|(record, _)| *record <= last);
        let Some((read, _)) = batch.last() else { break };
        next = RecordNumber::new(read.get() + 1);
        rows.extend(prepare(core, batch, planes)?);
    }
    if rows.is_empty() {
        return Ok(None);
    }
    Ok(Some(core.store.write_segment(realm.number, &draft(&rows, planes)?)?))
}

fn rows_from(
    core: &Core,
    realm: RealmNumber,
    mut next: RecordNumber,
    planes: FacePlanes,
) -> Result<Vec<Arc<Row>>, Error> {
    let mut rows = Vec::new();
    loop {
        let batch = core.store.records_from(realm, next, BATCH)?;
        let Some((last, _)) = batch.last() else { return Ok(rows) };
        next = RecordNumber::new(last.get() + 1);
        rows.extend(prepare(core, batch, planes)?);
    }
}

/// Derives rows from encounters as received, on all threads of the pool.
fn prepare(
    core: &Core,
    encounters: Vec<(RecordNumber, Encounter)>,
    planes: FacePlanes,
) -> Result<Vec<Arc<Row>>, Error> {
    let one = |(record, encounter): (RecordNumber, Encounter)| {
        let prepared = Prepared::of_encounter(&encounter)?;
        Ok(Arc::new(Row::new(record, &encounter, prepared, planes)))
    };
    core.pool.install(|| encounters.into_par_iter().map(one).collect())
}
