//! What does a sensor see of a finger? One impression: pressed, turned, stretched, cut off, read with mistakes.

use std::f64::consts::{PI, TAU};

use khop_vocabulary::{FingerPosition, FingerSample, Impression, Minutia, MinutiaKind, Quality, Resolution};

use super::draws::Draws;
use super::master::{Mark, Master};
use super::options::FingerOptions;

/// Sensor window, pixels at 500 dpi.
const WIDTH_PX: u16 = 400;
const HEIGHT_PX: u16 = 500;

/// Smooth displacement of the skin under pressure, pixels from the middle of the contact: a polynomial of second
/// and third degree (stretch, shear, bulge) and a torque that grows away from the middle.
struct Skin {
    terms: [[f64; 2]; 7],
    torque: f64,
}

impl Skin {
    const REACH_PX: f64 = 130.0;

    fn draw(elastic_px: f64, torque_deg: f64, draws: &mut Draws) -> Self {
        let scale = elastic_px * draws.log_normal(0.45);
        let terms = std::array::from_fn(|_| [scale * draws.normal(), scale * draws.normal()]);
        Self { terms, torque: torque_deg.to_radians() * draws.normal() }
    }

    fn press(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (u, v) = ((x / Self::REACH_PX).clamp(-1.6, 1.6), (y / Self::REACH_PX).clamp(-1.6, 1.6));
        let powers = [u * u, u * v, v * v, u * u * u, u * u * v, u * v * v, v * v * v];
        let [dx, dy] = [0, 1].map(|axis| powers.iter().zip(&self.terms).map(|(p, t)| p * t[axis]).sum::<f64>());
        let r2 = u * u + v * v;
        let (sin, cos) = (self.torque * r2 / (1.0 + r2)).sin_cos();
        [x * cos - y * sin + dx, x * sin + y * cos + dy]
    }
}

/// Presses `master` once. `hardship` is 1 for an average capture and grows with dry, worn or dirty skin; `dead`
/// says that hardly anything of the finger shows. `None` when not one minutia was found (a failure to acquire).
pub(super) fn impression(
    master: &Master,
    position: FingerPosition,
    hardship: f64,
    dead: bool,
    options: &FingerOptions,
    draws: &mut Draws,
) -> Option<FingerSample> {
    let noise = hardship * options.difficulty;
    let skin = Skin::draw(options.elastic_px * options.difficulty, options.torque_deg * options.difficulty, draws);
    let contact = Contact::draw(master.size, dead, options, draws);
    let turn = options.rotation_deg.to_radians() * draws.normal();
    let (sin, cos) = turn.sin_cos();
    let shift = [options.translation_px * draws.normal(), options.translation_px * draws.normal()];
    let place = |x: f64, y: f64| {
        let [x, y] = skin.press([x - contact.x, y - contact.y]);
        [x * cos - y * sin + shift[0], x * sin + y * cos + shift[1]]
    };
    let patches: Vec<[f64; 3]> = (0..draws.poisson(options.patches * noise))
        .map(|_| {
            let [x, y] = contact.anywhere(draws);
            [x, y, draws.between(15.0, 40.0)]
        })
        .collect();
    let keep = 1.0 - if dead { 0.7 } else { (options.missing * noise).min(0.8) };

    let mut found: Vec<Mark> = Vec::with_capacity(master.marks.len());
    for mark in &master.marks {
        let edge = contact.edge_px(mark.x, mark.y);
        let is_under = |[x, y, r]: &[f64; 3]| (mark.x - x).powi(2) + (mark.y - y).powi(2) < r * r;
        if edge <= 0.0 || patches.iter().any(is_under) {
            continue;
        }
        let at_the_edge = (edge / 12.0).min(1.0).sqrt();
        if draws.chance(keep * at_the_edge * mark.clarity.powf(noise)) {
            found.push(*mark);
        }
    }
    let spurious = options.spurious * noise * contact.area() * 5e-4 * if dead { 3.0 } else { 1.0 };
    let mut places: Vec<[f64; 2]> = (0..draws.poisson(spurious)).map(|_| contact.anywhere(draws)).collect();
    for [x, y, radius] in &patches {
        for _ in 0..draws.poisson(1.2) {
            let (reach, (sin, cos)) = (radius * draws.uniform().sqrt(), (TAU * draws.uniform()).sin_cos());
            places.push([x + reach * cos, y + reach * sin]);
        }
    }
    for [x, y] in places {
        let flip = if draws.chance(0.5) { PI } else { 0.0 };
        let angle = master.flow.direction(x, y) + flip + 0.15 * draws.normal();
        let kind = if draws.chance(0.6) { MinutiaKind::Ending } else { MinutiaKind::Bifurcation };
        if found.iter().all(|m| (m.x - x).powi(2) + (m.y - y).powi(2) > 36.0) {
            found.push(Mark { x, y, angle, kind, clarity: 0.3 * draws.uniform() });
        }
    }

    let mut minutiae: Vec<Minutia> =
        found.into_iter().filter_map(|mark| read(&mark, &place, noise, options, draws)).collect();
    minutiae.sort_by_key(|m| (m.y_px, m.x_px));
    minutiae.truncate(255);
    let quality = (92.0 - 26.0 * noise + 6.0 * draws.normal()) * if dead { 0.3 } else { 1.0 };
    let quality = Quality::new(quality.clamp(1.0, 100.0) as u8).ok();
    let sample = FingerSample {
        position,
        impression: Impression::LivePlain,
        quality,
        width_px: WIDTH_PX,
        height_px: HEIGHT_PX,
        resolution: Resolution::DPI_500,
        minutiae,
    };
    (!sample.minutiae.is_empty()).then_some(sample)
}

