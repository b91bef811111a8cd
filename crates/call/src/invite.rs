//! What a link is still good for, seen from one browser.

use sightline_wire::{
    ErrorCode, UnixMillis,
    escalation::{EndReason, EscalationState, InviteState},
};

/// An invite as the rules see it. Browsers are compared by the hash of their key.
#[derive(Debug, Clone, Copy)]
pub struct InviteFacts<'a> {
    /// The escalation it belongs to.
    pub escalation: EscalationState,
    /// When it stops working for someone who has not joined.
    pub expires_at: UnixMillis,
    /// The browser that redeemed it.
    pub bound_to: Option<&'a [u8]>,
    /// The browser that asks.
    pub browser: Option<&'a [u8]>,
}

/// Whether the link can be redeemed. The browser that joined keeps its way back for as long as the call lives.
pub fn verdict(facts: InviteFacts<'_>, now: UnixMillis) -> InviteState {
    match facts.escalation {
        EscalationState::Ended { reason, .. } => match reason {
            EndReason::Cancelled => InviteState::Revoked,
            EndReason::InviteExpired => InviteState::Expired,
            EndReason::AgentHungUp
            | EndReason::CustomerLeft
            | EndReason::CustomerDeclined
            | EndReason::CustomerLost
            | EndReason::AgentLost
            | EndReason::MediaFailed
            | EndReason::WrappedUp => InviteState::Ended,
        },
        EscalationState::Invited | EscalationState::Joining { .. } | EscalationState::Live { .. } => {
            match facts.bound_to {
                Some(bound) if facts.browser == Some(bound) => InviteState::Open,
                Some(_) => InviteState::InUse,
                None if now >= facts.expires_at => InviteState::Expired,
                None => InviteState::Open,
            }
        }
    }
}

/// The error code for an invite that cannot be redeemed.
pub fn refusal(state: InviteState) -> Option<ErrorCode> {
    match state {
        InviteState::Open => None,
        InviteState::Expired => Some(ErrorCode::InviteExpired),
        InviteState::Revoked => Some(ErrorCode::InviteRevoked),
        InviteState::InUse => Some(ErrorCode::InviteInUse),
        InviteState::Ended => Some(ErrorCode::RoomEnded),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Option<&[u8]> = Some(b"a");
    const B: Option<&[u8]> = Some(b"b");

    fn at(
        escalation: EscalationState,
        bound_to: Option<&'static [u8]>,
        browser: Option<&'static [u8]>,
        now: UnixMillis,
    ) -> InviteState {
        verdict(
            InviteFacts {
                escalation,
                expires_at: 100,
                bound_to,
                browser,
            },
            now,
        )
    }

    #[test]
    fn an_unused_link_works_until_its_time_is_over() {
        assert_eq!(at(EscalationState::Invited, None, None, 99), InviteState::Open);
        assert_eq!(at(EscalationState::Invited, None, A, 100), InviteState::Expired);
    }

    #[test]
    fn the_browser_that_joined_comes_back_and_no_other_gets_in() {
        let live = EscalationState::Live { since: 50 };
        assert_eq!(at(live, A, A, 60), InviteState::Open);
        assert_eq!(at(live, A, A, 5_000), InviteState::Open);
        assert_eq!(at(live, A, B, 60), InviteState::InUse);
        assert_eq!(at(live, A, None, 5_000), InviteState::InUse);
    }

    #[test]
    fn an_ended_call_says_why_the_link_is_dead() {
        let ended = |reason| EscalationState::Ended {
            at: 1,
            reason,
            live_ms: 0,
        };
        assert_eq!(at(ended(EndReason::Cancelled), None, A, 2), InviteState::Revoked);
        assert_eq!(at(ended(EndReason::InviteExpired), None, A, 2), InviteState::Expired);
        assert_eq!(at(ended(EndReason::CustomerLeft), A, A, 2), InviteState::Ended);
        assert_eq!(refusal(InviteState::Revoked), Some(ErrorCode::InviteRevoked));
        assert_eq!(refusal(InviteState::Open), None);
    }
}
