//! Feeds [`sip_sim::property::framer`].
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sip_sim::property::framer(bytes));
