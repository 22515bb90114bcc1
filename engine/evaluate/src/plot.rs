//! What does the trade-off look like? A DET plot as SVG text.
//!
//! Both axes are logarithmic, as NIST prints identification trade-offs. Curves differ in colour and in dashes, so
//! that they survive a black-and-white printer; a viewer in dark mode gets a dark page.

use std::fmt::Write;

use crate::calibration::RULE_OF_THIRTY;
use crate::report::{DetCurve, Rates};

/// A detection error trade-off plot of one or more curves.
#[derive(Debug, Clone, PartialEq)]
pub struct DetPlot {
    /// Above the plot.
    pub title: String,
    /// What the axes show.
    pub rates: Rates,
    /// What is drawn, in the order of the legend.
    pub curves: Vec<DetCurve>,
}

pub(crate) const WIDTH: f64 = 720.0;
pub(crate) const HEIGHT: f64 = 560.0;
pub(crate) const LEFT: f64 = 78.0;
pub(crate) const RIGHT: f64 = 24.0;
pub(crate) const TOP: f64 = 52.0;
pub(crate) const BOTTOM: f64 = 62.0;
const LEGEND_LINE: f64 = 20.0;

/// Light and dark stroke (after Okabe and Ito, readable with any colour vision) and dashes.
pub(crate) const STROKES: [(&str, &str, &str); 7] = [
    ("#0072b2", "#56b4e9", ""),
    ("#d55e00", "#ff9f4a", "9 4"),
    ("#009e73", "#3ddbaa", "3 3"),
    ("#cc79a7", "#f0a6cf", "12 3 3 3"),
    ("#8a6d00", "#f0d050", "6 2 2 2"),
    ("#444444", "#cccccc", "1 3"),
    ("#7b3fa0", "#c59be8", "14 5"),
];

const STYLE: &str = "\
.page{fill:#fff}text{fill:#222;font:13px 'DejaVu Sans',Verdana,sans-serif}.title{font-size:16px;font-weight:bold}\
.grid{stroke:#ddd;stroke-width:1}.minor{stroke:#f0f0f0;stroke-width:1}.frame{fill:none;stroke:#555}\
.aid{stroke:#999;stroke-width:1;stroke-dasharray:4 4;fill:none}.note{font-size:11px;fill:#666}\
.legend{fill:#fff;fill-opacity:.88;stroke:#ccc}.curve{fill:none;stroke-width:2;stroke-linejoin:round}";

const DARK_STYLE: &str = "\
.page{fill:#16181c}text{fill:#e4e4e4}.grid{stroke:#3a3d44}.minor{stroke:#26282d}.frame{stroke:#aaa}\
.aid{stroke:#888}.note{fill:#aaa}.legend{fill:#16181c;stroke:#555}";

