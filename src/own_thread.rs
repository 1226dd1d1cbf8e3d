//! Work on a thread of its own: what a peer or the system may draw out, so that it holds up nothing else.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc;
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Does the work on a thread of its own if it may take long, else here; here too if the system gives no further thread.
pub async fn run<T: Send + 'static>(long: bool, work: impl FnOnce() -> T + Send + 'static) -> T {
    if !long {
        return work();
    }
    match handed_over(work, |work| work()) {
        Ok(done) => done.await,
        Err(work) => work(),
    }
}

/// Drives a future on a thread of its own, while this thread waits for its sockets; here if the system gives no further thread.
pub async fn driven<F>(future: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    let runtime = Handle::current();
    match handed_over(future, move |future| runtime.block_on(future)) {
        Ok(done) => done.await,
        Err(future) => future.await,
    }
}

/// Starts work on a thread of its own. It goes on to its end, also when nobody waits for it any more.
///
/// # Errors
/// The system gives no further thread.
pub fn started<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<impl Future<Output = T>> {
    let (ended, end) = oneshot::channel::<()>();
    let thread = thread::Builder::new().spawn(move || {
        // Dropped when the work is done, and when it panics.
        let _ended = ended;
        work()
    })?;
    Ok(async move {
        let _ = end.await;
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// As [`started`], for work that is to be had back if there is no thread.
fn handed_over<W, T>(work: W, act: impl FnOnce(W) -> T + Send + 'static) -> Result<impl Future<Output = T>, W>
where
    W: Send + 'static,
    T: Send + 'static,
{
    let (give, take) = mpsc::channel();
    let there = move || match take.recv() {
        Ok(work) => act(work),
        Err(gone) => resume_unwind(Box::new(gone)),
    };
    match started(there) {
        Ok(done) => match give.send(work) {
            Ok(()) => Ok(done),
            Err(mpsc::SendError(work)) => Err(work),
        },
        Err(_) => Err(work),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_work_is_done_on_another_thread_while_this_one_goes_on() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let here = thread::current().id();
        let (go, wait) = std::sync::mpsc::channel();
        let there = runtime.block_on(async {
            // It ends only because this thread is free to let it.
            let work = run(true, move || {
                wait.recv().unwrap();
                thread::current().id()
            });
            tokio::join!(work, async { go.send(()).unwrap() }).0
        });
        assert_ne!(there, here);
        assert_eq!(runtime.block_on(run(false, || thread::current().id())), here);
    }
}
