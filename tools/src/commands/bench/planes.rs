//! Which faces are searched in a measurement? First faces of a synthetic population, in every plane there is.

use indicatif::{ProgressBar, ProgressStyle};
use khop_evaluate::synth::Population;
use khop_index::{
    Gallery, NibblePlane, NibbleRow, Plane, Rotation, SignPlane, SignRow, nibble_stride, place_signs, quantise_row,
    sign_bytes, stride,
};
use rayon::prelude::*;

use crate::failure::Failure;

/// Rows one thread makes at a time: whole units of the sign plane.
const PART: usize = 1024;
/// People who are drawn. Those beyond are these again with numbers' signs flipped by chance, group by group: strangers to
/// everybody of the same spectrum, made twenty times as fast.
const DRAWN: usize = 200_000;

/// The columns of all planes, as segments hold them.
pub struct Planes {
    dim: usize,
    pub codes: Vec<u8>,
    pub scales: Vec<u8>,
    pub signs: Vec<u8>,
    pub agreements: Vec<u8>,
    pub nibbles: Vec<u8>,
    pub factors: Vec<u8>,
}

impl Planes {
    /// Faces of `n` people, the first of them 0 and on of the population; half bytes only where asked for.
    pub fn of(population: &Population, n: usize, dim: usize, with_nibbles: bool) -> Self {
        let rotation = Rotation::new(dim);
        let nibble_rows = if with_nibbles { n } else { 0 };
        let mut planes = Self {
            dim,
            codes: vec![128; n * stride(dim)],
            scales: vec![0; 4 * n],
            signs: vec![0; sign_bytes(n, dim)],
            agreements: vec![0; 4 * n],
            nibbles: vec![0; nibble_rows * nibble_stride(dim)],
            factors: vec![0; 8 * nibble_rows],
        };
        let drawn: Vec<Vec<f32>> =
            (0..n.min(DRAWN)).into_par_iter().map(|p| population.person(p as u64).face(0)).collect();
        let drawn: Vec<Option<&[f32]>> = drawn.iter().map(|face| Some(face.as_slice())).collect();
        let bar = bar(n as u64, "making faces {wide_bar} {pos}/{len}, {eta} left");
        // Without half bytes there is nothing to write them to: empty chunks in their place.
        let (mut none, mut no_factors) = (vec![[0u8; 0]; n.div_ceil(PART)], vec![[0u8; 0]; n.div_ceil(PART)]);
        let nibbles: Vec<&mut [u8]> = if with_nibbles {
            planes.nibbles.chunks_mut(PART * nibble_stride(dim)).collect()
        } else {
            none.iter_mut().map(|none| none.as_mut_slice()).collect()
        };
        let factors: Vec<&mut [u8]> = if with_nibbles {
            planes.factors.chunks_mut(PART * 8).collect()
        } else {
            no_factors.iter_mut().map(|none| none.as_mut_slice()).collect()
        };
        let parts = planes.codes.par_chunks_mut(PART * stride(dim)).zip(planes.scales.par_chunks_mut(4 * PART));
        let coarse = planes.signs.par_chunks_mut(sign_bytes(PART, dim)).zip(planes.agreements.par_chunks_mut(4 * PART));
        let parts = parts.zip(coarse).zip(nibbles.into_par_iter().zip(factors)).enumerate();
        parts.for_each(|(part, (((codes, scales), (signs, agreements)), (nibbles, factors)))| {
            let rows = scales.len() / 4;
            for row in 0..rows {
                let Some(face) = flipped(&drawn, part * PART + row) else { continue };
                let scale = quantise_row(&face, &mut codes[row * stride(dim)..][..stride(dim)]);
                scales[4 * row..][..4].copy_from_slice(&scale.to_le_bytes());
                // A synthetic face is finite and of length one, so neither fails.
                if let Ok(coded) = SignRow::of(&face, &rotation) {
                    place_signs(signs, row, &coded.bits);
                    agreements[4 * row..][..4].copy_from_slice(&coded.agreement.to_le_bytes());
                }
                if !nibbles.is_empty()
                    && let Ok(coded) = NibbleRow::of(&face, &rotation)
                {
                    nibbles[row * nibble_stride(dim)..][..nibble_stride(dim)].copy_from_slice(&coded.codes);
                    factors[8 * row..][..8].copy_from_slice(&coded.factors());
                }
            }
            bar.inc(rows as u64);
        });
        bar.finish_and_clear();
        planes
    }

    /// Numbers a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The first `n` of them, searched as a gallery.
    pub fn gallery(&self, n: usize) -> Result<Gallery<'_>, Failure> {
        let signs = SignPlane::new(self.dim, &self.signs[..sign_bytes(n, self.dim)], &self.agreements[..4 * n])?;
        let gallery = Gallery::new(self.plane(n)?).with_signs(signs)?;
        if self.nibbles.is_empty() {
            return Ok(gallery);
        }
        let nibbles = &self.nibbles[..n * nibble_stride(self.dim)];
        Ok(gallery.with_nibbles(NibblePlane::new(self.dim, nibbles, &self.factors[..8 * n])?)?)
    }

    /// The byte plane of the first `n`.
    pub fn plane(&self, n: usize) -> Result<Plane<'_>, Failure> {
        Ok(Plane::new(self.dim, &self.codes[..n * stride(self.dim)], &self.scales[..4 * n])?)
    }
}

/// The vector of a row: drawn, or a drawn one with signs flipped as its group says; `None` where that one has none.
pub fn flipped(drawn: &[Option<&[f32]>], row: usize) -> Option<Vec<f32>> {
    let (group, mut vector) = ((row / drawn.len()) as u64, drawn[row % drawn.len()]?.to_vec());
    if group > 0 {
        let mut word = 0;
        for (at, value) in vector.iter_mut().enumerate() {
            if at % 64 == 0 {
                let mixed = (group << 8 | (at / 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                word = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                word ^= word >> 32;
            }
            if word >> (at % 64) & 1 == 1 {
                *value = -*value;
            }
        }
    }
    Some(vector)
}

/// How many rows are people of the population themselves.
pub fn drawn(n: usize) -> usize {
    n.min(DRAWN)
}

/// On standard error; invisible when that is no terminal.
pub fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}