/// The part of the pad that touches the glass, an ellipse.
struct Contact {
    x: f64,
    y: f64,
    half_width: f64,
    half_height: f64,
}

impl Contact {
    fn draw(size: f64, dead: bool, options: &FingerOptions, draws: &mut Draws) -> Self {
        let scale = size * draws.log_normal(options.contact_sigma) * if dead { 0.6 } else { 1.0 };
        Self {
            x: options.offset_px[0] * draws.normal(),
            y: options.offset_px[1] * draws.normal(),
            half_width: options.contact_px[0] * scale,
            half_height: options.contact_px[1] * scale,
        }
    }

    fn area(&self) -> f64 {
        PI * self.half_width * self.half_height
    }

    /// About how far inside the edge, pixels; negative outside.
    fn edge_px(&self, x: f64, y: f64) -> f64 {
        let r = ((x - self.x) / self.half_width).hypot((y - self.y) / self.half_height);
        (1.0 - r) * self.half_width.min(self.half_height)
    }

    fn anywhere(&self, draws: &mut Draws) -> [f64; 2] {
        let (radius, (sin, cos)) = (draws.uniform().sqrt(), (TAU * draws.uniform()).sin_cos());
        [self.x + self.half_width * radius * cos, self.y + self.half_height * radius * sin]
    }
}

/// Reads one minutia with an extractor's mistakes; `None` outside the sensor window.
fn read(
    mark: &Mark,
    place: &impl Fn(f64, f64) -> [f64; 2],
    noise: f64,
    options: &FingerOptions,
    draws: &mut Draws,
) -> Option<Minutia> {
    let (sin, cos) = mark.angle.sin_cos();
    let [x0, y0] = place(mark.x, mark.y);
    let [x1, y1] = place(mark.x + cos, mark.y + sin);
    let spread = noise.sqrt();
    // Along the ridge the exact end is harder to tell than across it.
    let (along, across) =
        (1.6 * options.jitter_px * spread * draws.normal(), options.jitter_px * spread * draws.normal());
    let wild = if draws.chance(0.06) { 2.5 } else { 1.0 };
    let angle = (y1 - y0).atan2(x1 - x0) + (options.angle_deg * spread * wild * draws.normal()).to_radians();
    let (sin, cos) = angle.sin_cos();
    let x = f64::from(WIDTH_PX) / 2.0 + x0 + along * cos - across * sin;
    let y = f64::from(HEIGHT_PX) / 2.0 - (y0 + along * sin + across * cos);
    if !(0.0..f64::from(WIDTH_PX)).contains(&x) || !(0.0..f64::from(HEIGHT_PX)).contains(&y) {
        return None;
    }
    let kind = match (mark.kind, draws.chance(options.kind_flips * noise)) {
        (MinutiaKind::Ending, true) => MinutiaKind::Bifurcation,
        (MinutiaKind::Bifurcation, true) => MinutiaKind::Ending,
        (kind, _) => kind,
    };
    let quality = 95.0 * mark.clarity.sqrt() - 18.0 * noise + 8.0 * draws.normal();
    Some(Minutia {
        x_px: x as u16,
        y_px: y as u16,
        // As ISO records store it, so that writing and reading one changes nothing.
        angle_deg: ((angle / TAU * 256.0).round().rem_euclid(256.0) * (360.0 / 256.0)) as f32,
        kind,
        quality: Some(quality.clamp(1.0, 100.0) as u8),
    })
}
