//! The sans-IO registration core: transactions, location, the registration machine and its report. No clock, no socket.
