//! Signalling in a room: `GET /v1/rooms/socket`, JSON text frames.
//!
//! The first frame is [`RoomRequest::Hello`]; no token ever stands in a URL. The server answers with
//! [`RoomEvent::Welcome`]. Both sides send `heartbeat` every `heartbeat_ms`; a side that hears nothing
//! for `silence_ms` drops the socket and connects again with its resume token, which replaces its own
//! old connection and nobody else's. Media does not depend on any of this.

use crate::{
    Problem, UnixMillis,
    escalation::{EndReason, IceConfig},
    ids::{ConnectionId, RoomId},
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The two sides of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The desk; always makes the offer.
    Agent,
    /// The customer's browser; always answers.
    Customer,
}

impl Party {
    /// The other side.
    pub fn other(self) -> Self {
        match self {
            Party::Agent => Party::Customer,
            Party::Customer => Party::Agent,
        }
    }
}

/// The desk's SDP. A new `negotiation` means a new peer connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Offer {
    /// Increases with every offer of a room.
    pub negotiation: u32,
    /// SDP with all candidates known so far.
    pub sdp: String,
}

/// What a side sends at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MediaState {
    /// The microphone is heard.
    pub microphone: bool,
    /// The camera is seen.
    pub camera: bool,
    /// A screen is shared.
    pub screen: bool,
}

/// A side's place in the room. Tagged `place`, because `type` names the event that carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "place", rename_all = "snake_case")]
pub enum Presence {
    /// Never came, or gave the seat up.
    Absent,
    /// The customer's page is open and its connection is made ahead of the tap on Join. Nothing is sent.
    Warm {
        /// As in `here`.
        session: u32,
    },
    /// Its socket is open.
    Here {
        /// Increases when the side came without a resume token: its peer connection is new.
        session: u32,
    },
    /// Its socket is gone; the seat is kept.
    Away {
        /// Until then.
        until: UnixMillis,
    },
}

/// What is being tried to get picture and sound through. The desk decides and tells; both say it to their person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Attempt {
    /// The first connection. Also: nothing needs to be tried any more.
    Direct,
    /// A second one, with fresh sockets.
    Again,
    /// One over a relay.
    Relay,
    /// Sound alone: neither side sends pictures until told otherwise.
    SoundOnly,
}

/// From a party to the server.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RoomRequest {
    /// First frame.
    Hello {
        /// From [`crate::escalation::VideoStarted`], [`crate::escalation::Warmed`] or
        /// [`crate::escalation::Redeemed`].
        token: String,
        /// From the last welcome, when the same peer connection goes on.
        #[serde(default)]
        resume: Option<String>,
    },
    /// Agent only.
    Offer(Offer),
    /// Customer only.
    Answer {
        /// Of the offer answered.
        negotiation: u32,
        /// SDP.
        sdp: String,
    },
    /// One more address, either way.
    Candidate {
        /// Of the offer it belongs to.
        negotiation: u32,
        /// An SDP candidate attribute, `candidate:...`; empty at the end of candidates.
        candidate: String,
    },
    /// Agent only: what is being tried from now on.
    Attempt {
        /// What.
        attempt: Attempt,
    },
    /// The tap, of a customer who came with a warm token: redeems the invite for this browser.
    Join,
    /// Microphone, camera or screen went on or off.
    Media(MediaState),
    /// The first remote frame (or sound, without a camera) has come through.
    MediaFlowing,
    /// Hang up.
    Leave,
    /// Still here.
    Heartbeat,
}

/// From the server to a party.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RoomEvent {
    /// The seat is taken.
    Welcome {
        /// This socket.
        connection: ConnectionId,
        /// For the next hello of the same peer connection.
        resume: String,
        /// Where.
        room: RoomId,
        /// Which side you are.
        you: Party,
        /// The other side's place.
        other: Presence,
        /// The other side's media.
        other_media: MediaState,
        /// An offer that waits for an answer (customer only).
        offer: Option<Offer>,
        /// Send a heartbeat this often.
        heartbeat_ms: u32,
        /// Give a socket up after this much silence.
        silence_ms: u32,
    },
    /// Servers with fresh credentials, for the next connection: after each welcome, and again before they run out.
    Ice(IceConfig),
    /// The answer to [`RoomRequest::Join`]: the invite is redeemed, and the socket's token is a full one.
    Joined,
    /// The other side came or went.
    Presence(Presence),
    /// To the customer: the call was handed over. The next offer comes from this agent's desk.
    Agent {
        /// By name.
        name: String,
    },
    /// From the agent.
    Offer(Offer),
    /// From the customer.
    Answer {
        /// Of the offer answered.
        negotiation: u32,
        /// SDP.
        sdp: String,
    },
    /// From the other side.
    Candidate {
        /// Of the offer it belongs to.
        negotiation: u32,
        /// SDP candidate attribute.
        candidate: String,
    },
    /// The other side's microphone, camera or screen.
    Media(MediaState),
    /// From the agent: what is being tried from now on.
    Attempt {
        /// What.
        attempt: Attempt,
    },
    /// The call is over; the socket closes.
    Ended {
        /// Why.
        reason: EndReason,
    },
    /// A frame was refused; the socket stays open unless the code says otherwise.
    Problem(Problem),
    /// Still here.
    Heartbeat,
}
