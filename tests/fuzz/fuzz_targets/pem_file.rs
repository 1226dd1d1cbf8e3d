#![no_main]

#[path = "../entry.rs"]
#[allow(dead_code)] // Each target calls one of its functions.
mod entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    entry::pem_file(bytes);
});
