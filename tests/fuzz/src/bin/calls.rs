#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| goursat_fuzz::calls::run(data));
