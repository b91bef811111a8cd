//! What the sender sends, and what a network makes of it.

use super::super::{PACKET, Packet, RATE};
use crate::audio::speech::Dice;
use opusic_c::{Application, Bitrate, Channels, Encoder, InbandFec, SampleRate};
use std::{sync::Arc, time::Instant};

/// A packet on its way. Times in milliseconds.
#[derive(Debug, Clone)]
pub struct Sent {
    pub seq: u64,
    pub time: u64,
    pub data: Arc<[u8]>,
    pub arrives: f64,
}

impl Sent {
    pub fn new(seq: u64, time: u64, data: Vec<u8>, arrives: f64) -> Self {
        Self {
            seq: 5_000 + seq,
            time: 900_000 + time,
            data: data.into(),
            arrives,
        }
    }

    pub fn received(&self, at: Instant) -> Packet {
        Packet {
            seq: self.seq,
            time: self.time,
            at,
            data: self.data.clone(),
        }
    }
}

/// Packets as a browser sends them: in-band correction, silence not sent, and what is not sent has no
/// sequence number. Their arrival is their sending.
pub fn encode(sound: &[f32]) -> Vec<Sent> {
    encode_for(sound, 20)
}

/// The same, with correction for this loss in percent.
pub fn encode_for(sound: &[f32], loss: u8) -> Vec<Sent> {
    let mut encoder = Encoder::new(Channels::Mono, SampleRate::Hz48000, Application::Voip).expect("encoder");
    encoder.set_bitrate(Bitrate::Value(32_000)).expect("valid");
    encoder.set_inband_fec(InbandFec::Mode1).expect("valid");
    encoder.set_packet_loss(loss).expect("valid");
    encoder.set_dtx(true).expect("valid");
    let (mut seq, mut silent) = (0, false);
    let mut packets = Vec::new();
    for (n, samples) in sound.chunks_exact(PACKET).enumerate() {
        let mut data = vec![0; 1_275];
        let size = encoder.encode_float_to_slice(samples, &mut data).expect("encodes");
        data.truncate(size);
        if size > 2 || !silent {
            packets.push(Sent::new(seq, (n * PACKET) as u64, data, n as f64 * 20.0));
            seq += 1;
        }
        silent = size <= 2;
    }
    packets
}

/// Every packet arrives 40 ms after it was sent.
pub fn even(packets: &[Sent]) -> Vec<Sent> {
    Network::default().carry(packets, 0)
}

/// Conditions on the way.
#[derive(Debug, Clone, Copy, Default)]
pub struct Network {
    /// Up to this much more than 40 ms, without overtaking.
    pub jitter_ms: f64,
    /// Share lost.
    pub loss: f64,
    /// Mean length of a run of losses; 0 or 1: independent.
    pub burst: f64,
    /// Lost packets come again after this time, when they do not get lost again.
    pub retransmitted_ms: Option<f64>,
    /// A link of so many bits a second, shared with a picture that takes what is left in bursts.
    pub link: Option<f64>,
}

impl Network {
    pub fn carry(&self, packets: &[Sent], seed: u64) -> Vec<Sent> {
        let mut dice = Dice(seed.wrapping_mul(77_777) + 1);
        let (mut losing, mut free_at, mut last) = (false, 0.0f64, 0.0f64);
        let mut out = Vec::new();
        for packet in packets {
            let sent = (packet.time - 900_000) as f64 / f64::from(RATE) * 1e3;
            let mut arrives = sent + 40.0;
            if let Some(bits) = self.link {
                // Every now and then a picture's packet stands in front of the sound's.
                let ahead = if dice.roll() < 0.08 { 1_000.0 * 8.0 } else { 0.0 };
                let size = (packet.data.len() + 50) as f64 * 8.0 + ahead;
                free_at = free_at.max(sent) + size / bits * 1e3;
                if free_at - sent > 300.0 {
                    free_at -= size / bits * 1e3;
                    continue;
                }
                arrives += free_at - sent;
            }
            if self.jitter_ms > 0.0 {
                arrives = (arrives + dice.roll() * self.jitter_ms).max(last + 0.1);
                last = arrives;
            }
            // Gilbert's model: the same share of losses, in runs of the mean length wanted.
            let burst = self.burst.max(1.0);
            losing = if burst <= 1.0 {
                dice.roll() < self.loss
            } else if losing {
                dice.roll() >= 1.0 / burst
            } else {
                dice.roll() < self.loss / (1.0 - self.loss) / burst
            };
            let again = self.retransmitted_ms.filter(|_| dice.roll() >= self.loss);
            match (losing, again) {
                (false, _) => {}
                (true, Some(later)) => arrives += later,
                (true, None) => continue,
            }
            out.push(Sent {
                arrives,
                ..packet.clone()
            });
        }
        out
    }
}