impl DetPlot {
    /// The whole SVG document. A plot without curves shows empty axes.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let (x, y) = (Axis::of(self, |p| p.false_positive), Axis::of(self, |p| p.false_negative));
        let mut svg = head(&self.title);
        self.draw_axes(&mut svg, &x, &y);
        self.draw_aids(&mut svg, &x, &y);
        for (i, curve) in self.curves.iter().enumerate() {
            draw_curve(&mut svg, curve, i, &x, &y);
        }
        let names: Vec<&str> = self.curves.iter().map(|curve| curve.name.as_str()).collect();
        draw_legend(&mut svg, &names, Corner::Right);
        svg.push_str("</svg>\n");
        svg
    }

    fn draw_axes(&self, svg: &mut String, x: &Axis, y: &Axis) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for (class, rate) in x.lines() {
            let px = x.across(rate);
            let _ = writeln!(svg, "<path class=\"{class}\" d=\"M{px:.1} {TOP}V{bottom}\"/>");
        }
        for (class, rate) in y.lines() {
            let py = y.down(rate);
            let _ = writeln!(svg, "<path class=\"{class}\" d=\"M{LEFT} {py:.1}H{right}\"/>");
        }
        for rate in x.decades() {
            let (px, py) = (x.across(rate), bottom + 20.0);
            let _ = writeln!(svg, "<text x=\"{px:.1}\" y=\"{py}\" text-anchor=\"middle\">{}</text>", power(rate));
        }
        for rate in y.decades() {
            let (px, py) = (LEFT - 8.0, y.down(rate) + 4.5);
            let _ = writeln!(svg, "<text x=\"{px}\" y=\"{py:.1}\" text-anchor=\"end\">{}</text>", power(rate));
        }
        let (width, height) = (right - LEFT, bottom - TOP);
        let _ = writeln!(svg, "<rect class=\"frame\" x=\"{LEFT}\" y=\"{TOP}\" width=\"{width}\" height=\"{height}\"/>");
        let (across, down) = self.rates.titles();
        let (middle_x, middle_y) = (LEFT + width / 2.0, TOP + height / 2.0);
        let _ = writeln!(svg, "<text x=\"{middle_x}\" y=\"{}\" text-anchor=\"middle\">{across}</text>", HEIGHT - 18.0);
        let _ = writeln!(
            svg,
            "<text transform=\"translate(18 {middle_y})rotate(-90)\" text-anchor=\"middle\">{down}</text>"
        );
    }

    /// The line of equal error, and where fewer than thirty false positives are left to rest a rate on.
    fn draw_aids(&self, svg: &mut String, x: &Axis, y: &Axis) {
        let (low, bottom) = (x.low.max(y.low), HEIGHT - BOTTOM);
        let (px, py) = (x.across(low), y.down(low));
        let _ = writeln!(svg, "<path class=\"aid\" d=\"M{px:.1} {py:.1}L{:.1} {TOP}\"/>", WIDTH - RIGHT);
        let most = self.curves.iter().map(|c| c.non_mated).max().unwrap_or(0) as f64;
        let thirty = RULE_OF_THIRTY / most;
        if x.low < thirty && thirty < 1.0 {
            let px = x.across(thirty);
            let _ = writeln!(svg, "<path class=\"aid\" d=\"M{px:.1} {TOP}V{bottom}\"/>");
            let _ = writeln!(
                svg,
                "<text class=\"note\" transform=\"translate({:.1} {:.1})rotate(-90)\">← fewer than 30 errors</text>",
                px - 5.0,
                bottom - 8.0
            );
        }
    }
}

/// Where a legend stands, above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Corner {
    Left,
    Right,
}

/// The names of curves with their strokes, in an upper corner.
pub(crate) fn draw_legend(svg: &mut String, names: &[&str], corner: Corner) {
    let top = TOP + 10.0;
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) as f64;
    let (width, height) = (longest * 8.2 + 62.0, names.len() as f64 * LEGEND_LINE + 10.0);
    let left = match corner {
        Corner::Left => LEFT + 10.0,
        Corner::Right => WIDTH - RIGHT - width - 10.0,
    };
    let _ = writeln!(
        svg,
        "<rect class=\"legend\" x=\"{left:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{height}\" rx=\"3\"/>"
    );
    for (i, name) in names.iter().enumerate() {
        let y = top + 5.0 + (i as f64 + 0.5) * LEGEND_LINE;
        let _ = writeln!(svg, "<path {} d=\"M{:.1} {y}h36\"/>", stroke(i), left + 8.0);
        let (x, y) = (left + 52.0, y + 4.5);
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y}\">{}</text>", escaped(name));
    }
}

/// How every drawing begins: its size, its title, its styles for light and dark, its page.
pub(crate) fn head(title: &str) -> String {
    let title = escaped(title);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" role=\"img\">\n<title>{title}</title>\n<style>{STYLE}"
    );
    for (i, (light, ..)) in STROKES.iter().enumerate() {
        let _ = write!(svg, ".c{i}{{stroke:{light}}}");
    }
    let _ = write!(svg, "@media screen and (prefers-color-scheme:dark){{{DARK_STYLE}");
    for (i, (_, dark, _)) in STROKES.iter().enumerate() {
        let _ = write!(svg, ".c{i}{{stroke:{dark}}}");
    }
    svg.push_str("}</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n");
    let _ = writeln!(svg, "<text class=\"title\" x=\"{LEFT}\" y=\"30\">{title}</text>");
    svg
}

fn draw_curve(svg: &mut String, curve: &DetCurve, index: usize, x: &Axis, y: &Axis) {
    // Rates of zero have no place on a logarithmic axis: a curve starts at its first false positive, and drops to
    // the floor of the plot where its last error disappears.
    let mut path = String::new();
    for point in curve.points.iter().filter(|p| p.false_positive > 0.0) {
        let letter = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{letter}{:.1} {:.1}", x.across(point.false_positive), y.down(point.false_negative));
        if point.false_negative == 0.0 {
            break;
        }
    }
    if !path.is_empty() {
        let _ = writeln!(svg, "<path {} d=\"{path}\"/>", stroke(index));
    }
}

