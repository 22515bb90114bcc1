//! What was captured of one trait? An item of OSIA biometric data, and the sample in it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use khop::{FingerPosition, ModelId, Quality, Sample, SampleFormat};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::words::{BiometricSubType, BiometricType, CompressionType, ImpressionType, Presence};
use crate::problem::Problem;

/// Finger minutiae records that are read; each says itself in its header which of them it is.
const MINUTIAE: [&str; 4] = ["ISO_19794_2", "ISO_19794_2_2011", "ANSI_378", "ANSI_378_2009"];
/// Face vectors: this, and the name of the model that made it.
const FACE_VECTOR: &str = "KHOP_FACE_F32:";

/// One biometric item of an encounter or a probe.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = osia::BiometricData)]
pub(crate) struct BiometricData {
    pub(crate) biometric_type: BiometricType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) biometric_sub_type: Option<BiometricSubType>,
    /// Tells apart several captures of one trait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<String>,
    /// Filled in when it is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) encounter_id: Option<String>,
    /// Not compared: no extractor is attached.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// Refused: no address that a client names is ever followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    image_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capture_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capture_device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impression_type: Option<ImpressionType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bitdepth: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<String>,
    /// Dots per inch.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compression: Option<CompressionType>,
    /// What could not be captured.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<Vec<Missing>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    /// What is compared, in base64 (RFC 4648 §4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) template: Option<String>,
    /// Refused: no address that a client names is ever followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    template_ref: Option<String>,
    /// `ISO_19794_2`, `ISO_19794_2_2011`, `ANSI_378` or `ANSI_378_2009` for fingers; `KHOP_FACE_F32:` and the name of
    /// the model for a face: 64 to 4096 little-endian 32-bit floats.
    #[schema(example = "ISO_19794_2")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) template_format: Option<String>,
    /// 0 (worst) to 100 (best), unless `qualityFormat` has another scale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quality: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quality_format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) algorithm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vendor: Option<String>,
    /// Refused: what is enciphered cannot be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    encryption: Option<Value>,
    /// Refused: it is not verified here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    integrity: Option<Vec<Value>>,
}

/// A trait that could not be captured, and why.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = osia::MissingType)]
struct Missing {
    #[serde(skip_serializing_if = "Option::is_none")]
    biometric_sub_type: Option<BiometricSubType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence: Option<Presence>,
}

impl BiometricData {
    /// An item for a sample of which nothing else is known.
    pub(crate) fn of(sample: &Sample) -> Self {
        let (biometric_type, biometric_sub_type) = match &sample.format {
            SampleFormat::Minutiae => (BiometricType::FINGER, sub_type(position(sample))),
            SampleFormat::FaceVector(_) => (BiometricType::FACE, BiometricSubType::PORTRAIT),
        };
        let template_format = match &sample.format {
            SampleFormat::Minutiae => MINUTIAE[0].to_owned(),
            SampleFormat::FaceVector(model) => format!("{FACE_VECTOR}{model}"),
        };
        Self {
            biometric_type,
            biometric_sub_type: Some(biometric_sub_type),
            instance: None,
            encounter_id: None,
            image: None,
            image_ref: None,
            capture_date: None,
            capture_device: None,
            impression_type: None,
            width: None,
            height: None,
            bitdepth: None,
            mime_type: None,
            resolution: None,
            compression: None,
            missing: None,
            metadata: None,
            comment: None,
            template: None,
            template_ref: None,
            template_format: Some(template_format),
            quality: sample.quality.map(|quality| quality.value().into()),
            quality_format: None,
            algorithm: None,
            vendor: None,
            encryption: None,
            integrity: None,
        }
    }

