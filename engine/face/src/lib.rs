//! Face embeddings: models, normalisation, cosine comparison, calibration.
