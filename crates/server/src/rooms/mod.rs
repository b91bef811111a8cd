//! Rooms: where the two sides of a call exchange signalling.
//!
//! Every call that is not over has one task, the [`room`]; it alone owns the room's state, so there is nothing
//! to lock. Sockets hand it what they hear and are handed what to say. It also keeps the deadlines: the
//! invite's end, and the seats'.

mod room;
mod signalling;
mod socket;

pub use socket::open;

use crate::app::App;
use sightline_store::{escalations::Escalation, rooms::StoredRoom};
use sightline_wire::{
    Problem,
    escalation::EndReason,
    ids::{ConnectionId, RoomId},
    room::{Party, RoomEvent, RoomRequest},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{mpsc, oneshot, watch};

/// Frames that may wait for a room or for one of its sockets.
pub const QUEUE: usize = 256;

/// What a room hears.
pub enum Happened {
    /// The invite was redeemed over HTTP.
    Redeemed,
    /// A socket has shown its token.
    Connected {
        visitor: Visitor,
        resume: Option<String>,
        events: mpsc::Sender<RoomEvent>,
        answer: oneshot::Sender<Result<ConnectionId, Problem>>,
    },
    /// A socket has heard a frame.
    Frame {
        party: Party,
        connection: ConnectionId,
        request: RoomRequest,
    },
    /// A socket is gone.
    Disconnected { party: Party, connection: ConnectionId },
    /// The call is another agent's, whose desk comes with a token of its own.
    HandedOver {
        /// By name.
        agent: String,
    },
}

/// Who comes in with a token.
#[derive(Debug, Clone)]
pub enum Visitor {
    /// A side with a place in the call.
    Seated(Party),
    /// A customer's browser ahead of the tap.
    Warm(Warm),
}

/// What a warm socket needs to redeem the invite later.
#[derive(Debug, Clone)]
pub struct Warm {
    /// Of the token it came with.
    pub token_hash: String,
    /// Of the key of its browser.
    pub browser_hash: String,
}

impl Visitor {
    fn party(&self) -> Party {
        match self {
            Self::Seated(party) => *party,
            Self::Warm(_) => Party::Customer,
        }
    }
}

#[derive(Clone)]
struct Handle {
    happened: mpsc::Sender<Happened>,
    over: watch::Sender<Option<EndReason>>,
}

/// The rooms of all calls that are not over.
#[derive(Default)]
pub struct Rooms {
    open: Mutex<HashMap<RoomId, Handle>>,
}

impl Rooms {
    /// Opens a room: for a new call, or at a restart for one that goes on.
    pub fn open(&self, app: &Arc<App>, call: &Escalation, stored: StoredRoom) {
        let (happened, inbox) = mpsc::channel(QUEUE);
        let (over, ended) = watch::channel(None);
        self.lock().insert(call.room, Handle { happened, over });
        tokio::spawn(room::run(app.clone(), call.clone(), stored, inbox, ended));
    }

    /// Hands something to a room; `false` when there is no such room any more.
    pub async fn happened(&self, room: RoomId, what: Happened) -> bool {
        let handle = self.lock().get(&room).cloned();
        match handle {
            Some(handle) => handle.happened.send(what).await.is_ok(),
            None => false,
        }
    }

    /// The call is over: the room tells both sides and closes. Never waits.
    pub fn over(&self, room: RoomId, reason: EndReason) {
        if let Some(handle) = self.lock().remove(&room) {
            handle.over.send_replace(Some(reason));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RoomId, Handle>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
