//! What did the comparator see? Both fingers side by side with their pairing, and one laid on the other, as SVG text.
//!
//! A reference's minutiae are filled, a probe's hollow, so that they are told apart in print too; a viewer in dark mode
//! gets a dark page. The same traces give the same text.

use std::fmt::Write;

use khop::{Evidence, FingerPosition, MinutiaKind, Trace, TracedMinutia};

/// The traces of one comparison, a row of panels for every finger.
pub struct TracePlot<'a> {
    /// What the probe and the reference are called.
    pub names: [&'a str; 2],
    /// Above everything.
    pub title: String,
    /// What was compared, with what it was said to mean.
    pub fingers: Vec<(FingerPosition, Trace, Evidence)>,
}

const WIDTH: f32 = 1200.0;
const MARGIN: f32 = 20.0;
/// Left edges of the three panels: the gap between the first two is for the lines of the pairing.
const PANELS: [f32; 3] = [MARGIN, 425.0, 840.0];
const PANEL_WIDTH: f32 = 340.0;
const PANEL_HEIGHT: f32 = 410.0;
/// Free inside a panel's edge, for the tails of minutiae.
const PADDING: f32 = 24.0;
const LINE: f32 = 19.0;
/// Radius of a minutia and length of its tail.
const RADIUS: f32 = 3.6;
const TAIL: f32 = 13.0;

const STYLE: &str = "\
.page{fill:#fff}text{fill:#222;font:13px 'DejaVu Sans',Verdana,sans-serif}.title{font-size:16px;font-weight:bold}\
.finger{font-size:14px;font-weight:bold}.note{font-size:12px;fill:#666}.number{font-size:8.5px;fill:#555}\
.panel{fill:none;stroke:#bbb}.probe,.reference{stroke-width:1.5;stroke-linecap:round}\
.probe{stroke:#c14a00;fill:#fff}.reference{stroke:#0065a0;fill:#0065a0}.alone{opacity:.38}\
.pair{stroke:#009e73;stroke-width:1;stroke-opacity:.55}.apart{stroke:#009e73;stroke-width:2}";

const DARK_STYLE: &str = "\
.page{fill:#16181c}text{fill:#e4e4e4}.note{fill:#aaa}.number{fill:#bbb}.panel{stroke:#555}\
.probe{stroke:#ff9f4a;fill:#16181c}.reference{stroke:#56b4e9;fill:#56b4e9}.pair,.apart{stroke:#3ddbaa}.alone{opacity:.45}";

