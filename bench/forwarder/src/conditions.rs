//! What a direction of the network is like, and the lines that change it.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One direction. The default is a perfect line.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    /// One way, milliseconds.
    pub delay_ms: f64,
    /// Added to the delay, uniformly from 0 to this. Packets are never reordered.
    pub jitter_ms: f64,
    /// Share of UDP packets that vanish. TCP is spared: the goals are about media, not about page loads.
    pub loss: f64,
    /// How many are lost in a row on average (Gilbert's model); 1 or less is independent loss.
    pub burst: f64,
    /// Capacity in bits a second, IP headers included; none is unlimited.
    pub rate_bps: Option<u64>,
    /// How long the queue before a limited line may get, in milliseconds at its rate; the tail is dropped.
    pub queue_ms: f64,
    /// Nothing passes at all.
    pub down: bool,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            delay_ms: 0.0,
            jitter_ms: 0.0,
            loss: 0.0,
            burst: 1.0,
            rate_bps: None,
            queue_ms: 300.0,
            down: false,
        }
    }
}

impl Conditions {
    /// Why these cannot be.
    fn fault(&self) -> Option<&'static str> {
        let time = |ms: f64| (0.0..=60_000.0).contains(&ms);
        if !time(self.delay_ms) || !time(self.jitter_ms) || !time(self.queue_ms) {
            return Some("a time is not between 0 and 60,000 ms");
        }
        if !(0.0..=1.0).contains(&self.loss) {
            return Some("loss is a share from 0 to 1");
        }
        if self.loss < 1.0 && self.burst > 1.0 && self.loss / (1.0 - self.loss) > self.burst {
            return Some("so much loss needs longer bursts");
        }
        if self.rate_bps.is_some_and(|rate| rate < 1_000) {
            return Some("a rate is at least 1,000 bit/s; use down for none");
        }
        None
    }
}

/// One line of standard input. What is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Said back when it is done.
    pub id: u64,
    /// From the first host to the second.
    pub a_to_b: Option<Conditions>,
    /// And back.
    pub b_to_a: Option<Conditions>,
    /// Starts chance anew, so that samples of one pair meet the same losses.
    pub seed: Option<u64>,
    /// Whether to print what passed, every 100 ms.
    pub report: Option<bool>,
    /// Every packet goes into this file from now on, as its host sends it; an empty path ends it.
    pub capture: Option<PathBuf>,
}

/// Reads a line; an error is what is wrong with it.
pub fn parse(line: &str) -> Result<Command, String> {
    let command: Command = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let faults = [command.a_to_b, command.b_to_a]
        .into_iter()
        .flatten()
        .find_map(|conditions| conditions.fault());
    match faults {
        Some(fault) => Err(fault.into()),
        None => Ok(command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_a_perfect_line() {
        let command = parse(r#"{"id":7,"a_to_b":{"delay_ms":50,"loss":0.05}}"#).expect("a good line");
        let expected = Conditions {
            delay_ms: 50.0,
            loss: 0.05,
            ..Conditions::default()
        };
        assert_eq!((command.id, command.a_to_b, command.b_to_a), (7, Some(expected), None));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "",
            "{}",
            r#"{"id":1,"a_to_b":{"delay":50}}"#,
            r#"{"id":1,"a_to_b":{"delay_ms":-1}}"#,
            r#"{"id":1,"b_to_a":{"loss":5}}"#,
            r#"{"id":1,"b_to_a":{"loss":0.9,"burst":2}}"#,
            r#"{"id":1,"b_to_a":{"rate_bps":0}}"#,
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
