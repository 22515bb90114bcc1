//! ISO/IEC 19795 measures, intervals, DET curves and synthetic populations.
