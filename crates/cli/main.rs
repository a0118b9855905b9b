//! The regprobe program.
fn main() {}
