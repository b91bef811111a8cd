//! Conversations by their rows: where one stands, as routing knows it, and what brings routing from where it was to there.

use super::{asks_for_video, plan::Plan};
use sightline_call::routing::{Arrival, Call, Input, Routed, Stage, Target, Work};
use sightline_store::conversations::StoredConversation;
use sightline_wire::{
    conversation::{Context, Conversation, ConversationState},
    escalation::{EscalationState, EscalationView},
    readiness::Readiness,
};

/// A link that has just gone out keeps its agent free for so long: a customer who wants to come has come by then, and the
/// others are not worth an agent who waits for the invite's whole quarter of an hour.
const RINGS_MS: i64 = 120_000;

/// What the lease of a conversation's agent must allow.
fn lease(context: &Context, routed: &Routed) -> Option<Readiness> {
    let wants = asks_for_video(context) || routed.video_asked_at.is_some();
    wants.then_some(Readiness::Video)
}

/// A conversation after a restart, as its row has it. Whoever was asked about it is not any more.
pub fn work(stored: &StoredConversation, routed: &Routed, plan: &Plan) -> Work {
    let stage = match (stored.state, stored.owner) {
        (ConversationState::Active, Some(agent)) => Stage::With {
            agent,
            call: match &stored.escalation {
                Some(call) => match call.state {
                    EscalationState::Invited => Call::Ringing(call.created_at.saturating_add(RINGS_MS)),
                    EscalationState::Joining { .. } | EscalationState::Live { .. } => Call::Up,
                    EscalationState::Ended { .. } => Call::None,
                },
                None => Call::None,
            },
            handing: None,
        },
        (ConversationState::WrapUp, Some(agent)) => Stage::WrapUp {
            agent,
            blocked: plan.queue(routed.queue).queue.wrap_up.beginning(stored.state_since),
        },
        _ => Stage::Waiting,
    };
    let lease = lease(&stored.context, routed);
    Work {
        queue: routed.queue,
        channel: stored.channel,
        priority: routed.priority,
        since: stored.opened_at,
        skills: plan.skills(routed, lease.is_some()),
        lease,
        prefer: routed.prefer,
        note: routed.note.clone(),
        stage,
    }
}

/// What has happened to a conversation that is like this now, and that routing knew like that.
pub fn inputs(now: &Conversation, routed: &Routed, known: Option<&Work>, plan: &Plan) -> Vec<Input> {
    let conversation = now.id;
    let lease = lease(&now.context, routed);
    let skills = plan.skills(routed, lease.is_some());
    let Some(known) = known else {
        return match now.state {
            ConversationState::Open => vec![Input::Arrived {
                conversation,
                arrival: Arrival {
                    queue: routed.queue,
                    channel: now.channel,
                    priority: Some(routed.priority),
                    skills,
                    lease,
                    prefer: routed.prefer,
                },
            }],
            ConversationState::Active | ConversationState::WrapUp | ConversationState::Closed => Vec::new(),
        };
    };
    let mut inputs = Vec::new();
    match now.state {
        ConversationState::Open => {
            if let Some(owner) = known.owner() {
                let note = routed.note.as_ref();
                inputs.push(Input::Transferred {
                    conversation,
                    by: note.map_or(owner, |note| note.by),
                    // Whether it may be was asked before it was stored.
                    supervisor: true,
                    to: Target::Queue(routed.queue),
                    note: note.map_or_else(String::new, |note| note.text.clone()),
                });
            }
        }
        ConversationState::Active => {
            if let Some(agent) = now.owner.filter(|owner| known.owner() != Some(*owner)) {
                inputs.push(match known.asked() == Some(agent) {
                    true => Input::Accepted { conversation, agent },
                    false => Input::Picked { conversation, agent },
                });
            }
        }
        ConversationState::WrapUp | ConversationState::Closed => {}
    }
    if lease != known.lease || skills != known.skills {
        inputs.push(Input::Wanted {
            conversation,
            lease,
            skills,
        });
    }
    match now.state {
        ConversationState::Open => {}
        ConversationState::Active => inputs.extend(called(now, known)),
        ConversationState::WrapUp => inputs.push(Input::WrappedUp { conversation }),
        ConversationState::Closed => return vec![Input::Closed { conversation }],
    }
    inputs
}

fn called(now: &Conversation, known: &Work) -> Option<Input> {
    let conversation = now.id;
    let was = match known.stage {
        Stage::With { call, .. } => call,
        Stage::Parked | Stage::Kept { .. } | Stage::Waiting | Stage::Assigned { .. } | Stage::WrapUp { .. } => {
            Call::None
        }
    };
    let state = now
        .escalation
        .as_ref()
        .map(|EscalationView { state, created_at, .. }| (state, *created_at));
    match (state, was) {
        (Some((EscalationState::Invited, created_at)), Call::None) => Some(Input::Invited {
            conversation,
            until: created_at.saturating_add(RINGS_MS),
        }),
        (Some((EscalationState::Joining { .. } | EscalationState::Live { .. }, _)), was) if was != Call::Up => {
            Some(Input::CallBegan { conversation })
        }
        (None | Some((EscalationState::Ended { .. }, _)), was) if was != Call::None => {
            Some(Input::CallEnded { conversation })
        }
        _ => None,
    }
}
