//! The stage: the call on it, where its pictures go, and how they come there.

use crate::{
    Problem, UnixMillis,
    conversation::Sound,
    device::Quality,
    escalation::EndReason,
    ids::{ConversationId, EscalationId},
    room::{Attempt, MediaState},
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A rectangle of the window in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct Rect {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// Something the page shows above the pictures: they are painted around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct Above {
    /// Its place.
    pub rect: Rect,
    /// Of its corners.
    pub radius: f64,
}

/// Where the pictures go; `None` hides one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct StageLayout {
    /// The customer's picture, letterboxed on black.
    pub remote: Option<Rect>,
    /// The agent's own picture, mirrored, cropped to fill.
    pub own: Option<Rect>,
    /// Buttons, names and menus that lie over a picture.
    #[serde(default)]
    pub above: Vec<Above>,
    /// Device pixels per CSS pixel.
    pub scale: f64,
}

/// How pictures reach the window.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PainterView {
    /// Painted natively over the page, around what [`StageLayout::above`] names.
    Native,
    /// Frames come over a loopback socket: draw them on a canvas.
    Canvas {
        /// `ws://127.0.0.1:port/`.
        url: String,
        /// First text frame.
        token: String,
    },
}

/// Where the call on the stage stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CallPhase {
    /// Asking the server, opening devices.
    Preparing,
    /// The link is out.
    Waiting {
        /// When it stops working.
        expires_at: UnixMillis,
        /// A customer has the link's page open; the connection is made ahead of the tap.
        opened: bool,
    },
    /// The customer has joined; media is on its way.
    Connecting {
        /// Since when.
        since: UnixMillis,
        /// Then it goes back to the chat.
        deadline: UnixMillis,
    },
    /// Both sides see or hear each other.
    Live {
        /// Since when.
        since: UnixMillis,
    },
    /// Over.
    Ended {
        /// Why.
        reason: EndReason,
        /// How long it was live.
        live_ms: i64,
    },
}

/// The call on the stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct CallView {
    /// Which; unknown until the server has answered.
    pub escalation: Option<EscalationId>,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Whose picture it is.
    pub customer_name: String,
    /// Where agent and customer hear each other.
    #[serde(default)]
    pub sound: Sound,
    /// Where it stands.
    pub phase: CallPhase,
    /// What is being tried to get picture and sound through; `direct` when nothing has to be.
    pub attempt: Attempt,
    /// The customer's link.
    pub url: Option<String>,
    /// What we send.
    pub own: MediaState,
    /// The name of what the agent shares, from the click on.
    pub sharing: Option<String>,
    /// What the customer sends.
    pub other: MediaState,
    /// The customer's socket is gone; the seat is kept until then.
    pub customer_away_until: Option<UnixMillis>,
    /// The signalling socket is gone; the picture goes on.
    pub signalling_lost: bool,
    /// Devices that are missing or were lost.
    pub problems: Vec<Problem>,
    /// The mark and its figures.
    pub quality: Option<Quality>,
}
