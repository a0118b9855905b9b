//! Feeds [`regprobe::property::accounts`].
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| regprobe::property::accounts(bytes));
