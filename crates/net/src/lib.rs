//! Tokio flows over UDP, TCP and TLS, DNS execution, and the one-call `probe()`.
