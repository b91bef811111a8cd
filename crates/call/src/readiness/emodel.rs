//! How a call sounds, estimated from what the network did to it: the E-model of ITU-T G.107, in its version for
//! fullband speech, G.107.2 (03/2023), because Opus at our rates is no telephone. Both compute a rating R:
//!
//! `R = Ro - Is - Id - Ie,eff + A`, and from R a mean opinion score (MOS) between 1 and 4.5 (Annex A there, Annex B
//! of G.107). What does not change here stands at the recommendations' default values, which leaves
//! `R = 148 - Id - Ie,eff`: nothing but delay, codec and loss. Echo is left out too; it is a check of its own.
//!
//! **Opus.** ITU-T G.113 has no values for Opus. Those used here are the ones of M. Alahmadi, P. Počta and H. Melvin,
//! "An Adaptive Bitrate Switching Algorithm for Speech Applications in Context of WebRTC", ACM TOMM 17(4), 2021
//! (doi:10.1145/3458751), derived with ITU-T P.863 on the scale of G.107.2 for super-wideband speech with variable
//! bit rate and published, to the digit, in mohaoahmadi/Opus_Codec_Quality_Evaluation on GitHub (MIT licence).
//! They are planning values and were found without in-band correction (RFC 6716, 2.1.7): with it a call sounds
//! somewhat better under loss than this says.

/// Best rating of a fullband connection (G.107.2, 6.2).
const BEST: f64 = 148.0;
/// What loss can at most take away (G.107.2, 7.5).
const LOSS_CEILING: f64 = 132.0;
/// The fullband scale beside that of G.107, whose best is 100 (G.107.2, 7.4 and Annex A).
const SCALE: f64 = 1.48;
/// The range of the burst ratio for which the formula was made (G.107, table 3).
const BURST_RATIOS: (f64, f64) = (1.0, 8.0);

/// The engine's usual rate of sound, bits a second.
pub const USUAL_BITRATE: u32 = 32_000;

/// A packet of 20 ms, and the 6.5 ms that Opus looks ahead for speech, in milliseconds.
const CODEC_DELAY_MS: f64 = 26.5;

/// A row of the source's table: bit rate in bits a second, `Ie`, and `Bpl` for losses by chance.
type Row = (f64, f64, f64);

/// Opus, super-wideband, variable bit rate.
const OPUS: [Row; 11] = [
    (14_000.0, 38.06, 16.51),
    (15_000.0, 34.12, 15.0),
    (16_000.0, 30.16302131, 11.83),
    (19_000.0, 23.80720462, 10.67),
    (22_000.0, 20.22332357, 10.47),
    (25_000.0, 20.20905481, 11.28),
    (28_000.0, 18.47734739, 10.63),
    (31_000.0, 16.82867498, 10.44),
    (34_000.0, 14.75893036, 10.12),
    (37_000.0, 12.07782849, 10.38),
    (40_000.0, 10.66596559, 9.79),
];

/// What is spoken with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Opus with speech.
    Opus {
        /// Bits a second, without headers. Beyond the source's table, 14,000 to 40,000, its nearest row counts.
        bitrate: u32,
    },
}

impl Codec {
    /// Equipment impairment without loss, `Ie`, and robustness against loss by chance, `Bpl`.
    fn impairment(self) -> (f64, f64) {
        match self {
            Codec::Opus { bitrate } => between(&OPUS, f64::from(bitrate)),
        }
    }
}

/// Mean opinion score, 1 to 4.5.
///
/// - `delay_ms`: one way, from mouth to ear.
/// - `loss`: share of packets that were not played, lost or too late, 0 to 1.
/// - `burst_ratio`: mean length of bursts of loss beside that of as much loss by chance; 1 when it is by chance.
pub fn mos(delay_ms: f64, loss: f64, burst_ratio: f64, codec: Codec) -> f64 {
    opinion(rating(delay_ms, loss, burst_ratio, codec) / SCALE)
}

/// From mouth to ear, in milliseconds, estimated by the parts: half the round trip, the codec, and what playout
/// adds. Sound cards are not in it.
pub fn one_way_delay_ms(rtt_ms: f64, playout_ms: f64) -> f64 {
    rtt_ms / 2.0 + CODEC_DELAY_MS + playout_ms
}

