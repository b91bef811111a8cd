//! The customer's sound: a small fixed buffer in front of the Opus decoder.
//!
//! Pure: packets in with their RTP time, 10 ms out. A missing packet is rebuilt from the next one's
//! in-band FEC (RFC 6716, 2.1.7) or concealed by the decoder; a run of them fades to silence and the
//! buffer fills again.

use super::{AudioFrame, FRAME, PACKET, RATE};
use opusic_c::{Channels, Decoder, SampleRate};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

/// Waits for this much sound before it starts, 60 ms.
const TARGET: u64 = 3 * PACKET as u64;
/// More than this is delay nobody needs, 240 ms: the oldest goes.
const MAXIMUM: u64 = 12 * PACKET as u64;
/// After this many concealed packets (100 ms) the voice is gone, not late.
const MAX_CONCEALED: u32 = 5;
/// Longest packet Opus knows, 120 ms.
const LONGEST: usize = RATE as usize * 120 / 1000;

/// Buffers, decodes and conceals one stream.
pub struct Playout {
    decoder: Decoder,
    packets: BTreeMap<u64, Box<[u8]>>,
    decoded: VecDeque<f32>,
    state: State,
    played: u64,
    concealed: u64,
    last_arrival: Option<(Instant, u64)>,
    jitter: f64,
}

/// What is measured on the customer's sound.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SoundFigures {
    /// Samples played since the call began.
    pub played: u64,
    /// How many of them were made up.
    pub concealed: u64,
    /// From arrival to the loudspeaker, in milliseconds.
    pub delay_ms: f64,
    /// Interarrival jitter (RFC 3550, 6.4.1) in milliseconds.
    pub jitter_ms: f64,
}

enum State {
    /// Collects [`TARGET`] before it plays.
    Filling,
    /// Plays the packet of time `next`; the last `concealed` ones were made up.
    Playing { next: u64, concealed: u32 },
}

impl Playout {
    /// Empty.
    pub fn new() -> Self {
        let decoder = Decoder::new(Channels::Mono, SampleRate::Hz48000).expect("48 kHz mono is a valid decoder");
        Self {
            decoder,
            packets: BTreeMap::new(),
            decoded: VecDeque::new(),
            state: State::Filling,
            played: 0,
            concealed: 0,
            last_arrival: None,
            jitter: 0.0,
        }
    }

    /// A packet with its RTP time in samples and its arrival. One that comes too late or twice is dropped.
    pub fn push(&mut self, time: u64, at: Instant, data: &[u8]) {
        if let Some((last, last_time)) = self.last_arrival.replace((at, time)) {
            let apart = at.saturating_duration_since(last).as_secs_f64() * 1e3;
            let sent_apart = (time as f64 - last_time as f64) / f64::from(RATE) * 1e3;
            self.jitter += ((apart - sent_apart).abs() - self.jitter) / 16.0;
        }
        if let State::Playing { next, .. } = self.state
            && time < next
        {
            return;
        }
        self.packets.insert(time, data.into());
        let newest = *self.packets.last_key_value().expect("just inserted").0;
        while let Some((&oldest, _)) = self.packets.first_key_value()
            && newest - oldest > MAXIMUM
        {
            self.packets.remove(&oldest);
            if let State::Playing { next, .. } = &mut self.state {
                *next = (*next).max(oldest + PACKET as u64);
            }
        }
    }

    /// The next 10 ms; silence while there is nothing to play.
    pub fn pull(&mut self) -> AudioFrame {
        while self.decoded.len() < FRAME && self.decode_next() {}
        if self.decoded.len() < FRAME {
            return [0.0; FRAME];
        }
        self.played += FRAME as u64;
        std::array::from_fn(|_| self.decoded.pop_front().expect("checked above"))
    }

    /// What has been measured so far.
    pub fn figures(&self) -> SoundFigures {
        let waiting = self.decoded.len() + self.packets.len() * PACKET;
        SoundFigures {
            played: self.played,
            concealed: self.concealed,
            delay_ms: waiting as f64 / f64::from(RATE) * 1e3,
            jitter_ms: self.jitter,
        }
    }

