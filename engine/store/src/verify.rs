//! Is everything in the store what was written? Every value, every index, every column, the audit chain.
