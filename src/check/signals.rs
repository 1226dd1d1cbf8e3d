//! What ends a program from outside.

#[cfg(windows)]
use crate::diagnose::INTERRUPTED;

/// SIGXFSZ of Linux and macOS.
#[cfg(unix)]
const FILE_TOO_LONG: i32 = 25;

/// Most checks are over by then.
#[cfg(unix)]
const SOON: std::time::Duration = std::time::Duration::from_millis(20);

/// A signal, and the exit status that it stands for.
#[cfg(unix)]
type Awaited = (u8, tokio::signal::unix::Signal);

/// The signals that end a program.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    signals: Vec<Awaited>,
    /// When to find out about hang-ups, until that is done.
    #[cfg(unix)]
    hangups_from: Option<tokio::time::Instant>,
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
        let mut signals = Self::awaited_in_checks()?;
        signals.await_hangups();
        Ok(signals)
    }

    /// The same, but for hang-ups: a check that is over soon, as most are, does not ask what they do.
    ///
    /// # Errors
    /// What the system says.
    #[cfg(unix)]
    pub(super) fn awaited_in_checks() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        drop(signal(SignalKind::from_raw(FILE_TOO_LONG)));
        let signals = vec![awaited(SignalKind::interrupt())?, awaited(SignalKind::terminate())?];
        Ok(Self { signals, hangups_from: Some(tokio::time::Instant::now() + SOON) })
    }

    #[cfg(unix)]
    fn await_hangups(&mut self) {
        self.hangups_from = None;
        if !ignores_hangup() {
            self.signals.extend(awaited(tokio::signal::unix::SignalKind::hangup()));
        }
    }

    /// Waits for Ctrl-C from now on.
    ///
    /// # Errors
    /// What the system says.
    #[cfg(windows)]
    pub(super) fn awaited_in_checks() -> std::io::Result<Self> {
        Self::awaited()
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
        if let Some(from) = self.hangups_from {
            tokio::select! {
                status = first(&mut self.signals) => return status,
                () = tokio::time::sleep_until(from) => self.await_hangups(),
            }
        }
        first(&mut self.signals).await
    }

    /// The exit status that it stands for.
    #[cfg(windows)]
    pub async fn next(&mut self) -> u8 {
        self.interrupt.recv().await;
        INTERRUPTED
    }
}

#[cfg(unix)]
fn awaited(kind: tokio::signal::unix::SignalKind) -> std::io::Result<Awaited> {
    let status = u8::try_from(128 + kind.as_raw_value()).unwrap_or(u8::MAX);
    Ok((status, tokio::signal::unix::signal(kind)?))
}

#[cfg(unix)]
async fn first(signals: &mut [Awaited]) -> u8 {
    std::future::poll_fn(|context| {
        let mut signals = signals.iter_mut();
        let came =
            signals.find_map(|(status, signal)| signal.poll_recv(context).is_ready().then_some(*status));
        came.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
    })
    .await
}

/// Whether SIGHUP, the first signal, is ignored (proc(5), SigIgn).
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 == 1))
}
