//! Echo, double talk and noise, judged on real speech.

use super::super::{
    FRAME, RATE,
    reference::Reference,
    speech::{Dice, her, him, level_db},
};
use super::*;
use std::time::{Duration, Instant};

/// What the microphone hears of the loudspeaker: later, softer, and with two walls.
fn echo(far: &[f32], delay_ms: usize) -> Vec<f32> {
    let delay = delay_ms * RATE as usize / 1_000;
    let ways = [(0, 0.35), (311, 0.14), (1_103, -0.09)];
    (0..far.len())
        .map(|n| {
            let along = |&(more, gain): &(usize, f32)| n.checked_sub(delay + more).map_or(0.0, |n| gain * far[n]);
            ways.iter().map(along).sum()
        })
        .collect()
}

fn add(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// What is sent of `near` while `far` is played.
fn clean(far: &[f32], near: &[f32]) -> Vec<f32> {
    let mut processing = MicrophoneProcessing::new();
    let frames = far.as_chunks::<FRAME>().0.iter().zip(near.as_chunks::<FRAME>().0);
    frames
        .flat_map(|(far, near)| {
            processing.far_end(far);
            processing.near_end(near)
        })
        .collect()
}

fn seconds(sound: &[f32], from: f32, to: f32) -> &[f32] {
    let at = |second: f32| ((second * RATE as f32) as usize).min(sound.len());
    &sound[at(from)..at(to)]
}

/// Normalised correlation at the best lag within 5 ms either way.
fn likeness(a: &[f32], b: &[f32]) -> f32 {
    let reach = 240;
    let energy = |sound: &[f32]| sound.iter().map(|sample| sample * sample).sum::<f32>().max(1e-9);
    let middle = &a[reach..a.len() - reach];
    (0..2 * reach)
        .step_by(4)
        .map(|lag| {
            let other = &b[lag..lag + middle.len()];
            middle.iter().zip(other).map(|(a, b)| a * b).sum::<f32>() / (energy(middle) * energy(other)).sqrt()
        })
        .fold(0.0, f32::max)
}

fn silence(length: usize) -> Vec<f32> {
    vec![0.0; length]
}

#[test]
fn the_customer_does_not_hear_herself() {
    let far = her();
    for delay_ms in [20, 80, 150, 300] {
        let heard = echo(far, delay_ms);
        let sent = clean(far, &heard);
        let loss = level_db(seconds(&heard, 4.0, 11.0)) - level_db(seconds(&sent, 4.0, 11.0));
        println!("echo after {delay_ms} ms: {loss:.1} dB less");
        assert!(loss > 40.0, "{delay_ms} ms: only {loss:.1} dB less");
    }
}

#[test]
fn the_agent_is_heard_while_both_talk() {
    let length = her().len().min(him().len());
    let (far, near) = (&her()[..length], &him()[..length]);
    // Four seconds to learn the room, then both talk.
    let mut talking = silence(4 * RATE as usize);
    talking.extend(&near[..length - 4 * RATE as usize]);
    for delay_ms in [40, 150] {
        let alone = clean(&silence(length), &talking);
        let both = clean(far, &add(&talking, &echo(far, delay_ms)));
        let (alone, both) = (seconds(&alone, 4.5, 11.0), seconds(&both, 4.5, 11.0));
        let (change, like) = (level_db(both) - level_db(alone), likeness(alone, both));
        println!("double talk, echo after {delay_ms} ms: level {change:+.1} dB, likeness {like:.2}");
        assert!((-5.0..2.0).contains(&change), "{delay_ms} ms: {change:.1} dB");
        assert!(like > 0.75, "{delay_ms} ms: {like:.2} alike");
    }
}

/// With a headset there is no echo to learn: whoever talks over the customer is heard as she is.
#[test]
fn a_headset_cuts_nobody_off() {
    let length = her().len().min(him().len());
    let (far, near) = (&her()[..length], &him()[..length]);
    let alone = clean(&silence(length), near);
    let both = clean(far, near);
    for half in 6..22 {
        let (from, to) = (half as f32 / 2.0, half as f32 / 2.0 + 0.5);
        let lost = level_db(seconds(&alone, from, to)) - level_db(seconds(&both, from, to));
        assert!(lost < 6.0, "{from} s: the agent is {lost:.1} dB softer");
    }
}

#[test]
fn noise_goes_and_the_voice_stays() {
    let mut dice = Dice(9);
    let near = him();
    let noise: Vec<f32> = near.iter().map(|_| (dice.roll() as f32 - 0.5) * 0.03).collect();
    let sent = clean(&silence(near.len()), &add(near, &noise));
    let plain = clean(&silence(near.len()), near);
    // Pauses are where the voice alone has been silent for a while: what is sent comes some milliseconds later.
    let levels: Vec<f32> = near.chunks_exact(FRAME).map(level_db).collect();
    let (mut pauses, mut words) = ((0.0, 0.0, 0), (0.0, 0.0, 0));
    for (n, alone) in near.chunks_exact(FRAME).enumerate().skip(300) {
        let at = n * FRAME..(n + 1) * FRAME;
        let quiet = levels[n - 6..(n + 3).min(levels.len())]
            .iter()
            .all(|&level| level < -70.0);
        let into = if quiet {
            &mut pauses
        } else if levels[n] > -30.0 {
            &mut words
        } else {
            continue;
        };
        let noisy: Vec<f32> = add(alone, &noise[at.clone()]);
        into.0 += 10f64.powf(f64::from(level_db(&noisy)) / 10.0);
        into.1 += 10f64.powf(f64::from(level_db(&sent[at])) / 10.0);
        into.2 += 1;
    }
    assert!(pauses.2 > 30 && words.2 > 200, "{pauses:?} {words:?}");
    let ratio = |value: fn(&(f64, f64, i32)) -> f64| {
        10.0 * ((value(&words) / f64::from(words.2)) / (value(&pauses) / f64::from(pauses.2))).log10()
    };
    let gain = ratio(|sum| sum.1) - ratio(|sum| sum.0);
    let like = likeness(seconds(&plain, 3.0, 10.0), seconds(&sent, 3.0, 10.0));
    println!("noise: {gain:.1} dB better, voice {like:.2} like without noise");
    assert!(gain > 10.0, "only {gain:.1} dB better");
    assert!(like > 0.95, "the voice is only {like:.2} alike");
}

/// Loudspeaker and microphone on two clocks, with times that tremble: the echo is as far down in the last
/// minute as in the first.
#[test]
fn two_devices_with_two_clocks_have_no_more_echo_than_one() {
    for ppm in [0.0, 200.0] {
        let (mut reference, mut processing) = (Reference::new(), MicrophoneProcessing::new());
        let (mut dice, start) = (Dice(4), Instant::now());
        let far = her();
        let sample = |n: f64| {
            let at = n.max(0.0) as usize % far.len();
            let next = far[(at + 1) % far.len()];
            far[at] + (next - far[at]) * (n.max(0.0).fract() as f32)
        };
        let speed = 1.0 + ppm / 1e6;
        let (mut played, mut minutes) = (0u64, [(0.0f64, 0.0f64); 3]);
        for n in 0..18_000u64 {
            let now = n as f64 * 0.010;
            while (played as f64) < (now + 0.060) * 48_000.0 * speed {
                let frame: AudioFrame = std::array::from_fn(|k| far[(played as usize + k) % far.len()]);
                let at = played as f64 / (48_000.0 * speed) + dice.roll() * 0.003;
                reference.played(&frame, start + Duration::from_secs_f64(at));
                played += FRAME as u64;
            }
            // The loudspeaker's clock plays at its speed; the way through the room is 30 ms.
            let heard: AudioFrame =
                std::array::from_fn(|k| 0.35 * sample((now - 0.030 + k as f64 / 48_000.0) * 48_000.0 * speed));
            let at = start + Duration::from_secs_f64(now + dice.roll() * 0.003);
            processing.far_end(&reference.heard(at));
            let sent = processing.near_end(&heard);
            if n % 6_000 > 500 {
                let minute = &mut minutes[n as usize / 6_000];
                minute.0 += heard.iter().map(|sample| f64::from(sample * sample)).sum::<f64>();
                minute.1 += sent.iter().map(|sample| f64::from(sample * sample)).sum::<f64>();
            }
        }
        let loss = minutes.map(|(heard, sent)| 10.0 * (heard / sent.max(1e-12)).log10());
        println!("{ppm} ppm apart: {loss:.1?} dB less by minute");
        assert!(loss.iter().all(|&loss| loss > 25.0), "{ppm} ppm: {loss:?}");
    }
}
