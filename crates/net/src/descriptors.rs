//! How many file descriptors there may be: every connection takes one. Not for who gets them.

use std::io;

use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Lets this process have so many file descriptors, or as many as the system allows it (`RLIMIT_NOFILE`, up to its hard limit), and
/// returns how many that are. The limit is never lowered, and holds for the whole process. `None` when the system does not say.
///
/// A [`crate::fleet`] does so by itself when its policy asks for many flows.
pub fn allow_descriptors(wanted: u64) -> Option<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let granted = wanted.min(hard);
    if granted <= soft {
        return Some(soft);
    }
    setrlimit(Resource::RLIMIT_NOFILE, granted, hard).ok().map(|()| granted)
}

/// Words for an error that means that there are none left; `None` for any other.
pub(crate) fn exhausted(error: &io::Error) -> Option<String> {
    match error.raw_os_error() {
        Some(libc::EMFILE) => {
            let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or_else(|_| String::new(), |(soft, _)| format!(" ({soft})"));
            Some(format!("no file descriptors are left: raise the limit{limit} with `ulimit -n`"))
        }
        Some(libc::ENFILE) => Some("the system has no file descriptors left (fs.file-max)".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_never_lowered_and_never_exceeds_what_the_system_allows() {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        let now = allow_descriptors(0).unwrap();
        assert_eq!(allow_descriptors(1).unwrap(), now);
        assert_eq!(allow_descriptors(u64::MAX).unwrap(), hard);
        assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap().0, hard);
    }

    #[test]
    fn being_out_of_descriptors_is_said_with_the_remedy() {
        let words = |code| exhausted(&io::Error::from_raw_os_error(code));
        assert!(words(libc::EMFILE).unwrap().contains("ulimit -n"));
        assert!(words(libc::ENFILE).is_some());
        assert_eq!(words(libc::ECONNREFUSED), None);
    }
}
