//! One file a subcommand: glue only.

pub mod roots;
pub mod write;
