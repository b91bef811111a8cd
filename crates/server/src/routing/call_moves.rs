//! A conversation in video moves with its call: whoever takes it over comes into the same room, and the customer stays
//! where she is.
//!
//! The room sees a desk that comes without a resume token, as after a restart: a new session, a new offer, and on the
//! customer's page a new connection beside the old picture. What is different is whose desk it is.

use crate::{
    app::App,
    escalations::{Ended, slot},
    http::refusal::Refusal,
    readiness,
    rooms::Happened,
};
use sightline_store::{SqliteConnection, conversations::StoredConversation, escalations, rooms};
use sightline_wire::{
    ErrorCode, Problem,
    account::Account,
    ids::{EscalationId, RoomId},
    room::Party,
};

/// A call that a transaction has given to another agent.
pub struct Moved {
    escalation: EscalationId,
    room: RoomId,
    /// A self-test of the new agent's that gave way.
    given_way: Option<Ended>,
}

/// Gives the conversation's call, if one runs or rings, to the agent who takes the conversation over, in the same
/// transaction. The desk before it has no key to the room any more.
///
/// # Errors
/// The new agent's video slot is taken, or the desk is not ready for video: then neither moves.
pub async fn call_moves(
    app: &App,
    c: &mut SqliteConnection,
    stored: &StoredConversation,
    to: &Account,
) -> Result<Option<Moved>, Refusal> {
    let Some(call) = stored.call() else {
        return Ok(None);
    };
    let (held, given_way) = slot(c, to.id).await?;
    if let Some(held) = held {
        return Err(Problem::new(ErrorCode::VideoSlotTaken)
            .in_conversation(held.conversation)
            .in_escalation(held.id)
            .into());
    }
    readiness::may_have_video(app, c, to.id).await??;
    escalations::set_agent(c, call.id, to.id).await?;
    rooms::revoke(c, call.room, Party::Agent).await?;
    Ok(Some(Moved {
        escalation: call.id,
        room: call.room,
        given_way,
    }))
}

impl Moved {
    /// Tells the rooms, after the commit.
    pub async fn tell(self, app: &App, to: &Account) {
        if let Some(ended) = self.given_way {
            app.rooms.over(ended.room, ended.reason);
        }
        let agent = to.name.clone();
        app.rooms.happened(self.room, Happened::HandedOver { agent }).await;
        tracing::info!(escalation = %self.escalation, agent = %to.id, "a call was handed over");
    }
}
