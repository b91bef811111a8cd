//! The buffer in virtual time, on networks made of dice.

mod lossy;
mod network;
mod quality;

use super::*;
use crate::audio::speech;
use network::{Network, Sent, encode, even};

fn loud(frame: &AudioFrame) -> bool {
    speech::level_db(frame) > -45.0
}

fn tone(hertz: f32, seconds: f32) -> Vec<f32> {
    (0..(seconds * RATE as f32) as usize)
        .map(|n| 0.3 * (n as f32 * hertz * std::f32::consts::TAU / RATE as f32).sin())
        .collect()
}

/// What comes out, every 10 ms, with what was measured at the end.
struct Heard {
    frames: Vec<AudioFrame>,
    playout: Playout,
    delays: Vec<f64>,
}

/// Plays what the network delivers, from the first packet's sending to the last one's arrival.
fn play(packets: &[Sent]) -> Heard {
    play_with(packets, |_| 0)
}

/// The same, for a picture that asks for this delay at a time (both in milliseconds).
fn play_with(packets: &[Sent], minimum: impl Fn(f64) -> u64) -> Heard {
    let epoch = Instant::now();
    let at = |ms: f64| epoch + Duration::from_secs_f64(ms / 1e3);
    let mut arriving: Vec<&Sent> = packets.iter().collect();
    arriving.sort_by(|a, b| a.arrives.total_cmp(&b.arrives));
    let mut arriving = arriving.into_iter().peekable();
    let mut heard = Heard {
        frames: Vec::new(),
        playout: Playout::new(),
        delays: Vec::new(),
    };
    let end = packets.iter().map(|packet| packet.arrives).fold(0.0, f64::max);
    for n in 0..(end / 10.0) as usize + 1 {
        let now = n as f64 * 10.0 + 3.0;
        while let Some(packet) = arriving.next_if(|packet| packet.arrives <= now) {
            heard.playout.push(packet.received(at(packet.arrives)));
        }
        heard.playout.set_minimum(Duration::from_millis(minimum(now)));
        heard.frames.push(heard.playout.pull(at(now), Duration::ZERO));
        heard.delays.push(heard.playout.figures().delay_ms);
    }
    heard
}

impl Heard {
    fn concealed(&self) -> f64 {
        let figures = self.playout.figures();
        figures.concealed as f64 / figures.played.max(1) as f64
    }

    fn sound(&self) -> Vec<f32> {
        self.frames.iter().flatten().copied().collect()
    }

    /// Mean delay over the last `seconds`.
    fn last_delay(&self, seconds: usize) -> f64 {
        let last = &self.delays[self.delays.len().saturating_sub(seconds * 100)..];
        last.iter().sum::<f64>() / last.len() as f64
    }
}

#[test]
fn an_even_network_plays_without_a_gap_and_soon() {
    let heard = play(&even(&encode(&tone(300.0, 8.0))));
    let first = heard.frames.iter().position(loud).expect("something is heard");
    assert!(first <= 10, "after {} ms, of which the network took 40", first * 10);
    let last = heard.frames.iter().rposition(loud).expect("something is heard");
    assert!(heard.frames[first + 1..last].iter().all(loud), "no gap");
    assert_eq!(heard.playout.figures().concealed, 0);
    assert!(heard.last_delay(2) < 45.0, "{} ms", heard.last_delay(2));
}

#[test]
fn swapped_packets_are_put_in_order() {
    let mut packets = even(&encode(&tone(300.0, 12.0)));
    for n in (1..packets.len() - 1).step_by(7) {
        packets[n].arrives = packets[n + 1].arrives + 5.0;
    }
    let half = packets.len() / 2;
    let early = play(&packets[..half]).playout.figures();
    let all = play(&packets).playout.figures();
    assert!(
        all.concealed + all.corrected - early.concealed - early.corrected == 0,
        "once it knows the network: {early:?} {all:?}"
    );
}

#[test]
fn announced_silence_is_no_loss() {
    let words = speech::her();
    let mut pauses = words[..3 * RATE as usize].to_vec();
    pauses.extend(vec![0.0; 4 * RATE as usize]);
    pauses.extend(&words[..3 * RATE as usize]);
    let packets = encode(&pauses);
    assert!(packets.len() < 400, "silence is not sent: {} packets", packets.len());
    let heard = play(&even(&packets));
    assert_eq!(heard.playout.figures().concealed, 0, "{:?}", heard.playout.figures());
    // After the pause the voice is where it was before.
    let before = speech::level_db(&heard.sound()[..3 * RATE as usize]);
    let after = speech::level_db(&heard.sound()[7 * RATE as usize..]);
    assert!((before - after).abs() < 2.0, "{before} {after}");
}

#[test]
fn another_stream_takes_over_at_once() {
    let packets = encode(&tone(300.0, 3.0));
    let mut sent = even(&packets);
    let (last, seq) = sent.last().map(|packet| (packet.arrives, packet.seq)).expect("packets");
    for (n, packet) in even(&packets).into_iter().enumerate() {
        sent.push(Sent {
            arrives: last + 20.0 + packet.arrives,
            time: packet.time + 3_000_000_000,
            seq: seq + 40_000 + n as u64,
            ..packet
        });
    }
    let heard = play(&sent);
    let gap = heard.frames[20..580].iter().filter(|frame| !loud(frame)).count();
    assert!(gap <= 12, "{} ms of silence", gap * 10);
}

