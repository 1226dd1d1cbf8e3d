//! Who runs a server, as far as name, port and chain tell.