impl TracePlot<'_> {
    /// The whole SVG document.
    pub fn to_svg(&self) -> String {
        let heights: Vec<f32> = self.fingers.iter().map(|(_, trace, _)| row_height(trace)).collect();
        let top = MARGIN + 70.0;
        let height = top + heights.iter().sum::<f32>() + MARGIN;
        let title = escaped(&self.title);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\">\n<title>{title}</title>\n<style>{STYLE}\
             @media screen and (prefers-color-scheme:dark){{{DARK_STYLE}}}</style>\n\
             <rect class=\"page\" width=\"100%\" height=\"100%\"/>\n"
        );
        let _ = writeln!(svg, "<text class=\"title\" x=\"{MARGIN}\" y=\"36\">{title}</text>");
        draw_key(&mut svg, MARGIN, 62.0);
        let mut y = top;
        for ((position, trace, evidence), height) in self.fingers.iter().zip(heights) {
            self.draw_finger(&mut svg, y, *position, trace, evidence);
            y += height;
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn draw_finger(&self, svg: &mut String, top: f32, position: FingerPosition, trace: &Trace, evidence: &Evidence) {
        let (score, llr) = (evidence.score.value(), evidence.llr.nats());
        let fmr = evidence.score.fmr().value();
        let _ = writeln!(
            svg,
            "<text class=\"finger\" x=\"{MARGIN}\" y=\"{}\">{}: score {score:.1} (false match rate {fmr:.1e}), \
             likelihood ratio {llr:+.2} nats, similarity {:.2}</text>",
            top + 18.0,
            position.name(),
            trace.similarity
        );
        let panels_top = top + 56.0;
        let counts = [trace.probe.len(), trace.reference.len()];
        let [probe, reference] = self.names.map(escaped);
        let heads = [
            format!("probe {probe}: {} minutiae, {} paired", counts[0], trace.pairs.len()),
            format!("reference {reference}: {} minutiae, {} paired", counts[1], trace.pairs.len()),
            "the probe laid on the reference".to_owned(),
        ];
        let view = View::of(trace);
        for (left, head) in PANELS.into_iter().zip(heads) {
            let _ = writeln!(svg, "<text class=\"note\" x=\"{left}\" y=\"{}\">{head}</text>", panels_top - 8.0);
            let _ = writeln!(
                svg,
                "<rect class=\"panel\" x=\"{left}\" y=\"{panels_top}\" width=\"{PANEL_WIDTH}\" \
                 height=\"{PANEL_HEIGHT}\" rx=\"4\"/>"
            );
        }
        let [probe, reference, overlay] = view.frames.map(|frame| (frame, panels_top));
        let at = |panel: usize, (frame, top): (Frame, f32), m: &TracedMinutia| frame.place(PANELS[panel], top, m);
        for &(a, b) in &trace.pairs {
            let ((x1, y1), (x2, y2)) = (at(0, probe, &trace.probe[a]), at(1, reference, &trace.reference[b]));
            let _ = writeln!(svg, "<path class=\"pair\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>");
        }
        let number = |of: fn(&(usize, usize)) -> usize, minutia: usize| {
            trace.pairs.iter().position(|pair| of(pair) == minutia).map(|place| place + 1)
        };
        for (i, m) in trace.probe.iter().enumerate() {
            draw_minutia(svg, "probe", m, at(0, probe, m), number(|pair| pair.0, i), true);
        }
        for (i, m) in trace.reference.iter().enumerate() {
            draw_minutia(svg, "reference", m, at(1, reference, m), number(|pair| pair.1, i), true);
        }
        if trace.laid_on.is_empty() {
            let (x, y) = (PANELS[2] + PANEL_WIDTH / 2.0, panels_top + PANEL_HEIGHT / 2.0);
            let what = "nothing aligns the two";
            let _ = writeln!(svg, "<text class=\"note\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{what}</text>");
        } else {
            for (i, m) in trace.reference.iter().enumerate() {
                draw_minutia(svg, "reference", m, at(2, overlay, m), number(|pair| pair.1, i), false);
            }
            for &(a, b) in &trace.pairs {
                let ((x1, y1), (x2, y2)) = (at(2, overlay, &trace.laid_on[a]), at(2, overlay, &trace.reference[b]));
                let _ = writeln!(svg, "<path class=\"apart\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>");
            }
            for (i, m) in trace.laid_on.iter().enumerate() {
                draw_minutia(svg, "probe", m, at(2, overlay, m), number(|pair| pair.0, i), false);
            }
        }
        let mut y = panels_top + PANEL_HEIGHT + 24.0;
        for term in &trace.terms {
            let _ = writeln!(
                svg,
                "<text x=\"{MARGIN}\" y=\"{y}\">{}</text><text x=\"{}\" y=\"{y}\" text-anchor=\"end\">{:.3}</text>\
                 <text class=\"note\" x=\"{}\" y=\"{y}\">{}</text>",
                escaped(term.name),
                MARGIN + 170.0,
                term.value,
                MARGIN + 190.0,
                escaped(term.meaning)
            );
            y += LINE;
        }
    }
}

fn row_height(trace: &Trace) -> f32 {
    56.0 + PANEL_HEIGHT + 24.0 + trace.terms.len() as f32 * LINE + 24.0
}

/// What the marks mean.
fn draw_key(svg: &mut String, left: f32, y: f32) {
    let mark = |kind| TracedMinutia { x_px: 0.0, y_px: 0.0, angle_deg: 30.0, kind };
    let marks = [
        ("probe", MinutiaKind::Ending, Some(0), "probe, ridge ending"),
        ("probe", MinutiaKind::Bifurcation, Some(0), "bifurcation"),
        ("probe", MinutiaKind::Other, Some(0), "kind not told"),
        ("probe", MinutiaKind::Ending, None, "not paired"),
        ("reference", MinutiaKind::Ending, Some(0), "reference"),
    ];
    let mut x = left + 8.0;
    for (class, kind, paired, what) in marks {
        draw_minutia(svg, class, &mark(kind), (x, y - 4.0), paired, false);
        let _ = writeln!(svg, "<text class=\"note\" x=\"{}\" y=\"{y}\">{what}</text>", x + 20.0);
        x += 50.0 + what.len() as f32 * 7.0;
    }
    let _ = writeln!(svg, "<path class=\"pair\" d=\"M{x} {0}h26\"/>", y - 4.0);
    let what = "taken for the same, numbered by fit; equal scale, 500 dpi";
    let _ = writeln!(svg, "<text class=\"note\" x=\"{}\" y=\"{y}\">{what}</text>", x + 34.0);
}