#[test]
fn a_network_that_stood_still_leaves_no_delay() {
    let mut packets = even(&encode(&tone(300.0, 8.0)));
    // Nothing for a second, then all of it at once.
    for packet in &mut packets[150..200] {
        packet.arrives = packets_end(150, 50);
    }
    let heard = play(&packets);
    assert!(heard.last_delay(1) < 200.0, "{} ms", heard.last_delay(1));
    assert!(
        heard.delays[450] < 400.0,
        "half a second later {} ms",
        heard.delays[450]
    );
}

fn packets_end(first: usize, count: usize) -> f64 {
    (first + count) as f64 * 20.0
}

#[test]
fn a_machine_that_slept_goes_on_with_what_is_said_now() {
    let packets = even(&encode(&tone(300.0, 8.0)));
    let epoch = Instant::now();
    let at = |ms: f64| epoch + Duration::from_secs_f64(ms / 1e3);
    let mut playout = Playout::new();
    let mut arriving = packets.iter().peekable();
    let mut after = Vec::new();
    // Two ways to sleep: the clock goes on and the packets queue up, or (Linux) it stands still and they are lost.
    for n in 0..700 {
        let now = n as f64 * 10.0;
        while let Some(packet) = arriving.next_if(|packet| packet.arrives <= now) {
            if !(4_000.0..5_500.0).contains(&packet.arrives) {
                let slept = if packet.arrives >= 5_500.0 { 1_500.0 } else { 0.0 };
                playout.push(packet.received(at(packet.arrives - slept)));
            }
        }
        if (2_000.0..3_500.0).contains(&now) || (4_000.0..5_500.0).contains(&now) {
            continue;
        }
        let slept = if now >= 5_500.0 { 1_500.0 } else { 0.0 };
        let frame = playout.pull(at(now - slept), Duration::ZERO);
        if (3_700.0..3_900.0).contains(&now) || now > 5_900.0 {
            after.push((loud(&frame), playout.figures().delay_ms));
        }
    }
    assert!(after.iter().all(|&(loud, delay)| loud && delay < 300.0), "{after:?}");
}

#[test]
fn stereo_is_heard_as_mono() {
    let samples = tone(300.0, 2.0);
    let mut encoder = opusic_c::Encoder::new(
        opusic_c::Channels::Stereo,
        opusic_c::SampleRate::Hz48000,
        opusic_c::Application::Audio,
    )
    .expect("encoder");
    let packets: Vec<Sent> = samples
        .chunks_exact(PACKET)
        .enumerate()
        .map(|(n, mono)| {
            let both: Vec<f32> = mono.iter().flat_map(|&sample| [sample, sample]).collect();
            let mut data = vec![0; 1_275];
            let size = encoder.encode_float_to_slice(&both, &mut data).expect("encodes");
            data.truncate(size);
            Sent::new(n as u64, (n * PACKET) as u64, data, n as f64 * 20.0)
        })
        .collect();
    let heard = play(&packets);
    assert!(heard.frames[20..190].iter().all(loud));
}

#[test]
fn garbage_and_repeats_do_no_harm() {
    let mut dice = speech::Dice(7);
    let mut packets = even(&encode(&tone(300.0, 10.0)));
    for n in 0..60 {
        let size = (dice.roll() * 60.0) as usize;
        let data = (0..size).map(|_| (dice.roll() * 256.0) as u8).collect();
        packets.push(Sent::new(
            n,
            (dice.roll() * 150_000.0) as u64,
            data,
            dice.roll() * 3_000.0,
        ));
    }
    let again = packets.clone();
    packets.extend(again);
    let heard = play(&packets);
    assert!(heard.sound().iter().all(|sample| sample.is_finite()));
    assert!(heard.frames[850..990].iter().all(loud), "it plays on");
}

#[test]
fn the_picture_can_ask_for_patience() {
    let packets = even(&encode(&tone(300.0, 10.0)));
    let figures = play_with(&packets, |now| if now < 3_000.0 { 0 } else { 120 })
        .playout
        .figures();
    assert!((95.0..135.0).contains(&figures.delay_ms), "{figures:?}");
    assert_eq!(figures.concealed, 0, "stretched, not torn");
}

#[test]
fn delays_follow_the_network_on_any_dice() {
    let packets = encode(&tone(220.0, 24.0));
    for seed in 0..40 {
        let worst = [10.0, 30.0, 60.0, 100.0][seed as usize % 4];
        let network = Network {
            jitter_ms: worst,
            ..Network::default()
        };
        let heard = play(&network.carry(&packets, seed));
        let (delay, share) = (heard.last_delay(8), heard.concealed());
        assert!(
            (worst * 0.6..worst + 40.0).contains(&delay) || delay < 40.0,
            "seed {seed}: {delay:.0} ms for {worst} ms of jitter"
        );
        assert!(
            share < 0.015,
            "seed {seed}: {share:.4} concealed for {worst} ms of jitter"
        );
    }
}
