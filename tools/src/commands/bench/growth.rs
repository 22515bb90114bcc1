//! How does the time of a search grow with the gallery? A chart of what was measured, and of ten times as much.

use khop_evaluate::chart::{Chart, ChartAxis, Line};

use super::figures::Figures;

/// Milliseconds by the clock of every mode over the sizes, both in decades; the last part is in proportion to the largest
/// size measured.
pub fn chart(title: &str, sizes: &[usize], figures: &Figures) -> Chart {
    let figures = figures.json();
    let ms = |size: usize, mode: &str| figures[format!("n_{size}_{mode}_ms")].as_f64();
    let line = |mode: &str| {
        let measured = sizes.iter().filter_map(|&size| Some((size as f64, ms(size, mode)?)));
        let mut points: Vec<(f64, f64)> = measured.collect();
        let &(size, last_ms) = points.last()?;
        points.push((10.0 * size, 10.0 * last_ms));
        let points = points.into_iter().map(|(size, ms)| (size.log10(), ms.log10())).collect();
        Some(Line::new(mode, points))
    };
    let lines: Vec<Line> = ["exact", "bounded", "certified"].into_iter().filter_map(line).collect();
    let ends = |of: fn(&(f64, f64)) -> f64| {
        let values = lines.iter().flat_map(|line| line.points.iter().map(of));
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    let across = "References; the last decade in proportion to what was measured before it";
    let (narrowest, widest) = ends(|point| point.0);
    let (fastest, slowest) = ends(|point| point.1);
    Chart {
        title: title.to_owned(),
        across: ChartAxis::decades(across, narrowest, widest, count),
        up: ChartAxis::decades("Time of one search", fastest, slowest, time),
        lines,
    }
}

/// So many references.
fn count(decade: i32) -> String {
    let (unit, over) = match decade {
        ..6 => ("", 0),
        6..9 => (" M", 6),
        _ => (" G", 9),
    };
    format!("{}{unit}", 10u64.pow((decade - over) as u32))
}

/// So many milliseconds.
pub fn time(decade: i32) -> String {
    match decade {
        ..0 => format!("{} µs", 10f64.powi(decade + 3)),
        0..3 => format!("{} ms", 10f64.powi(decade)),
        _ => format!("{} s", 10f64.powi(decade - 3)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decades_are_named_and_the_line_goes_on() {
        let mut figures = Figures::default();
        for (size, ms) in [(10_000, 0.25), (100_000, 2.5), (1_000_000, 30.0)] {
            figures.add(format!("n_{size}_exact_ms"), ms);
        }
        let chart = chart("t", &[10_000, 100_000, 1_000_000], &figures);
        let labels = |axis: &ChartAxis| axis.ticks.iter().map(|tick| tick.label.clone()).collect::<Vec<_>>();
        assert_eq!(labels(&chart.across), ["10000", "100000", "1 M", "10 M"]);
        assert_eq!(labels(&chart.up), ["100 µs", "1 ms", "10 ms", "100 ms", "1 s"]);
        assert_eq!(chart.lines.len(), 1);
        let &(across, up) = chart.lines[0].points.last().unwrap();
        assert!((across - 7.0).abs() < 1e-9 && (up - 300f64.log10()).abs() < 1e-9);
    }
}