/// The rating R on the fullband scale, up to 148.
fn rating(delay_ms: f64, loss: f64, burst_ratio: f64, codec: Codec) -> f64 {
    let (ie, bpl) = codec.impairment();
    let loss_percent = loss.clamp(0.0, 1.0) * 100.0;
    BEST - SCALE * delay_impairment(delay_ms) - effective_impairment(ie, bpl, LOSS_CEILING, loss_percent, burst_ratio)
}

/// `Idd` of G.107, 7.4, on its own scale, with its default sensitivity (sT = 1, mT = 100 ms): what delay takes
/// away although nothing is heard of it.
fn delay_impairment(delay_ms: f64) -> f64 {
    const UNNOTICED_MS: f64 = 100.0;
    if delay_ms <= UNNOTICED_MS {
        return 0.0;
    }
    let x = (delay_ms / UNNOTICED_MS).log2();
    let sixth = |x: f64| (1.0 + x.powi(6)).powf(1.0 / 6.0);
    25.0 * (sixth(x) - 3.0 * sixth(x / 3.0) + 2.0)
}

/// `Ie,eff` of G.107, 7.5: the codec's own impairment, and what loss adds, up to `ceiling`.
fn effective_impairment(ie: f64, bpl: f64, ceiling: f64, loss_percent: f64, burst_ratio: f64) -> f64 {
    let burst_ratio = burst_ratio.clamp(BURST_RATIOS.0, BURST_RATIOS.1);
    ie + (ceiling - ie) * loss_percent / (loss_percent / burst_ratio + bpl)
}

/// The score of a rating on the scale of G.107 (Annex B). Just above 0 the polynomial falls below 1, the worst score
/// that anybody can give.
fn opinion(rating: f64) -> f64 {
    if rating <= 0.0 {
        return 1.0;
    }
    if rating >= 100.0 {
        return 4.5;
    }
    (1.0 + 0.035 * rating + rating * (rating - 60.0) * (100.0 - rating) * 7e-6).max(1.0)
}

