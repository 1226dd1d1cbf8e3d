//! The `pgtls-check` program: builds the runtime and turns an outcome into the exit status.

fn main() {}