    fn decode_next(&mut self) -> bool {
        match self.state {
            State::Filling => {
                let (Some((&oldest, _)), Some((&newest, _))) =
                    (self.packets.first_key_value(), self.packets.last_key_value())
                else {
                    return false;
                };
                if newest + PACKET as u64 - oldest < TARGET {
                    return false;
                }
                self.state = State::Playing {
                    next: oldest,
                    concealed: 0,
                };
                true
            }
            State::Playing { next, concealed } => {
                // Senders use 20 ms; a shorter packet's time lies between two of ours.
                let due = self.packets.range(..next + PACKET as u64).next().map(|(&time, _)| time);
                if let Some(time) = due {
                    let data = self.packets.remove(&time).expect("found above");
                    let samples = self.decode(&data, LONGEST, false);
                    self.state = State::Playing {
                        next: time + samples.max(FRAME) as u64,
                        concealed: 0,
                    };
                    return true;
                }
                if concealed == MAX_CONCEALED {
                    self.state = State::Filling;
                    return self.packets.len() > 1;
                }
                let following = self.packets.get(&(next + PACKET as u64)).cloned();
                let rebuilt = match following {
                    Some(data) => self.decode(&data, PACKET, true),
                    None => self.decode(&[], PACKET, false),
                };
                self.concealed += rebuilt as u64;
                self.state = State::Playing {
                    next: next + PACKET as u64,
                    concealed: concealed + 1,
                };
                rebuilt > 0
            }
        }
    }

    fn decode(&mut self, data: &[u8], room: usize, fec: bool) -> usize {
        let mut samples = [0.0f32; LONGEST];
        let count = self
            .decoder
            .decode_float_to_slice(data, &mut samples[..room], fec)
            .unwrap_or_else(|error| {
                tracing::debug!(?error, "a sound packet did not decode");
                0
            });
        self.decoded.extend(&samples[..count]);
        count
    }
}

impl Default for Playout {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opusic_c::{Application, Encoder};

    fn tone_packets(count: u64) -> Vec<(u64, Vec<u8>)> {
        let mut encoder = Encoder::new(Channels::Mono, SampleRate::Hz48000, Application::Voip).expect("encoder");
        (0..count)
            .map(|n| {
                let pcm: Vec<f32> = (0..PACKET as u64)
                    .map(|i| 0.3 * ((n * PACKET as u64 + i) as f32 * 440.0 * std::f32::consts::TAU / 48_000.0).sin())
                    .collect();
                let mut out = vec![0; 1275];
                let size = encoder.encode_float_to_slice(&pcm, &mut out).expect("encodes");
                out.truncate(size);
                (1_000_000 + n * PACKET as u64, out)
            })
            .collect()
    }

    fn loud(frame: &AudioFrame) -> bool {
        frame.iter().map(|sample| sample * sample).sum::<f32>() / FRAME as f32 > 0.005
    }

    /// One packet in for every 20 ms out, as on a network without jitter.
    fn run(packets: &[(u64, Vec<u8>)], lost: impl Fn(usize) -> bool) -> (Playout, Vec<bool>) {
        let mut playout = Playout::new();
        let mut heard = Vec::new();
        for (n, (time, data)) in packets.iter().enumerate() {
            if !lost(n) {
                playout.push(*time, Instant::now(), data);
            }
            heard.extend([loud(&playout.pull()), loud(&playout.pull())]);
        }
        (playout, heard)
    }

    #[test]
    fn starts_after_60_ms_and_plays_without_a_gap() {
        let (playout, heard) = run(&tone_packets(50), |_| false);
        assert!(heard[..4].iter().all(|loud| !loud));
        assert!(heard[8..].iter().all(|&loud| loud));
        assert_eq!(playout.figures().concealed, 0);
    }

    #[test]
    fn single_losses_are_concealed() {
        let (playout, heard) = run(&tone_packets(60), |n| n % 10 == 9);
        assert!(heard[8..].iter().all(|&loud| loud), "no gap is heard");
        let figures = playout.figures();
        assert!((0.05..0.15).contains(&(figures.concealed as f64 / figures.played as f64)));
    }

    #[test]
    fn a_long_gap_falls_silent_and_comes_back() {
        let (_, heard) = run(&tone_packets(100), |n| (30..60).contains(&n));
        assert!(heard[80..116].iter().all(|loud| !loud));
        assert!(heard[140..].iter().all(|&loud| loud));
    }

    #[test]
    fn a_burst_does_not_add_delay_for_good() {
        let mut playout = Playout::new();
        for (time, data) in tone_packets(100) {
            playout.push(time, Instant::now(), &data);
        }
        assert!(playout.packets.len() as u64 <= MAXIMUM / PACKET as u64 + 1);
    }

    #[test]
    fn garbage_and_repeats_do_no_harm() {
        let mut playout = Playout::new();
        for n in 0..20 {
            playout.push(n * 960, Instant::now(), &[0xff; 40]);
            playout.push(n * 960, Instant::now(), &[]);
            playout.pull();
        }
    }
}
