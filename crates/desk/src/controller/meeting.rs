//! A room elsewhere: the host's link opens in the system's browser.

use super::{Controller, answer};
use crate::{courier::Reply, shell::Shell};
use sightline_wire::{
    ErrorCode, Problem,
    ids::{ClientMessageId, ConversationId},
    meeting::MakeMeeting,
};
use uuid::Uuid;

impl<S: Shell> Controller<S> {
    /// The customer's link comes back over the socket like any other message.
    pub(super) fn make_meeting(&self, conversation: ConversationId, reply: Reply) {
        let api = match self.client() {
            Ok(api) => api,
            Err(problem) => return answer(reply, Err(problem)),
        };
        let shell = self.shell.clone();
        tokio::spawn(async move {
            let wanted = MakeMeeting {
                client_id: ClientMessageId(Uuid::new_v4()),
            };
            let made = match api.make_meeting(conversation, &wanted).await {
                Ok(made) => made,
                Err(problem) => return answer(reply, Err(problem)),
            };
            // A browser opens more than web pages.
            if !made.host_url.starts_with("https://") {
                return answer(reply, Err(ErrorCode::MeetingFailed.into()));
            }
            if !shell.open(&made.host_url) {
                let text = format!("Your room is at {}", made.host_url);
                return answer(reply, Err(Problem::new(ErrorCode::NoBrowser).saying(text)));
            }
            answer(reply, made.not_invited.map_or(Ok(()), Err));
        });
    }
}