/// Linearly between the two rows that enclose `bitrate`, or the first or last row.
fn between(rows: &[Row], bitrate: f64) -> (f64, f64) {
    let after = rows.iter().position(|(rate, ..)| *rate >= bitrate);
    let (low, high) = match after {
        Some(0) => (rows[0], rows[0]),
        Some(after) => (rows[after - 1], rows[after]),
        None => (rows[rows.len() - 1], rows[rows.len() - 1]),
    };
    let width = high.0 - low.0;
    let share = if width > 0.0 { (bitrate - low.0) / width } else { 0.0 };
    (low.1 + (high.1 - low.1) * share, low.2 + (high.2 - low.2) * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G.107's own scale, for examples that are published on it.
    const TELEPHONE_BEST: f64 = 93.2;
    const TELEPHONE_CEILING: f64 = 95.0;

    const OPUS_32: Codec = Codec::Opus { bitrate: 32_000 };

    fn near(value: f64, expected: f64, by: f64) {
        assert!((value - expected).abs() <= by, "{value} is not {expected} ± {by}");
    }

    #[test]
    fn scores_of_ratings_are_those_of_g_107_annex_b() {
        for (rating, score) in [(90.0, 4.34), (80.0, 4.03), (70.0, 3.60), (60.0, 3.10), (50.0, 2.58)] {
            near(opinion(rating), score, 0.007);
        }
        // A telephone call in which everything stands at its default.
        near(opinion(TELEPHONE_BEST), 4.41, 0.005);
        assert_eq!(opinion(0.0), 1.0);
        assert_eq!(opinion(-20.0), 1.0);
        assert_eq!(opinion(100.0), 4.5);
        assert_eq!(opinion(110.0), 4.5);
        assert_eq!(opinion(3.0), 1.0, "never below the worst");
    }

    #[test]
    fn scores_of_wideband_codecs_are_those_of_g_113_and_g_107_1() {
        // AMR-WB by one ear without loss: Ie,WB of G.113 table IV.1 on G.107.1's scale, whose best is 129.
        for (ie, score) in [(1.0, 4.49), (8.0, 4.42), (13.0, 4.34), (26.0, 4.02), (41.0, 3.51)] {
            near(opinion((129.0 - ie) / 1.29), score, 0.005);
        }
    }

    #[test]
    fn impairment_by_loss_is_that_of_g_113_appendix_i() {
        // G.729A with voice detection: Ie 11, Bpl 19; the Recommendation's table by listening tests.
        let table = [
            (0.0, 11.0),
            (1.0, 15.0),
            (2.0, 19.0),
            (3.0, 23.0),
            (4.0, 26.0),
            (8.0, 36.0),
            (16.0, 49.0),
        ];
        for (loss, impairment) in table {
            near(
                effective_impairment(11.0, 19.0, TELEPHONE_CEILING, loss, 1.0),
                impairment,
                0.6,
            );
        }
    }

    #[test]
    fn delay_takes_nothing_up_to_100_ms_and_then_what_g_107_says() {
        for delay in [0.0, 60.0, 100.0] {
            assert_eq!(delay_impairment(delay), 0.0);
        }
        // One and two doublings of 100 ms, worked out by hand: 25 (2^(1/6) - 3 (1 + 3^-6)^(1/6) + 2) and
        // 25 (65^(1/6) - 3 (1 + (2/3)^6)^(1/6) + 2).
        near(delay_impairment(200.0), 3.044, 0.005);
        near(delay_impairment(400.0), 24.07, 0.01);
        // At 400 ms a telephone call leaves the band in which some are dissatisfied (G.109: 70 and more).
        let at = |delay| TELEPHONE_BEST - delay_impairment(delay);
        assert!(at(380.0) > 70.0 && at(400.0) < 70.0, "{} {}", at(380.0), at(400.0));
    }

    #[test]
    fn the_rows_of_the_source_are_met_exactly_and_connected_straight() {
        for (rate, ie, bpl) in OPUS {
            let bitrate = rate as u32;
            let met = Codec::Opus { bitrate }.impairment();
            near(met.0, ie, 1e-9);
            near(met.1, bpl, 1e-9);
        }
        let (ie, bpl) = OPUS_32.impairment();
        near(ie, 16.13876, 1e-5);
        near(bpl, 10.33333, 1e-5);
        let at = |bitrate| Codec::Opus { bitrate }.impairment();
        assert_eq!(at(6_000), at(14_000));
        assert_eq!(at(128_000), (10.66596559, 9.79));
    }

    #[test]
    fn opus_without_loss_or_delay_is_as_good_as_its_rate_allows() {
        let at = |bitrate| mos(40.0, 0.0, 1.0, Codec::Opus { bitrate });
        near(at(40_000), 4.40, 0.01);
        near(at(32_000), 4.32, 0.01);
        near(at(16_000), 4.01, 0.01);
        assert!(at(40_000) > at(32_000) && at(32_000) > at(16_000));
    }

    #[test]
    fn opus_under_loss() {
        // (132 - 16.139) loss / (loss + 10.333), taken from 131.861, divided by 1.48.
        for (loss, score) in [(0.01, 4.10), (0.03, 3.67), (0.05, 3.28), (0.1, 2.61), (0.2, 1.94)] {
            near(mos(60.0, loss, 1.0, OPUS_32), score, 0.01);
        }
    }

    #[test]
    fn loss_in_bursts_is_worse_than_by_chance_within_the_formulas_range() {
        let at = |burst_ratio| mos(60.0, 0.05, burst_ratio, OPUS_32);
        assert!(at(1.0) > at(2.0) && at(2.0) > at(8.0));
        assert_eq!(at(0.2), at(1.0));
        assert_eq!(at(50.0), at(8.0));
    }

    #[test]
    fn more_of_anything_bad_is_never_better_and_the_score_keeps_its_bounds() {
        let mut before = f64::INFINITY;
        for step in 0..=400 {
            let step = f64::from(step);
            let score = mos(step * 5.0, step / 400.0, 1.0 + step / 50.0, OPUS_32);
            assert!((1.0..=4.5).contains(&score), "{score}");
            assert!(score <= before + 1e-12, "{score} after {before}");
            before = score;
        }
        assert_eq!(mos(2_000.0, 1.0, 8.0, OPUS_32), 1.0);
        assert_eq!(
            mos(0.0, 7.0, 1.0, OPUS_32),
            mos(0.0, 1.0, 1.0, OPUS_32),
            "a share is at most 1"
        );
    }

    #[test]
    fn delay_by_its_parts() {
        assert_eq!(one_way_delay_ms(100.0, 40.0), 116.5);
    }
}
