//! A small sans-IO SIP registrar (UAS) for demos, labs and tests, with scripted faults.
