//! From text to video: the command, the invite, and the call's place in the conversation.

use crate::{
    UnixMillis,
    conversation::Sound,
    ids::{CommandId, ConversationId, EscalationId, RoomId},
    room::Offer,
    stats::CallSummary,
    survey::Survey,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a call is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The agent hung up.
    AgentHungUp,
    /// The customer left.
    CustomerLeft,
    /// The customer chose "Not now".
    CustomerDeclined,
    /// The agent took the invite back.
    Cancelled,
    /// Nobody came before the invite's end.
    InviteExpired,
    /// The customer's seat stayed empty for its 60 seconds.
    CustomerLost,
    /// The agent's desk stayed away for too long.
    AgentLost,
    /// No media came through.
    MediaFailed,
    /// "End call and wrap up".
    WrappedUp,
}

/// Where an escalation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EscalationState {
    /// The link is out.
    Invited,
    /// The customer has redeemed it.
    Joining {
        /// When.
        since: UnixMillis,
    },
    /// Both sides see or hear each other.
    Live {
        /// Since the first frame.
        since: UnixMillis,
    },
    /// Over.
    Ended {
        /// When.
        at: UnixMillis,
        /// Why.
        reason: EndReason,
        /// How long it was live.
        live_ms: i64,
    },
}

impl EscalationState {
    /// Whether it occupies the agent's one video slot.
    pub fn holds_slot(&self) -> bool {
        !matches!(self, EscalationState::Ended { .. })
    }
}

/// One use of video in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EscalationView {
    /// Identifier.
    pub id: EscalationId,
    /// Where it belongs.
    pub conversation: ConversationId,
    /// Where the parties meet.
    pub room: RoomId,
    /// Where it stands.
    pub state: EscalationState,
    /// The customer's link.
    pub url: String,
    /// When the link stops working.
    pub expires_at: UnixMillis,
    /// When the agent clicked.
    pub created_at: UnixMillis,
    /// What the customer said afterwards.
    pub survey: Option<Survey>,
    /// What it was like, once it is over and something is known.
    #[serde(default)]
    pub quality: Option<CallSummary>,
}

/// `POST /v1/conversations/{id}/escalations`: Start video. Repeating a `command_id` answers the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StartVideo {
    /// Chosen by the desk.
    pub command_id: CommandId,
}

/// A STUN or TURN server, in the form of `RTCIceServer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct IceServer {
    /// `stun:host:port` or `turn:host:port?transport=udp`.
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub username: Option<String>,
    /// For TURN; time-limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub credential: Option<String>,
}

/// Which ways a call's media may take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum IcePolicy {
    /// Directly where the networks allow it, else through a relay.
    #[default]
    All,
    /// Only through a relay: neither side learns the other's address (`iceTransportPolicy: "relay"`).
    RelayOnly,
}

/// What a peer connection is opened with. Made afresh for each request, because the credentials in it work for
/// five minutes at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct IceConfig {
    /// Where to find out the own address, and relays.
    pub servers: Vec<IceServer>,
    /// Which ways may be taken.
    #[serde(default)]
    pub policy: IcePolicy,
}

/// The answer to [`StartVideo`]; also `POST /v1/escalations/{id}/rejoin` for a desk that restarted.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct VideoStarted {
    /// The new escalation.
    pub escalation: EscalationView,
    /// Opens the room socket as the agent.
    pub room_token: String,
    /// For ICE.
    pub ice_servers: Vec<IceServer>,
    /// Which of them may be used.
    #[serde(default)]
    pub ice_policy: IcePolicy,
    /// This call uses no more, picture and sound together, bits a second: the smaller of the deployment's cap and its
    /// queue's.
    #[serde(default = "crate::agent::default_max_bitrate")]
    pub max_bitrate: u32,
}

/// What opening a link may tell before anything is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum InviteState {
    /// It can be redeemed from this browser.
    Open,
    /// Its time is over.
    Expired,
    /// The agent took it back.
    Revoked,
    /// Another browser has joined with it.
    InUse,
    /// The call is over.
    Ended,
}

/// `GET /v1/invites/{code}` with the header `x-sightline-browser`; changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct InviteView {
    /// Whether joining is possible.
    pub state: InviteState,
    /// Who waits.
    pub agent_name: String,
    /// On whose behalf.
    pub company: String,
    /// When the link stops working.
    pub expires_at: UnixMillis,
    /// Whether the customer may be asked how it was.
    pub survey: bool,
    /// Where the customer and the agent hear each other.
    #[serde(default)]
    pub sound: Sound,
    /// How the customer writes dates and times, where a bot or a page has said: `de-CH`.
    pub locale: Option<String>,
}

/// `POST /v1/invites/{code}/redeem`, `/warm` ahead of it, and `/decline` for "Not now".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Redeem {
    /// At least 128 random bits that this browser keeps; the seat is bound to them.
    pub browser_key: String,
}

/// The answer to [`Redeem`] at `/warm`: what the page needs to connect ahead of the tap. It spends nothing, and
/// a later browser's takes its place.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct Warmed {
    /// Opens the room socket until the invite is redeemed elsewhere or over.
    pub room_token: String,
    /// The desk's waiting offer; one that is answered already is followed by another in the room.
    pub offer: Option<Offer>,
    /// For ICE.
    pub ice_servers: Vec<IceServer>,
    /// Which of them may be used ahead of the tap.
    #[serde(default)]
    pub ice_policy: IcePolicy,
}

/// The answer to [`Redeem`]: everything the page needs to start media in one go.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct Redeemed {
    /// Where the parties meet.
    pub room: RoomId,
    /// Opens the room socket as the customer, and the survey.
    pub room_token: String,
    /// Who waits.
    pub agent_name: String,
    /// On whose behalf.
    pub company: String,
    /// The desk's waiting offer, when it has left one.
    pub offer: Option<Offer>,
    /// For ICE.
    pub ice_servers: Vec<IceServer>,
    /// Which of them may be used.
    #[serde(default)]
    pub ice_policy: IcePolicy,
}
