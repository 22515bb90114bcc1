//! Dot products over blocks of vectors: scalar, AVX2, AVX-512 VNNI, chosen once.
