//! Thirty minutes between devices whose clocks differ, in virtual time.

use super::{
    AudioFrame, FRAME, PACKET,
    playout::{Packet, Playout},
    speaker::Source,
    speech,
};
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// Packets of ten seconds of speech, over and over.
fn packets() -> Vec<Arc<[u8]>> {
    let mut encoder = opusic_c::Encoder::new(
        opusic_c::Channels::Mono,
        opusic_c::SampleRate::Hz48000,
        opusic_c::Application::Voip,
    )
    .expect("encoder");
    speech::her()[..480_000]
        .chunks_exact(PACKET)
        .map(|samples| {
            let mut data = vec![0; 1_275];
            let size = encoder.encode_float_to_slice(samples, &mut data).expect("encodes");
            data[..size].into()
        })
        .collect()
}

/// Plays speech for `minutes` with the customer's and the loudspeaker's clock this much off, in ppm, the latter
/// at `rate`.
fn call(minutes: u64, sender_ppm: f64, device_ppm: f64, rate: u32) {
    let packets = packets();
    let playout = Arc::new(Mutex::new(Playout::new()));
    let reported = Arc::new(Mutex::new(0u64));
    let count = reported.clone();
    let played = move |_: &AudioFrame, _: Instant| *count.lock().expect("one thread") += FRAME as u64;
    let mut source = Source::new(rate, playout.clone(), played);
    let (start, mut dice) = (Instant::now(), speech::Dice(11));
    let (mut sent, mut worst) = (0u64, (f64::MAX, f64::MIN));
    let block = (rate / 100) as usize;
    let frames = minutes * 6_000;
    let mut settled = playout.lock().expect("one thread").figures();
    for n in 0..frames {
        // The device asks for 10 ms by its own clock.
        let now = n as f64 * 0.010 / (1.0 + device_ppm / 1e6);
        let mut buffer = playout.lock().expect("one thread");
        loop {
            let arrives = sent as f64 * 0.020 / (1.0 + sender_ppm / 1e6) + 0.020 + dice.roll() * 0.006;
            if arrives > now {
                break;
            }
            buffer.push(Packet {
                seq: sent,
                time: sent * PACKET as u64,
                at: start + Duration::from_secs_f64(arrives),
                data: packets[sent as usize % packets.len()].clone(),
            });
            sent += 1;
        }
        drop(buffer);
        source.prepare(block, start + Duration::from_secs_f64(now), Duration::from_millis(20));
        source.ready.drain(..block);
        if n % 100 == 0 && n > 6_000 {
            let now = playout.lock().expect("one thread").figures();
            worst = (worst.0.min(now.delay_ms), worst.1.max(now.delay_ms));
            if n == 12_000 {
                settled = now;
            }
        }
    }
    let end = playout.lock().expect("one thread").figures();
    let share = |samples: u64| samples as f64 / (end.played - settled.played) as f64;
    let missing = share(end.concealed - settled.concealed);
    let stretched = share(end.left_out + end.repeated - settled.left_out - settled.repeated);
    println!(
        "{minutes} minutes, sender {sender_ppm} ppm, device {device_ppm} ppm at {rate}: delay {worst:.1?} ms, \
         missing {missing:.6}, stretched {stretched:.6}"
    );
    // 350 ppm would be 630 ms in half an hour.
    assert!(worst.1 - worst.0 < 25.0, "the delay stays: {worst:?}");
    assert!(missing < 0.000_1, "{missing:.6} is missing");
    // Each piece is a joint that somebody could hear: one or two in a minute.
    assert!(stretched < 0.000_1, "{stretched:.6} stretched");
    assert!(*reported.lock().expect("one thread") >= (frames - 1_000) * FRAME as u64);
}

#[test]
fn half_an_hour_on_skewed_clocks_neither_gathers_delay_nor_tears() {
    call(30, -150.0, 200.0, 44_100);
}

#[test]
fn a_fast_customer_gathers_no_delay() {
    call(10, 200.0, 0.0, 48_000);
}

#[test]
fn a_slow_loudspeaker_gathers_no_delay() {
    call(10, 100.0, -200.0, 48_000);
}
