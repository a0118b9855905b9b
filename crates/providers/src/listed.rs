//! One registration in the list of a system that has many.

use crate::{Answer, ApiError, ApiTrouble, Settings};

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

/// The most registrations of a list: more than fit into an answer, unless there is nothing in them.
pub(crate) const MOST: usize = 4096;

/// Reads each record of a list.
///
/// # Errors
/// [`ApiTrouble::TooLarge`] for more than 4096.
pub(crate) fn read_all<T>(request: &str, records: impl Iterator<Item = T>, read: impl Fn(T) -> Listed) -> Result<Vec<Listed>, ApiError> {
    let listed: Vec<_> = records.take(MOST + 1).map(read).collect();
    if listed.len() > MOST {
        let detail = format!("there are more than {MOST} registrations");
        return Err(ApiError::new(ApiTrouble::TooLarge, request, &detail));
    }
    Ok(listed)
}
