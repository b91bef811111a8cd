//! The Opus decoder with what a playout buffer asks of it.

use super::RATE;
use opusic_c::{Channels, Decoder, SampleRate};

/// Longest packet Opus knows, 120 ms.
const LONGEST: usize = RATE as usize * 120 / 1_000;
/// A packet of this size or less says "silence from here on" (RFC 6716, 2.1.9).
const SILENCE_SIZE: usize = 2;

/// Decodes to mono, whatever was sent.
pub struct Voice {
    decoder: Decoder,
}

impl Voice {
    pub fn new() -> Self {
        let decoder = Decoder::new(Channels::Mono, SampleRate::Hz48000).expect("48 kHz mono is a valid decoder");
        Self { decoder }
    }

    /// The samples of a packet; nothing when it is no Opus.
    pub fn decode(&mut self, data: &[u8]) -> Vec<f32> {
        self.run(data, LONGEST, false)
    }

    /// The `samples` before `data` from its in-band correction.
    pub fn correct(&mut self, data: &[u8], samples: usize) -> Vec<f32> {
        self.run(data, samples, true)
    }

    /// `samples` (a multiple of 120) made up from what was decoded last: the voice fading away, or the noise
    /// of the room once it has.
    pub fn make_up(&mut self, samples: usize) -> Vec<f32> {
        let mut out = self.run(&[], samples, false);
        out.resize(samples, 0.0);
        out
    }

    /// How many samples a packet holds; `None` when it is no Opus.
    pub fn samples(&self, data: &[u8]) -> Option<usize> {
        self.decoder
            .get_nb_samples(data)
            .ok()
            .filter(|&samples| (1..=LONGEST).contains(&samples))
    }

    fn run(&mut self, data: &[u8], room: usize, correct: bool) -> Vec<f32> {
        let mut samples = vec![0.0f32; room.min(LONGEST)];
        let count = self
            .decoder
            .decode_float_to_slice(data, &mut samples, correct)
            .unwrap_or_else(|error| {
                tracing::debug!(?error, "a sound packet did not decode");
                0
            });
        samples.truncate(count);
        samples
    }
}

/// Whether the packet says that silence follows.
pub fn announces_silence(data: &[u8]) -> bool {
    data.len() <= SILENCE_SIZE
}

/// Whether the packet carries correction data for the one before it.
pub fn carries_correction(data: &[u8]) -> bool {
    let Ok(size) = i32::try_from(data.len()) else {
        return false;
    };
    // SAFETY: libopus reads at most `size` bytes of `data`, which are there.
    size > 0 && unsafe { opusic_c::sys::opus_packet_has_lbrr(data.as_ptr(), size) == 1 }
}
