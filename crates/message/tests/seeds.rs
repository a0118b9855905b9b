//! The fuzzers' seeds, replayed: each is read through every view, whole and cut short at every byte.

mod every_view;

use std::path::Path;

#[test]
fn the_seeds_are_read_whole_and_cut_short_at_every_byte() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/message");
    let mut seeds = 0;
    for seed in std::fs::read_dir(folder).expect("the seeds are part of the repository") {
        let bytes = std::fs::read(seed.expect("the folder is readable").path()).expect("a seed is a file");
        for length in 0..bytes.len() {
            every_view::read(bytes.get(..length).expect("the length is within the seed"));
        }
        assert!(every_view::read(&bytes) > 0);
        seeds += 1;
    }
    assert!(seeds >= 40, "{seeds} seeds were found");
}
