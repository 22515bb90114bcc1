//! Which one? The numbers the store gives to realms, records, segments, cases and tasks.

use std::fmt;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $inner:ty, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($inner);

        impl $name {
            /// Wraps a number that the store gave out earlier.
            #[must_use]
            pub const fn new(value: $inner) -> Self {
                Self(value)
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($kind, " {}"), self.0)
            }
        }
    };
}

number!(
    /// A realm's number: ascending from 0, never given twice, also after the realm was dropped.
    RealmNumber,
    u32,
    "realm"
);
number!(
    /// An encounter's number in its realm: ascending from 0, never given twice, also after an erasure.
    RecordNumber,
    u64,
    "record"
);
number!(
    /// A segment's number in its realm: ascending from 1; 0 stands for a segment that exists only in memory.
    SegmentNumber,
    u64,
    "segment"
);
number!(
    /// A case's number in its realm: ascending from 0, never given twice.
    CaseNumber,
    u64,
    "case"
);

number!(
    /// A task's number in its realm: ascending from 0, never given twice.
    TaskNumber,
    u64,
    "task"
);

impl SegmentNumber {
    /// The number of every segment that has no file.
    pub const IN_MEMORY: Self = Self(0);
}
