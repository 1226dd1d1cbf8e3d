//! Many like cases in one test: several at a time, and all that is wrong told at the end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// More than there are processors, because most cases wait for a server.
const AT_ONCE: usize = 4;

/// Checks every item. What is wrong with one, or that its check panicked, does not keep the others from theirs.
#[track_caller]
pub(crate) fn each<T: Sync>(
    items: &[T],
    name: impl Fn(&T) -> &str,
    check: impl Fn(&T) -> Result<(), String> + Sync,
) {
    assert!(!items.is_empty(), "nothing to check");
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(place) else { return };
                    let caught = catch_unwind(AssertUnwindSafe(|| check(item)));
                    let result = caught.unwrap_or_else(|_| Err("it panicked, see above".to_owned()));
                    if let Err(why) = result {
                        wrong.lock().expect("no poison").push((place, why));
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().expect("no poison");
    wrong.sort_unstable_by_key(|(place, _)| *place);
    let lines: Vec<String> =
        wrong.iter().map(|(place, why)| format!("{}: {why}", name(&items[*place]))).collect();
    assert!(lines.is_empty(), "{} of {} are not well:\n{}", lines.len(), items.len(), lines.join("\n"));
}

/// `otherwise` as an error where something does not hold.
pub(crate) fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}
