//! What stretching and concealment do to the sound itself, judged on real speech.

use super::{
    super::*,
    network::{Network, encode, even},
    play, play_with, tone,
};
use crate::audio::speech;

/// Fundamental frequency of 40 ms, when it has one.
fn pitch(sound: &[f32]) -> Option<f32> {
    if speech::level_db(sound) < -40.0 {
        return None;
    }
    let half = sound.len() / 2;
    let likeness = |lag: usize| {
        let (mut product, mut a, mut b) = (0.0f32, 1e-9f32, 1e-9f32);
        for n in (0..half).step_by(3) {
            product += sound[n] * sound[n + lag];
            a += sound[n] * sound[n];
            b += sound[n + lag] * sound[n + lag];
        }
        product / (a * b).sqrt()
    };
    let lags = RATE as usize / 380..half.min(RATE as usize / 70);
    let all: Vec<(usize, f32)> = lags.map(|lag| (lag, likeness(lag))).collect();
    let best = all.iter().map(|&(_, like)| like).fold(0.0, f32::max);
    // The shortest lag that is nearly the best: not two periods.
    let at = all.iter().position(|&(_, like)| like > 0.93 * best)?;
    let peak = all[at..].windows(2).find(|two| two[1].1 < two[0].1)?[0];
    (best > 0.8).then(|| RATE as f32 / peak.0 as f32)
}

fn median_pitch(sound: &[f32]) -> f32 {
    let mut all: Vec<f32> = sound.chunks_exact(1_920).filter_map(pitch).collect();
    assert!(all.len() > 30, "voiced pieces: {}", all.len());
    all.sort_by(f32::total_cmp);
    all[all.len() / 2]
}

/// The strongest sample-to-sample change of slope: a click has one, a voice has not.
fn roughest(sound: &[f32]) -> f32 {
    sound
        .windows(3)
        .map(|three| (three[0] - 2.0 * three[1] + three[2]).abs())
        .fold(0.0, f32::max)
}

#[test]
fn stretched_speech_keeps_its_pitch_and_has_no_clicks() {
    for voice in [speech::her(), speech::him()] {
        let packets = even(&encode(voice));
        let plain = play(&packets);
        // The delay is to go up and down all the time.
        let moved = play_with(
            &packets,
            |now| if (now as u64 / 2_000).is_multiple_of(2) { 0 } else { 150 },
        );
        let figures = moved.playout.figures();
        println!("{figures:?}");
        assert!(
            figures.left_out > 4_800 && figures.repeated > 4_800,
            "by more than 100 ms: {figures:?}"
        );
        assert_eq!(figures.concealed, 0);
        let (before, after) = (median_pitch(&plain.sound()), median_pitch(&moved.sound()));
        println!("median pitch {before:.1} Hz, stretched {after:.1} Hz");
        assert!(
            (after / before - 1.0).abs() < 0.03,
            "{before:.0} Hz became {after:.0} Hz"
        );
        let (before, after) = (roughest(&plain.sound()), roughest(&moved.sound()));
        println!("roughest step {before:.3}, stretched {after:.3}");
        assert!(
            after < 1.5 * before,
            "a click: {after:.3}, in plain sound at most {before:.3}"
        );
    }
}

#[test]
fn a_tone_on_an_uneven_network_stays_a_tone() {
    let packets = encode(&tone(310.0, 12.0));
    let plain = roughest(&play(&even(&packets)).sound()[RATE as usize..]);
    for seed in 0..10 {
        let network = Network {
            jitter_ms: 50.0,
            ..Network::default()
        };
        let heard = play(&network.carry(&packets, seed));
        let rough = roughest(&heard.sound()[2 * RATE as usize..]);
        assert!(rough < 6.0 * plain, "seed {seed}: {rough:.4} against {plain:.4}");
        assert!((speech::level_db(&heard.sound()[2 * RATE as usize..11 * RATE as usize]) + 13.5).abs() < 1.0);
    }
}

#[test]
fn lost_packets_do_not_click() {
    let packets = encode(speech::her());
    let plain = roughest(&play(&even(&packets)).sound());
    for seed in 0..10 {
        let network = Network {
            loss: 0.1,
            jitter_ms: 20.0,
            ..Network::default()
        };
        let rough = roughest(&play(&network.carry(&packets, seed)).sound());
        assert!(rough < 2.0 * plain, "seed {seed}: {rough:.3} against {plain:.3}");
    }
}
