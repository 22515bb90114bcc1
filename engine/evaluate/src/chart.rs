//! What does a curve of counts or shares look like? A chart with even axes as SVG text, in the style of the DET plot.

use std::fmt::Write;

use crate::plot::{BOTTOM, Corner, HEIGHT, LEFT, RIGHT, STROKES, TOP, WIDTH, draw_legend, escaped, head, stroke};

/// A place on an axis that has a line and a label.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where.
    pub at: f64,
    /// What stands there.
    pub label: String,
}

/// One axis: what it shows, and its marks from the lowest to the highest, which are its ends.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartAxis {
    /// What it shows, with its unit.
    pub title: String,
    /// At least two, rising.
    pub ticks: Vec<Tick>,
}

/// Points joined by a line, which breaks at one that is not finite. Those beyond the ends of an axis are drawn at its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Shown in the legend.
    pub name: String,
    /// Across and up.
    pub points: Vec<(f64, f64)>,
    /// Intervals, drawn upright: where across, and their two ends.
    pub intervals: Vec<(f64, [f64; 2])>,
}

impl Line {
    /// Without intervals.
    #[must_use]
    pub fn new(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), points, intervals: Vec::new() }
    }
}

/// Lines over two even axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Above it.
    pub title: String,
    /// To the right.
    pub across: ChartAxis,
    /// Upwards.
    pub up: ChartAxis,
    /// In the order of the legend.
    pub lines: Vec<Line>,
}

impl ChartAxis {
    /// About six round marks that enclose everything from `low` to `high`, both finite.
    #[must_use]
    pub fn even(title: impl Into<String>, low: f64, high: f64) -> Self {
        let span = (high - low).max(1e-9);
        let rough = span / 6.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|s| s * power).into_iter().find(|&s| s >= rough).unwrap_or(rough);
        let (first, last) = ((low / step + 1e-9).floor() as i64, (high / step - 1e-9).ceil() as i64);
        let decimals = (-step.log10().floor()).max(0.0) as usize;
        let tick = |n: i64| Tick { at: n as f64 * step, label: format!("{:.decimals$}", n as f64 * step) };
        Self { title: title.into(), ticks: (first..=last.max(first + 1)).map(tick).collect() }
    }

    /// A mark at every power of ten from the one below `low` to the one above `high`; values are given by their decimal
    /// logarithms.
    #[must_use]
    pub fn decades(title: impl Into<String>, low: f64, high: f64, label: impl Fn(i32) -> String) -> Self {
        // A hair, so that a decade measured is no end between decades.
        let (first, last) = ((low + 1e-9).floor() as i32, (high - 1e-9).ceil() as i32);
        let tick = |decade: i32| Tick { at: f64::from(decade), label: label(decade) };
        Self { title: title.into(), ticks: (first..=last.max(first + 1)).map(tick).collect() }
    }

    fn ends(&self) -> (f64, f64) {
        let at = |tick: Option<&Tick>| tick.map_or(0.0, |tick| tick.at);
        (at(self.ticks.first()), at(self.ticks.last()))
    }

    /// 0 at the low end, 1 at the high one.
    fn part(&self, value: f64) -> f64 {
        let (low, high) = self.ends();
        ((value - low) / (high - low)).clamp(0.0, 1.0)
    }
}

