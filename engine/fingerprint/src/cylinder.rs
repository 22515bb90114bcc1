//! What surrounds a minutia? Cylinders: a bit for every place near it and every direction found there.
//!
//! The bit version of the minutia cylinder code (Cappelli, Ferrara, Maltoni, IEEE TPAMI 2010), with that paper's
//! constants: a disc of 52 cells around the minutia, turned with it, in six layers of direction. Nothing of it changes
//! when the finger is shifted or turned, and what lies more than 98 px away has no say in it.

use std::f64::consts::TAU;
use std::ops::Range;
use std::sync::LazyLock;

use khop_kernels::Line;

use crate::direction::unit_vector;
use crate::hull::Hull;
use crate::template::{MAX_MINUTIAE, Point};

/// Radius of the disc, pixels.
const RADIUS_PX: f32 = 70.0;
/// Cells across the square around the disc, and from one centre to the next, pixels.
const ACROSS: usize = 8;
const CELL_PX: f32 = 2.0 * RADIUS_PX / ACROSS as f32;
/// Where the centres of rows and columns lie, seen from the minutia, pixels.
const CENTRES: [f32; ACROSS] = {
    let mut centres = [0.0; ACROSS];
    let mut cell = 0;
    while cell < ACROSS {
        centres[cell] = (cell as f32 - (ACROSS as f32 - 1.0) / 2.0) * CELL_PX;
        cell += 1;
    }
    centres
};
/// Cells whose centre lies on the disc, and how many of each row, at either end, do not.
const CELLS: usize = 52;
const EDGES: [usize; ACROSS] = [2, 1, 0, 0, 0, 0, 1, 2];
/// Layers of direction, 60° each.
const LAYERS: usize = 6;
/// How far a minutia spreads over cells and over layers (standard deviations), and how far it reaches at most.
const SPREAD_PX: f64 = 28.0 / 3.0;
const SPREAD_RAD: f64 = TAU / 9.0;
const REACH_PX: f32 = 28.0;
/// It reaches so many rows and columns at most.
const SPAN: usize = 4;
/// A bit is set where as much of the neighbours has spread to.
const PRESENCE: f32 = 0.01;
/// The finger is taken to reach so far beyond the hull of its minutiae, pixels.
const SKIN_PX: f32 = 50.0;
/// A minutia has a cylinder when three quarters of the cells lie on the finger and two neighbours are in reach.
const LEAST_CELLS: u32 = 39;
const LEAST_NEIGHBOURS: usize = 2;
const ALL_CELLS: u64 = (1 << CELLS) - 1;

const _: () = assert!(LAYERS * CELLS <= 64 * khop_kernels::LINE_WORDS);

/// Cylinders are looked at so many at a time.
pub(crate) const BLOCK: usize = 8;

/// The cylinders of a finger, in the order of their minutiae's directions, and all a second time: so those of any arc of
/// directions stand next to each other.
pub(crate) struct Cylinders {
    /// 52 bits a layer, one layer after the other, cells off the finger 0; then bits of 0.
    pub lines: Box<[Line]>,
    /// The square root of the number of bits set in each line, and a block of 0.
    pub norms: Box<[f32]>,
    /// Which minutia of the finger each stands for, and a block of 0.
    pub minutiae: Box<[u8]>,
    /// Of the minutiae, each once.
    pub directions: Box<[u8]>,
    /// By direction, how many cylinders come before the first of it.
    before: [u8; 257],
}

impl Cylinders {
    pub(crate) fn of(points: &[Point], hull: &Hull) -> Self {
        let cylinder = |minutia: usize| {
            let line = line(points, minutia, hull)?;
            let bits = line.iter().map(|word| word.count_ones()).sum::<u32>();
            (bits > 0).then(|| (points[minutia].direction, minutia as u8, (bits as f32).sqrt(), line))
        };
        let mut cylinders: Vec<_> = (0..points.len()).filter_map(cylinder).collect();
        cylinders.sort_unstable_by_key(|&(direction, minutia, ..)| (direction, minutia));
        let twice = || cylinders.iter().chain(&cylinders);
        let mut before = [0; 257];
        cylinders.iter().for_each(|&(direction, ..)| before[usize::from(direction) + 1] += 1);
        (1..before.len()).for_each(|direction| before[direction] += before[direction - 1]);
        Self {
            before,
            lines: twice().map(|&(.., line)| line).collect(),
            norms: twice().map(|&(_, _, norm, _)| norm).chain([0.0; BLOCK]).collect(),
            minutiae: twice().map(|&(_, minutia, ..)| minutia).chain([0; BLOCK]).collect(),
            directions: cylinders.iter().map(|&(direction, ..)| direction).collect(),
        }
    }

