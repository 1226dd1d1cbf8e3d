//! What waits for sockets and timers.

use std::io;
use std::pin::Pin;

use tokio::runtime::{Builder, Runtime};

/// A runtime on the thread that asks for it.
///
/// # Errors
/// The system gives no means to wait for sockets.
pub fn on_this_thread() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// A large future, in the heap, and made outside of the function that waits for it: there it would take its size of the
/// stack, touched by every check, though few of them ever make it.
#[inline(never)]
pub fn in_heap<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::pin(make())
}
