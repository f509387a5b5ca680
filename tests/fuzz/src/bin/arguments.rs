#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| goursat_fuzz::arguments::run(data));
