//! Who may do what with a conversation, and when.

use sightline_wire::{
    ErrorCode, Problem,
    conversation::ConversationState,
    escalation::{EndReason, EscalationState},
    ids::{AccountId, EscalationId},
};

/// A conversation as the rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Where it stands.
    pub state: ConversationState,
    /// Who owns it.
    pub owner: Option<AccountId>,
}

/// Whether a step is to be taken or was taken before; repeating a command is not an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Take it.
    Take,
    /// Nothing to do.
    Taken,
}

/// An agent takes a waiting conversation.
pub fn accept(facts: Facts, agent: AccountId) -> Result<Step, Problem> {
    match facts.state {
        ConversationState::Open => Ok(Step::Take),
        ConversationState::Active if facts.owner == Some(agent) => Ok(Step::Taken),
        ConversationState::Active | ConversationState::WrapUp => Err(ErrorCode::AlreadyAccepted.into()),
        ConversationState::Closed => Err(ErrorCode::ConversationClosed.into()),
    }
}

/// The agent owns the conversation and the customer is still in it.
pub fn owns_active(facts: Facts, agent: AccountId) -> Result<(), Problem> {
    match facts.state {
        ConversationState::Open => Err(ErrorCode::ConversationNotActive.into()),
        ConversationState::Active | ConversationState::WrapUp if facts.owner != Some(agent) => {
            Err(ErrorCode::NotYourConversation.into())
        }
        ConversationState::Active => Ok(()),
        ConversationState::WrapUp => Err(ErrorCode::ConversationNotActive.into()),
        ConversationState::Closed => Err(ErrorCode::ConversationClosed.into()),
    }
}

/// Who may write: the owner, and supervisors who have joined.
pub fn may_write(facts: Facts, account: AccountId, takes_part: bool) -> Result<(), Problem> {
    match facts.state {
        ConversationState::Active if takes_part => Ok(()),
        ConversationState::Open | ConversationState::Active | ConversationState::WrapUp | ConversationState::Closed => {
            owns_active(facts, account)
        }
    }
}

/// Notes, context and the read mark: the owner's until the conversation is closed.
pub fn may_edit(facts: Facts, agent: AccountId) -> Result<(), Problem> {
    match facts.state {
        ConversationState::Open => Err(ErrorCode::ConversationNotActive.into()),
        ConversationState::Active | ConversationState::WrapUp if facts.owner != Some(agent) => {
            Err(ErrorCode::NotYourConversation.into())
        }
        ConversationState::Active | ConversationState::WrapUp => Ok(()),
        ConversationState::Closed => Err(ErrorCode::ConversationClosed.into()),
    }
}

/// What moving to wrap-up takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrapUpStep {
    /// It is there already.
    Taken,
    /// Nothing stands in the way.
    Move,
    /// This escalation ends first, in the same transaction.
    EndAndMove(EscalationId, EndReason),
}

/// Wrap-up is refused while a call runs, unless the agent ends it with the same command. An invite that
/// nobody has followed is taken back: the customer is about to be gone.
pub fn wrap_up(
    facts: Facts,
    agent: AccountId,
    escalation: Option<(EscalationId, EscalationState)>,
    end_call: bool,
) -> Result<WrapUpStep, Problem> {
    if facts.state == ConversationState::WrapUp && facts.owner == Some(agent) {
        return Ok(WrapUpStep::Taken);
    }
    owns_active(facts, agent)?;
    let Some((id, state)) = escalation else {
        return Ok(WrapUpStep::Move);
    };
    match state {
        EscalationState::Invited => Ok(WrapUpStep::EndAndMove(id, EndReason::Cancelled)),
        EscalationState::Joining { .. } | EscalationState::Live { .. } if end_call => {
            Ok(WrapUpStep::EndAndMove(id, EndReason::WrappedUp))
        }
        EscalationState::Joining { .. } | EscalationState::Live { .. } => {
            Err(Problem::new(ErrorCode::CallLive).in_escalation(id))
        }
        EscalationState::Ended { .. } => Ok(WrapUpStep::Move),
    }
}

/// The agent closes after wrap-up.
pub fn close(facts: Facts, agent: AccountId) -> Result<Step, Problem> {
    if facts.state != ConversationState::Open && facts.owner != Some(agent) {
        return Err(ErrorCode::NotYourConversation.into());
    }
    match facts.state {
        ConversationState::Open => Err(ErrorCode::ConversationNotActive.into()),
        ConversationState::Active => {
            let mut problem =
                Problem::new(ErrorCode::ConversationNotActive).saying("The conversation is not in wrap-up yet.");
            problem.next_step = "Wrap up first, then close it.".into();
            Err(problem)
        }
        ConversationState::WrapUp => Ok(Step::Take),
        ConversationState::Closed => Ok(Step::Taken),
    }
}

