#![no_main]

#[allow(dead_code)]
#[path = "../../tests/it/fuzz/checks/mod.rs"]
mod checks;
#[path = "../support.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::content_codings::check(data));
