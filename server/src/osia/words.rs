//! Which words does OSIA have for what was captured? Its closed lists, spelled as they are on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A closed list: each word is the variant, and its spelling on the wire.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($word:ident)* })*) => {$(
        $(#[$doc])*
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[schema(as = osia::$name)]
        pub(crate) enum $name { $($word),* }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$word => stringify!($word)),* })
            }
        }
    )*};
}

words! {
    /// Whether an encounter takes part in searches.
    Status { ACTIVE INACTIVE }

    /// How far a task is.
    TaskStatus { PENDING RESPONSE_SCHEDULED RESPONSE_ERROR RESPONSE_RETRY COMPLETED }

    /// What kind of trait.
    BiometricType { FACE FINGER IRIS SIGNATURE UNKNOWN }

    /// Which one of that kind.
    BiometricSubType {
        UNKNOWN
        RIGHT_THUMB RIGHT_INDEX RIGHT_MIDDLE RIGHT_RING RIGHT_LITTLE
        LEFT_THUMB LEFT_INDEX LEFT_MIDDLE LEFT_RING LEFT_LITTLE
        PLAIN_RIGHT_FOUR_FINGERS PLAIN_LEFT_FOUR_FINGERS PLAIN_THUMBS
        UNKNOWN_PALM RIGHT_FULL_PALM RIGHT_WRITERS_PALM LEFT_FULL_PALM LEFT_WRITERS_PALM
        RIGHT_LOWER_PALM RIGHT_UPPER_PALM LEFT_LOWER_PALM LEFT_UPPER_PALM
        RIGHT_OTHER LEFT_OTHER RIGHT_INTERDIGITAL RIGHT_THENAR RIGHT_HYPOTHENAR
        LEFT_INTERDIGITAL LEFT_THENAR LEFT_HYPOTHENAR
        RIGHT_INDEX_AND_MIDDLE RIGHT_MIDDLE_AND_RING RIGHT_RING_AND_LITTLE
        LEFT_INDEX_AND_MIDDLE LEFT_MIDDLE_AND_RING LEFT_RING_AND_LITTLE
        RIGHT_INDEX_AND_LEFT_INDEX RIGHT_INDEX_AND_MIDDLE_AND_RING RIGHT_MIDDLE_AND_RING_AND_LITTLE
        LEFT_INDEX_AND_MIDDLE_AND_RING LEFT_MIDDLE_AND_RING_AND_LITTLE
        EYE_UNDEF EYE_RIGHT EYE_LEFT EYE_BOTH
        PORTRAIT LEFT_PROFILE RIGHT_PROFILE
    }

    /// How a finger was captured.
    ImpressionType {
        LIVE_SCAN_PLAIN LIVE_SCAN_ROLLED NONLIVE_SCAN_PLAIN NONLIVE_SCAN_ROLLED
        LATENT_IMPRESSION LATENT_TRACING LATENT_PHOTO LATENT_LIFT
        LIVE_SCAN_SWIPE LIVE_SCAN_VERTICAL_ROLL LIVE_SCAN_PALM NONLIVE_SCAN_PALM
        LATENT_PALM_IMPRESSION LATENT_PALM_TRACING LATENT_PALM_PHOTO LATENT_PALM_LIFT
        LIVE_SCAN_OPTICAL_CONTACTLESS_PLAIN OTHER UNKNOWN
    }

    /// How an image was compressed.
    CompressionType { NONE WSQ JPEG JPEG2000 PNG }

    /// Why something is missing.
    Presence { BANDAGED AMPUTATED DAMAGED }
}
