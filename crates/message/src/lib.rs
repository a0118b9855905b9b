//! SIP grammar for a registering user agent: parse, frame and print messages (RFC 3261 §25). No time, no I/O, no randomness.
