//! Runs that may fail.

use std::{
    cell::RefCell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

thread_local! {
    /// The panics of the run on this thread, while there is one.
    static PANICS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// How many shorter runs are tried to explain one that failed.
const TRIES: usize = 400;

/// Runs something in virtual time. Whatever panics, on whatever task, fails it.
pub(crate) fn judge<T>(run: impl Future<Output = T>) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let noted = PANICS.with_borrow_mut(|panics| {
                panics.as_mut().map(|panics| panics.push(info.to_string())).is_some()
            });
            if !noted {
                usual(info);
            }
        }));
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    PANICS.set(Some(Vec::new()));
    let result = panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(run)));
    drop(runtime);
    let panics = PANICS.take().unwrap_or_default();
    match result {
        Ok(result) if panics.is_empty() => Ok(result),
        _ => Err(panics.join("\n")),
    }
}

/// Leaves out of a run that failed what it fails without. Returns how it failed last.
pub(crate) fn shorten<T: Clone, R>(
    mut steps: Vec<T>,
    mut why: String,
    attempt: impl Fn(&[T]) -> Result<R, String>,
) -> (Vec<T>, String) {
    let mut tries = 0;
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < steps.len() && tries < TRIES {
            tries += 1;
            let end = (at + size).min(steps.len());
            let fewer = [&steps[..at], &steps[end..]].concat();
            match attempt(&fewer) {
                Err(reason) => (steps, why) = (fewer, reason),
                Ok(_) => at = end,
            }
        }
        size /= 2;
    }
    (steps, why)
}
