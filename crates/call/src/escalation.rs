//! From text to video: the ordered checks behind "Start video", and the life of an escalation.

use crate::conversation::{Facts, owns_active};
use sightline_wire::{
    ErrorCode, Problem, UnixMillis,
    escalation::{EndReason, EscalationState},
    ids::{AccountId, ConversationId, EscalationId},
    room::Party,
};

/// What the checks look at, read in one transaction.
#[derive(Debug, Clone)]
pub struct StartFacts {
    /// Who clicked.
    pub agent: AccountId,
    /// The conversation.
    pub conversation: Facts,
    /// Whether a link reaches the customer, or why it does not.
    pub link: Result<(), Problem>,
    /// What occupies the agent's one video slot.
    pub slot: Option<(ConversationId, EscalationId)>,
    /// What the lease of the agent's desk says at this moment, or why it says no.
    pub readiness: Result<(), Problem>,
}

/// The checks in their order: ownership, then the slot, the channel and the desk's readiness. The first that fails is
/// reported; no self-test would help against those before it.
pub fn may_start(facts: &StartFacts) -> Result<(), Problem> {
    owns_active(facts.conversation, facts.agent)?;
    if let Some((conversation, escalation)) = facts.slot {
        return Err(Problem::new(ErrorCode::VideoSlotTaken)
            .in_conversation(conversation)
            .in_escalation(escalation));
    }
    facts.link.clone()?;
    facts.readiness.clone()
}

/// What can happen to an escalation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// The customer tapped Join.
    Redeemed,
    /// One side has the other's first frame.
    MediaFlowing,
    /// It ends.
    Over(EndReason),
}

/// The next state, or `None` when nothing changes.
pub fn advance(state: EscalationState, happening: Happening, now: UnixMillis) -> Option<EscalationState> {
    use EscalationState::{Ended, Invited, Joining, Live};
    match (state, happening) {
        (Invited, Happening::Redeemed) => Some(Joining { since: now }),
        (Invited, Happening::MediaFlowing) => None,
        (Joining { .. }, Happening::Redeemed) => None,
        (Joining { .. }, Happening::MediaFlowing) => Some(Live { since: now }),
        (Invited | Joining { .. }, Happening::Over(reason)) => Some(Ended {
            at: now,
            reason,
            live_ms: 0,
        }),
        (Live { .. }, Happening::Redeemed | Happening::MediaFlowing) => None,
        (Live { since }, Happening::Over(reason)) => Some(Ended {
            at: now,
            reason,
            live_ms: (now - since).max(0),
        }),
        (Ended { .. }, Happening::Redeemed | Happening::MediaFlowing | Happening::Over(_)) => None,
    }
}

/// Why the call ends when this side ends it now. Before the customer came it is the invite that is taken back.
pub fn ended_by(state: EscalationState, party: Party) -> EndReason {
    match (state, party) {
        (EscalationState::Invited, Party::Agent) => EndReason::Cancelled,
        (EscalationState::Invited, Party::Customer) => EndReason::CustomerDeclined,
        (
            EscalationState::Joining { .. } | EscalationState::Live { .. } | EscalationState::Ended { .. },
            Party::Agent,
        ) => EndReason::AgentHungUp,
        (
            EscalationState::Joining { .. } | EscalationState::Live { .. } | EscalationState::Ended { .. },
            Party::Customer,
        ) => EndReason::CustomerLeft,
    }
}

