//! Feeds [`regprobe::property::checks`].
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| regprobe::property::checks(bytes));
