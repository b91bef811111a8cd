//! The conversation that this agent is asked to take. The server decides, and takes it back; here it is shown and
//! answered.

use super::{Controller, answer};
use crate::{courier::Reply, shell::Shell};
use sightline_wire::{
    Problem,
    conversation::{Conversation, ConversationState},
    desk::{AssignmentView, DeskEvent},
    ids::ConversationId,
    routing::{Assignment, Chosen, MyPresence, Pause, TakenBack, Transfer, TransferTo},
};

/// What a session knows of its assignments.
#[derive(Default)]
pub(super) struct Assigned {
    view: Option<AssignmentView>,
    /// The agent's last answer stands in the way of the next question.
    pause: Option<Pause>,
    /// `None` before the server has said it.
    presence: Option<MyPresence>,
}

impl Assigned {
    /// Who waits is not everybody's to take.
    pub fn by_turn(&self) -> bool {
        self.presence.is_some_and(|presence| presence.by_turn)
    }

    pub fn asks(&self, id: ConversationId) -> bool {
        matches!(&self.view, Some(AssignmentView::Asked { conversation, .. }) if *conversation == id)
    }
}

impl<S: Shell> Controller<S> {
    /// The server says anew what holds, right after its welcome.
    pub(super) fn assignment_welcomed(&mut self) {
        if let Ok(signed_in) = self.signed_in_mut() {
            signed_in.assigned = Assigned::default();
            self.show_assignment();
            self.show_pause();
            self.show_presence();
        }
    }

    pub(super) fn assigned(&mut self, assignment: Assignment) {
        let Ok(signed_in) = self.signed_in_mut() else { return };
        let customer_name = match assignment.customer_name.is_empty() {
            true => "A customer".into(),
            false => assignment.customer_name,
        };
        let new = !signed_in.assigned.asks(assignment.conversation);
        signed_in.assigned.view = Some(AssignmentView::Asked {
            conversation: assignment.conversation,
            customer_name: customer_name.clone(),
            video: assignment.video,
            until: crate::now() + assignment.left_ms,
            asked_ms: assignment.asked_ms,
            because: assignment.because,
            from: assignment.from.clone(),
            note: assignment.note,
        });
        if new {
            let wish = if assignment.video { "by video call" } else { "by chat" };
            let seconds = (assignment.left_ms + 999) / 1_000;
            let body = match assignment.from {
                Some(from) if assignment.video => {
                    format!("{from} hands this conversation with its video over to you. Accept within {seconds} s.")
                }
                Some(from) => format!("{from} hands this conversation over to you. Accept within {seconds} s."),
                None => format!("Wants to reach you {wish}. Accept within {seconds} s."),
            };
            self.shell.notify(&customer_name, &body);
        }
        self.show_assignment();
    }

    pub(super) fn taken_back(&mut self, id: ConversationId, why: TakenBack, elsewhere: bool) {
        let narrowing = match why {
            TakenBack::LeaseNarrowed => self.first_narrowing(),
            _ => None,
        };
        let Ok(signed_in) = self.signed_in_mut() else { return };
        let assigned = &mut signed_in.assigned;
        if !assigned.asks(id) {
            return;
        }
        let Some(AssignmentView::Asked {
            conversation,
            customer_name,
            ..
        }) = assigned.view.take()
        else {
            return;
        };
        // Who turned it down knows why it is gone.
        if why != TakenBack::Declined {
            assigned.view = Some(AssignmentView::TakenBack {
                conversation,
                customer_name,
                why,
                narrowing,
                elsewhere,
            });
        }
        self.show_assignment();
    }

    pub(super) fn paused(&mut self, why: Option<Pause>) {
        let Ok(signed_in) = self.signed_in_mut() else { return };
        signed_in.assigned.pause = why;
        self.show_pause();
    }

    /// Without a connection nobody is asked: the server gives it to the next one.
    pub(super) fn assignment_cut_off(&mut self) {
        let asked = self
            .signed_in_ref()
            .ok()
            .and_then(|signed_in| match signed_in.assigned.view {
                Some(AssignmentView::Asked { conversation, .. }) => Some(conversation),
                Some(AssignmentView::TakenBack { .. }) | None => None,
            });
        if let Some(conversation) = asked {
            self.taken_back(conversation, TakenBack::Disconnected, false);
        }
    }

    /// It is this agent's now, by whichever click.
    pub(super) fn assignment_taken(&mut self, conversation: &Conversation) {
        let Ok(signed_in) = self.signed_in_mut() else { return };
        let taken = conversation.state != ConversationState::Open && conversation.owner == Some(signed_in.account.id);
        if taken && signed_in.assigned.asks(conversation.id) {
            signed_in.assigned.view = None;
            self.show_assignment();
        }
    }

    pub(super) fn decline(&self, id: ConversationId, reply: Reply) {
        match self.client() {
            Ok(api) => drop(tokio::spawn(async move { answer(reply, api.decline(id).await) })),
            Err(problem) => answer(reply, Err(problem)),
        }
    }

    pub(super) fn back_again(&self) -> Result<(), Problem> {
        self.signed_in_ref()?.link.back_again();
        Ok(())
    }

    pub(super) fn presence_told(&mut self, mine: MyPresence) {
        let Ok(signed_in) = self.signed_in_mut() else { return };
        signed_in.assigned.presence = Some(mine);
        self.show_presence();
    }

    pub(super) fn choose_presence(&self, chosen: Chosen) -> Result<(), Problem> {
        self.signed_in_ref()?.link.choose(chosen);
        Ok(())
    }

    /// The answer is not looked at: what became of the conversation comes over the socket, in order.
    pub(super) fn transfer(&self, id: ConversationId, to: TransferTo, note: String, reply: Reply) {
        match self.client() {
            Ok(api) => drop(tokio::spawn(async move {
                let transfer = Transfer { to, note };
                answer(reply, api.transfer(id, &transfer).await.map(drop));
            })),
            Err(problem) => answer(reply, Err(problem)),
        }
    }

    pub(super) fn find_targets(&self, id: ConversationId, search: String, reply: Reply) {
        let api = match self.client() {
            Ok(api) => api,
            Err(problem) => return answer(reply, Err(problem)),
        };
        let shell = self.shell.clone();
        tokio::spawn(async move {
            let found = api.targets(id, &search).await;
            let told = found.map(|targets| {
                shell.emit(DeskEvent::Targets {
                    conversation: id,
                    search,
                    targets,
                });
            });
            answer(reply, told);
        });
    }

    pub(super) fn show_presence(&self) {
        let Ok(signed_in) = self.signed_in_ref() else { return };
        self.shell.emit(DeskEvent::Presence {
            presence: signed_in.assigned.presence,
        });
    }

    pub(super) fn show_assignment(&self) {
        let Ok(signed_in) = self.signed_in_ref() else { return };
        self.shell.emit(DeskEvent::Assignment {
            assignment: signed_in.assigned.view.clone(),
        });
    }

    pub(super) fn show_pause(&self) {
        let Ok(signed_in) = self.signed_in_ref() else { return };
        self.shell.emit(DeskEvent::Paused {
            why: signed_in.assigned.pause,
        });
    }
}
