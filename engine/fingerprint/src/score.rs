//! What is a tree worth?

use crate::constellation::Constellation;
use crate::direction::apart;
use crate::tree::Node;

pub(crate) fn score(nodes: &[Node], probe: &Constellation, reference: &Constellation) -> f32 {
    let k = nodes.len() as f32;
    let (np, nr) = (probe.points.len() as f32, reference.points.len() as f32);
    let supported = nodes.iter().filter(|n| n.support > 0).count() as f32;
    let support: u32 = nodes.iter().map(|n| u32::from(n.support)).sum();
    let same = nodes
        .iter()
        .filter(|n| probe.points[usize::from(n.probe)].kind == reference.points[usize::from(n.reference)].kind)
        .count() as f32;
    let (mut ad, mut aa) = (0.0, 0.0);
    if nodes.len() > 1 {
        let (mut ed, mut ea) = (0f32, 0f32);
        const D: f32 = 360.0 / 256.0;
        for n in &nodes[1..] {
            let (p, r) = (n.probe_edge, n.reference_edge);
            ed += f32::from(p.length.abs_diff(r.length).max(9));
            ea += (f32::from(apart(p.at_root, r.at_root)) * D).max(2.7)
                + (f32::from(apart(p.at_tip, r.at_tip)) * D).max(2.7);
        }
        ad = (13.0 * (k - 1.0) - ed) / (13.0 * (k - 1.0));
        aa = (20.0 * (k - 1.0) - ea) / (20.0 * (k - 1.0));
    }
    0.032 * k
        + 8.98 * 0.5 * (k / np + k / nr)
        + 0.193 * supported
        + 0.265 * (k + support as f32)
        + 0.629 * same
        + 9.9 * ad
        + 2.79 * aa
}
