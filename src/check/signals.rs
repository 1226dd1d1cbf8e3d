//! What ends a program from outside.

#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
#[cfg(unix)]
use signal_hook::low_level::unregister;
#[cfg(unix)]
use signal_hook::{SigId, flag, low_level::pipe};

#[cfg(windows)]
use crate::diagnose::INTERRUPTED;

/// Most checks are over by then.
#[cfg(unix)]
const SOON: std::time::Duration = std::time::Duration::from_millis(20);

/// The signals that end a program. tokio's own would open a pair of sockets and make room for all 64 signals, which takes
/// longer than verifying a certificate.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    /// The exit status that the last one to come stands for, or 0.
    came: Arc<AtomicUsize>,
    awaited: Vec<SigId>,
    /// When to be woken by them and to find out about hang-ups, until that is done: a check that is over soon, as most are,
    /// does neither.
    woken_from: tokio::time::Instant,
    wakes: Option<tokio::net::UnixStream>,
}

/// Ctrl-C.
#[cfg(windows)]
#[derive(Debug)]
pub struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
}

#[cfg(unix)]
impl Signals {
    /// Waits for them from now on. A shell starts programs in the background with SIGINT ignored: it is waited for all the
    /// same. A hang-up that is ignored (nohup) stays so. A file that gets too long (`ulimit -f`) is an error from now on and
    /// no end.
    ///
    /// # Errors
    /// What the system says.
    pub fn awaited() -> std::io::Result<Self> {
        let mut signals = Self::awaited_in_checks()?;
        signals.be_woken()?;
        Ok(signals)
    }

    /// The same, but what comes in the first [`SOON`] is found when that is over.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn awaited_in_checks() -> std::io::Result<Self> {
        let too_long = flag::register(SIGXFSZ, Arc::default())?;
        let woken_from = tokio::time::Instant::now() + SOON;
        let mut signals = Self { came: Arc::default(), awaited: vec![too_long], woken_from, wakes: None };
        signals.note(SIGINT)?;
        signals.note(SIGTERM)?;
        Ok(signals)
    }

    fn note(&mut self, signal: i32) -> std::io::Result<()> {
        let status = usize::try_from(128 + signal).unwrap_or_default();
        self.awaited.push(flag::register_usize(signal, Arc::clone(&self.came), status)?);
        Ok(())
    }

    fn be_woken(&mut self) -> std::io::Result<()> {
        let (wakes, woken) = UnixStream::pair()?;
        wakes.set_nonblocking(true)?;
        let wakes = tokio::net::UnixStream::from_std(wakes)?;
        self.awaited.push(pipe::register(SIGINT, woken.try_clone()?)?);
        self.awaited.push(pipe::register(SIGTERM, woken.try_clone()?)?);
        if !ignores_hangup() {
            self.note(SIGHUP)?;
            self.awaited.push(pipe::register(SIGHUP, woken)?);
        }
        self.wakes = Some(wakes);
        Ok(())
    }

    /// The exit status that the last one to come stands for, once one has come.
    pub async fn next(&mut self) -> u8 {
        loop {
            let status = self.came.swap(0, Ordering::SeqCst);
            if status != 0 {
                return u8::try_from(status).unwrap_or(u8::MAX);
            }
            let Some(wakes) = &self.wakes else {
                tokio::time::sleep_until(self.woken_from).await;
                // Without descriptors left it is asked again until there are.
                if self.be_woken().is_err() {
                    self.woken_from += SOON;
                }
                continue;
            };
            // Neither fails nor ends: the other end is kept for the handlers.
            let _ = wakes.readable().await;
            let _ = wakes.try_read(&mut [0; 8]);
        }
    }
}

#[cfg(unix)]
impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.awaited.drain(..) {
            unregister(id);
        }
    }
}

#[cfg(windows)]
impl Signals {
    /// Waits for Ctrl-C from now on.
    ///
    /// # Errors
    /// What the system says.
    pub fn awaited() -> std::io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    /// The same.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn awaited_in_checks() -> std::io::Result<Self> {
        Self::awaited()
    }

    /// The exit status that it stands for.
    pub async fn next(&mut self) -> u8 {
        self.interrupt.recv().await;
        INTERRUPTED
    }
}

/// Lets no signal end the program from now on: what is being written is written to its end, which is near.
#[cfg(unix)]
pub fn outlive_signals() {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        if signal != SIGHUP || !ignores_hangup() {
            // Without it the default holds, as before.
            let _ = flag::register(signal, Arc::default());
        }
    }
}

/// Nothing: who presses Ctrl-C there may find a part.
#[cfg(windows)]
pub fn outlive_signals() {}

/// Whether SIGHUP, the first signal, is ignored (proc(5), SigIgn).
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 == 1))
}
