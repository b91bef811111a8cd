//! What goes into the call on the stage, and what comes out of it.

use crate::ladder::Arrival;
use sightline_wire::{
    Problem,
    device::{DeviceKind, Quality},
    escalation::{EndReason, EscalationView, IcePolicy},
    ids::EscalationId,
    room::{Attempt, MediaState, Offer, Presence},
};

/// Something that happened to the call.
#[derive(Debug, Clone)]
pub enum CallInput {
    /// The ways this deployment allows, before [`CallInput::Started`].
    Policy(IcePolicy),
    /// Whether there are relays, likewise.
    Relays(bool),
    /// The server answered Start video, or a rejoin.
    Started(EscalationView),
    /// The conversation came with this newest escalation.
    Escalation(EscalationView),
    /// The room socket has its seat.
    RoomReached {
        /// The customer's place.
        other: Presence,
        /// The customer's media.
        other_media: MediaState,
    },
    /// The room socket is gone.
    RoomLost,
    /// The customer came or went.
    OtherPresence(Presence),
    /// The customer's microphone, camera or screen.
    OtherMedia(MediaState),
    /// The customer's answer.
    Answer {
        /// Of the offer answered.
        negotiation: u32,
        /// SDP.
        sdp: String,
    },
    /// One more address of the customer's.
    Candidate {
        /// Of the offer it belongs to.
        negotiation: u32,
        /// SDP candidate attribute.
        candidate: String,
    },
    /// The room says the call is over.
    RoomEnded(EndReason),
    /// The engine made an offer.
    OfferReady(Offer),
    /// The engine found one more address of ours.
    Found {
        /// Of the offer it belongs to.
        negotiation: u32,
        /// SDP candidate attribute.
        candidate: String,
    },
    /// None of the relays can be used.
    NoRelay {
        /// Of the offer it belongs to.
        negotiation: u32,
        /// Why.
        problem: Problem,
    },
    /// ICE and DTLS are up.
    Connected {
        /// Of the offer it belongs to.
        negotiation: u32,
    },
    /// The customer's media has come so far.
    Flowing {
        /// Of the offer it belongs to.
        negotiation: u32,
        /// How far.
        arrival: Arrival,
    },
    /// Media came in on a connection that was not admitted: the customer has tapped Join.
    Knocked {
        /// Of the offer it belongs to.
        negotiation: u32,
    },
    /// The network path was lost or found again.
    Path {
        /// Up or down.
        up: bool,
    },
    /// The mark, once a second.
    Quality(Quality),
    /// What is really sent.
    Own(MediaState),
    /// The agent shares something of this name, or nothing any more.
    Sharing(Option<String>),
    /// A device is missing, busy or lost.
    DeviceProblem {
        /// Which kind.
        kind: DeviceKind,
        /// What.
        problem: Problem,
    },
    /// A device works again.
    DeviceReady {
        /// Which kind.
        kind: DeviceKind,
    },
    /// The engine cannot go on.
    MediaFailed(Problem),
    /// The agent hung up, or took the invite back.
    HangUp,
    /// The time of [`super::DeskCall::deadline`] has come.
    Tick,
}

/// Something to do for the call, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallEffect {
    /// Ask the engine for a new peer connection and its offer, at least as strict as this.
    MakeOffer(u32, IcePolicy),
    /// Leave the offer in the room.
    SendOffer(Offer),
    /// Tell the customer one more address of ours.
    SendCandidate {
        /// Of the offer it belongs to.
        negotiation: u32,
        /// SDP candidate attribute.
        candidate: String,
    },
    /// Hand the answer to the engine.
    AcceptAnswer {
        /// Of the offer answered.
        negotiation: u32,
        /// SDP.
        sdp: String,
    },
    /// Hand the address to the engine.
    AddCandidate {
        /// Of the offer it belongs to.
        negotiation: u32,
        /// SDP candidate attribute.
        candidate: String,
    },
    /// Let our media go over this connection.
    Admit(u32),
    /// Close this connection at once.
    Cut(u32),
    /// Tell the engine what the customer sends.
    RemoteMedia(MediaState),
    /// Tell the room what we send.
    SendMedia(MediaState),
    /// Tell the room that media came through.
    TellFlowing,
    /// Tell the room what is being tried.
    TellAttempt(Attempt),
    /// Switch the camera, as the agent would.
    SetCamera(bool),
    /// Give microphone, camera and network back.
    StopMedia,
    /// Make sure quickly that the room can be reached: its socket may be as dead as the media path.
    CheckRoom,
    /// Leave the room and close its socket.
    LeaveRoom,
    /// Close the room's socket without a word: the server hears about the end in another way.
    CloseRoom,
    /// End the escalation on the server, however often it takes.
    EndOnServer(EscalationId),
    /// Likewise, as one whose media never came through.
    FailOnServer(EscalationId),
}
