//! Feeds [`regprobe_providers::property::answers`].
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| regprobe_providers::property::answers(bytes));
