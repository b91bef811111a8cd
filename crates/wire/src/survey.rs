//! The customer's rating of a call.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Thumbs up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Good.
    Up,
    /// Bad.
    Down,
}

/// What went wrong: the eight reasons of Flex's video application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Issue {
    /// I could not hear.
    CouldNotHear,
    /// The other person could not hear me.
    NotHeard,
    /// The picture was of low quality.
    LowQuality,
    /// The picture froze or was choppy.
    Choppy,
    /// I could not see the other person.
    CouldNotSee,
    /// Sound and picture did not fit together.
    OutOfSync,
    /// The other person could not see me.
    NotSeen,
    /// Something else; the comment says what.
    Other,
}

/// `POST /v1/rooms/{room}/survey`, with the room token; once per customer, a second one replaces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Survey {
    /// Thumbs.
    pub verdict: Verdict,
    /// Reasons, when something was wrong.
    #[serde(default)]
    pub issues: Vec<Issue>,
    /// Free text, at most 1,000 characters.
    #[serde(default)]
    pub comment: String,
}