/// A minutia: its mark by kind, its tail where its direction points, the number of its pair beside it.
fn draw_minutia(
    svg: &mut String,
    class: &str,
    minutia: &TracedMinutia,
    (x, y): (f32, f32),
    pair: Option<usize>,
    numbered: bool,
) {
    let class = if pair.is_some() { class.to_owned() } else { format!("{class} alone") };
    let (sin, cos) = minutia.angle_deg.to_radians().sin_cos();
    let (dx, dy) = (TAIL * cos, -TAIL * sin);
    let _ = write!(svg, "<g class=\"{class}\"><path d=\"M{x:.1} {y:.1}l{dx:.1} {dy:.1}\"/>");
    let r = RADIUS;
    let _ = match minutia.kind {
        MinutiaKind::Ending => write!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r}\"/>"),
        MinutiaKind::Bifurcation => {
            let reach = r * 1.35;
            let top = y - reach;
            write!(
                svg,
                "<path d=\"M{x:.1} {top:.1}l{reach:.1} {reach:.1}l-{reach:.1} {reach:.1}l-{reach:.1} -{reach:.1}z\"/>"
            )
        }
        MinutiaKind::Other => {
            let (left, top, side) = (x - r, y - r, 2.0 * r);
            write!(svg, "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{side}\" height=\"{side}\"/>")
        }
    };
    svg.push_str("</g>\n");
    if let Some(number) = pair.filter(|_| numbered) {
        let (x, y) = (x - 9.0 * cos, y + 9.0 * sin + 3.0);
        let _ =
            writeln!(svg, "<text class=\"number\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{number}</text>");
    }
}

/// How the three panels show their minutiae: all at the same scale.
struct View {
    frames: [Frame; 3],
}

/// Where a panel's minutiae lie within it.
#[derive(Clone, Copy)]
struct Frame {
    scale: f32,
    centre_px: (f32, f32),
}

impl View {
    fn of(trace: &Trace) -> Self {
        let both: Vec<TracedMinutia> = trace.reference.iter().chain(&trace.laid_on).copied().collect();
        let bounds = [&trace.probe, &trace.reference, &both].map(|minutiae| bounds(minutiae));
        let (width, height) = (PANEL_WIDTH - 2.0 * PADDING, PANEL_HEIGHT - 2.0 * PADDING);
        let fitting = |scale: f32, (left, top, right, bottom): (f32, f32, f32, f32)| {
            scale.min(width / (right - left).max(1.0)).min(height / (bottom - top).max(1.0))
        };
        let scale = bounds.into_iter().fold(1.5, fitting);
        let frame = |(left, top, right, bottom): (f32, f32, f32, f32)| Frame {
            scale,
            centre_px: (f32::midpoint(left, right), f32::midpoint(top, bottom)),
        };
        Self { frames: bounds.map(frame) }
    }
}

impl Frame {
    fn place(self, left: f32, top: f32, m: &TracedMinutia) -> (f32, f32) {
        let x = left + PANEL_WIDTH / 2.0 + (m.x_px - self.centre_px.0) * self.scale;
        (x, top + PANEL_HEIGHT / 2.0 + (m.y_px - self.centre_px.1) * self.scale)
    }
}

/// Left, top, right, bottom; a template has at least one minutia.
fn bounds(minutiae: &[TracedMinutia]) -> (f32, f32, f32, f32) {
    let empty = (f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY);
    minutiae.iter().fold(empty, |(left, top, right, bottom), m| {
        (left.min(m.x_px), top.min(m.y_px), right.max(m.x_px), bottom.max(m.y_px))
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
