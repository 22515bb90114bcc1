//! What was captured? One finger's minutiae record or one face vector, as JSON.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use khop::{FingerPosition, ModelId, Quality, Sample, SampleFormat};
use khop_formats::write_face_vector;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::problem::Problem;

/// One sample of a person.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", try_from = "AnySample")]
pub(crate) enum SampleBody {
    /// Minutiae of one or more fingers.
    Finger {
        /// ISO/IEC 19794-2:2005 or :2011 or INCITS 378-2004, in base64 (RFC 4648 §4). At most 64 KiB when decoded.
        #[schema(example = "Rk1SACAyMAA…", content_encoding = "base64")]
        record: String,
        #[schema(schema_with = finger_positions)]
        position: Option<String>,
        /// 0 (worst) to 100 (best), for records that do not say.
        #[schema(maximum = 100)]
        quality: Option<u8>,
    },
    /// An embedding of a face.
    Face {
        /// The model that made it; vectors of different models are never compared.
        #[schema(example = "khop-synth-512")]
        model: String,
        /// 64 to 4096 finite numbers, not all zero. Need not be normalised.
        #[schema(min_items = 64, max_items = 4096)]
        vector: Vec<f32>,
    },
}

fn finger_positions() -> utoipa::openapi::schema::Object {
    let names = (0..=10).filter_map(FingerPosition::from_code).map(FingerPosition::name);
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(names))
        .description(Some("Which finger, for records that do not say. Refused when it contradicts the record."))
        .build()
}

/// Every field of every kind: read flat, so that a failure deep inside still names its place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnySample {
    kind: SampleKind,
    record: Option<String>,
    position: Option<String>,
    quality: Option<u8>,
    model: Option<String>,
    vector: Option<Vec<f32>>,
}

/// What a sample is of.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SampleKind {
    /// Finger minutiae.
    Finger,
    /// A face vector.
    Face,
}

impl TryFrom<AnySample> for SampleBody {
    type Error = &'static str;

    fn try_from(any: AnySample) -> Result<Self, Self::Error> {
        match any {
            AnySample {
                kind: SampleKind::Finger,
                record: Some(record),
                position,
                quality,
                model: None,
                vector: None,
            } => Ok(Self::Finger { record, position, quality }),
            AnySample { kind: SampleKind::Finger, record: None, .. } => Err("missing field `record`"),
            AnySample { kind: SampleKind::Finger, .. } => Err("expected no model and no vector with kind finger"),
            AnySample {
                record: None, position: None, quality: None, model: Some(model), vector: Some(vector), ..
            } => Ok(Self::Face { model, vector }),
            AnySample { model: None, .. } => Err("missing field `model`"),
            AnySample { vector: None, .. } => Err("missing field `vector`"),
            AnySample { .. } => Err("expected no record, position or quality with kind face"),
        }
    }
}

impl SampleBody {
    fn sample(self, at: &str) -> Result<Sample, Problem> {
        let within = |name: &str| format!("{at}.{name}");
        match self {
            Self::Finger { record, position, quality } => {
                let bytes = BASE64_STANDARD
                    .decode(record)
                    .map_err(|_| Problem::field(within("record"), "expected base64 (RFC 4648 §4, with padding)"))?;
                let position = position
                    .map(|name| {
                        FingerPosition::from_name(&name).ok_or_else(|| {
                            Problem::field(within("position"), "expected an OSIA name such as RIGHT_INDEX")
                        })
                    })
                    .transpose()?;
                let quality = quality.map(Quality::new).transpose();
                let quality = quality.map_err(|error| Problem::field(within("quality"), error.to_string()))?;
                Ok(Sample { format: SampleFormat::Minutiae, position, quality, bytes })
            }
            Self::Face { model, vector } => {
                let model = ModelId::new(model).map_err(|error| Problem::field(within("model"), error.to_string()))?;
                if let Some(index) = vector.iter().position(|v| !v.is_finite()) {
                    return Err(Problem::field(within(&format!("vector[{index}]")), "expected a finite number"));
                }
                let bytes = write_face_vector(&vector);
                Ok(Sample { format: SampleFormat::FaceVector(model), position: None, quality: None, bytes })
            }
        }
    }
}

/// All samples of a request; failures name `samples[i]`.
pub(crate) fn samples(bodies: Vec<SampleBody>) -> Result<Vec<Sample>, Problem> {
    bodies.into_iter().enumerate().map(|(i, body)| body.sample(&format!("samples[{i}]"))).collect()
}
