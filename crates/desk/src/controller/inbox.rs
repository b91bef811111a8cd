//! Conversations and their messages, as the window shows them.

use super::{
    Controller, Input, answer,
    session::{Answer, SessionInput, SessionState},
    wall::takes_part,
};
use crate::{
    courier::{CourierEvent, Reply},
    desk::NewFile,
    link::LinkEvent,
    shell::Shell,
};
use sightline_wire::{
    ErrorCode, Problem,
    agent::AgentEvent,
    conversation::{
        Author, Channel, ContextValue, Conversation, ConversationState, EditConversation, Message, MessagePage,
    },
    desk::{DeskEvent, LinkView, PendingMessage},
    ids::{AccountId, ClientMessageId, ConversationId, EscalationId},
};
use std::collections::{BTreeMap, HashMap, HashSet};
use tokio::time::{Duration, Instant};

/// The customer's page shows "typing" for longer than this; more often says nothing new.
const TYPING_EVERY: Duration = Duration::from_secs(2);

/// What a session knows.
#[derive(Default)]
pub(super) struct Inbox {
    pub conversations: HashMap<ConversationId, Conversation>,
    threads: HashMap<ConversationId, Thread>,
    pending: Vec<PendingMessage>,
    /// The one the window shows.
    open: Option<ConversationId>,
    /// Read here, though the server may not have heard of it yet.
    read: HashMap<ConversationId, i64>,
    typed_at: Option<(ConversationId, Instant)>,
    welcomed: bool,
    /// Calls that are over for this desk, whatever the server still says; `None` before the outbox was read.
    pub over: Option<HashSet<EscalationId>>,
}

/// A conversation's messages, without gaps from the first.
#[derive(Default)]
struct Thread {
    messages: BTreeMap<i64, Message>,
    fetching: bool,
    /// Something came while a page was on its way: fetch once more.
    again: bool,
}

impl Thread {
    fn last(&self) -> i64 {
        self.messages.last_key_value().map_or(0, |(seq, _)| *seq)
    }
}

impl Inbox {
    fn unread(&self, me: AccountId) -> usize {
        let wants_eyes = |c: &&Conversation| match c.state {
            ConversationState::Open => true,
            ConversationState::Active | ConversationState::WrapUp => {
                c.owner == Some(me) && c.last_seq > c.read_seq.max(self.read.get(&c.id).copied().unwrap_or(0))
            }
            ConversationState::Closed => false,
        };
        self.conversations.values().filter(wants_eyes).count()
    }
}

fn belongs_in_inbox(conversation: &Conversation, me: AccountId) -> bool {
    match conversation.state {
        ConversationState::Open => true,
        ConversationState::Active | ConversationState::WrapUp => {
            conversation.owner == Some(me) || takes_part(conversation, me)
        }
        ConversationState::Closed => false,
    }
}

/// Whether the agent has the customer on the telephone.
fn is_call_of(conversation: &Conversation, me: AccountId) -> bool {
    conversation.channel == Channel::Phone
        && conversation.state == ConversationState::Active
        && conversation.owner == Some(me)
}

