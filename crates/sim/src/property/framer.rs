//! A stream holds the same messages however it is cut into pieces, and the framer holds no more than one message.

use sip_message::{Frame, FrameError, Framer, MAX_MESSAGE};

use super::draw::Draw;

/// The first bytes say how the others are cut. Any cut gives what the whole gives, and memory stays bounded.
pub fn framer(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let sizes = [1 + draw.below(256), 1 + draw.below(16), 1 + usize::from(draw.short())];
    let repeats = 1 + draw.below(8) * draw.below(64);
    let stream = draw.rest().repeat(repeats);

    let mut whole = Framer::default();
    whole.push(&stream);
    let (frames, error) = drain(&mut whole);

    let mut cut = Framer::default();
    let (mut found, mut failed) = (Vec::new(), None);
    let (mut rest, mut turn) = (stream.as_slice(), sizes.iter().cycle());
    while let (false, Some(size)) = (rest.is_empty(), turn.next()) {
        let (piece, after) = rest.split_at((*size).min(rest.len()));
        rest = after;
        cut.push(piece);
        assert!(cut.pending() <= MAX_MESSAGE + piece.len(), "{} bytes are held", cut.pending());
        let (more, error) = drain(&mut cut);
        found.extend(more);
        failed = failed.or(error);
        assert!(cut.pending() < MAX_MESSAGE, "{} bytes are held", cut.pending());
    }
    assert_eq!((found, failed, cut.pending()), (frames, error, whole.pending()));
}

/// Every frame until more bytes are needed; a line end is an empty one.
fn drain(framer: &mut Framer) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let mut frames = Vec::new();
    loop {
        match framer.poll() {
            Ok(Some(Frame::Message(message))) => {
                assert!(!message.is_empty() && message.len() <= MAX_MESSAGE);
                frames.push(message.to_vec());
            }
            Ok(Some(Frame::LineEnd)) => frames.push(Vec::new()),
            Ok(None) => return (frames, None),
            Err(error) => {
                assert_eq!(framer.poll(), Err(error), "a stream that is past saving stays so");
                return (frames, Some(error));
            }
        }
    }
}
