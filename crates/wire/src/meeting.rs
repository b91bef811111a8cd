//! A meeting elsewhere: the agent gets the host's link, the customer the guest's.

use crate::{Problem, ids::ClientMessageId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// `POST /v1/conversations/{id}/meeting`. Repeating a `client_id` invites nobody twice; the conversation's meeting is
/// always the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MakeMeeting {
    /// Of the message with the customer's link.
    pub client_id: ClientMessageId,
}

/// The meeting is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MeetingMade {
    /// For the agent alone: whoever opens it is the host.
    pub host_url: String,
    /// Why the customer's link has not gone out; nothing when it has.
    pub not_invited: Option<Problem>,
}
