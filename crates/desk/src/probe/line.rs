//! The line to the server: round trips, what it carries, and how the two clocks differ.
//!
//! Everything goes over the connection that the desk uses anyway. A stream loses no packets, it only gets late, so
//! loss is not measured here but in the test call.

use crate::api::{Api, Asked};
use sightline_call::readiness::figures::{ClockMeasured, LineMeasured};
use sightline_wire::{
    Problem, UnixMillis,
    probe::{MAX_TRANSFER_BYTES, Probed},
};
use std::time::{Duration, UNIX_EPOCH};
use tokio::time::Instant;

/// Questions for the round trip; the median of nine is not moved by two late ones.
const ROUNDS: usize = 9;

/// The smallest transfer: what a first flight of TCP carries several times over.
const FIRST_TRANSFER: usize = 64 * 1024;

/// A transfer that takes so long says enough. Three of them fit into the check's deadline.
const LONGEST_TRANSFER: Duration = Duration::from_secs(3);

/// The second transfer is as large as the line seems to carry in this time.
const SECOND_TRANSFER: Duration = Duration::from_millis(800);

/// One question and its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// In milliseconds.
    pub rtt_ms: f64,
    /// This computer's clock half-way between question and answer.
    pub here: f64,
    /// What the server said its clock was.
    pub there: Option<Told>,
}

/// How exactly the server told its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// To the millisecond.
    Exactly(UnixMillis),
    /// In this second: the header `date` (RFC 9110, 6.6.1).
    Within(UnixMillis),
}

/// Asks `count` questions, one after the other, after a first one that opens the connection.
pub async fn rounds(api: &Api, count: usize) -> Result<Vec<Round>, Problem> {
    api.who().await?;
    let mut rounds = Vec::with_capacity(count);
    for _ in 0..count {
        let (begun, before) = (Instant::now(), crate::now());
        let asked = api.who().await?;
        let rtt_ms = begun.elapsed().as_secs_f64() * 1_000.0;
        rounds.push(Round {
            rtt_ms,
            here: before as f64 + rtt_ms / 2.0,
            there: told(&asked),
        });
    }
    Ok(rounds)
}

fn told(asked: &Asked) -> Option<Told> {
    if let Ok(probed) = serde_json::from_slice::<Probed>(&asked.body)
        && (200..300).contains(&asked.status)
    {
        return Some(Told::Exactly(probed.at));
    }
    let date = httpdate::parse_http_date(asked.date.as_deref()?).ok()?;
    let since = date.duration_since(UNIX_EPOCH).ok()?;
    UnixMillis::try_from(since.as_millis()).ok().map(Told::Within)
}

/// This clock beside the server's. The server looked at its clock at some moment between question and answer, so each
/// round gives a range for the difference; it lies where all of them overlap.
pub fn clock_of(rounds: &[Round]) -> Option<ClockMeasured> {
    let ranges = rounds.iter().filter_map(|round| {
        // A clock that shows whole milliseconds may be one behind, on both sides.
        let spread = round.rtt_ms / 2.0 + 1.0;
        let (earliest, latest) = match round.there? {
            Told::Exactly(at) => (at as f64, at as f64),
            Told::Within(second) => (second as f64, second as f64 + 1_000.0),
        };
        Some((round.here - latest - spread, round.here - earliest + spread))
    });
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    let mut narrowest: Option<(f64, f64)> = None;
    for (from, to) in ranges {
        low = low.max(from);
        high = high.min(to);
        if narrowest.is_none_or(|(a, b)| to - from < b - a) {
            narrowest = Some((from, to));
        }
    }
    let narrowest = narrowest?;
    // A clock that was set in between leaves no overlap: then the quickest round counts.
    let (low, high) = if low <= high { (low, high) } else { narrowest };
    Some(ClockMeasured {
        offset_ms: (low + high) / 2.0,
        uncertainty_ms: (high - low) / 2.0,
    })
}

/// Round trip and unevenness; the capacities are filled in by [`line`].
pub fn trips_of(rounds: &[Round]) -> LineMeasured {
    let mut sorted: Vec<f64> = rounds.iter().map(|round| round.rtt_ms).collect();
    sorted.sort_by(f64::total_cmp);
    let steps = rounds.windows(2).map(|pair| (pair[1].rtt_ms - pair[0].rtt_ms).abs());
    let count = rounds.len().saturating_sub(1).max(1);
    LineMeasured {
        rtt_ms: sorted.get(sorted.len() / 2).copied().unwrap_or(0.0),
        jitter_ms: steps.sum::<f64>() / count as f64,
        loss: None,
        down_bps: None,
        up_bps: None,
    }
}

/// Measures the line. The transfers need somebody signed in; without, only the round trips are known.
pub async fn line(api: &Api) -> Result<LineMeasured, Problem> {
    let mut measured = trips_of(&rounds(api, ROUNDS).await?);
    measured.down_bps = capacity(api, Way::Down, measured.rtt_ms).await;
    measured.up_bps = capacity(api, Way::Up, measured.rtt_ms).await;
    Ok(measured)
}

