//! How hard is the population? Shares and noise levels of the synthetic fingers and faces.

/// What a [`Population`](super::Population) is like. The defaults are documented field by field.
#[derive(Debug, Clone, Default)]
pub struct PopulationOptions {
    /// Fingers.
    pub finger: FingerOptions,
    /// Faces.
    pub face: FaceOptions,
    /// Years of birth, regions.
    pub people: PeopleOptions,
}

/// Attributes of the people.
#[derive(Debug, Clone)]
pub struct PeopleOptions {
    /// First year of birth. Default 1936.
    pub born_from: u16,
    /// Last year of birth. Default 2018.
    pub born_to: u16,
    /// Regions `R01`, `R02` … of falling size. Default 34.
    pub regions: u16,
    /// Share of people who have three brothers or sisters, who come next to them in number. Default 0.
    pub siblings: f64,
    /// Share of people who are monozygotic twins, next to each other in number. Default 0.
    pub twins: f64,
}

impl Default for PeopleOptions {
    fn default() -> Self {
        Self { born_from: 1936, born_to: 2018, regions: 34, siblings: 0.0, twins: 0.0 }
    }
}

/// Fingers and their impressions. Lengths are pixels at 500 dpi, spreads are standard deviations.
#[derive(Debug, Clone)]
pub struct FingerOptions {
    /// Share of fingers that do not exist. Default 0.002.
    pub amputated: f64,
    /// Share of impressions of which hardly anything shows (dry, wet, dirty). Default 0.01.
    pub dead: f64,
    /// Share of people whose ten fingers are all worn; a third of their impressions are dead. Default 0.01.
    pub worn_hands: f64,
    /// Multiplies every noise below. Default 1.
    pub difficulty: f64,
    /// Rotation, degrees. Default 10.
    pub rotation_deg: f64,
    /// Translation in the window, pixels. Default 10.
    pub translation_px: f64,
    /// How far off the middle of the pad is pressed, pixels along x and y. Default 18 and 28.
    pub offset_px: [f64; 2],
    /// Mean half axes of the contact, pixels. Default 130 and 172.
    pub contact_px: [f64; 2],
    /// Spread of the logarithm of the contact's size. Default 0.14.
    pub contact_sigma: f64,
    /// Elastic displacement 130 px from the middle, pixels for each term. Default 2.5.
    pub elastic_px: f64,
    /// Twist towards the edge, degrees. Default 4.
    pub torque_deg: f64,
    /// Share of minutiae that are missed anywhere. Default 0.06.
    pub missing: f64,
    /// Mean number of blotted patches, where minutiae vanish and false ones appear. Default 0.4.
    pub patches: f64,
    /// Share of minutiae that are not there, blotted patches apart. Default 0.1.
    pub spurious: f64,
    /// Position error across the ridge, pixels; 1.6 times as much along it. Default 1.2.
    pub jitter_px: f64,
    /// Direction error, degrees. Default 4.5.
    pub angle_deg: f64,
    /// Share of endings read as bifurcations and the reverse. Default 0.12.
    pub kind_flips: f64,
    /// Share of the fingers whose class and ridge flow twins have in common; never their minutiae. Default 0.6.
    pub twin_flow: f64,
}

impl Default for FingerOptions {
    fn default() -> Self {
        Self {
            amputated: 0.002,
            dead: 0.01,
            worn_hands: 0.01,
            difficulty: 1.0,
            rotation_deg: 10.0,
            translation_px: 10.0,
            offset_px: [18.0, 28.0],
            contact_px: [130.0, 172.0],
            contact_sigma: 0.14,
            elastic_px: 2.5,
            torque_deg: 4.0,
            missing: 0.06,
            patches: 0.4,
            spurious: 0.1,
            jitter_px: 1.2,
            angle_deg: 4.5,
            kind_flips: 0.12,
            twin_flow: 0.6,
        }
    }
}

/// Faces: unit vectors around a person's own direction, people around groups that look alike.
///
/// The defaults were fitted to aggregate figures of a 512-d ArcFace-family model on public portraits: mated mean
/// 0.61 and spread 0.117, non-mated spread 0.067, similarity at FMR 1e-3, 1e-4, 1e-5, 1e-6 of 0.23, 0.29, 0.335, 0.39.
#[derive(Debug, Clone)]
pub struct FaceOptions {
    /// Numbers in a vector. Default 512.
    pub dim: usize,
    /// Noise power of a median image relative to its person's direction. Default 0.6.
    pub noise: f64,
    /// Spread of the logarithm of the noise power from person to person. Default 0.25.
    pub noise_by_person: f64,
    /// The same from image to image of a person. Default 0.585.
    pub noise_by_image: f64,
    /// Half-life of the variance along the axes, as a share of the dimension: smaller is a wider non-mated spread.
    /// Default 0.16.
    pub half_life: f64,
    /// Groups of people who look alike: how many groups, and the share of a person's direction (as a squared
    /// cosine) that a group decides. Default from everyone (1 group) over peoples and types to close kin (120,000).
    pub look_alikes: Vec<(u64, f64)>,
    /// The share of their direction that siblings have in common (the cosine of two siblings' directions). Default 0.35.
    pub siblings: f64,
    /// The same of twins. Default 0.95.
    pub twins: f64,
}

impl Default for FaceOptions {
    fn default() -> Self {
        Self {
            dim: 512,
            noise: 0.6,
            noise_by_person: 0.25,
            noise_by_image: 0.585,
            half_life: 0.16,
            look_alikes: vec![(1, 0.0075), (13, 0.05), (150, 0.21), (3_000, 0.29), (120_000, 0.22)],
            siblings: 0.35,
            twins: 0.95,
        }
    }
}
