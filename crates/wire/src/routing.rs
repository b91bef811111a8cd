//! Assignments: a conversation that one agent is asked to take. (*Offer* always means SDP.)

use crate::{
    UnixMillis,
    conversation::{Context, ContextValue},
    ids::{AccountId, ConversationId},
};
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
    /// Who wrote.
    #[serde(default)]
    pub customer_name: String,
    /// The colleague who hands it over, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from: Option<String>,
    /// What that colleague, or the owner before, wrote for the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<String>,
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
    /// The customer of another conversation of this agent has joined a video call.
    CallBegan,
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

/// What an agent chooses. *Busy* is not chosen: it is what a load looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// Takes work as far as there is room for it.
    Available,
    /// Goes on with what there is, and takes nothing new.
    DoNotDisturb,
    /// Not at the desk.
    Away,
    /// Signed in, and seen by nobody.
    Offline,
}

/// How an agent's presence looks to colleagues and supervisors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AgentPresence {
    /// Free.
    Available,
    /// Has work, and room for more.
    Busy,
    /// Takes nothing new.
    DoNotDisturb {
        /// Why.
        why: Undisturbed,
    },
    /// Missed an assignment.
    Inactive,
    /// Chosen.
    Away,
    /// Chosen, or the desk is not connected.
    Offline,
}

/// Why an agent is not to be disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Undisturbed {
    /// Chosen.
    Chosen,
    /// An assignment was declined.
    Declined,
    /// In a video call: nothing more until it ends (call-options-visual-engagement.md).
    InCall,
    /// As many conversations as one may have.
    Sessions,
    /// No capacity left.
    Full,
}

/// An agent's own presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MyPresence {
    /// What the agent chose.
    pub chosen: Chosen,
    /// What colleagues see.
    pub presence: AgentPresence,
    /// Conversations are assigned here; who waits is not everybody's to take.
    pub by_turn: bool,
}

/// `POST /v1/conversations/{id}/transfer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Transfer {
    /// To whom.
    pub to: TransferTo,
    /// For the next agent; may be empty.
    #[serde(default)]
    pub note: String,
}

/// Where a conversation is handed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TransferTo {
    /// To a colleague, who is asked; until the answer the owner keeps it.
    Agent {
        /// Who.
        account: AccountId,
    },
    /// To those of a queue; the owner is free at once.
    Queue {
        /// Its number.
        queue: u32,
    },
}

/// `GET /v1/conversations/{id}/targets`: whom it can be handed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TransferTargets {
    /// Colleagues by name; those who cannot have it say why.
    pub agents: Vec<AgentTarget>,
    /// Queues by title.
    pub queues: Vec<QueueTarget>,
}

/// A colleague.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AgentTarget {
    /// Who.
    pub account: AccountId,
    /// By name.
    pub name: String,
    /// As it is now.
    pub presence: AgentPresence,
    /// Why it cannot be handed to this one now, in plain words.
    pub why_not: Option<String>,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct QueueTarget {
    /// Its number.
    pub queue: u32,
    /// Its title.
    pub title: String,
    /// Somebody is there.
    pub staffed: bool,
    /// It is within its hours.
    pub open: bool,
    /// So many wait in it.
    pub waiting: u32,
}

/// What came of a transfer to a colleague.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Handed {
    /// Which.
    pub conversation: ConversationId,
    /// Whose customer.
    pub customer_name: String,
    /// Who was asked.
    pub to: String,
    /// Why it stays with its owner; `None`: the colleague has it now.
    pub why_not: Option<TakenBack>,
}

/// `GET /v1/conversations/{id}/why`: for supervisors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Why {
    /// Who owns it, by name.
    #[serde(default)]
    pub owner: Option<String>,
    /// Who is being asked to take it, by name.
    #[serde(default)]
    pub asked: Option<String>,
    /// The queue it stands in, or came from.
    pub queue: String,
    /// The deployment's rule that put it there.
    pub rule: Option<String>,
    /// Higher is more urgent.
    pub priority: u8,
    /// It arrived.
    pub since: UnixMillis,
    /// Why its owner, or the one who is asked, was chosen, in plain words.
    pub because: Option<String>,
    /// Why nobody has it, in plain words.
    pub waits: Option<String>,
    /// While it waits: each agent of the queue with what stands in the way, those who could take it first.
    pub agents: Vec<WhyNot>,
}

/// Why one agent does not get a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct WhyNot {
    /// Who.
    pub account: AccountId,
    /// By name.
    pub name: String,
    /// In plain words; `None` for one who could take it.
    pub reason: Option<String>,
}

/// The event by which a customer's page, or a bot on whatever channel of the Bot Framework, asks for video.
pub const VIDEO_REQUEST: &str = "video.request";

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

/// The context variable with which Genesys's guide says where a conversation is to go.
pub const TARGET_CHANNEL: &str = "Target_Channel";

/// What is kept with the platform of a video call that there was.
pub const VIDEO_ROOM: &str = "videoRoom";

/// Whether the conversation came to be raised to video: the customer wants it, or a platform says so. A platform that gives
/// back what we told it of a call asks for nothing.
pub fn asks_for_video(context: &Context) -> bool {
    let target = matches!(
        context.get(TARGET_CHANNEL),
        Some(ContextValue::Text(channel)) if channel.trim().eq_ignore_ascii_case("video")
    );
    wants_video(context) || (target && !context.contains_key(VIDEO_ROOM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_asks_for_video_by_its_target_and_not_by_what_it_keeps_of_a_call() {
        let asks = |json: &str| asks_for_video(&serde_json::from_str(json).unwrap());
        for yes in [
            r#"{ "Target_Channel": "Video" }"#,
            r#"{ "Target_Channel": " VIDEO" }"#,
            r#"{ "VideoCall": true }"#,
        ] {
            assert!(asks(yes), "{yes}");
        }
        for no in [
            r#"{ "Target_Channel": "Voice" }"#,
            r#"{ "Target_Channel": true }"#,
            r#"{ "Target_Channel": "Video", "videoRoom": "disconnected" }"#,
            "{}",
        ] {
            assert!(!asks(no), "{no}");
        }
    }

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
