//! The live wall of a supervisor, what a supervisor does in others' conversations, and what an agent hears of that.

use super::{
    Controller, Input,
    session::{Answer, SessionInput},
};
use crate::{api::Api, courier::Reply, shell::Shell};
use sightline_wire::{
    ErrorCode, Problem,
    account::Role,
    conversation::Conversation,
    desk::{AuditEnd, DeskEvent},
    ids::{AccountId, ConversationId},
    routing::{Transfer, TransferTo},
    wall::{
        Assign, ForceClose, Intervention, InterventionAct, WallAgent, WallConversation, WallNews, WallQueue, WallView,
    },
};
use std::{collections::BTreeMap, time::Duration};

/// News that come together are drawn together.
const DRAW: Duration = Duration::from_millis(100);

/// The wall while it is open.
#[derive(Default)]
pub(super) struct Wall {
    /// Of the news that brought all of it; older ones were still on their way.
    since: u64,
    ahead_ms: i64,
    queues: BTreeMap<u32, WallQueue>,
    agents: BTreeMap<AccountId, WallAgent>,
    conversations: BTreeMap<ConversationId, WallConversation>,
    /// It has been told at all.
    known: bool,
    due: bool,
}

impl Wall {
    /// Takes news in; `false` when they are old ones.
    fn hear(&mut self, news: WallNews, now: i64) -> bool {
        if news.begins {
            *self = Self {
                since: news.number,
                known: true,
                due: self.due,
                ..Self::default()
            };
        } else if !self.known || news.number < self.since {
            return false;
        }
        self.ahead_ms = now - news.at;
        self.queues.extend(news.queues.into_iter().map(|row| (row.queue, row)));
        self.agents.extend(news.agents.into_iter().map(|row| (row.agent, row)));
        self.conversations
            .extend(news.conversations.into_iter().map(|row| (row.id, row)));
        for agent in &news.gone_agents {
            self.agents.remove(agent);
        }
        for conversation in &news.gone {
            self.conversations.remove(conversation);
        }
        true
    }

    fn view(&self) -> WallView {
        let mut agents: Vec<_> = self.agents.values().cloned().collect();
        agents.sort_by(|a, b| (&a.name, a.agent).cmp(&(&b.name, b.agent)));
        let mut conversations: Vec<_> = self.conversations.values().cloned().collect();
        conversations.sort_by_key(|row| (row.opened_at, row.id));
        WallView {
            ahead_ms: self.ahead_ms,
            queues: self.queues.values().cloned().collect(),
            agents,
            conversations,
        }
    }
}

impl<S: Shell> Controller<S> {
    fn supervises(&self) -> Result<(), Problem> {
        match self.signed_in_ref()?.account.role {
            Role::Agent => Err(ErrorCode::NotAllowed.into()),
            Role::Supervisor | Role::Admin => Ok(()),
        }
    }

    pub(super) fn watch_wall(&mut self, open: bool) -> Result<(), Problem> {
        self.supervises()?;
        self.signed_in_ref()?.link.watch_wall(open);
        self.signed_in_mut()?.wall = open.then(Wall::default);
        Ok(())
    }

    /// The socket before this one was told, and this one has not heard it.
    pub(super) fn wall_welcomed(&self) {
        if let Ok(signed_in) = self.signed_in_ref()
            && signed_in.wall.is_some()
        {
            signed_in.link.watch_wall(true);
        }
    }

    pub(super) fn wall_news(&mut self, news: WallNews) {
        let (inputs, epoch) = (self.inputs.clone(), self.epoch);
        let Ok(signed_in) = self.signed_in_mut() else { return };
        let Some(wall) = &mut signed_in.wall else { return };
        if wall.hear(news, crate::now()) && !std::mem::replace(&mut wall.due, true) {
            tokio::spawn(async move {
                tokio::time::sleep(DRAW).await;
                inputs.send(Input::Session(epoch, SessionInput::DrawWall));
            });
        }
    }

    pub(super) fn draw_wall(&mut self) {
        let Ok(signed_in) = self.signed_in_mut() else { return };
        let Some(wall) = &mut signed_in.wall else { return };
        wall.due = false;
        if wall.known {
            let wall = wall.view();
            self.shell.emit(DeskEvent::Wall { wall });
        }
    }

    pub(super) fn read_why(&self, conversation: ConversationId, reply: Reply) {
        let read = move |api: Api| async move {
            let why = api.why(conversation).await?;
            let at = crate::now();
            Ok(DeskEvent::Why { conversation, why, at })
        };
        self.ask(reply, read, Answer::Shown);
    }

    pub(super) fn read_audit(&self, before: Option<i64>, reply: Reply) {
        let read = move |api: Api| async move {
            let page = api.audit(before).await?;
            Ok(DeskEvent::Audit { before, page })
        };
        self.ask(reply, read, Answer::Shown);
    }

    pub(super) fn check_audit(&self, known: Option<AuditEnd>, reply: Reply) {
        let check = move |api: Api| async move {
            let check = api.check_audit(known.as_ref()).await?;
            let at = crate::now();
            Ok(DeskEvent::AuditChecked { check, at })
        };
        self.ask(reply, check, Answer::Shown);
    }

