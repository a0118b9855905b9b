//! The search for SIP messages in a capture, packet by packet. What is said of them is for who searches.

use std::io::Read;

use super::fragments::Fragments;
use super::frames;
use super::packets::{Flaw, Packets};
use super::report::Captured;
use super::streams::Streams;

/// A capture that is being searched.
pub(super) struct Search {
    pub(super) packets: Packets,
    fragments: Fragments,
    streams: Streams,
    /// Whether there are no more packets.
    is_over: bool,
    /// Why the capture could not be read on.
    pub(super) flaw: Option<Flaw>,
}

impl Search {
    /// Looks at the beginning of a capture.
    ///
    /// # Errors
    /// [`Flaw`] when it is none.
    pub(super) fn open(bytes: Box<dyn Read>) -> Result<Self, Flaw> {
        Ok(Self {
            packets: Packets::open(bytes)?,
            fragments: Fragments::default(),
            streams: Streams::default(),
            is_over: false,
            flaw: None,
        })
    }

    /// Looks at one packet, or, behind the last of them, at one connection that has not ended; what is found is added. False when
    /// there is nothing left.
    pub(super) fn step(&mut self, found: &mut Vec<Captured>) -> bool {
        if self.is_over {
            return self.streams.end_next(found);
        }
        match self.packets.next() {
            Ok(Some(packet)) => {
                let whole = self.fragments.take(&packet);
                if let Some(segment) = frames::segment(whole.as_ref().unwrap_or(&packet)) {
                    self.streams.take(segment, found);
                }
            }
            Ok(None) => self.is_over = true,
            Err(flaw) => {
                self.is_over = true;
                self.flaw = Some(flaw);
            }
        }
        true
    }
}
