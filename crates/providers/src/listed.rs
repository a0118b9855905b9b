//! One registration in the list of a system that has many. Type only.

use crate::{Answer, Settings};

/// A registration that an engine lists: what it is called there, what is said about it, and how it registers.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// What it is asked for by.
    pub object: String,
    /// What it says, as if it had been asked for alone.
    pub answer: Answer,
    /// How it registers.
    pub settings: Settings,
}
