//! Feeds [`sip_sim::property::escape`].
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sip_sim::property::escape(bytes));
