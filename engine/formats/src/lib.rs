//! Bytes to samples and back: ISO/IEC 19794-2, INCITS 378, NumPy arrays.
