//! What ends a program from outside.

#[cfg(windows)]
use crate::diagnose::INTERRUPTED;

/// SIGXFSZ of Linux and macOS.
#[cfg(unix)]
const FILE_TOO_LONG: i32 = 25;

/// The signals that end a program.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    signals: Vec<(u8, tokio::signal::unix::Signal)>,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Signals {
    /// Waits for them from now on. A shell starts programs in the background with SIGINT ignored: it is waited for all the
    /// same. A hang-up that is ignored (nohup) stays so. A file that gets too long (`ulimit -f`) is an error from now on and
    /// no end.
    ///
    /// # Errors
    /// What the system says.
    #[cfg(unix)]
    pub fn awaited() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
        if !ignores_hangup() {
            kinds.push(SignalKind::hangup());
        }
        drop(signal(SignalKind::from_raw(FILE_TOO_LONG)));
        let status = |kind: SignalKind| u8::try_from(128 + kind.as_raw_value()).unwrap_or(u8::MAX);
        let signals = kinds.into_iter().map(|kind| Ok((status(kind), signal(kind)?)));
        Ok(Self { signals: signals.collect::<std::io::Result<_>>()? })
    }

    /// Waits for Ctrl-C from now on.
    ///
    /// # Errors
    /// What the system says.
    #[cfg(windows)]
    pub fn awaited() -> std::io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    /// The exit status that the first one to come stands for.
    #[cfg(unix)]
    pub async fn next(&mut self) -> u8 {
        std::future::poll_fn(|context| {
            let mut signals = self.signals.iter_mut();
            let came =
                signals.find_map(|(status, signal)| signal.poll_recv(context).is_ready().then_some(*status));
            came.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
        })
        .await
    }

    /// The exit status that it stands for.
    #[cfg(windows)]
    pub async fn next(&mut self) -> u8 {
        self.interrupt.recv().await;
        INTERRUPTED
    }
}

/// Whether SIGHUP, the first signal, is ignored (proc(5), SigIgn).
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 == 1))
}
