//! What the microphone's encoder should do; the network's state sets it, the microphone's thread follows.

use opusic_c::{Bitrate, Encoder};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

/// Speech, wide band, with room for its correction data.
pub const START_BITRATE: u32 = 32_000;

/// Set from anywhere, read before each packet.
#[derive(Debug)]
pub struct AudioTarget {
    /// Bits a second of Opus, without headers; 6,000 to 510,000.
    pub bitrate: AtomicU32,
    /// Share of packets the network is expected to lose, in percent: how much in-band correction
    /// (RFC 6716, 2.1.7) is spent.
    pub loss_percent: AtomicU32,
    /// Silence costs next to nothing (RFC 6716, 2.1.9).
    pub dtx: AtomicBool,
}

impl Default for AudioTarget {
    fn default() -> Self {
        Self {
            bitrate: AtomicU32::new(START_BITRATE),
            loss_percent: AtomicU32::new(5),
            dtx: AtomicBool::new(true),
        }
    }
}

/// The values an encoder runs with at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    pub bitrate: u32,
    pub loss_percent: u8,
    pub dtx: bool,
}

impl AudioTarget {
    /// The values, each within what Opus takes.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            bitrate: self.bitrate.load(Relaxed).clamp(6_000, 510_000),
            loss_percent: self.loss_percent.load(Relaxed).min(100) as u8,
            dtx: self.dtx.load(Relaxed),
        }
    }
}

impl Settings {
    /// Sets what differs from `before`.
    pub fn apply(self, encoder: &mut Encoder, before: Option<Self>) -> Result<(), opusic_c::ErrorCode> {
        if before.map(|before| before.bitrate) != Some(self.bitrate) {
            encoder.set_bitrate(Bitrate::Value(self.bitrate))?;
        }
        if before.map(|before| before.loss_percent) != Some(self.loss_percent) {
            encoder.set_packet_loss(self.loss_percent)?;
        }
        if before.map(|before| before.dtx) != Some(self.dtx) {
            encoder.set_dtx(self.dtx)?;
        }
        Ok(())
    }
}
