//! Feeds [`regprobe::property::captures`].
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| regprobe::property::captures(bytes));