/// Supervisors act in others' conversations only.
fn of_somebody_else(facts: Facts, supervisor: AccountId) -> Result<(), Problem> {
    match facts.owner == Some(supervisor) {
        true => Err(ErrorCode::OwnConversation.into()),
        false => Ok(()),
    }
}

/// A supervisor takes part in a colleague's conversation.
pub fn join(facts: Facts, supervisor: AccountId, takes_part: bool) -> Result<Step, Problem> {
    of_somebody_else(facts, supervisor)?;
    let not_active = Problem::new(ErrorCode::ConversationNotActive);
    match facts.state {
        ConversationState::Open => Err(not_active
            .saying("Nobody has this conversation yet.")
            .advising("Assign it to an agent first.")),
        ConversationState::Active if takes_part => Ok(Step::Taken),
        ConversationState::Active => Ok(Step::Take),
        ConversationState::WrapUp => Err(not_active
            .saying("The chat has ended for the customer.")
            .advising("Nobody can write in it any more.")),
        ConversationState::Closed => Err(ErrorCode::ConversationClosed.into()),
    }
}

/// A supervisor chooses the agent for a conversation that waits.
pub fn assign(facts: Facts, supervisor: AccountId, agent: AccountId) -> Result<Step, Problem> {
    match facts.state {
        ConversationState::Open => Ok(Step::Take),
        ConversationState::Active if facts.owner == Some(agent) => Ok(Step::Taken),
        ConversationState::Active | ConversationState::WrapUp => {
            of_somebody_else(facts, supervisor)?;
            Err(Problem::new(ErrorCode::AlreadyAccepted).advising("Transfer it, if somebody else shall have it."))
        }
        ConversationState::Closed => Err(ErrorCode::ConversationClosed.into()),
    }
}

/// What closing a conversation over its owner's head takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForceCloseStep {
    /// It is closed already.
    Taken,
    /// Nothing stands in the way.
    Close,
    /// This escalation ends first, in the same transaction.
    EndAndClose(EscalationId, EndReason),
}

/// A supervisor closes a conversation, wherever it stands. A live call is ended by the same command or refuses it: who
/// closes a chat need not have seen that two people are talking.
pub fn force_close(
    facts: Facts,
    supervisor: AccountId,
    escalation: Option<(EscalationId, EscalationState)>,
    end_call: bool,
) -> Result<ForceCloseStep, Problem> {
    of_somebody_else(facts, supervisor)?;
    if facts.state == ConversationState::Closed {
        return Ok(ForceCloseStep::Taken);
    }
    let Some((id, state)) = escalation else {
        return Ok(ForceCloseStep::Close);
    };
    match state {
        EscalationState::Invited => Ok(ForceCloseStep::EndAndClose(id, EndReason::Cancelled)),
        EscalationState::Joining { .. } | EscalationState::Live { .. } if end_call => {
            Ok(ForceCloseStep::EndAndClose(id, EndReason::WrappedUp))
        }
        EscalationState::Joining { .. } | EscalationState::Live { .. } => Err(Problem::new(ErrorCode::CallLive)
            .advising("End the call with it, or let them finish.")
            .in_escalation(id)),
        EscalationState::Ended { .. } => Ok(ForceCloseStep::Close),
    }
}

/// Where a customer's message belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the conversation they are in.
    Current,
    /// In a new one: there is none yet, or the agent has finished with it.
    New,
}

/// The customer writes; `current` is the conversation they were last in.
pub fn customer_writes(current: Option<ConversationState>) -> Place {
    match current {
        None | Some(ConversationState::WrapUp | ConversationState::Closed) => Place::New,
        Some(ConversationState::Open | ConversationState::Active) => Place::Current,
    }
}

/// What a customer's leaving means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// Nobody had taken it: it is over.
    Close,
    /// The agent is told, and decides.
    Tell,
    /// There is nobody left to tell.
    Nothing,
}

/// The customer ends the chat.
pub fn customer_leaves(state: ConversationState) -> Leaving {
    match state {
        ConversationState::Open => Leaving::Close,
        ConversationState::Active => Leaving::Tell,
        ConversationState::WrapUp | ConversationState::Closed => Leaving::Nothing,
    }
}

