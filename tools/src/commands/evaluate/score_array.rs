//! What do a billion scores say? An array of similarities in a file, read part by part on all threads, never as a whole.

use std::io::Read;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use khop_evaluate::{Deciding, DecidingCounts, NotFinite, ScoreCounts, Streamed};
use khop_vocabulary::Fmr;
use rayon::prelude::*;

use crate::array::ArrayFile;
use crate::failure::Failure;

/// Scores read at a time by a thread.
const PART: usize = 1 << 20;

/// Both kinds counted, so that every rate asked for is exact.
///
/// # Errors
/// A file that is no array of scores, is empty, or has a score that is no finite number; the error names it.
pub fn count(mated: &Path, non_mated: &Path, fmrs: impl Fn(u64) -> Vec<Fmr>) -> Result<(Streamed, Vec<Fmr>), Failure> {
    let [mated, non_mated] = [open(mated)?, open(non_mated)?];
    let style = ProgressStyle::with_template("counting scores {wide_bar} {percent} %, {eta} left");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    let progress = ProgressBar::new(2 * (mated.count() + non_mated.count()) as u64).with_style(style);
    let coarse = |array: &ArrayFile| {
        fold(array, &progress, ScoreCounts::default, |counts, scores| counts.add(scores), |a, b| a.and(&b))
    };
    let of_ranges = [coarse(&mated)?, coarse(&non_mated)?];
    let fmrs = fmrs(of_ranges[1].total());
    let deciding = Deciding::of(&of_ranges[0], &of_ranges[1], &fmrs);
    let fine = |array: &ArrayFile| {
        let add = |counts: &mut DecidingCounts, scores: &[f32]| {
            counts.add(scores);
            Ok(())
        };
        fold(array, &progress, || DecidingCounts::new(&deciding), add, |a, b| a.and(&b))
    };
    let exact = [fine(&mated)?, fine(&non_mated)?];
    progress.finish_and_clear();
    let streamed = Streamed::new((&of_ranges[0], &exact[0]), (&of_ranges[1], &exact[1]));
    let streamed = streamed.ok_or_else(|| Failure::new("expected at least one mated and one non-mated score"))?;
    Ok((streamed, fmrs))
}

fn open(path: &Path) -> Result<ArrayFile, Failure> {
    let array = ArrayFile::open(path)?;
    match array.count() {
        0 => Err(Failure::at(path)("expected at least one score, got none")),
        _ => Ok(array),
    }
}

/// Hands all scores to `add`, every thread its own share and its own `T`, and joins them.
fn fold<T: Send>(
    array: &ArrayFile,
    progress: &ProgressBar,
    none: impl Fn() -> T + Sync,
    add: impl Fn(&mut T, &[f32]) -> Result<(), NotFinite> + Sync,
    join: impl Fn(T, T) -> T + Sync + Send,
) -> Result<T, Failure> {
    let (path, element, count) = (array.path(), array.element(), array.count());
    let share = count.div_ceil(rayon::current_num_threads());
    let of_thread = |first: usize| -> Result<T, Failure> {
        let mut file = array.reader(first)?;
        let end = count.min(first + share);
        let (mut all, mut bytes) = (none(), Vec::new());
        for part in (first..end).step_by(PART) {
            bytes.resize(PART.min(end - part) * element.size(), 0);
            file.read_exact(&mut bytes).map_err(Failure::at(path))?;
            let scores = element.decode(&bytes);
            add(&mut all, &scores).map_err(|NotFinite { index }| {
                let index = part + index;
                Failure::new(format!("{}: score {index}: expected a finite number", path.display()))
            })?;
            progress.inc(scores.len() as u64);
        }
        Ok(all)
    };
    let firsts: Vec<usize> = (0..count).step_by(share).collect();
    let parts: Vec<T> = firsts.into_par_iter().map(of_thread).collect::<Result<_, _>>()?;
    Ok(parts.into_iter().reduce(join).unwrap_or_else(none))
}
