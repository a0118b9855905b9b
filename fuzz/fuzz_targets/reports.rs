//! Feeds [`regprobe::property::reports`].
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| regprobe::property::reports(bytes));