/// What a customer means who has not come back for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// Nothing: it is over already, or the two are in a call.
    Stays,
    /// Nobody had taken it: it is over, and an invite that is out with it.
    Close(Option<(EscalationId, EndReason)>),
    /// The agent has what is left to do, and an invite that is out is taken back.
    WrapUp(Option<(EscalationId, EndReason)>),
}

/// The customer's page has been away for longer than the deployment waits.
pub fn customer_gone(state: ConversationState, escalation: Option<(EscalationId, EscalationState)>) -> Gone {
    let invite = match escalation {
        Some((_, EscalationState::Joining { .. } | EscalationState::Live { .. })) => return Gone::Stays,
        Some((id, EscalationState::Invited)) => Some((id, EndReason::Cancelled)),
        Some((_, EscalationState::Ended { .. })) | None => None,
    };
    match state {
        ConversationState::Open => Gone::Close(invite),
        ConversationState::Active => Gone::WrapUp(invite),
        ConversationState::WrapUp | ConversationState::Closed => Gone::Stays,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ConversationState::*;

    fn agent(n: u128) -> AccountId {
        AccountId(uuid::Uuid::from_u128(n))
    }

    fn facts(state: ConversationState, owner: Option<u128>) -> Facts {
        Facts {
            state,
            owner: owner.map(agent),
        }
    }

    #[test]
    fn one_agent_accepts_and_may_repeat_it() {
        assert_eq!(accept(facts(Open, None), agent(1)), Ok(Step::Take));
        assert_eq!(accept(facts(Active, Some(1)), agent(1)), Ok(Step::Taken));
        let late = accept(facts(Active, Some(1)), agent(2)).unwrap_err();
        assert_eq!(late.code, ErrorCode::AlreadyAccepted);
        let gone = accept(facts(Closed, Some(1)), agent(1)).unwrap_err();
        assert_eq!(gone.code, ErrorCode::ConversationClosed);
    }

    #[test]
    fn only_the_owner_writes_and_only_while_it_is_active() {
        assert_eq!(owns_active(facts(Active, Some(1)), agent(1)), Ok(()));
        for (state, owner, who, code) in [
            (Open, None, 1, ErrorCode::ConversationNotActive),
            (Active, Some(1), 2, ErrorCode::NotYourConversation),
            (WrapUp, Some(1), 1, ErrorCode::ConversationNotActive),
            (Closed, Some(1), 1, ErrorCode::ConversationClosed),
        ] {
            assert_eq!(owns_active(facts(state, owner), agent(who)).unwrap_err().code, code);
        }
    }

    #[test]
    fn a_customer_who_is_gone_ends_what_no_call_holds() {
        let id = EscalationId(uuid::Uuid::from_u128(9));
        let invite = Some((id, EndReason::Cancelled));
        let over = EscalationState::Ended {
            reason: EndReason::AgentHungUp,
            at: 2,
            live_ms: 1,
        };
        assert_eq!(customer_gone(Open, None), Gone::Close(None));
        assert_eq!(customer_gone(Active, None), Gone::WrapUp(None));
        assert_eq!(customer_gone(Active, Some((id, over))), Gone::WrapUp(None));
        assert_eq!(
            customer_gone(Active, Some((id, EscalationState::Invited))),
            Gone::WrapUp(invite)
        );
        for state in [
            EscalationState::Joining { since: 1 },
            EscalationState::Live { since: 1 },
        ] {
            assert_eq!(customer_gone(Active, Some((id, state))), Gone::Stays);
        }
        for state in [WrapUp, Closed] {
            assert_eq!(customer_gone(state, None), Gone::Stays);
        }
    }

    #[test]
    fn a_running_call_stands_in_the_way_of_wrap_up() {
        let call = EscalationId(uuid::Uuid::from_u128(9));
        for state in [
            EscalationState::Joining { since: 1 },
            EscalationState::Live { since: 1 },
        ] {
            let refused = wrap_up(facts(Active, Some(1)), agent(1), Some((call, state)), false);
            let problem = refused.unwrap_err();
            assert_eq!((problem.code, problem.escalation), (ErrorCode::CallLive, Some(call)));
            assert_eq!(
                wrap_up(facts(Active, Some(1)), agent(1), Some((call, state)), true),
                Ok(WrapUpStep::EndAndMove(call, EndReason::WrappedUp))
            );
        }
        let invited = Some((call, EscalationState::Invited));
        assert_eq!(
            wrap_up(facts(Active, Some(1)), agent(1), invited, false),
            Ok(WrapUpStep::EndAndMove(call, EndReason::Cancelled))
        );
        assert_eq!(
            wrap_up(facts(Active, Some(1)), agent(1), None, false),
            Ok(WrapUpStep::Move)
        );
        assert_eq!(
            wrap_up(facts(WrapUp, Some(1)), agent(1), None, false),
            Ok(WrapUpStep::Taken)
        );
    }

    #[test]
    fn a_conversation_closes_out_of_wrap_up_only() {
        assert_eq!(close(facts(WrapUp, Some(1)), agent(1)), Ok(Step::Take));
        assert_eq!(close(facts(Closed, Some(1)), agent(1)), Ok(Step::Taken));
        assert!(close(facts(Active, Some(1)), agent(1)).is_err());
        assert!(close(facts(WrapUp, Some(1)), agent(2)).is_err());
        assert!(close(facts(Open, None), agent(1)).is_err());
    }

    #[test]
    fn a_supervisor_writes_after_joining_and_only_while_the_customer_is_there() {
        assert_eq!(may_write(facts(Active, Some(1)), agent(9), true), Ok(()));
        assert_eq!(may_write(facts(Active, Some(1)), agent(1), false), Ok(()));
        for (state, takes_part, code) in [
            (Active, false, ErrorCode::NotYourConversation),
            (WrapUp, true, ErrorCode::NotYourConversation),
            (Closed, true, ErrorCode::ConversationClosed),
        ] {
            let refused = may_write(facts(state, Some(1)), agent(9), takes_part);
            assert_eq!(refused.unwrap_err().code, code);
        }
    }

    #[test]
    fn supervisors_act_in_others_conversations_only() {
        let own = |state| facts(state, Some(9));
        let code = |problem: Problem| problem.code;
        assert_eq!(
            join(own(Active), agent(9), false).map_err(code),
            Err(ErrorCode::OwnConversation)
        );
        let closing = force_close(own(Active), agent(9), None, true);
        assert_eq!(closing.map_err(code), Err(ErrorCode::OwnConversation));
        let assigning = assign(own(Active), agent(9), agent(1));
        assert_eq!(assigning.map_err(code), Err(ErrorCode::OwnConversation));

        assert_eq!(join(facts(Active, Some(1)), agent(9), false), Ok(Step::Take));
        assert_eq!(join(facts(Active, Some(1)), agent(9), true), Ok(Step::Taken));
        for state in [Open, WrapUp, Closed] {
            assert!(join(facts(state, None), agent(9), false).is_err(), "{state:?}");
        }
        assert_eq!(assign(facts(Open, None), agent(9), agent(1)), Ok(Step::Take));
        assert_eq!(assign(facts(Active, Some(1)), agent(9), agent(1)), Ok(Step::Taken));
        let taken = assign(facts(Active, Some(1)), agent(9), agent(2));
        assert_eq!(taken.map_err(code), Err(ErrorCode::AlreadyAccepted));
    }

    #[test]
    fn a_live_call_is_ended_by_choice_only() {
        let call = EscalationId(uuid::Uuid::from_u128(9));
        let live = Some((call, EscalationState::Live { since: 1 }));
        let refused = force_close(facts(Active, Some(1)), agent(9), live, false).unwrap_err();
        assert_eq!((refused.code, refused.escalation), (ErrorCode::CallLive, Some(call)));
        assert_eq!(
            force_close(facts(Active, Some(1)), agent(9), live, true),
            Ok(ForceCloseStep::EndAndClose(call, EndReason::WrappedUp))
        );
        let invited = Some((call, EscalationState::Invited));
        assert_eq!(
            force_close(facts(Active, Some(1)), agent(9), invited, false),
            Ok(ForceCloseStep::EndAndClose(call, EndReason::Cancelled))
        );
        for state in [Open, Active, WrapUp] {
            let step = force_close(facts(state, Some(1)), agent(9), None, false);
            assert_eq!(step, Ok(ForceCloseStep::Close));
        }
        assert_eq!(
            force_close(facts(Closed, Some(1)), agent(9), None, false),
            Ok(ForceCloseStep::Taken)
        );
    }

    #[test]
    fn a_customer_who_writes_after_the_end_starts_anew() {
        assert_eq!(customer_writes(None), Place::New);
        assert_eq!(customer_writes(Some(Open)), Place::Current);
        assert_eq!(customer_writes(Some(Active)), Place::Current);
        assert_eq!(customer_writes(Some(WrapUp)), Place::New);
        assert_eq!(customer_writes(Some(Closed)), Place::New);
        assert_eq!(customer_leaves(Open), Leaving::Close);
        assert_eq!(customer_leaves(Active), Leaving::Tell);
        assert_eq!(customer_leaves(Closed), Leaving::Nothing);
    }
}
