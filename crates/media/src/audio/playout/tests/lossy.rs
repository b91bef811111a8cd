//! GOALS.md R6 in virtual time: how much of real speech is made up on bad networks.

use super::{
    super::*,
    Heard,
    network::{Network, Sent, encode_for},
    play,
};
use crate::audio::speech;

const SEEDS: u64 = 12;

fn share(packets: &[Sent], network: Network) -> (f64, f64) {
    let heard: Vec<Heard> = (0..SEEDS).map(|seed| play(&network.carry(packets, seed))).collect();
    let mean = |value: &dyn Fn(&Heard) -> f64| heard.iter().map(value).sum::<f64>() / SEEDS as f64;
    (mean(&Heard::concealed), mean(&|heard| heard.last_delay(5)))
}

#[test]
fn made_up_sound_by_kind_of_network() {
    let speech = [speech::her(), speech::him()].concat();
    let twenty_seconds = &speech[..20 * RATE as usize];
    let lossy = |loss: f64, burst: f64, retransmitted_ms: Option<f64>| Network {
        jitter_ms: 20.0,
        loss,
        burst,
        retransmitted_ms,
        ..Network::default()
    };
    // The most that may be made up. With in-band correction a single loss is none: what is left is the second
    // and further ones of a run, and losses in front of sound that Opus does not encode as speech.
    let cells = [
        ("10 %", lossy(0.10, 1.0, None), 0.05),
        ("20 %", lossy(0.20, 1.0, None), 0.09),
        ("30 %", lossy(0.30, 1.0, None), 0.16),
        ("10 % in runs of 3", lossy(0.10, 3.0, None), 0.085),
        ("20 % in runs of 3", lossy(0.20, 3.0, None), 0.17),
        ("30 % in runs of 3", lossy(0.30, 3.0, None), 0.25),
        ("10 %, sent again after 60 ms", lossy(0.10, 1.0, Some(60.0)), 0.02),
        ("30 %, sent again after 60 ms", lossy(0.30, 1.0, Some(60.0)), 0.08),
        (
            "100 kbit/s shared with a picture",
            Network {
                link: Some(100_000.0),
                ..Network::default()
            },
            0.02,
        ),
    ];
    let packets = encode_for(twenty_seconds, 20);
    for (name, network, most) in cells {
        let (share, delay) = share(&packets, network);
        println!("{name:36} made up {:5.2} %, delay {delay:4.0} ms", share * 100.0);
        assert!(share <= most, "{name}: {share:.4} made up");
    }
}

#[test]
fn correction_data_is_worth_its_bits() {
    let speech = &speech::her()[..8 * RATE as usize];
    let network = Network {
        loss: 0.1,
        ..Network::default()
    };
    let with = share(&encode_for(speech, 20), network).0;
    let without = share(&encode_for(speech, 0), network).0;
    assert!(with < without * 0.5, "{with:.3} instead of {without:.3}");
}
