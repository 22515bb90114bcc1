//! What would a whole population look like? Synthetic people with fingers and faces.