    /// The sample in it; `None` where it only tells what is missing. `at` is where it stands in the request.
    pub(crate) fn sample(&self, at: &str) -> Result<Option<Sample>, Problem> {
        let refuse = |field: &str, why: &str| Problem::field(format!("{at}.{field}"), why);
        if self.encryption.is_some() {
            return Err(refuse("encryption", "expected data in the clear: what is enciphered cannot be compared"));
        }
        if self.integrity.is_some() {
            return Err(refuse("integrity", "expected none: it would not be verified here"));
        }
        for (field, given) in [("imageRef", &self.image_ref), ("templateRef", &self.template_ref)] {
            if given.is_some() {
                return Err(refuse(field, "expected the data itself: no address that a client names is followed"));
            }
        }
        let Some(template) = &self.template else {
            return match (&self.image, &self.missing) {
                (Some(_), _) => Err(refuse("image", "expected a template: no extractor is attached that reads images")),
                (None, Some(_)) => Ok(None),
                (None, None) => Err(refuse("template", "expected a template, or what is missing")),
            };
        };
        let bytes = BASE64_STANDARD.decode(template);
        let bytes = bytes.map_err(|_| refuse("template", "expected base64 (RFC 4648 §4, with padding)"))?;
        let format = self.template_format.as_deref().unwrap_or_default();
        let (format, position) = match self.biometric_type {
            BiometricType::FINGER if MINUTIAE.contains(&format) => (SampleFormat::Minutiae, self.position()),
            BiometricType::FACE => {
                let model = format.strip_prefix(FACE_VECTOR).map(ModelId::new);
                match model {
                    Some(Ok(model)) => (SampleFormat::FaceVector(model), None),
                    _ => {
                        return Err(refuse(
                            "templateFormat",
                            "expected KHOP_FACE_F32: and the name of a model for FACE",
                        ));
                    }
                }
            }
            BiometricType::FINGER => {
                return Err(refuse("templateFormat", &format!("expected one of {} for FINGER", MINUTIAE.join(", "))));
            }
            _ => return Err(refuse("biometricType", "expected FINGER or FACE: nothing else is compared")),
        };
        Ok(Some(Sample { format, position, quality: self.quality_of_100(), bytes }))
    }

    /// The finger, where one is named; a record of a slap says itself which fingers it holds.
    fn position(&self) -> Option<FingerPosition> {
        self.biometric_sub_type.and_then(|sub_type| FingerPosition::from_name(&sub_type.to_string()))
    }

    /// The quality, where it is given on the scale of ISO/IEC 29794-1.
    fn quality_of_100(&self) -> Option<Quality> {
        let is_of_100 = self.quality_format.as_deref().is_none_or(|format| format != "NFIQ");
        let quality = self.quality.filter(|_| is_of_100).and_then(|quality| u8::try_from(quality).ok())?;
        Quality::new(quality).ok()
    }

    /// What was computed of it.
    pub(crate) fn computed(self) -> Option<BiometricComputedData> {
        Some(BiometricComputedData {
            biometric_type: self.biometric_type,
            template: self.template?,
            biometric_sub_type: self.biometric_sub_type,
            instance: self.instance,
            template_format: self.template_format,
            quality: self.quality,
            quality_format: self.quality_format,
            algorithm: self.algorithm,
            vendor: self.vendor,
        })
    }
}

/// The samples of a probe, if its items are of these types. Failures name `field[i]`.
pub(crate) fn probe(
    field: &str,
    items: &[BiometricData],
    types: Option<&[BiometricType]>,
) -> Result<Vec<Sample>, Problem> {
    let mut samples = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(sample) = item.sample(&format!("{field}[{index}]"))?
            && types.is_none_or(|types| types.contains(&item.biometric_type))
        {
            samples.push(sample);
        }
    }
    if samples.is_empty() {
        return Err(nothing_to_compare(field));
    }
    Ok(samples)
}

pub(crate) fn nothing_to_compare(field: &str) -> Problem {
    Problem::field(field, "expected at least one template that can be compared")
}

impl BiometricType {
    /// What kind of trait a sample is of.
    pub(crate) fn of(sample: &Sample) -> Self {
        match sample.format {
            SampleFormat::Minutiae => Self::FINGER,
            SampleFormat::FaceVector(_) => Self::FACE,
        }
    }
}

/// The finger in a minutiae record, as told beside it or by the record itself.
fn position(sample: &Sample) -> FingerPosition {
    let in_record = || khop_formats::read_minutiae(&sample.bytes).ok()?.views.first().map(|view| view.position);
    sample.position.or_else(in_record).unwrap_or(FingerPosition::Unknown)
}

fn sub_type(position: FingerPosition) -> BiometricSubType {
    serde_json::from_value(Value::String(position.name().to_owned())).unwrap_or(BiometricSubType::UNKNOWN)
}

/// A template as it is compared.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = osia::BiometricComputedData)]
pub(crate) struct BiometricComputedData {
    biometric_type: BiometricType,
    template: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    biometric_sub_type: Option<BiometricSubType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template_format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quality_format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<String>,
}