    /// How many there are, each counted once.
    pub(crate) fn count(&self) -> usize {
        self.directions.len()
    }

    /// Those of minutiae whose directions are no further than `reach` from the given one, 0 to 127.
    #[inline]
    pub(crate) fn around(&self, direction: u8, reach: u8) -> Range<usize> {
        let (first, behind) = (direction.wrapping_sub(reach), direction.wrapping_add(reach).wrapping_add(1));
        let round = if behind < first { self.count() } else { 0 };
        usize::from(self.before[usize::from(first)])..round + usize::from(self.before[usize::from(behind)])
    }
}

/// The bits of one minutia's cylinder, `None` where it has none.
fn line(points: &[Point], of: usize, hull: &Hull) -> Option<Line> {
    let tables = &**TABLES;
    let middle = points[of];
    let (cosine, sine) = unit_vector(middle.direction);
    let mut presence = [[[0f32; ACROSS]; ACROSS]; LAYERS];
    let mut places = [(0.0, 0.0, 0); MAX_MINUTIAE];
    let neighbours = neighbours(points, of, &mut places);
    for &(dx, dy, direction) in neighbours {
        let (along, across) = (dx * cosine + dy * sine, dy * cosine - dx * sine);
        let (first_row, first_column) = (first_near(across), first_near(along));
        let squares = |from: f32, first: usize| -> [f32; SPAN] {
            std::array::from_fn(|cell| (from - CENTRES[first..][cell]) * (from - CENTRES[first..][cell]))
        };
        let (dx2, dy2) = (squares(along, first_column), squares(across, first_row));
        let near = tables.near(&dy2.map(|dy2| dx2.map(|dx2| dx2 + dy2)));
        let turned = &tables.turned[usize::from(direction.wrapping_sub(middle.direction))];
        for (presence, &turned) in presence.iter_mut().zip(turned) {
            for (presence, near) in presence[first_row..first_row + SPAN].iter_mut().zip(&near) {
                let presence = &mut presence[first_column..first_column + SPAN];
                (0..SPAN).for_each(|column| presence[column] += near[column] * turned);
            }
        }
    }
    let on_finger = cells_on_finger(middle, hull);
    if neighbours.len() < LEAST_NEIGHBOURS || on_finger.count_ones() < LEAST_CELLS {
        return None;
    }
    let mut line = [0; 8];
    for (layer, presence) in presence.iter().enumerate() {
        let present = cells(presence, |presence| presence >= PRESENCE) & on_finger;
        let bits = u128::from(present) << (layer * CELLS % 64);
        line[layer * CELLS / 64] |= bits as u64;
        line[layer * CELLS / 64 + 1] |= (bits >> 64) as u64;
    }
    Some(line)
}

/// A minutia seen from another: pixels along x and y, and its direction.
type Place = (f32, f32, u8);

/// The minutiae that reach into the disc. Without a branch: which do comes in no order.
fn neighbours<'a>(points: &[Point], of: usize, places: &'a mut [Place; MAX_MINUTIAE]) -> &'a [Place] {
    const FURTHEST_PX: f32 = RADIUS_PX + REACH_PX;
    let middle = points[of];
    let mut count = 0;
    for (index, other) in points.iter().enumerate() {
        let (dx, dy) = (f32::from(other.x - middle.x), f32::from(other.y - middle.y));
        places[count] = (dx, dy, other.direction);
        count += usize::from(index != of && dx * dx + dy * dy <= FURTHEST_PX * FURTHEST_PX);
    }
    &places[..count]
}

/// The cells whose centres lie no further than [`SKIN_PX`] outside the hull.
fn cells_on_finger(middle: Point, hull: &Hull) -> u64 {
    if hull.is_empty() {
        return 0;
    }
    let (cosine, sine) = unit_vector(middle.direction);
    // From further inside of a side the whole disc lies on the finger.
    let near = hull.sides_near((middle.x.into(), middle.y.into()), RADIUS_PX - SKIN_PX);
    near.fold(ALL_CELLS, |on_finger, (normal, depth)| {
        let (ahead, aside) = (normal.0 * cosine + normal.1 * sine, normal.1 * cosine - normal.0 * sine);
        let depths = std::array::from_fn(|row| {
            std::array::from_fn(|column| depth + CENTRES[column] * ahead + CENTRES[row] * aside)
        });
        on_finger & cells(&depths, |depth| depth >= -SKIN_PX)
    })
}