impl Chart {
    /// The whole SVG document.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let mut svg = head(&self.title);
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let (width, height) = (right - LEFT, bottom - TOP);
        let x = |value: f64| LEFT + self.across.part(value) * width;
        let y = |value: f64| bottom - self.up.part(value) * height;
        for Tick { at, label } in &self.across.ticks {
            let (px, below) = (x(*at), bottom + 20.0);
            let _ = writeln!(svg, "<path class=\"grid\" d=\"M{px:.1} {TOP}V{bottom}\"/>");
            let _ = writeln!(svg, "<text x=\"{px:.1}\" y=\"{below}\" text-anchor=\"middle\">{}</text>", escaped(label));
        }
        for Tick { at, label } in &self.up.ticks {
            let (left, py) = (LEFT - 8.0, y(*at));
            let _ = writeln!(svg, "<path class=\"grid\" d=\"M{LEFT} {py:.1}H{right}\"/>");
            let _ =
                writeln!(svg, "<text x=\"{left}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", py + 4.5, escaped(label));
        }
        let _ = writeln!(svg, "<rect class=\"frame\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{width}\" height=\"{height}\"/>");
        let (middle_x, middle_y) = (LEFT + width / 2.0, TOP + height / 2.0);
        let (across, up) = (escaped(&self.across.title), escaped(&self.up.title));
        let _ = writeln!(svg, "<text x=\"{middle_x}\" y=\"{}\" text-anchor=\"middle\">{across}</text>", HEIGHT - 18.0);
        let _ =
            writeln!(svg, "<text transform=\"translate(18 {middle_y})rotate(-90)\" text-anchor=\"middle\">{up}</text>");
        for (i, line) in self.lines.iter().enumerate() {
            let (mut path, mut letter) = (String::new(), 'M');
            for &(across, up) in &line.points {
                if across.is_finite() && up.is_finite() {
                    let _ = write!(path, "{letter}{:.1} {:.1}", x(across), y(up));
                    letter = 'L';
                } else {
                    letter = 'M';
                }
            }
            let _ = writeln!(svg, "<path {} d=\"{path}\"/>", stroke(i));
            let is_drawn = |&&(across, [low, high]): &&(f64, [f64; 2])| (across + low + high).is_finite();
            for &(across, [low, high]) in line.intervals.iter().filter(is_drawn) {
                // Beside each other where lines meet, and inside the frame.
                let half = 2.5 * (self.lines.len() - 1) as f64;
                let within = x(across).clamp(LEFT + half + 4.0, right - half - 4.0);
                let across = within + 5.0 * i as f64 - half;
                let (low, high, left, width) = (y(low), y(high), across - 3.0, 6.0);
                let _ = writeln!(
                    svg,
                    "<path class=\"curve c{}\" d=\"M{left:.1} {high:.1}h{width}m-3 0V{low:.1}m-3 0h{width}\"/>",
                    i % STROKES.len()
                );
            }
        }
        if self.lines.len() > 1 {
            let names: Vec<&str> = self.lines.iter().map(|line| line.name.as_str()).collect();
            draw_legend(&mut svg, &names, self.emptier());
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// The upper corner in which fewer lines pass; the right one, unless the left is better.
    fn emptier(&self) -> Corner {
        let points = self.lines.iter().flat_map(|line| {
            let ends = line.intervals.iter().flat_map(|&(across, ends)| ends.map(|end| (across, end)));
            line.points.iter().copied().chain(ends)
        });
        let (mut left, mut right) = (0, 0);
        for (across, _) in points.filter(|&(_, up)| self.up.part(up) > 0.65) {
            left += usize::from(self.across.part(across) < 0.4);
            right += usize::from(self.across.part(across) > 0.6);
        }
        if left < right { Corner::Left } else { Corner::Right }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_enclose() {
        let labels = |low, high| -> Vec<String> {
            ChartAxis::even("", low, high).ticks.into_iter().map(|tick| tick.label).collect()
        };
        assert_eq!(labels(0.0, 1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(-0.13, 0.28), ["-0.2", "-0.1", "0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(1.0, 20.0), ["0", "5", "10", "15", "20"]);
        assert_eq!(labels(3.0, 3.0).len(), 2, "one value still has an axis");
    }

    #[test]
    fn the_legend_keeps_out_of_the_way() {
        let chart = |points: Vec<(f64, f64)>| Chart {
            title: String::new(),
            across: ChartAxis::even("", 0.0, 1.0),
            up: ChartAxis::even("", 0.0, 1.0),
            lines: vec![Line::new("a", points)],
        };
        assert_eq!(chart(vec![(0.0, 0.1), (1.0, 0.9)]).emptier(), Corner::Left);
        assert_eq!(chart(vec![(0.0, 0.9), (1.0, 0.1)]).emptier(), Corner::Right);
        assert_eq!(chart(vec![(0.0, 0.1), (1.0, 0.1)]).emptier(), Corner::Right);
    }

    #[test]
    fn decades_enclose() {
        let labels = |low: f64, high: f64| {
            ChartAxis::decades("", low, high, |d| d.to_string()).ticks.into_iter().map(|t| t.label).collect::<Vec<_>>()
        };
        assert_eq!(labels(-1.5, 0.3), ["-2", "-1", "0", "1"]);
        assert_eq!(labels(-1.0, 0.0), ["-1", "0"], "a decade measured is an end");
        assert_eq!(labels(2.0, 2.0), ["2", "3"]);
    }

    #[test]
    fn lines_stay_on_the_page() {
        let line = Line::new("a < b", vec![(0.0, -7.0), (0.1, f64::NEG_INFINITY), (0.5, 0.5), (9.0, 0.0)]);
        let spread = Line { intervals: vec![(0.5, [0.25, 1.75]), (0.6, [0.0, f64::NAN])], ..line.clone() };
        let axis = |title: &str| ChartAxis::even(title, 0.0, 1.0);
        let chart = Chart { title: "t".into(), across: axis("x"), up: axis("y"), lines: vec![line, spread] };
        let svg = chart.to_svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let bottom = HEIGHT - BOTTOM;
        let path = svg.lines().find(|line| line.contains("curve c0")).unwrap();
        assert!(path.contains(&format!("d=\"M{LEFT:.1} {bottom:.1}M")), "broken after its first point: {path}");
        assert!(path.contains(&format!("L{:.1} {bottom:.1}\"", WIDTH - RIGHT)), "held to the end of the axis: {path}");
        assert_eq!(svg.matches("a &lt; b").count(), 2, "two names in the legend");
        assert_eq!(svg.matches("class=\"curve c1\" d=").count(), 1, "an interval without an end is not drawn");
        assert!(svg.contains(&format!(" {TOP:.1}h6m-3 0V{:.1}m-3 0h6", bottom - (bottom - TOP) / 4.0)), "{svg}");
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    }
}
