//! A few clients that do anything whatever, served by a hub in virtual time. Each checks all that
//! it is told; once all are gone, nothing of them is left.

#![no_main]

mod actor;
mod input;
mod view;
mod world;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(world::run(data));
});