/// The line both sides read in the conversation's history.
pub fn history_line(reason: EndReason, live_ms: i64) -> String {
    let ended = if live_ms > 0 {
        let seconds = live_ms / 1000;
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        if hours > 0 {
            format!("Video call ended after {hours}:{minutes:02}:{seconds:02}")
        } else {
            format!("Video call ended after {minutes}:{seconds:02}")
        }
    } else {
        "Video call ended before it began".into()
    };
    match reason {
        EndReason::AgentHungUp | EndReason::CustomerLeft | EndReason::WrappedUp => ended,
        EndReason::CustomerDeclined => "The video call was declined".into(),
        EndReason::Cancelled => "The video invite was taken back".into(),
        EndReason::InviteExpired => "The video link expired: nobody joined".into(),
        EndReason::CustomerLost => format!("{ended}: the customer's connection was lost"),
        EndReason::AgentLost => format!("{ended}: the agent's connection was lost"),
        EndReason::MediaFailed => format!("{ended}: picture and sound did not come through"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sightline_wire::conversation::ConversationState;
    use uuid::Uuid;

    fn facts() -> StartFacts {
        let agent = AccountId(Uuid::from_u128(1));
        StartFacts {
            agent,
            conversation: Facts {
                state: ConversationState::Active,
                owner: Some(agent),
            },
            link: Ok(()),
            slot: None,
            readiness: Ok(()),
        }
    }

    #[test]
    fn the_first_failing_check_is_the_one_reported() {
        assert_eq!(may_start(&facts()), Ok(()));
        let other = (ConversationId(Uuid::from_u128(7)), EscalationId(Uuid::from_u128(8)));
        let mut all_wrong = StartFacts {
            link: Err(ErrorCode::ChannelCannotCarryLink.into()),
            slot: Some(other),
            readiness: Err(ErrorCode::NotReadyForVideo.into()),
            ..facts()
        };
        all_wrong.conversation.owner = Some(AccountId(Uuid::from_u128(2)));
        assert_eq!(may_start(&all_wrong).unwrap_err().code, ErrorCode::NotYourConversation);
        all_wrong.conversation.owner = Some(all_wrong.agent);
        let slot = may_start(&all_wrong).unwrap_err();
        assert_eq!(slot.code, ErrorCode::VideoSlotTaken);
        assert_eq!((slot.conversation, slot.escalation), (Some(other.0), Some(other.1)));
        all_wrong.slot = None;
        assert_eq!(
            may_start(&all_wrong).unwrap_err().code,
            ErrorCode::ChannelCannotCarryLink
        );
        all_wrong.link = Ok(());
        assert_eq!(may_start(&all_wrong).unwrap_err().code, ErrorCode::NotReadyForVideo);
        all_wrong.readiness = Ok(());
        assert_eq!(may_start(&all_wrong), Ok(()));
    }

    #[test]
    fn a_call_goes_forward_only() {
        use EscalationState::*;
        let joining = advance(Invited, Happening::Redeemed, 10).unwrap();
        assert_eq!(joining, Joining { since: 10 });
        assert_eq!(advance(joining, Happening::Redeemed, 11), None);
        let live = advance(joining, Happening::MediaFlowing, 20).unwrap();
        assert_eq!(live, Live { since: 20 });
        assert_eq!(advance(live, Happening::MediaFlowing, 21), None);
        let over = advance(live, Happening::Over(EndReason::CustomerLeft), 134_020).unwrap();
        assert_eq!(
            over,
            Ended {
                at: 134_020,
                reason: EndReason::CustomerLeft,
                live_ms: 134_000
            }
        );
        assert!(!over.holds_slot());
        assert_eq!(advance(over, Happening::Over(EndReason::AgentHungUp), 9), None);
        assert_eq!(advance(Invited, Happening::MediaFlowing, 1), None);
    }

    #[test]
    fn history_says_how_long_and_why() {
        assert_eq!(
            history_line(EndReason::AgentHungUp, 134_999),
            "Video call ended after 2:14"
        );
        assert_eq!(
            history_line(EndReason::CustomerLeft, 3_725_000),
            "Video call ended after 1:02:05"
        );
        assert_eq!(
            history_line(EndReason::AgentHungUp, 0),
            "Video call ended before it began"
        );
        assert_eq!(
            history_line(EndReason::InviteExpired, 0),
            "The video link expired: nobody joined"
        );
        assert_eq!(
            history_line(EndReason::CustomerLost, 61_000),
            "Video call ended after 1:01: the customer's connection was lost"
        );
    }

    #[test]
    fn ending_before_the_customer_came_takes_the_invite_back() {
        assert_eq!(ended_by(EscalationState::Invited, Party::Agent), EndReason::Cancelled);
        let live = EscalationState::Live { since: 0 };
        assert_eq!(ended_by(live, Party::Agent), EndReason::AgentHungUp);
        assert_eq!(ended_by(live, Party::Customer), EndReason::CustomerLeft);
    }
}
