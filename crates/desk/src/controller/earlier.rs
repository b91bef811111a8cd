//! What a conversation continues, read when the agent wants it; and the link that lets a customer continue this one.

use super::{Controller, Input, answer, session::SessionInput};
use crate::{courier::Reply, shell::Shell};
use sightline_wire::{
    desk::DeskEvent,
    ids::{ClientMessageId, ConversationId},
    link::{EarlierConversation, LinkShape, MakeChatLink},
};
use uuid::Uuid;

impl<S: Shell> Controller<S> {
    /// Nothing of it is kept here: the window has what it shows.
    pub(super) fn read_earlier(
        &self,
        conversation: ConversationId,
        earlier: ConversationId,
        before: Option<i64>,
        reply: Reply,
    ) {
        let api = match self.client() {
            Ok(api) => api,
            Err(problem) => return answer(reply, Err(problem)),
        };
        let (inputs, epoch) = (self.inputs.clone(), self.epoch);
        tokio::spawn(async move {
            let read = async {
                let known = api.conversation(earlier).await?;
                let page = api.messages_before(earlier, before.unwrap_or(i64::MAX)).await?;
                Ok(EarlierConversation {
                    id: earlier,
                    messages: page.messages,
                    more: page.more,
                    owner_name: known.owner_name,
                    previous: known.previous,
                })
            };
            match read.await {
                Ok(earlier) => {
                    let input = SessionInput::Earlier { conversation, earlier };
                    inputs.send(Input::Session(epoch, input));
                    answer(reply, Ok(()));
                }
                Err(problem) => answer(reply, Err(problem)),
            }
        });
    }

    pub(super) fn earlier_arrived(&self, conversation: ConversationId, earlier: EarlierConversation) {
        self.shell.emit(DeskEvent::Earlier { conversation, earlier });
    }

    /// The message comes back over the socket like any other.
    pub(super) fn send_chat_link(&self, conversation: ConversationId, video: bool, reply: Reply) {
        let api = match self.client() {
            Ok(api) => api,
            Err(problem) => return answer(reply, Err(problem)),
        };
        tokio::spawn(async move {
            let wanted = MakeChatLink {
                client_id: ClientMessageId(Uuid::new_v4()),
                video,
                shape: LinkShape::Opaque,
            };
            let sent = api.send_chat_link(conversation, &wanted).await;
            answer(reply, sent.map(drop));
        });
    }
}
