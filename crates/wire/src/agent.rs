//! The desk's socket: `GET /v1/agent/socket`, JSON text frames. Hints travel here, truth by HTTP.

use crate::{
    Problem, UnixMillis,
    account::Account,
    conversation::{Conversation, Message},
    ids::{ConversationId, DeskId},
    readiness::{BoardRow, MyReadiness, Narrowing},
    routing::{Assignment, Chosen, Handed, MyPresence, Pause, TakenBack},
    wall::{Intervention, WallNews},
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The `Origin` a desk names when it opens a socket, whatever address it reaches the server by. No page
/// can have it: browsers set the header themselves, and only an app has this scheme.
pub const DESK_ORIGIN: &str = "tauri://localhost";

/// From the desk.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AgentRequest {
    /// First frame.
    Hello {
        /// From [`crate::account::Session`].
        access_token: String,
        /// This installation; its own older socket is replaced silently.
        desk: DeskId,
        /// Replace another desk of the same agent.
        take_over: bool,
    },
    /// The agent is writing.
    Typing {
        /// Where.
        conversation: ConversationId,
    },
    /// Something speaks against this desk's lease: a device was unplugged, the relay is lost. A quick or full report
    /// restores it.
    Narrow {
        /// Only [`Narrowing::Failed`] and [`Narrowing::Unplugged`]: the rest is the server's to know.
        why: Narrowing,
    },
    /// The readiness board is open, or closed again; supervisors only. Opening it brings every row, then each change.
    WatchBoard {
        /// Open.
        open: bool,
    },
    /// The live wall is open, or closed again; supervisors only. Opening it brings all of it, then what changes.
    WatchWall {
        /// Open.
        open: bool,
    },
    /// The agent is there again, after an assignment that came to nothing.
    BackAgain,
    /// The agent chooses a presence.
    Presence {
        /// Which.
        chosen: Chosen,
    },
    /// Still here.
    Heartbeat,
}

/// What a call may use where the deployment says nothing: 720p at 30 pictures a second and sound. There is no
/// "unlimited".
pub const DEFAULT_MAX_BITRATE: u32 = 2_500_000;

/// No cap is smaller than this: sound and the smallest picture. Bits a second.
pub const SMALLEST_MAX_BITRATE: u32 = 150_000;

pub(crate) fn default_max_bitrate() -> u32 {
    DEFAULT_MAX_BITRATE
}

/// To the desk.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AgentEvent {
    /// Signed in; the agent's whole inbox as it stands: open ones, and the agent's own that are not closed.
    Welcome {
        /// Who.
        account: Account,
        /// On whose behalf.
        company: String,
        /// No call sends more than this, picture and sound together, nor asks the customer's browser for more;
        /// bits a second.
        #[serde(default = "default_max_bitrate")]
        max_bitrate: u32,
        /// The inbox.
        conversations: Vec<Conversation>,
        /// Send a heartbeat this often.
        heartbeat_ms: u32,
        /// Give the socket up after this much silence.
        silence_ms: u32,
    },
    /// A conversation is new or has changed.
    Conversation(Conversation),
    /// A message was committed in one of the agent's conversations or an open one.
    Message(Message),
    /// The customer is writing.
    Typing {
        /// Where.
        conversation: ConversationId,
        /// Show it until then.
        until: UnixMillis,
    },
    /// This desk's lease, after the welcome and whenever it changes.
    Readiness(MyReadiness),
    /// A supervisor asks this desk to test itself.
    TestWanted,
    /// To supervisors with the board open: an agent's row is new or has changed.
    Board(BoardRow),
    /// To supervisors with the live wall open, at most twice a second.
    Wall(WallNews),
    /// A supervisor has done something in a conversation of this agent.
    Intervened(Intervention),
    /// The agent is asked to take this conversation: after the welcome, and from then on.
    Assigned(Assignment),
    /// The agent is not asked any more.
    TakenBack {
        /// Which.
        conversation: ConversationId,
        /// Why.
        why: TakenBack,
        /// A colleague is asked now.
        elsewhere: bool,
    },
    /// Where conversations are assigned, after the welcome and whenever it changes: why this agent is given none.
    Paused {
        /// `None`: they are given.
        why: Option<Pause>,
    },
    /// The agent's own presence, after the welcome and whenever it changes.
    Presence(MyPresence),
    /// What came of a conversation that this agent wanted to hand over.
    Handed(Handed),
    /// Not in this agent's inbox any more: a colleague is asked, or has it.
    Gone {
        /// Which.
        conversation: ConversationId,
    },
    /// The socket closes: another desk took over, or the session ended.
    Problem(Problem),
    /// Still here.
    Heartbeat,
}
