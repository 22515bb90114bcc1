//! What surrounds a minutia? Cylinders: a bit for every place near it and every direction found there.
//!
//! The bit version of the minutia cylinder code (Cappelli, Ferrara, Maltoni, IEEE TPAMI 2010), with that paper's
//! constants: a disc of 52 cells around the minutia, turned with it, in six layers of direction. Nothing of it changes
//! when the finger is shifted or turned, and what lies more than 98 px away has no say in it.

use std::f64::consts::TAU;
use std::sync::LazyLock;

use khop_kernels::Line;

use crate::direction::unit_vector;
use crate::hull::Hull;
use crate::template::Point;

/// Radius of the disc, pixels.
const RADIUS_PX: f32 = 70.0;
/// Cells across the square around the disc, and from one centre to the next, pixels.
const ACROSS: usize = 8;
const CELL_PX: f32 = 2.0 * RADIUS_PX / ACROSS as f32;
/// Cells whose centre lies on the disc.
const CELLS: usize = 52;
/// Layers of direction, 60° each.
const LAYERS: usize = 6;
/// How far a minutia spreads over cells and over layers (standard deviations), and how far it reaches at most.
const SPREAD_PX: f64 = 28.0 / 3.0;
const SPREAD_RAD: f64 = TAU / 9.0;
const REACH_PX: f32 = 28.0;
/// A bit is set where as much of the neighbours has spread to.
const PRESENCE: f32 = 0.01;
/// The finger is taken to reach so far beyond the hull of its minutiae, pixels.
const SKIN_PX: f32 = 50.0;
/// A minutia has a cylinder when three quarters of the cells lie on the finger and two neighbours are in reach.
const LEAST_CELLS: u32 = 39;
const LEAST_NEIGHBOURS: usize = 2;
const ALL_CELLS: u64 = (1 << CELLS) - 1;

const _: () = assert!(LAYERS == khop_kernels::LINE_WORDS);

/// The cylinders of all minutiae of a finger, zeros for a minutia that has none.
pub(crate) struct Cylinders {
    /// 52 bits in each of six words, one word a layer, cells off the finger 0; then two words of 0.
    pub lines: Box<[Line]>,
    /// The square root of the number of bits set in each line; no number where there is no cylinder.
    pub norms: Box<[f32]>,
}

impl Cylinders {
    /// Some 10,000 instructions a minutia.
    pub(crate) fn of(points: &[Point], hull: &Hull) -> Self {
        let lines: Box<[Line]> = (0..points.len()).map(|minutia| line(points, minutia, hull)).collect();
        let norm = |line: &Line| match line[..LAYERS].iter().map(|word| word.count_ones()).sum::<u32>() {
            0 => f32::NAN,
            bits => (bits as f32).sqrt(),
        };
        let norms = lines.iter().map(norm).collect();
        Self { lines, norms }
    }
}

fn line(points: &[Point], of: usize, hull: &Hull) -> Line {
    let tables = &**TABLES;
    let middle = points[of];
    let (cosine, sine) = unit_vector(middle.direction);
    let mut presence = [[0f32; 8]; CELLS + 1]; // by cell, the last for those off the disc, and layer
    let mut neighbours = 0;
    for (index, &other) in points.iter().enumerate() {
        const FURTHEST_PX: f32 = RADIUS_PX + REACH_PX;
        let (dx, dy) = (f32::from(other.x - middle.x), f32::from(other.y - middle.y));
        if index == of || dx * dx + dy * dy > FURTHEST_PX * FURTHEST_PX {
            continue;
        }
        neighbours += 1;
        let (along, across) = (dx * cosine + dy * sine, dy * cosine - dx * sine);
        let turned = &tables.turned[usize::from(other.direction.wrapping_sub(middle.direction))];
        for row in cells_near(across) {
            for column in cells_near(along) {
                let (dx, dy) = (along - centre(column), across - centre(row));
                let distance2 = dx * dx + dy * dy;
                if distance2 <= REACH_PX * REACH_PX {
                    let near = tables.near[distance2 as i32 as usize];
                    let cell = &mut presence[usize::from(tables.cells[row][column])];
                    (0..8).for_each(|layer| cell[layer] += near * turned[layer]);
                }
            }
        }
    }
    let on_finger = cells_on_finger(tables, middle, hull);
    let mut line = [0; 8];
    if neighbours < LEAST_NEIGHBOURS || on_finger.count_ones() < LEAST_CELLS {
        return line;
    }
    for (layer, word) in line[..LAYERS].iter_mut().enumerate() {
        let bit = |cell: usize| u64::from(presence[cell][layer] >= PRESENCE) << cell;
        *word = (0..CELLS).map(bit).sum::<u64>() & on_finger;
    }
    line
}

