//! The `khop` command.
fn main() {}