    /// A supervisor opens what is in no inbox of this desk: asked for by name, so that the server knows of it.
    pub(super) fn fetch_others(&self, id: ConversationId) {
        let (Ok(()), Ok(api)) = (self.supervises(), self.client()) else {
            return;
        };
        let (inputs, epoch) = (self.inputs.clone(), self.epoch);
        tokio::spawn(async move {
            match api.conversation(id).await {
                Ok(conversation) => {
                    let answer = Answer::Conversation(Box::new(conversation));
                    let told = SessionInput::Answer { answer, reply: None };
                    inputs.send(Input::Session(epoch, told));
                }
                Err(problem) => tracing::info!(code = ?problem.code, "a conversation could not be opened"),
            }
        });
    }

    pub(super) fn join(&self, id: ConversationId, reply: Reply) {
        self.ask(reply, |api| async move { api.join(id).await }, Answer::Conversation);
    }

    pub(super) fn leave(&self, id: ConversationId, reply: Reply) {
        self.ask(reply, |api| async move { api.leave(id).await }, Answer::Conversation);
    }

    pub(super) fn assign(&self, id: ConversationId, agent: AccountId, even_if_full: bool, reply: Reply) {
        let choice = Assign { agent, even_if_full };
        self.ask(
            reply,
            move |api| async move { api.assign(id, choice).await },
            Answer::Conversation,
        );
    }

    pub(super) fn transfer_to(&self, id: ConversationId, agent: AccountId, note: String, reply: Reply) {
        self.ask(
            reply,
            move |api| async move {
                let to = TransferTo::Agent { account: agent };
                api.transfer(id, &Transfer { to, note }).await
            },
            Answer::Conversation,
        );
    }

    pub(super) fn force_close(&self, id: ConversationId, notice: String, end_call: bool, reply: Reply) {
        let close = ForceClose { notice, end_call };
        self.ask(
            reply,
            move |api| async move { api.force_close(id, &close).await },
            Answer::Conversation,
        );
    }

    /// A supervisor has done something in a conversation of this agent.
    pub(super) fn intervened(&self, told: Intervention) {
        let Intervention {
            conversation,
            customer_name,
            by,
            act,
        } = told;
        let problem = match act {
            InterventionAct::Assigned => Problem::new(ErrorCode::AssignedBySupervisor)
                .saying(format!("{by} has assigned {customer_name} to you."))
                .in_conversation(conversation),
            InterventionAct::Closed { notice } => Problem::new(ErrorCode::ClosedBySupervisor)
                .saying(format!("{by} has closed the conversation with {customer_name}."))
                .advising(format!("“{notice}”"))
                .in_conversation(conversation),
        };
        self.shell.notify(&customer_name, &problem.message);
        self.notice(problem);
    }
}

/// Whether this account has joined the conversation.
pub(super) fn takes_part(conversation: &Conversation, me: AccountId) -> bool {
    conversation.participants.iter().any(|one| one.account == me)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sightline_wire::wall::ServiceLevel;
    use uuid::Uuid;

    fn queue(number: u32, waiting: u32) -> WallQueue {
        WallQueue {
            queue: number,
            title: format!("Queue {number}"),
            waiting,
            oldest: None,
            active: 0,
            here: 0,
            free: 0,
            within_ms: 20_000,
            goal: None,
            hour: ServiceLevel::default(),
            day: ServiceLevel::default(),
        }
    }

    fn news(number: u64, begins: bool, queues: Vec<WallQueue>) -> WallNews {
        WallNews {
            number,
            at: 1_000,
            begins,
            queues,
            ..WallNews::default()
        }
    }

    #[test]
    fn news_from_before_the_whole_wall_are_not_heard() {
        let mut wall = Wall::default();
        assert!(
            !wall.hear(news(3, false, vec![queue(1, 9)]), 1_200),
            "nothing is known yet"
        );
        assert!(wall.hear(news(5, true, vec![queue(1, 1)]), 1_200));
        assert!(
            wall.hear(news(5, false, vec![queue(2, 2)]), 1_200),
            "the whole has parts"
        );
        assert!(
            !wall.hear(news(4, false, vec![queue(1, 9)]), 1_200),
            "it was still in the queue"
        );
        let waiting = |wall: &Wall| -> Vec<u32> { wall.view().queues.iter().map(|row| row.waiting).collect() };
        assert_eq!(waiting(&wall), [1, 2]);
        assert!(wall.hear(news(6, false, vec![queue(2, 0)]), 1_250));
        assert_eq!((waiting(&wall), wall.view().ahead_ms), (vec![1, 0], 250));
        assert!(wall.hear(news(9, true, vec![queue(7, 7)]), 1_000));
        assert_eq!(waiting(&wall), [7], "a whole wall forgets the one before");
    }

    #[test]
    fn rows_go_when_they_are_gone() {
        let mut wall = Wall::default();
        let agent = AccountId(Uuid::from_u128(1));
        let row = WallAgent {
            agent,
            name: "Ada".into(),
            presence: sightline_wire::wall::WallPresence::Busy,
            load: None,
            conversations: 1,
            asked: None,
            readiness: None,
            ready_until: None,
            call: None,
        };
        let mut first = news(1, true, Vec::new());
        first.agents.push(row);
        assert!(wall.hear(first, 0));
        assert_eq!(wall.view().agents.len(), 1);
        let mut later = news(2, false, Vec::new());
        later.gone_agents.push(agent);
        assert!(wall.hear(later, 0));
        assert!(wall.view().agents.is_empty());
    }
}