/// The cells whose centres lie no further than [`SKIN_PX`] outside the hull.
fn cells_on_finger(tables: &Tables, middle: Point, hull: &Hull) -> u64 {
    if hull.is_empty() {
        return 0;
    }
    let (cosine, sine) = unit_vector(middle.direction);
    let mut cells = ALL_CELLS;
    // From further inside of a side the whole disc lies on the finger.
    for (normal, depth) in hull.sides_near((middle.x.into(), middle.y.into()), RADIUS_PX - SKIN_PX) {
        let (ahead, aside) = (normal.0 * cosine + normal.1 * sine, normal.1 * cosine - normal.0 * sine);
        for (cell, &(along, across)) in tables.centres.iter().enumerate() {
            let is_outside = depth + along * ahead + across * aside < -SKIN_PX;
            cells &= !(u64::from(is_outside) << cell);
        }
    }
    cells
}

/// Where the centre of a row or column lies, seen from the minutia, pixels.
fn centre(index: usize) -> f32 {
    (index as f32 - (ACROSS as f32 - 1.0) / 2.0) * CELL_PX
}

/// The rows or columns whose centres lie within [`REACH_PX`].
fn cells_near(at: f32) -> std::ops::Range<usize> {
    // Counted in cells from 8 cells before the first centre, so that cutting off the fraction rounds down.
    let place = |px: f32| (px * (1.0 / CELL_PX) + ((ACROSS as f32 - 1.0) / 2.0 + 8.0)) as i32 + 1;
    let cell = |place: i32| (place - 8).clamp(0, ACROSS as i32) as usize;
    cell(place(at - REACH_PX))..cell(place(at + REACH_PX))
}

/// What a cell takes from a neighbour.
struct Tables {
    /// Numbers of the cells by row and column, [`CELLS`] for those off the disc.
    cells: [[u8; ACROSS]; ACROSS],
    /// By cell, along and across the minutia's direction, pixels.
    centres: [(f32, f32); CELLS],
    /// By squared distance, pixels: the density of a normal distribution.
    near: [f32; (REACH_PX * REACH_PX) as usize + 1],
    /// By direction relative to the minutia: the share of each layer, and two zeros.
    turned: [[f32; 8]; 256],
}

