//! One newtype per kind of identifier, so that a room is never looked up by a conversation's id.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use ts_rs::TS;
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
        #[serde(transparent)]
        #[ts(type = "string")]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }
    )+};
}

id! {
    /// A person who signs in: agent, supervisor or admin.
    AccountId,
    /// An installed desk; lets a reconnect replace its own socket and nobody else's.
    DeskId,
    /// One conversation, from the first message to its close, chat and video alike.
    ConversationId,
    /// A message, as stored.
    MessageId,
    /// Chosen by the sender of a message; sending it twice stores one message.
    ClientMessageId,
    /// Chosen by the sender of a command; sending it twice runs it once.
    CommandId,
    /// One use of video in a conversation.
    EscalationId,
    /// Where the two parties of an escalation exchange signalling.
    RoomId,
    /// One socket in a room.
    ConnectionId,
    /// One self-test of a desk.
    ReportId,
    /// One thing that has to reach a platform; the same at every attempt.
    DeliveryId,
    /// One entry of the audit log.
    AuditId,
    /// One file that somebody has sent.
    FileId,
}
