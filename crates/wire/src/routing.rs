//! Assignments: a conversation that one agent is asked to take. (*Offer* always means SDP.)

use crate::{conversation::Context, conversation::ContextValue, ids::ConversationId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A conversation that an agent is asked to take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Assignment {
    /// Which.
    pub conversation: ConversationId,
    /// The customer wants to be seen: the desk's lease has to allow it for as long as the agent is asked.
    pub video: bool,
    /// The agent is asked for so much longer, in milliseconds; the clocks of desk and server need not agree.
    pub left_ms: i64,
    /// Of so many altogether.
    pub asked_ms: i64,
    /// Why this agent, in plain words.
    pub because: String,
}

/// Why an assignment is over without having been accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TakenBack {
    /// Not answered in time; the agent is inactive now.
    Missed,
    /// The agent turned it down, and is not disturbed now.
    Declined,
    /// The agent's desk is gone.
    Disconnected,
    /// The agent went away, or does not want to be disturbed.
    Absent,
    /// The lease of the agent's desk does not allow it any more.
    LeaseNarrowed,
    /// A supervisor's choice came in its place.
    GivesWay,
    /// It wants something else than before.
    WantsOther,
    /// A colleague, a supervisor or the end of the conversation was faster.
    Withdrawn,
}

/// What an assignment that came to nothing left behind: nothing is assigned until the agent says or takes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// Not answered in time.
    Missed,
    /// Turned down.
    Declined,
}

/// The context variable that says that a customer wants to be seen (Dynamics 365's).
pub const VIDEO_CALL: &str = "VideoCall";

/// Whether the customer wants to be seen. Context that nobody has declared arrives as text, so `"True"` says yes too.
pub fn wants_video(context: &Context) -> bool {
    match context.get(VIDEO_CALL) {
        Some(ContextValue::Truth(yes)) => *yes,
        Some(ContextValue::Text(text)) => text.trim().eq_ignore_ascii_case("true"),
        Some(ContextValue::Number(_)) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn video_is_wanted_as_a_truth_and_as_a_text() {
        let wants = |json: &str| wants_video(&serde_json::from_str(json).unwrap());
        for yes in [r#"true"#, r#""true""#, r#""True""#, r#"" TRUE ""#] {
            assert!(wants(&format!(r#"{{ "VideoCall": {yes} }}"#)), "{yes}");
        }
        for no in [r#"false"#, r#""false""#, r#""yes""#, r#"1"#, r#""""#] {
            assert!(!wants(&format!(r#"{{ "VideoCall": {no} }}"#)), "{no}");
        }
        assert!(!wants(r#"{ "videocall": true }"#), "names are case-sensitive");
        assert!(!wants("{}"));
    }
}
