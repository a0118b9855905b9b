//! Feeds [`sip_sim::property::digest_check`].
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sip_sim::property::digest_check(bytes));