#[derive(Clone, Copy)]
enum Way {
    Down,
    Up,
}

/// A small transfer tells how large a second one may be, which has left the stream's slow start behind it.
async fn capacity(api: &Api, way: Way, rtt_ms: f64) -> Option<f64> {
    let first = transfer(api, way, FIRST_TRANSFER, rtt_ms).await?;
    let bytes = second_transfer(first);
    if bytes <= FIRST_TRANSFER {
        return Some(first);
    }
    Some(transfer(api, way, bytes, rtt_ms).await.unwrap_or(first))
}

fn second_transfer(bps: f64) -> usize {
    let bytes = bps / 8.0 * SECOND_TRANSFER.as_secs_f64();
    (bytes as usize).min(MAX_TRANSFER_BYTES)
}

/// In bits a second, without the round trip that the question itself takes.
async fn transfer(api: &Api, way: Way, bytes: usize, rtt_ms: f64) -> Option<f64> {
    let transferred = match way {
        Way::Down => api.download(bytes, LONGEST_TRANSFER).await,
        Way::Up => api.upload(bytes, LONGEST_TRANSFER).await,
    };
    let transferred = transferred
        .inspect_err(|problem| tracing::debug!(code = ?problem.code, "the line's capacity was not measured"))
        .ok()?;
    let seconds = (transferred.took.as_secs_f64() - rtt_ms / 1_000.0).max(0.000_1);
    (transferred.bytes > 0).then(|| transferred.bytes as f64 * 8.0 / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(rtt_ms: f64, here: f64, there: Told) -> Round {
        Round {
            rtt_ms,
            here,
            there: Some(there),
        }
    }

    #[test]
    fn a_clock_is_known_as_exactly_as_the_quickest_answer() {
        // 250 ms fast; the true moment of the server's look lies anywhere within the round trip.
        let rounds = [
            round(80.0, 10_250.0, Told::Exactly(10_020)),
            round(10.0, 11_250.0, Told::Exactly(10_998)),
            round(40.0, 12_250.0, Told::Exactly(12_010)),
        ];
        let clock = clock_of(&rounds).expect("a time was told");
        assert!((clock.offset_ms - 250.0).abs() <= clock.uncertainty_ms, "{clock:?}");
        assert!(clock.uncertainty_ms <= 6.0, "{clock:?}");
    }

    #[test]
    fn seconds_alone_narrow_each_other_down() {
        // The server is 3 s behind; it shows whole seconds.
        let rounds: Vec<_> = (0..8)
            .map(|n| {
                let here = 100_000.0 + f64::from(n) * 130.0;
                let there = ((here as i64 - 3_000) / 1_000) * 1_000;
                round(20.0, here, Told::Within(there))
            })
            .collect();
        let clock = clock_of(&rounds).expect("a time was told");
        assert!((clock.offset_ms - 3_000.0).abs() <= clock.uncertainty_ms, "{clock:?}");
        assert!(clock.uncertainty_ms < 200.0, "{clock:?}");
        assert_eq!(clock_of(&[]), None);
    }

    #[test]
    fn a_clock_set_in_between_leaves_the_quickest_answer() {
        let rounds = [
            round(30.0, 10_000.0, Told::Exactly(10_000)),
            round(10.0, 50_000.0, Told::Exactly(10_050)),
        ];
        let clock = clock_of(&rounds).expect("a time was told");
        assert!((clock.offset_ms - 39_950.0).abs() < 1.0, "{clock:?}");
    }

    #[test]
    fn late_answers_make_it_uneven_and_not_long() {
        let rounds: Vec<_> = [20.0, 22.0, 320.0, 21.0, 20.0]
            .into_iter()
            .map(|rtt_ms| Round {
                rtt_ms,
                here: 0.0,
                there: None,
            })
            .collect();
        let line = trips_of(&rounds);
        assert_eq!(line.rtt_ms, 21.0);
        assert_eq!(line.jitter_ms, (2.0 + 298.0 + 299.0 + 1.0) / 4.0);
    }

    #[test]
    fn a_narrow_line_is_not_filled_for_long() {
        assert!(second_transfer(300_000.0) < FIRST_TRANSFER);
        assert_eq!(second_transfer(1e9), MAX_TRANSFER_BYTES);
    }

    #[test]
    fn the_servers_own_time_counts_before_the_header() {
        let body = serde_json::json!({ "product": "sightline", "version": "1", "at": 784_111_777_123_i64 });
        let mut asked = Asked {
            status: 200,
            date: Some("Sun, 06 Nov 1994 08:49:37 GMT".into()),
            body: body.to_string().into_bytes(),
        };
        assert_eq!(told(&asked), Some(Told::Exactly(784_111_777_123)));
        asked.status = 404;
        assert_eq!(told(&asked), Some(Told::Within(784_111_777_000)));
        asked.date = None;
        assert_eq!(told(&asked), None);
    }
}