/// The cells of the disc for which it holds, row by row from the lowest bit.
#[inline]
fn cells(square: &[[f32; ACROSS]; ACROSS], holds: impl Fn(f32) -> bool) -> u64 {
    let mut cells = 0;
    let mut number = 0;
    for (row, &edge) in square.iter().zip(&EDGES) {
        // One bit in each byte, gathered into the highest byte.
        let bytes = u64::from_le_bytes(row.map(|value| u8::from(holds(value))));
        let bits = bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56;
        let width = ACROSS - 2 * edge;
        cells |= (bits >> edge & ((1 << width) - 1)) << number;
        number += width;
    }
    cells
}

/// The first of [`SPAN`] rows or columns among which are all whose centres lie within [`REACH_PX`].
fn first_near(at: f32) -> usize {
    // Counted in cells from 8 cells before the first centre, so that cutting off the fraction rounds down.
    let place = (at - REACH_PX) * (1.0 / CELL_PX) + ((ACROSS as f32 - 1.0) / 2.0 + 8.0);
    usize::from(place.clamp(7.0, 7.0 + (ACROSS - SPAN) as f32) as u16 - 7)
}

/// A power of two, so that an index needs no check, above the square of [`REACH_PX`].
const SQUARES: usize = 1024;

/// What a cell takes from a neighbour.
struct Tables {
    /// By squared distance, pixels: the density of a normal distribution, 0 beyond [`REACH_PX`].
    near: [f32; SQUARES],
    /// By direction relative to the minutia: the share of each layer.
    turned: [[f32; LAYERS]; 256],
}

impl Tables {
    /// By row and column.
    fn near(&self, distances2: &[[f32; SPAN]; SPAN]) -> [[f32; SPAN]; SPAN] {
        const BEYOND: f32 = (SQUARES - 1) as f32;
        let within = |distance2: f32| if distance2 <= REACH_PX * REACH_PX { distance2 } else { BEYOND };
        let near = |square: u16| self.near[usize::from(square) % SQUARES];
        distances2.map(|row| row.map(within).map(|square| square as u16).map(near))
    }
}

