//! What the echo peer says: a tone of 440 Hz all the time, and with it what it heard half a second ago
//! ([`ECHO_HOLD_MS`]).
//!
//! Both at once, because a desk can then find its own sound at any moment: whatever it looks for comes back after
//! the way there, half a second, and the way back. The tone tells silence from a dead line. What comes back has half
//! its loudness, so that a loudspeaker beside a microphone cannot make it grow from turn to turn.
//!
//! Pure: time is counted in samples since some beginning.

use sightline_wire::readiness::ECHO_HOLD_MS;
use std::{collections::VecDeque, f32::consts::TAU};

/// Samples a second.
pub const RATE: u32 = 48_000;
/// Samples in a packet: 20 ms.
pub const PACKET: usize = 960;

/// What was heard comes back after so many samples.
const HOLD: i64 = ECHO_HOLD_MS as i64 * RATE as i64 / 1_000;
/// The tone, hertz.
const TONE: f32 = 440.0;
/// The tone's amplitude: 20 dB below full scale.
const TONE_LEVEL: f32 = 0.1;
/// Of what was heard.
const RETURNED: f32 = 0.5;
/// Sound that belongs further ahead than this is not kept: its time stamps cannot be right.
const LONGEST: i64 = 2 * RATE as i64;

/// Mixes the tone with what was heard.
#[derive(Default)]
pub struct Voice {
    /// What has to be said from `next` on.
    waiting: VecDeque<f32>,
    /// The next sample to be said.
    next: i64,
    /// The newest time stamp, unwrapped.
    newest: Option<(u32, i64)>,
    /// From a time stamp to the moment at which the fastest packet came: what comes later was held up on its way and
    /// is said as if it had not been.
    transit: Option<i64>,
}

impl Voice {
    /// Samples with this RTP time stamp have come at this moment.
    pub fn hear(&mut self, at: i64, timestamp: u32, samples: &[f32]) {
        let stamp = match self.newest {
            None => i64::from(timestamp),
            Some((newest, unwrapped)) => unwrapped + i64::from(timestamp.wrapping_sub(newest) as i32),
        };
        if self.newest.is_none_or(|(_, unwrapped)| stamp > unwrapped) {
            self.newest = Some((timestamp, stamp));
        }
        let transit = self.transit.map_or(at - stamp, |transit| transit.min(at - stamp));
        self.transit = Some(transit);
        let from = stamp + transit + HOLD - self.next;
        if from > LONGEST {
            return;
        }
        // What should have been said already is left out.
        let skipped = usize::try_from(-from).unwrap_or(0);
        let from = usize::try_from(from).unwrap_or(0);
        for (index, sample) in samples.iter().skip(skipped).enumerate() {
            let place = from + index;
            if place >= self.waiting.len() {
                self.waiting.resize(place + 1, 0.0);
            }
            self.waiting[place] = *sample;
        }
    }

    /// What is said from this moment on, for one packet.
    pub fn say(&mut self, from: i64) -> [f32; PACKET] {
        let missed = usize::try_from(from - self.next).unwrap_or(0);
        self.waiting.drain(..missed.min(self.waiting.len()));
        self.next = from + PACKET as i64;
        let mut heard = self.waiting.drain(..PACKET.min(self.waiting.len()));
        std::array::from_fn(|index| {
            // A whole number of waves fits into a second, so nothing is lost by starting over with each.
            let time = (from + index as i64).rem_euclid(i64::from(RATE)) as f32 / RATE as f32;
            let tone = TONE_LEVEL * (TAU * TONE * time).sin();
            (tone + RETURNED * heard.next().unwrap_or(0.0)).clamp(-1.0, 1.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said besides the tone.
    fn returned(voice: &mut Voice, packets: i64) -> Vec<f32> {
        let mut silent = Voice::default();
        (0..packets)
            .map(|packet| packet * PACKET as i64)
            .flat_map(|from| {
                let (said, tone) = (voice.say(from), silent.say(from));
                said.into_iter()
                    .zip(tone)
                    .map(|(said, tone)| said - tone)
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    fn loud_from(samples: &[f32]) -> Option<usize> {
        samples.iter().position(|sample| sample.abs() > 0.2)
    }

    #[test]
    fn the_tone_is_one_of_440_hertz() {
        let mut voice = Voice::default();
        let second: Vec<f32> = (0..50).flat_map(|packet| voice.say(packet * PACKET as i64)).collect();
        let up = second.windows(2).filter(|two| two[0] <= 0.0 && two[1] > 0.0).count();
        assert_eq!(up, 440);
        let loudest = second.iter().copied().fold(0.0, f32::max);
        assert!((0.099..=0.1001).contains(&loudest), "{loudest}");
    }

    #[test]
    fn what_is_heard_comes_back_after_half_a_second_and_half_as_loud() {
        let mut voice = Voice::default();
        voice.hear(100, 0xffff_fe00, &[0.8; PACKET]);
        // Its time stamp has wrapped; it was held up by 30 ms.
        voice.hear(100 + 960 + 1_440, 0xffff_fe00_u32.wrapping_add(960), &[-0.8; PACKET]);
        let said = returned(&mut voice, 40);
        assert_eq!(loud_from(&said), Some(24_100));
        assert!((said[24_100] - 0.4).abs() < 1e-3 && (said[24_100 + 960] + 0.4).abs() < 1e-3);
        assert_eq!(loud_from(&said[24_100 + 1_920..]), None);
    }

    #[test]
    fn the_fastest_packet_says_when_the_others_were_sent() {
        let mut voice = Voice::default();
        // The first is held up by 50 ms, the second by nothing.
        voice.hear(2_400, 0, &[0.0; PACKET]);
        voice.hear(960, 960, &[0.8; PACKET]);
        assert_eq!(loud_from(&returned(&mut voice, 40)), Some(24_960));
    }

    #[test]
    fn a_lost_packet_is_silence_and_a_late_one_is_left_out() {
        let mut voice = Voice::default();
        voice.hear(0, 0, &[0.8; PACKET]);
        voice.hear(1_920, 1_920, &[0.8; PACKET]);
        let said = returned(&mut voice, 26);
        assert!(said[24_960 - 5] > 0.2);
        // Now the one between comes, half a second late.
        voice.hear(25_440, 960, &[0.8; PACKET]);
        let rest = voice.say(24_960);
        assert!(rest[0] > 0.2, "its time was still to come");
        let mut voice = Voice::default();
        voice.hear(0, 0, &[0.8; PACKET]);
        voice.say(48_000);
        voice.hear(48_000, 960, &[0.8; PACKET]);
        assert!(voice.say(48_960).iter().all(|sample| sample.abs() < 0.2));
    }

    #[test]
    fn impossible_time_stamps_take_no_room() {
        let mut voice = Voice::default();
        voice.hear(0, 0, &[0.8; PACKET]);
        for step in 1..1_000u32 {
            voice.hear(0, step.wrapping_mul(0x1fff_ffff), &[0.8; PACKET]);
        }
        assert!(voice.waiting.len() as i64 <= LONGEST + PACKET as i64);
    }
}
