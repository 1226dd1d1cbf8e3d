//! What may stand before a server: a proxy that looks at the first bytes of each connection and lets it through, or
//! answers itself.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// What the proxy does with a connection.
pub(crate) enum Decision {
    /// It goes on to the server.
    Pass,
    /// It gets this and is closed.
    Answer(Vec<u8>),
}

/// A running proxy. Its threads end with the process; the port is closed with the last connection after the value is gone.
pub(crate) struct InterceptingProxy {
    pub address: SocketAddr,
}

impl InterceptingProxy {
    /// Opens one at an address (port 0: any) before the server at a port of 127.0.0.1. `decide` is asked about the first
    /// bytes and, where those are SSLRequest that goes through, about the ClientHello behind it.
    pub(crate) fn open(
        at: &str,
        server: u16,
        decide: impl Fn(&[u8]) -> Decision + Clone + Send + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(at)?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for client in listener.incoming() {
                let decide = decide.clone();
                thread::spawn(move || client.and_then(|client| receive(client, server, decide)));
            }
        });
        Ok(Self { address })
    }
}

fn receive(mut client: TcpStream, server: u16, decide: impl Fn(&[u8]) -> Decision) -> std::io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", server))?;
    let mut buffer = [0; 4096];
    // SSLRequest and its answer, then the hello; a hello that comes first is all there is to see.
    for _ in 0..2 {
        let count = client.read(&mut buffer)?;
        match decide(&buffer[..count]) {
            Decision::Pass => server.write_all(&buffer[..count])?,
            Decision::Answer(answer) => return client.write_all(&answer),
        }
        if count != 8 {
            break;
        }
        let count = server.read(&mut buffer)?;
        client.write_all(&buffer[..count])?;
    }
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
    std::io::copy(&mut server, &mut client)?;
    client.shutdown(std::net::Shutdown::Write)
}

/// A fatal alert of TLS as it goes over the wire.
pub(crate) fn alert(number: u8) -> Vec<u8> {
    vec![0x15, 3, 3, 0, 2, 2, number]
}