static TABLES: LazyLock<Box<Tables>> = LazyLock::new(|| {
    let mut cells = [[CELLS as u8; ACROSS]; ACROSS];
    let mut centres = [(0.0, 0.0); CELLS];
    let squares = (0..ACROSS).flat_map(|row| (0..ACROSS).map(move |column| (row, column)));
    let on_disc =
        |&(row, column): &(usize, usize)| centre(row).powi(2) + centre(column).powi(2) <= RADIUS_PX * RADIUS_PX;
    for (number, (row, column)) in squares.filter(on_disc).enumerate() {
        cells[row][column] = number as u8;
        centres[number] = (centre(column), centre(row));
    }
    let near = |distance2: usize| {
        let density = libm::exp(-(distance2 as f64) / (2.0 * SPREAD_PX * SPREAD_PX)) / (SPREAD_PX * libm::sqrt(TAU));
        density as f32
    };
    let turned = |steps: usize, layer: usize| {
        let width = TAU / LAYERS as f64;
        let off = libm::remainder(steps as f64 / 256.0 * TAU - ((layer as f64 + 0.5) * width - TAU / 2.0), TAU);
        let below = |rad: f64| libm::erf(rad / (SPREAD_RAD * std::f64::consts::SQRT_2)) / 2.0;
        let share = (below(off + width / 2.0) - below(off - width / 2.0)) as f32;
        if layer < LAYERS { share } else { 0.0 }
    };
    Box::new(Tables {
        cells,
        centres,
        near: std::array::from_fn(near),
        turned: std::array::from_fn(|steps| std::array::from_fn(|layer| turned(steps, layer))),
    })
});

#[cfg(test)]
mod tests {
    use super::*;
    use khop_vocabulary::MinutiaKind;

    fn point(x: i16, y: i16, direction: u8) -> Point {
        Point { x, y, direction, kind: MinutiaKind::Other, quality: 0 }
    }

    fn cylinders(points: &[Point]) -> Cylinders {
        Cylinders::of(points, &Hull::of(points))
    }

    /// Bits that differ, as a share of the bits set in both.
    fn unlike(a: &Line, b: &Line) -> f32 {
        let count = |word: fn(u64, u64) -> u64| (0..LAYERS).map(|i| word(a[i], b[i]).count_ones()).sum::<u32>() as f32;
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

    #[test]
    fn the_disc_has_52_cells_and_neighbours_spread_over_all_layers() {
        let numbers: Vec<u8> = TABLES.cells.iter().flatten().copied().filter(|&n| usize::from(n) < CELLS).collect();
        assert_eq!(numbers, (0..52).collect::<Vec<u8>>());
        for turned in &TABLES.turned {
            let total: f32 = turned.iter().sum();
            assert!((total - 1.0).abs() < 1e-3, "a neighbour is somewhere on the circle: {total}");
        }
    }

    #[test]
    fn a_shift_changes_nothing_and_a_quarter_turn_next_to_nothing() {
        let (here, there, turned) =
            (cylinders(&patch((200, 200), 0)), cylinders(&patch((900, 340), 0)), cylinders(&patch((300, 250), 1)));
        assert_eq!(here.lines, there.lines);
        for minutia in 0..25 {
            assert!(unlike(&here.lines[minutia], &turned.lines[minutia]) < 0.01, "minutia {minutia}");
            assert!(unlike(&here.lines[minutia], &turned.lines[(minutia + 7) % 25]) > 0.2, "minutia {minutia}");
        }
    }

    #[test]
    fn one_neighbour_ahead_sets_the_bits_around_its_place_and_direction() {
        // 61 px ahead, as the minutia looks: the middle of column 7, between rows 3 and 4. A second far to the side.
        let points = [point(300, 300, 0), point(361, 300, 0), point(300, 380, 0), point(240, 240, 0)];
        let line = cylinders(&points).lines[0];
        let has = |row: usize, column: usize, layer: usize| line[layer] >> TABLES.cells[row][column] & 1 == 1;
        // The same direction is the border between the two middle layers.
        assert!(has(3, 7, 2) && has(4, 7, 3), "{line:x?}");
        assert!(!has(3, 7, 0) && !has(3, 1, 2) && !has(3, 4, 2));
    }

    #[test]
    fn too_little_is_no_cylinder() {
        for points in [vec![point(5, 5, 0)], vec![point(5, 5, 0); 3], vec![point(0, 0, 0), point(90, 0, 3)]] {
            let cylinders = cylinders(&points);
            assert!(cylinders.lines.iter().all(|line| *line == [0; 8]) && cylinders.norms.iter().all(|n| n.is_nan()));
        }
    }
}