impl<S: Shell> Controller<S> {
    pub(super) fn link_event(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Welcome {
                account,
                company,
                max_bitrate,
                conversations,
            } => {
                let Ok(signed_in) = self.signed_in_mut() else { return };
                signed_in.account = account;
                signed_in.company = company;
                signed_in.max_bitrate = max_bitrate;
                signed_in.link_view = LinkView::Online;
                signed_in.shown = true;
                signed_in.courier.online(true);
                self.show_session();
                self.rejoining.clear();
                self.welcome(conversations);
                self.assignment_welcomed();
                self.readiness_welcomed();
                self.wall_welcomed();
            }
            LinkEvent::Lost => self.link_down(LinkView::Offline { since: crate::now() }),
            LinkEvent::Displaced(problem) => {
                self.link_down(LinkView::Displaced { problem });
                // The call goes on where the agent went on; here its devices are given back.
                self.drop_stage();
            }
            LinkEvent::Frame(frame) => match *frame {
                AgentEvent::Conversation(conversation) => self.conversation_changed(conversation),
                AgentEvent::Message(message) => self.message_arrived(message),
                AgentEvent::Typing { conversation, until } => {
                    self.shell.emit(DeskEvent::Typing { conversation, until });
                }
                AgentEvent::Readiness(mine) => self.readiness_told(mine),
                AgentEvent::TestWanted => self.test_wanted(),
                AgentEvent::Board(row) => self.board_changed(row),
                AgentEvent::Wall(news) => self.wall_news(news),
                AgentEvent::Intervened(told) => self.intervened(told),
                AgentEvent::Assigned(assignment) => self.assigned(assignment),
                AgentEvent::TakenBack {
                    conversation,
                    why,
                    elsewhere,
                } => self.taken_back(conversation, why, elsewhere),
                AgentEvent::Paused { why } => self.paused(why),
                AgentEvent::Presence(mine) => self.presence_told(mine),
                AgentEvent::Handed(handed) => {
                    if handed.why_not.is_none() {
                        self.let_go(handed.conversation);
                    }
                    self.shell.emit(DeskEvent::Handed { handed });
                }
                AgentEvent::Gone { conversation } => self.gone(conversation),
                AgentEvent::Welcome { .. } | AgentEvent::Problem(_) | AgentEvent::Heartbeat => {}
            },
        }
    }

    fn link_down(&mut self, view: LinkView) {
        let Ok(signed_in) = self.signed_in_mut() else { return };
        signed_in.link_view = view;
        signed_in.shown = true;
        signed_in.courier.online(false);
        self.assignment_cut_off();
        self.show_session();
    }

    fn welcome(&mut self, conversations: Vec<Conversation>) {
        let Ok(signed_in) = self.signed_in_mut() else { return };
        let inbox = &mut signed_in.inbox;
        let first = !inbox.welcomed;
        inbox.welcomed = true;
        let known = std::mem::take(&mut inbox.conversations);
        inbox.conversations = conversations.iter().map(|c| (c.id, c.clone())).collect();
        let threads: Vec<_> = inbox.threads.keys().copied().collect();
        self.show_inbox();
        for conversation in &conversations {
            if !first && !known.contains_key(&conversation.id) {
                self.announce(conversation);
            }
            self.follow_escalation(conversation);
        }
        for conversation in threads {
            self.catch_up(conversation);
        }
        self.mark_read();
    }

    fn conversation_changed(&mut self, conversation: Conversation) {
        let Ok(signed_in) = self.signed_in_mut() else { return };
        let me = signed_in.account.id;
        let asked = signed_in.assigned.asks(conversation.id);
        let known = &mut signed_in.inbox.conversations;
        let new = if asked || belongs_in_inbox(&conversation, me) {
            known.insert(conversation.id, conversation.clone()).is_none()
        } else {
            known.remove(&conversation.id);
            false
        };
        if new {
            self.announce(&conversation);
        }
        self.shell.emit(DeskEvent::Conversation {
            conversation: conversation.clone(),
        });
        if new && is_call_of(&conversation, me) {
            // The agent has taken it by answering the telephone.
            self.accepted(&conversation);
        }
        self.assignment_taken(&conversation);
        self.auto_video_follows(&conversation);
        self.follow_escalation(&conversation);
        self.mark_read();
    }

    /// It is a colleague's now, or a colleague is asked.
    fn gone(&mut self, id: ConversationId) {
        self.let_go(id);
        let Ok(signed_in) = self.signed_in_mut() else { return };
        if signed_in.inbox.conversations.remove(&id).is_some() {
            self.show_inbox();
        }
    }

    /// Where conversations are assigned, whoever is asked hears of it then.
    fn announce(&self, conversation: &Conversation) {
        let by_turn = self.signed_in_ref().is_ok_and(|signed_in| signed_in.assigned.by_turn());
        let me = self.signed_in_ref().ok().map(|signed_in| signed_in.account.id);
        if me.is_some_and(|me| is_call_of(conversation, me)) {
            self.shell.notify(
                "Phone call",
                &format!("{} is on the phone.", conversation.customer_name),
            );
        }
        if conversation.state == ConversationState::Open && !by_turn {
            let asks = conversation.asked_for.is_some() && conversation.asked_for == me;
            let waits = if asks { "asks for you" } else { "is waiting" };
            self.shell
                .notify("New conversation", &format!("{} {waits}.", conversation.customer_name));
        }
    }

    fn message_arrived(&mut self, message: Message) {
        let focused = self.focused;
        let Ok(signed_in) = self.signed_in_mut() else { return };
        let me = signed_in.account.id;
        let conversation = message.conversation;
        let mine = signed_in
            .inbox
            .conversations
            .get(&conversation)
            .filter(|c| c.owner == Some(me) || takes_part(c, me));
        let tell = match (&message.author, mine) {
            (Author::Customer, Some(mine)) if !focused => Some(mine.customer_name.clone()),
            (Author::Customer | Author::Agent { .. } | Author::Bot { .. } | Author::System, _) => None,
        };
        if let Some(name) = tell {
            self.shell.notify(&name, "A new message.");
        }
        let Ok(signed_in) = self.signed_in_mut() else { return };
        if let Some(thread) = signed_in.inbox.threads.get_mut(&conversation) {
            if message.seq == thread.last() + 1 {
                thread.messages.insert(message.seq, message.clone());
                self.shell.emit(DeskEvent::Thread {
                    conversation,
                    messages: vec![message],
                });
            } else if message.seq > thread.last() {
                self.catch_up(conversation);
            }
        }
        self.mark_read();
    }

    /// Fetches what comes after the last message known.
    fn catch_up(&mut self, conversation: ConversationId) {
        let Ok(api) = self.client() else { return };
        let (inputs, epoch) = (self.inputs.clone(), self.epoch);
        let Ok(signed_in) = self.signed_in_mut() else { return };
        let thread = signed_in.inbox.threads.entry(conversation).or_default();
        if thread.fetching {
            thread.again = true;
            return;
        }
        thread.fetching = true;
        let after = thread.last();
        tokio::spawn(async move {
            let result = api.messages(conversation, after).await;
            inputs.send(Input::Session(epoch, SessionInput::Page { conversation, result }));
        });
    }

    pub(super) fn page_arrived(&mut self, conversation: ConversationId, result: Result<MessagePage, Problem>) {
        let Ok(signed_in) = self.signed_in_mut() else { return };
        let Some(thread) = signed_in.inbox.threads.get_mut(&conversation) else {
            return;
        };
        thread.fetching = false;
        let again = std::mem::take(&mut thread.again);
        match result {
            Ok(page) => {
                let more = page.more && !page.messages.is_empty();
                thread
                    .messages
                    .extend(page.messages.iter().map(|message| (message.seq, message.clone())));
                self.shell.emit(DeskEvent::Thread {
                    conversation,
                    messages: page.messages,
                });
                if more || again {
                    self.catch_up(conversation);
                }
                self.mark_read();
            }
            // The next welcome catches up.
            Err(problem) if problem.code == ErrorCode::ServerUnreachable => {}
            Err(problem) => self.notice(problem),
        }
    }

    /// Shows what is known at once, and what is missing as it comes.
    pub(super) fn open_thread(&mut self, conversation: ConversationId) -> Result<(), Problem> {
        let signed_in = self.signed_in_mut()?;
        signed_in.inbox.open = Some(conversation);
        let known = signed_in.inbox.conversations.contains_key(&conversation);
        let thread = signed_in.inbox.threads.entry(conversation).or_default();
        let messages: Vec<_> = thread.messages.values().cloned().collect();
        self.shell.emit(DeskEvent::Thread { conversation, messages });
        if !known {
            self.fetch_others(conversation);
        }
        self.catch_up(conversation);
        self.mark_read();
        Ok(())
    }

    /// What lies open in a window at the front has been read.
    pub(super) fn mark_read(&mut self) {
        if !self.focused || !self.attached {
            return;
        }
        let Ok(signed_in) = self.signed_in_mut() else { return };
        let me = signed_in.account.id;
        let inbox = &mut signed_in.inbox;
        let Some(open) = inbox.open else { return };
        let (Some(conversation), Some(thread)) = (inbox.conversations.get(&open), inbox.threads.get(&open)) else {
            return;
        };
        let read = inbox.read.entry(open).or_insert(0);
        let last = thread.last();
        if conversation.owner != Some(me) || last <= conversation.read_seq.max(*read) {
            return;
        }
        *read = last;
        let Ok(api) = self.client() else { return };
        tokio::spawn(async move {
            let edit = EditConversation {
                read_seq: Some(last),
                ..EditConversation::default()
            };
            if let Err(problem) = api.edit(open, &edit).await {
                tracing::debug!(code = ?problem.code, "a read mark was not taken");
            }
        });
    }

    pub(super) fn courier_event(&mut self, event: CourierEvent) {
        let Ok(signed_in) = self.signed_in_mut() else { return };
        match event {
            CourierEvent::Pending(messages) => {
                signed_in.inbox.pending.clone_from(&messages);
                self.shell.emit(DeskEvent::Pending { messages });
            }
            CourierEvent::Stored(message) => {
                let inbox = &mut signed_in.inbox;
                let told = inbox.conversations.get(&message.conversation).map_or(0, |c| c.read_seq);
                let read = inbox.read.entry(message.conversation).or_insert(0);
                // One's own message is read; what came before it may not be.
                if told.max(*read) + 1 == message.seq {
                    *read = message.seq;
                }
                self.message_arrived(message);
            }
            CourierEvent::Over(ids) => {
                signed_in.inbox.over.get_or_insert_default().extend(ids);
                self.follow_all_escalations();
            }
        }
    }

    pub(super) fn answered(&mut self, what: Answer, reply: Option<Reply>) {
        match what {
            Answer::Conversation(conversation) => self.conversation_changed(*conversation),
            Answer::Accepted(conversation) => {
                self.conversation_changed((*conversation).clone());
                self.accepted(&conversation);
            }
            Answer::Escalation(escalation) => self.escalation_changed(*escalation),
            Answer::Shown(event) => self.shell.emit(*event),
        }
        if let Some(reply) = reply {
            answer(reply, Ok(()));
        }
    }

    pub(super) fn accept(&self, id: ConversationId, reply: Reply) {
        self.ask(reply, |api| async move { api.accept(id).await }, Answer::Accepted);
    }

    pub(super) fn save_notes(&self, id: ConversationId, notes: String, reply: Reply) {
        let edit = EditConversation {
            notes: Some(notes),
            ..EditConversation::default()
        };
        self.ask(
            reply,
            |api| async move { api.edit(id, &edit).await },
            Answer::Conversation,
        );
    }

    pub(super) fn set_context(&self, id: ConversationId, key: String, value: Option<ContextValue>, reply: Reply) {
        let context = Some(BTreeMap::from([(key, value)]));
        let edit = EditConversation {
            context,
            ..EditConversation::default()
        };
        self.ask(
            reply,
            |api| async move { api.edit(id, &edit).await },
            Answer::Conversation,
        );
    }

    pub(super) fn wrap_up(&self, id: ConversationId, end_call: bool, reply: Reply) {
        self.ask(
            reply,
            move |api| async move { api.wrap_up(id, end_call).await },
            Answer::Conversation,
        );
    }

    pub(super) fn close(&self, id: ConversationId, disposition: String, reply: Reply) {
        self.ask(
            reply,
            |api| async move { api.close(id, disposition).await },
            Answer::Conversation,
        );
    }

    pub(super) fn send_text(&self, conversation: ConversationId, text: String, reply: Reply) {
        match self.signed_in_ref() {
            Ok(signed_in) => signed_in.courier.send(conversation, text, reply),
            Err(problem) => answer(reply, Err(problem)),
        }
    }

    pub(super) fn send_file(&self, conversation: ConversationId, file: NewFile, reply: Reply) {
        match self.signed_in_ref() {
            Ok(signed_in) => signed_in.courier.send_file(conversation, file, reply),
            Err(problem) => answer(reply, Err(problem)),
        }
    }

    pub(super) fn discard(&self, id: ClientMessageId, reply: Reply) {
        match self.signed_in_ref() {
            Ok(signed_in) => signed_in.courier.discard(id, reply),
            Err(problem) => answer(reply, Err(problem)),
        }
    }

    pub(super) fn typing(&mut self, conversation: ConversationId) -> Result<(), Problem> {
        let signed_in = self.signed_in_mut()?;
        let typed = &mut signed_in.inbox.typed_at;
        if !typed.is_some_and(|(where_to, at)| where_to == conversation && at.elapsed() < TYPING_EVERY) {
            *typed = Some((conversation, Instant::now()));
            signed_in.link.typing(conversation);
        }
        Ok(())
    }

    pub(super) fn show_inbox(&self) {
        let SessionState::SignedIn(signed_in) = &self.session else {
            return;
        };
        if !signed_in.shown {
            return;
        }
        let mut conversations: Vec<_> = signed_in.inbox.conversations.values().cloned().collect();
        conversations.sort_by_key(|conversation| (conversation.opened_at, conversation.id));
        self.shell.emit(DeskEvent::Inbox { conversations });
        self.shell.emit(DeskEvent::Pending {
            messages: signed_in.inbox.pending.clone(),
        });
    }

    pub(super) fn show_attention(&mut self) {
        let unread = match &self.session {
            SessionState::SignedIn(signed_in) => signed_in.inbox.unread(signed_in.account.id),
            SessionState::Starting | SessionState::SignedOut { .. } => 0,
        };
        if self.attention != unread {
            self.attention = unread;
            self.shell.set_attention(unread);
        }
    }
}
