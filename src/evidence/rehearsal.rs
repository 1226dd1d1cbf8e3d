//! What was judged in the place of a server's answer.

use std::sync::Arc;

use crate::certificate::Certificate;
use crate::trust::ServerFiles;
use crate::verify::Judgement;

/// The files of a server that is still to be, and what it would make of the client.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The files.
    pub files: Arc<ServerFiles>,
    /// The certificates that the server would send and that are not in `ssl_cert_file`: where that has the leaf alone,
    /// OpenSSL takes the chain from `ssl_ca_file` (ssl_add_cert_chain in statem_lib.c).
    pub sent_from_authorities: usize,
    /// The server's verdict on the client's certificate, where it asks for one and one would be sent.
    pub client: Option<Judgement>,
    /// What a running server sends now, where one was asked.
    pub served: Option<Arc<Served>>,
}

/// What a running server sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The server as people name it.
    pub server: String,
    /// Its chain, leaf first.
    pub chain: Vec<Certificate>,
}
