//! One file a subcommand: glue only.
