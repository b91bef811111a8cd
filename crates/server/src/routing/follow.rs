//! Conversations by their rows: where one stands, as routing knows it, and what brings routing from where it was to there.

use super::{QUEUE, wants_video};
use sightline_call::routing::{Arrival, Input, Queue, Skills, Stage, Work};
use sightline_store::conversations::StoredConversation;
use sightline_wire::{
    conversation::{Context, Conversation, ConversationState},
    readiness::Readiness,
};

/// What the lease of a conversation's agent must allow.
fn lease(context: &Context) -> Option<Readiness> {
    wants_video(context).then_some(Readiness::Video)
}

/// A conversation after a restart, as its row has it. Whoever was asked about it is not any more.
pub fn work(stored: &StoredConversation, queue: &Queue) -> Work {
    let stage = match (stored.state, stored.owner) {
        (ConversationState::Active, Some(agent)) => Stage::With {
            agent,
            call: stored.escalation.as_ref().is_some_and(|call| call.state.holds_slot()),
            handing: None,
        },
        (ConversationState::WrapUp, Some(agent)) => Stage::WrapUp {
            agent,
            blocked: queue.wrap_up.beginning(stored.state_since),
        },
        _ => Stage::Waiting,
    };
    Work {
        queue: QUEUE,
        channel: stored.channel,
        priority: queue.priority,
        since: stored.opened_at,
        skills: Skills::new(),
        lease: lease(&stored.context),
        prefer: None,
        note: None,
        stage,
    }
}

/// What has happened to a conversation that is like this now, and that routing knew like that.
pub fn inputs(now: &Conversation, known: Option<&Work>) -> Vec<Input> {
    let conversation = now.id;
    let Some(known) = known else {
        return match now.state {
            ConversationState::Open => vec![Input::Arrived {
                conversation,
                arrival: Arrival {
                    queue: QUEUE,
                    channel: now.channel,
                    priority: None,
                    skills: Skills::new(),
                    lease: lease(&now.context),
                    prefer: None,
                },
            }],
            ConversationState::Active | ConversationState::WrapUp | ConversationState::Closed => Vec::new(),
        };
    };
    let mut inputs = Vec::new();
    if lease(&now.context) != known.lease {
        inputs.push(Input::Wanted {
            conversation,
            lease: lease(&now.context),
        });
    }
    match now.state {
        ConversationState::Open => {}
        ConversationState::Active => {
            if let Some(agent) = now.owner.filter(|owner| known.owner() != Some(*owner)) {
                inputs.insert(0, Input::Picked { conversation, agent });
            }
            let was_up = matches!(known.stage, Stage::With { call: true, .. });
            let up = now.escalation.as_ref().is_some_and(|call| call.state.holds_slot());
            match (was_up, up) {
                (false, true) => inputs.push(Input::CallBegan { conversation }),
                (true, false) => inputs.push(Input::CallEnded { conversation }),
                (true, true) | (false, false) => {}
            }
        }
        ConversationState::WrapUp => inputs.push(Input::WrappedUp { conversation }),
        ConversationState::Closed => return vec![Input::Closed { conversation }],
    }
    inputs
}
