//! What waits for sockets, timers and signals.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// Below this limit on open files it is asked whether there are enough at all.
#[cfg(unix)]
const SCARCE: u64 = 256;
/// Pairs of what tokio opens to wait for sockets and signals; it panics where nothing is left for signals.
#[cfg(unix)]
const PAIRS: usize = 3;

/// A runtime on the thread that asks for it.
///
/// # Errors
/// The system gives no means to wait for sockets.
pub fn on_this_thread() -> io::Result<Runtime> {
    #[cfg(unix)]
    descriptors_suffice()?;
    Builder::new_current_thread().enable_all().build()
}

#[cfg(unix)]
fn descriptors_suffice() -> io::Result<()> {
    use rustix::process::{Resource, getrlimit};
    if getrlimit(Resource::Nofile).current.is_none_or(|limit| limit >= SCARCE) {
        return Ok(());
    }
    let pairs = (0..PAIRS).map(|_| std::os::unix::net::UnixStream::pair());
    pairs.collect::<Result<Vec<_>, _>>().map(drop)
}