static TABLES: LazyLock<Box<Tables>> = LazyLock::new(|| {
    let near = |distance2: usize| {
        let density = libm::exp(-(distance2 as f64) / (2.0 * SPREAD_PX * SPREAD_PX)) / (SPREAD_PX * libm::sqrt(TAU));
        if distance2 as f32 <= REACH_PX * REACH_PX { density as f32 } else { 0.0 }
    };
    let turned = |steps: usize, layer: usize| {
        let width = TAU / LAYERS as f64;
        let off = libm::remainder(steps as f64 / 256.0 * TAU - ((layer as f64 + 0.5) * width - TAU / 2.0), TAU);
        let below = |rad: f64| libm::erf(rad / (SPREAD_RAD * std::f64::consts::SQRT_2)) / 2.0;
        (below(off + width / 2.0) - below(off - width / 2.0)) as f32
    };
    Box::new(Tables {
        near: std::array::from_fn(near),
        turned: std::array::from_fn(|steps| std::array::from_fn(|layer| turned(steps, layer))),
    })
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::direction::apart;
    use khop_vocabulary::MinutiaKind;

    fn point(x: i16, y: i16, direction: u8) -> Point {
        Point { x, y, direction, kind: MinutiaKind::Other, quality: 0 }
    }

    fn cylinders(points: &[Point]) -> Cylinders {
        Cylinders::of(points, &Hull::of(points))
    }

    /// The bits of a minutia's cylinder, by its place among the points.
    fn of(cylinders: &Cylinders, minutia: usize) -> &Line {
        let at = cylinders.minutiae.iter().position(|&other| usize::from(other) == minutia);
        &cylinders.lines[at.expect("it has a cylinder")]
    }

    /// Bits that differ, as a share of the bits set in both.
    fn unlike(a: &Line, b: &Line) -> f32 {
        let count = |word: fn(u64, u64) -> u64| (0..8).map(|i| word(a[i], b[i]).count_ones()).sum::<u32>() as f32;
        count(|a, b| a ^ b) / (count(|a, _| a) + count(|_, b| b))
    }

    /// Twenty-five minutiae around the origin of a finger at (cx, cy), turned by quarters.
    fn patch((cx, cy): (i16, i16), quarters: u8) -> Vec<Point> {
        let place = |i: i16| (i * 37 % 120 - 60, i * 71 % 130 - 65);
        let turn = |(x, y): (i16, i16)| (0..quarters).fold((x, y), |(x, y), _| (y, -x));
        let at = |i: i16| {
            let (x, y) = turn(place(i));
            point(cx + x, cy + y, (i as u8).wrapping_mul(53).wrapping_add(64 * quarters))
        };
        (0..25).map(at).collect()
    }

    /// Number of a cell of the disc.
    fn number(row: usize, column: usize) -> usize {
        (0..row).map(|row| ACROSS - 2 * EDGES[row]).sum::<usize>() + column - EDGES[row]
    }

    fn bit(line: &Line, layer: usize, cell: usize) -> bool {
        line[(layer * CELLS + cell) / 64] >> ((layer * CELLS + cell) % 64) & 1 == 1
    }

    #[test]
    fn the_disc_has_52_cells_and_neighbours_spread_over_all_layers() {
        let squares = std::array::from_fn(|row| {
            std::array::from_fn(|column| CENTRES[row].powi(2) + CENTRES[column].powi(2) - RADIUS_PX * RADIUS_PX)
        });
        let mut numbers = 0;
        for row in 0..ACROSS {
            for column in 0..ACROSS {
                let is_on_disc = (EDGES[row]..ACROSS - EDGES[row]).contains(&column);
                assert_eq!(is_on_disc, squares[row][column] <= 0.0);
                if is_on_disc {
                    assert_eq!(number(row, column), numbers);
                    let mut one = [[0.0; ACROSS]; ACROSS];
                    one[row][column] = 1.0;
                    assert_eq!(cells(&one, |value| value > 0.5), 1 << numbers);
                    numbers += 1;
                }
            }
        }
        assert_eq!((numbers, cells(&squares, |_| true)), (CELLS, ALL_CELLS));
        for turned in &TABLES.turned {
            let total: f32 = turned.iter().sum();
            assert!((total - 1.0).abs() < 1e-3, "a neighbour is somewhere on the circle: {total}");
        }
    }

    #[test]
    fn no_cell_in_reach_is_passed_over() {
        for step in 0..=4 * (RADIUS_PX + REACH_PX) as i32 {
            let at = step as f32 / 2.0 - RADIUS_PX - REACH_PX;
            let first = first_near(at);
            for cell in (0..ACROSS).filter(|&cell| (CENTRES[cell] - at).abs() <= REACH_PX) {
                assert!((first..first + SPAN).contains(&cell), "{at} px: {cell} behind {first}");
            }
        }
    }

    #[test]
    fn a_shift_changes_nothing_and_a_quarter_turn_next_to_nothing() {
        let (here, there, turned) =
            (cylinders(&patch((200, 200), 0)), cylinders(&patch((900, 340), 0)), cylinders(&patch((300, 250), 1)));
        assert_eq!(here.lines, there.lines);
        for minutia in 0..25 {
            assert!(unlike(of(&here, minutia), of(&turned, minutia)) < 0.01, "minutia {minutia}");
            assert!(unlike(of(&here, minutia), of(&turned, (minutia + 7) % 25)) > 0.2, "minutia {minutia}");
        }
    }

    #[test]
    fn one_neighbour_ahead_sets_the_bits_around_its_place_and_direction() {
        // 61 px ahead, as the minutia looks: the middle of column 7, between rows 3 and 4. A second far to the side.
        let points = [point(300, 300, 0), point(361, 300, 0), point(300, 380, 0), point(240, 240, 0)];
        let cylinders = cylinders(&points);
        let line = of(&cylinders, 0);
        let has = |row: usize, column: usize, layer: usize| bit(line, layer, number(row, column));
        // The same direction is the border between the two middle layers.
        assert!(has(3, 7, 2) && has(4, 7, 3), "{line:x?}");
        assert!(!has(3, 7, 0) && !has(3, 1, 2) && !has(3, 4, 2));
    }

    #[test]
    fn an_arc_of_directions_is_a_range_of_cylinders() {
        let points = patch((200, 200), 0);
        let cylinders = cylinders(&points);
        assert_eq!((cylinders.count(), cylinders.lines.len()), (25, 50));
        for direction in 0..=255 {
            for reach in [0, 1, 64, 127] {
                let mut found: Vec<u8> = cylinders.minutiae[cylinders.around(direction, reach)].to_vec();
                found.sort_unstable();
                let near = |&minutia: &u8| apart(points[usize::from(minutia)].direction, direction) <= reach;
                assert_eq!(found, (0..25).filter(near).collect::<Vec<u8>>(), "{direction} ± {reach}");
            }
        }
    }

    #[test]
    fn too_little_is_no_cylinder() {
        for points in [vec![point(5, 5, 0)], vec![point(5, 5, 0); 3], vec![point(0, 0, 0), point(90, 0, 3)]] {
            assert_eq!(cylinders(&points).count(), 0);
        }
    }
}
