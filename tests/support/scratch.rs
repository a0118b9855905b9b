//! A directory for one peer: its configuration, certificates and logs. Removed with its owner, kept when the test fails.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, process, thread};

/// A fresh directory below cargo's directory for test files.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// A new, empty directory whose name begins with `name`.
    pub(crate) fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}-{count}", process::id()));
        fs::create_dir_all(&path).expect("cargo's directory for test files is writable");
        Self { path }
    }

    /// The directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory's own name, which no other has.
    pub(crate) fn name(&self) -> &str {
        self.path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("the name was made from text")
    }

    /// The path that `file` has, or would have, in the directory.
    pub(crate) fn file(&self, file: &str) -> PathBuf {
        self.path.join(file)
    }

    /// Writes `contents` into `file` and returns its path.
    pub(crate) fn write(&self, file: &str, contents: &str) -> PathBuf {
        let path = self.file(file);
        fs::write(&path, contents).expect("a scratch directory is writable");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("kept for inspection: {}", self.path.display());
        } else {
            // A directory that stays behind harms nobody, so a failure here must not hide the test's own result.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