pub(crate) fn stroke(index: usize) -> String {
    let i = index % STROKES.len();
    match STROKES[i].2 {
        "" => format!("class=\"curve c{i}\""),
        dashes => format!("class=\"curve c{i}\" stroke-dasharray=\"{dashes}\""),
    }
}

/// A logarithmic axis from a power of ten to 1.
struct Axis {
    low: f64,
}

impl Axis {
    fn of(plot: &DetPlot, rate: impl Fn(&crate::DetPoint) -> f64) -> Self {
        let rates = plot.curves.iter().flat_map(|c| c.points.iter().map(&rate)).filter(|&r| r > 0.0);
        let lowest = rates.fold(0.1, f64::min).max(1e-9);
        Self { low: 10f64.powf((lowest.log10() + 1e-9).floor()) }
    }

    /// 0 at the low end, 1 at rate 1.
    fn part(&self, rate: f64) -> f64 {
        1.0 - rate.max(self.low).log10() / self.low.log10()
    }

    fn across(&self, rate: f64) -> f64 {
        LEFT + self.part(rate) * (WIDTH - LEFT - RIGHT)
    }

    fn down(&self, rate: f64) -> f64 {
        HEIGHT - BOTTOM - self.part(rate) * (HEIGHT - TOP - BOTTOM)
    }

    fn decades(&self) -> impl Iterator<Item = f64> + use<> {
        let count = (-self.low.log10()).round() as i32;
        (0..=count).map(|d| 10f64.powi(-d))
    }

    /// Grid lines: at 2 to 9 of each decade faint, at the decades clear, so these come last.
    fn lines(&self) -> impl Iterator<Item = (&'static str, f64)> + use<> {
        let faint = self.decades().skip(1).flat_map(|d| (2..10).map(move |i| ("minor", d * f64::from(i))));
        faint.chain(self.decades().map(|d| ("grid", d)))
    }
}

/// `1`, `0.1`, `10⁻²`, …
fn power(rate: f64) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    match -rate.log10().round() as usize {
        0 => "1".to_owned(),
        1 => "0.1".to_owned(),
        decade => format!("10⁻{}", DIGITS[decade.min(9)]),
    }
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DetPoint;

    fn plot(names: &[&str]) -> DetPlot {
        let point = |(i, &rate): (usize, &f64)| DetPoint {
            threshold: i as f32,
            false_positive: rate,
            false_negative: (0.5 - rate).max(0.0),
        };
        let points: Vec<_> = [0.0, 1e-3, 0.01, 0.1, 0.6, 1.0].iter().enumerate().map(point).collect();
        let curves = names.iter().map(|n| DetCurve { name: (*n).into(), points: points.clone(), non_mated: 1000 });
        DetPlot { title: "a < b & \"c\"".into(), rates: Rates::Verification, curves: curves.collect() }
    }

    #[test]
    fn every_curve_is_drawn_and_named() {
        let svg = plot(&["one", "two", "<three>"]).to_svg();
        assert_eq!(svg.matches("class=\"curve c1\"").count(), 2, "curve and legend");
        assert!(svg.contains("&lt;three&gt;") && !svg.contains("<three>"));
        assert!(svg.contains("a &lt; b &amp; &quot;c&quot;"));
        assert!(svg.contains("False non-match rate (FNMR)") && svg.contains(">10⁻³</text>"));
        assert!(svg.contains("fewer than 30 errors"));
        let (open, close) = (svg.matches("<text").count(), svg.matches("</text>").count());
        assert_eq!(open, close);
    }

    #[test]
    fn zero_rates_stay_on_the_page() {
        let svg = plot(&["one"]).to_svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let path = svg.lines().find(|l| l.contains("curve c0")).unwrap();
        assert_eq!(path.matches('L').count(), 3, "starts at the first false positive, ends at the floor: {path}");
        let bottom = format!(" {:.1}\"", HEIGHT - BOTTOM);
        assert!(path.contains(&bottom), "{path}");
    }

    #[test]
    fn many_curves_and_none() {
        let names = vec!["x"; 20];
        assert_eq!(plot(&names).to_svg().matches("class=\"curve").count(), 40);
        assert!(plot(&[]).to_svg().ends_with("</svg>\n"));
        assert_eq!([1.0, 0.1, 0.01, 1e-5].map(power), ["1", "0.1", "10⁻²", "10⁻⁵"]);
    }
}
