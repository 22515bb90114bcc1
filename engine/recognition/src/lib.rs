//! Khop, a biometric matching engine: enrol, verify, identify, deduplicate, decide.
