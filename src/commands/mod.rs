//! One file a subcommand: glue only.

pub mod recognise;
pub mod roots;
pub mod write;
