//! What is not yet in a mapped segment? The rows of a realm enrolled since the last seal, as blocks in memory.
//!
//! A block is a segment in memory, made of the same columns and searched by the same code as a mapped one. The last
//! block grows row by row: it is made anew for each, which copies at most [`BLOCK_ROWS`] rows.

use std::sync::Arc;

use khop_store::{Segment, Snapshot};

use crate::Error;
use crate::columns::draft;
use crate::face_planes::FacePlanes;
use crate::row::Row;

/// Rows of a full block: about 0.3 MB with ten fingers and a face, copied once for each row appended.
const BLOCK_ROWS: usize = 64;

#[derive(Clone)]
struct Block {
    rows: Vec<Arc<Row>>,
    segment: Arc<Segment>,
    /// Part of a segment being written: takes no more rows.
    closed: bool,
}

/// The writer's own view of a realm's unsealed rows.
#[derive(Clone)]
pub(crate) struct Tail {
    blocks: Vec<Block>,
    pub(crate) is_sealing: bool,
    /// The planes that its blocks have.
    planes: FacePlanes,
}

impl Tail {
    /// Blocks of rows found in the catalogue behind the last segment.
    pub(crate) fn of(rows: Vec<Arc<Row>>, planes: FacePlanes) -> Result<Self, Error> {
        let block = |rows: &[Arc<Row>]| Ok(Block { rows: rows.to_vec(), segment: block(rows, planes)?, closed: false });
        let blocks = rows.chunks(BLOCK_ROWS).map(block).collect::<Result<_, Error>>()?;
        Ok(Self { blocks, is_sealing: false, planes })
    }

    /// No rows yet, to be kept in these planes.
    pub(crate) fn empty(planes: FacePlanes) -> Self {
        Self { blocks: Vec::new(), is_sealing: false, planes }
    }

    pub(crate) fn rows(&self) -> usize {
        self.blocks.iter().map(|b| b.rows.len()).sum()
    }

    pub(crate) fn segments(&self) -> impl Iterator<Item = Arc<Segment>> {
        self.blocks.iter().map(|b| Arc::clone(&b.segment))
    }

    /// The snapshot with one more row.
    pub(crate) fn append(&mut self, snapshot: &Snapshot, row: Arc<Row>) -> Result<Snapshot, Error> {
        match self.blocks.last_mut() {
            Some(open) if !open.closed && open.rows.len() < BLOCK_ROWS => {
                open.rows.push(row);
                let grown = match block(&open.rows, self.planes) {
                    Ok(grown) => grown,
                    Err(error) => {
                        open.rows.pop();
                        return Err(error);
                    }
                };
                let shrunk = std::mem::replace(&mut open.segment, grown);
                Ok(snapshot.with_replaced(&[shrunk], [Arc::clone(&open.segment)]))
            }
            _ => {
                let rows = vec![row];
                let segment = block(&rows, self.planes)?;
                self.blocks.push(Block { rows, segment: Arc::clone(&segment), closed: false });
                Ok(snapshot.with_appended(segment))
            }
        }
    }

    /// Closes every block and hands out their rows, to be written as one segment.
    pub(crate) fn begin_seal(&mut self) -> Vec<Arc<Row>> {
        self.is_sealing = true;
        self.blocks.iter_mut().for_each(|b| b.closed = true);
        self.blocks.iter().flat_map(|b| b.rows.iter().cloned()).collect()
    }

    /// The snapshot with the written segment in the place of the closed blocks.
    pub(crate) fn finish_seal(&mut self, snapshot: &Snapshot, sealed: Arc<Segment>) -> Snapshot {
        let closed: Vec<Block> = self.blocks.extract_if(.., |b| b.closed).collect();
        let removed: Vec<Arc<Segment>> = closed.into_iter().map(|b| b.segment).collect();
        self.is_sealing = false;
        snapshot.with_replaced(&removed, [sealed])
    }

    /// A segment could not be written: the blocks stay and are tried again with the next seal.
    pub(crate) fn abandon_seal(&mut self) {
        self.is_sealing = false;
    }
}

fn block(rows: &[Arc<Row>], planes: FacePlanes) -> Result<Arc<Segment>, Error> {
    Ok(Arc::new(Segment::in_memory(&draft(rows, planes)?)?))
}
