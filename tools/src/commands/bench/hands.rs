//! Whose fingers are searched in a measurement? Codes of ten fingers of synthetic people, in signs and in bytes.

use khop_evaluate::synth::Population;
use khop_fingerprint::{Template, code};
use khop_index::{
    Codes, Plane, PlaneError, Rotation, SignPlane, SignRow, place_signs, quantise_row, sign_bytes, stride,
};
use rayon::prelude::*;

use super::planes::{bar, flipped};

/// Fingers of a person.
pub const FINGERS: usize = 10;
/// People one thread makes at a time: whole units of the sign plane.
const PART: usize = 1024;
/// People who are drawn. Those beyond are these again with numbers' signs flipped by chance, group by group.
const DRAWN: usize = 20_000;

/// One finger of everybody, in the columns of a segment.
struct Finger {
    codes: Vec<u8>,
    scales: Vec<u8>,
    signs: Vec<u8>,
    agreements: Vec<u8>,
}

/// Ten fingers of everybody.
pub struct Hands {
    fingers: Vec<Finger>,
    people: usize,
}

impl Hands {
    /// The first `people` of a population; codes in bytes only where asked for.
    pub fn of(population: &Population, people: usize, with_bytes: bool) -> Self {
        let progress = bar(people.min(DRAWN) as u64, "drawing fingers {wide_bar} {pos}/{len}, {eta} left");
        let drawn = (0..people.min(DRAWN)).into_par_iter().map(|person| {
            progress.inc(1);
            codes_of(population, person as u64, 0)
        });
        let drawn: Vec<[Option<Vec<f32>>; FINGERS]> = drawn.collect();
        progress.finish_and_clear();
        let progress = bar(FINGERS as u64, "coding fingers {wide_bar} {pos}/{len}, {eta} left");
        let finger = |slot: usize| {
            let of_slot: Vec<Option<&[f32]>> = drawn.iter().map(|person| person[slot].as_deref()).collect();
            progress.inc(1);
            Finger::of(&of_slot, people, with_bytes)
        };
        let fingers = (0..FINGERS).map(finger).collect();
        progress.finish_and_clear();
        Self { fingers, people }
    }

    /// How many people.
    pub fn people(&self) -> usize {
        self.people
    }

    /// The signs of a finger.
    ///
    /// # Errors
    /// Never: columns of one length fit each other.
    pub fn signs(&self, finger: usize) -> Result<Codes<'_>, PlaneError> {
        let Finger { signs, agreements, .. } = &self.fingers[finger];
        Ok(Codes::Signs(SignPlane::new(code::SIGN_DIM, signs, agreements)?))
    }

    /// The bytes of a finger.
    ///
    /// # Errors
    /// Where there are none.
    pub fn bytes(&self, finger: usize) -> Result<Codes<'_>, PlaneError> {
        let Finger { codes, scales, .. } = &self.fingers[finger];
        Ok(Codes::Bytes(Plane::new(code::DIM, codes, scales)?))
    }

    /// All signs as they lie in memory.
    pub fn sign_columns(&self) -> impl Iterator<Item = &[u8]> {
        self.fingers.iter().map(|finger| &*finger.signs)
    }
}

impl Finger {
    fn of(drawn: &[Option<&[f32]>], people: usize, with_bytes: bool) -> Self {
        let (stride, rotation) = (stride(code::DIM), Rotation::new(code::SIGN_DIM));
        let mut finger = Self {
            codes: vec![128; if with_bytes { people * stride } else { 0 }],
            scales: vec![0; if with_bytes { 4 * people } else { 0 }],
            signs: vec![0; sign_bytes(people, code::SIGN_DIM)],
            agreements: vec![0; 4 * people],
        };
        let part_bytes = sign_bytes(PART, code::SIGN_DIM);
        let signs = finger.signs.par_chunks_mut(part_bytes).zip(finger.agreements.par_chunks_mut(4 * PART));
        signs.enumerate().for_each(|(part, (signs, agreements))| {
            for row in 0..agreements.len() / 4 {
                let Some(code) = flipped(drawn, part * PART + row) else { continue };
                // A code is finite and of length one.
                if let Ok(coded) = SignRow::of(&code::widened(&code), &rotation) {
                    place_signs(signs, row, &coded.bits);
                    agreements[4 * row..][..4].copy_from_slice(&coded.agreement.to_le_bytes());
                }
            }
        });
        let bytes = finger.codes.par_chunks_mut(stride).zip(finger.scales.par_chunks_mut(4));
        bytes.enumerate().for_each(|(row, (codes, scale))| {
            if let Some(code) = flipped(drawn, row) {
                scale.copy_from_slice(&quantise_row(&code, codes).to_le_bytes());
            }
        });
        finger
    }
}

/// The codes of a person's ten fingers as captured at an encounter.
pub fn codes_of(population: &Population, person: u64, encounter: u32) -> [Option<Vec<f32>>; FINGERS] {
    let mut codes = [const { None }; FINGERS];
    for finger in population.person(person).fingers(encounter) {
        let place = usize::from(finger.position.code()).checked_sub(1);
        if let (Some(place), Ok(template)) = (place.filter(|&place| place < FINGERS), Template::of(&finger)) {
            codes[place] = code::code(&template);
        }
    }
    codes
}
