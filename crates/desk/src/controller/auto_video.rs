//! Video that starts by itself: the customer asked for it (Dynamics 365's `VideoCall`), and the agent has taken the
//! conversation at this desk. That happens once for each conversation, and never for one that has had a call: neither
//! after its end, nor after a restart. Before the camera goes on the agent is told, and may say no.

use super::{Controller, Input, session::SessionInput};
use crate::shell::Shell;
use sightline_wire::{
    Problem,
    conversation::{Conversation, ConversationState},
    desk::{AutoVideo, DeskEvent},
    ids::{AccountId, ConversationId},
    routing::wants_video,
};
use std::{collections::HashSet, time::Duration};
use tokio::sync::oneshot;

/// Between the announcement and the camera.
const ANNOUNCED: Duration = Duration::from_secs(3);

/// What a session knows of it.
#[derive(Default)]
pub(super) struct AutoVideos {
    /// Conversations for which it has been decided.
    decided: HashSet<ConversationId>,
    view: Option<AutoVideo>,
}

impl AutoVideos {
    fn concerns(&self, id: ConversationId) -> bool {
        match &self.view {
            Some(AutoVideo::Starting { conversation, .. } | AutoVideo::Blocked { conversation, .. }) => {
                *conversation == id
            }
            None => false,
        }
    }

    fn starting(&self, id: ConversationId) -> bool {
        matches!(&self.view, Some(AutoVideo::Starting { conversation, .. }) if *conversation == id)
    }
}

/// Whether the customer waits for a call that has not been made yet.
fn is_wanted(conversation: &Conversation, me: AccountId) -> bool {
    conversation.state == ConversationState::Active
        && conversation.owner == Some(me)
        && conversation.escalation.is_none()
        && wants_video(&conversation.context)
}

impl<S: Shell> Controller<S> {
    /// The agent has taken it, here and now.
    pub(super) fn accepted(&mut self, conversation: &Conversation) {
        let Ok(signed_in) = self.signed_in_ref() else { return };
        let id = conversation.id;
        if !is_wanted(conversation, signed_in.account.id) || signed_in.auto_video.decided.contains(&id) {
            return;
        }
        let view = match self.may_start_video(id) {
            Ok(_) => {
                let (inputs, epoch) = (self.inputs.clone(), self.epoch);
                tokio::spawn(async move {
                    tokio::time::sleep(ANNOUNCED).await;
                    inputs.send(Input::Session(epoch, SessionInput::AutoVideoDue(id)));
                });
                let announced_ms = i64::try_from(ANNOUNCED.as_millis()).unwrap_or(0);
                AutoVideo::Starting {
                    conversation: id,
                    at: crate::now() + announced_ms,
                    announced_ms,
                }
            }
            Err(problem) => AutoVideo::Blocked {
                conversation: id,
                problem,
            },
        };
        tracing::info!(conversation = %id, starts = matches!(view, AutoVideo::Starting { .. }), "video by itself");
        let Ok(signed_in) = self.signed_in_mut() else { return };
        signed_in.auto_video.decided.insert(id);
        signed_in.auto_video.view = Some(view);
        self.show_auto_video();
    }

    /// Its moment has come, unless the agent has said no or has started it already.
    pub(super) fn auto_video_due(&mut self, id: ConversationId) {
        let Ok(signed_in) = self.signed_in_mut() else { return };
        if !signed_in.auto_video.starting(id) {
            return;
        }
        let known = signed_in.inbox.conversations.get(&id);
        if !known.is_some_and(|known| is_wanted(known, signed_in.account.id)) {
            return self.end_auto_video(id);
        }
        let (reply, answered) = oneshot::channel();
        self.start_video(id, reply);
        let (inputs, epoch) = (self.inputs.clone(), self.epoch);
        tokio::spawn(async move {
            // Whoever drops the reply has ended with the session.
            if let Ok(Err(problem)) = answered.await {
                let input = SessionInput::AutoVideoRefused {
                    conversation: id,
                    problem,
                };
                inputs.send(Input::Session(epoch, input));
            }
        });
    }

    /// It did not start; the agent reads why, and may start it.
    pub(super) fn auto_video_refused(&mut self, conversation: ConversationId, problem: Problem) {
        if let Ok(signed_in) = self.signed_in_mut() {
            signed_in.auto_video.view = Some(AutoVideo::Blocked { conversation, problem });
            self.show_auto_video();
        }
    }

    /// The agent does not want it.
    pub(super) fn cancel_auto_video(&mut self) {
        if let Ok(signed_in) = self.signed_in_mut()
            && signed_in.auto_video.view.take().is_some()
        {
            self.show_auto_video();
        }
    }

    /// There is a call in the conversation, or the conversation is not this agent's work any more.
    pub(super) fn end_auto_video(&mut self, id: ConversationId) {
        if self
            .signed_in_ref()
            .is_ok_and(|signed_in| signed_in.auto_video.concerns(id))
        {
            self.cancel_auto_video();
        }
    }

    /// What is announced holds only for as long as the customer still waits for it.
    pub(super) fn auto_video_follows(&mut self, conversation: &Conversation) {
        let Ok(signed_in) = self.signed_in_ref() else { return };
        if !is_wanted(conversation, signed_in.account.id) {
            self.end_auto_video(conversation.id);
        }
    }

    pub(super) fn show_auto_video(&self) {
        let Ok(signed_in) = self.signed_in_ref() else { return };
        self.shell.emit(DeskEvent::AutoVideo {
            video: signed_in.auto_video.view.clone(),
        });
    }
}
