//! A simulated world for `sip-registration`: virtual clock, lossy links, DNS zone, ladders, fuzz properties.
