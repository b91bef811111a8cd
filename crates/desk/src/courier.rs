//! Carries the outbox to the server: in order within a conversation, side by side between conversations,
//! as often as it takes.
//!
//! A message is shown as pending only once it is on disk. It leaves the disk once the server has stored it,
//! and the controller is told about the stored message before the pending one goes, so nothing flickers.

use crate::{
    api::{Api, is_passing},
    desk::NewFile,
    outbox::{Ending, Outbox},
    socket::jittered,
};
use sightline_call::files::{clean_name, taken};
use sightline_wire::{
    ErrorCode, MAX_MESSAGE_CHARS, Problem,
    conversation::{Message, SendMessage},
    desk::{PendingFile, PendingMessage, PendingState},
    ids::{ClientMessageId, ConversationId, EscalationId},
};
use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::{Instant, sleep_until},
};
use uuid::Uuid;

/// Between two attempts while the server is there but cannot take a message.
const RETRY: Duration = Duration::from_secs(2);

/// What the courier tells the controller.
pub(crate) enum CourierEvent {
    /// Everything on its way, in the order typed.
    Pending(Vec<PendingMessage>),
    /// The server has stored it.
    Stored(Message),
    /// Calls that are over here and that the server does not know of yet.
    Over(Vec<EscalationId>),
}

/// Answered when the order is safe.
pub(crate) type Reply = oneshot::Sender<Result<(), Problem>>;

/// What an agent sends.
enum What {
    Words(String),
    File(NewFile),
}

enum Order {
    Send {
        conversation: ConversationId,
        what: What,
        reply: Reply,
    },
    Discard {
        id: ClientMessageId,
        reply: Reply,
    },
    HangUp {
        id: EscalationId,
        ending: Ending,
        reply: Option<Reply>,
    },
    Online(bool),
}

/// The courier's door; dropping it ends the courier, what waits stays on disk.
pub(crate) struct Courier {
    orders: mpsc::UnboundedSender<Order>,
}

impl Courier {
    /// Starts with what is on disk.
    pub fn start(
        api: Api,
        data_dir: PathBuf,
        owner: String,
        tell: impl Fn(CourierEvent) + Send + Sync + 'static,
    ) -> Self {
        let (orders, queue) = mpsc::unbounded_channel();
        let (done, finished) = mpsc::unbounded_channel();
        let work = Work {
            api,
            data_dir,
            owner,
            outbox: None,
            pending: Vec::new(),
            over: Vec::new(),
            busy: HashMap::new(),
            ending: HashSet::new(),
            online: false,
            retry_at: None,
            done,
            tell: Box::new(tell),
        };
        tokio::spawn(work.run(queue, finished));
        Self { orders }
    }

    /// Keeps a message and sends it when it can be sent.
    pub fn send(&self, conversation: ConversationId, text: String, reply: Reply) {
        self.keep(conversation, What::Words(text), reply);
    }

    /// The same for a file.
    pub fn send_file(&self, conversation: ConversationId, file: NewFile, reply: Reply) {
        self.keep(conversation, What::File(file), reply);
    }

    fn keep(&self, conversation: ConversationId, what: What, reply: Reply) {
        let _ = self.orders.send(Order::Send {
            conversation,
            what,
            reply,
        });
    }

    /// Gives a message up.
    pub fn discard(&self, id: ClientMessageId, reply: Reply) {
        let _ = self.orders.send(Order::Discard { id, reply });
    }

    /// Ends a call on the server. `reply` hears once the server knows, or has refused.
    pub fn hang_up(&self, id: EscalationId, ending: Ending, reply: Option<Reply>) {
        let _ = self.orders.send(Order::HangUp { id, ending, reply });
    }

    /// Whether trying makes sense.
    pub fn online(&self, online: bool) {
        let _ = self.orders.send(Order::Online(online));
    }
}

/// What an attempt brought.
enum Done {
    Message {
        id: ClientMessageId,
        conversation: ConversationId,
        result: Result<Message, Problem>,
    },
    HangUp {
        id: EscalationId,
        reply: Option<Reply>,
        result: Result<(), Problem>,
    },
    /// So many bytes of a file have left.
    Sent { id: ClientMessageId, bytes: u32 },
}

struct Work {
    api: Api,
    data_dir: PathBuf,
    owner: String,
    outbox: Option<Outbox>,
    pending: Vec<PendingMessage>,
    over: Vec<(EscalationId, Ending)>,
    /// Conversations with a message in the air, and what carries it.
    busy: HashMap<ConversationId, (ClientMessageId, AbortHandle)>,
    /// Calls with an attempt in the air.
    ending: HashSet<EscalationId>,
    online: bool,
    retry_at: Option<Instant>,
    done: mpsc::UnboundedSender<Done>,
    tell: Box<dyn Fn(CourierEvent) + Send + Sync>,
}

impl Work {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>, mut finished: mpsc::UnboundedReceiver<Done>) {
        if let Err(problem) = self.outbox().await {
            tracing::warn!(%problem, "starting without an outbox");
            (self.tell)(CourierEvent::Over(Vec::new()));
        }
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.take(order).await,
                    None => return,
                },
                Some(done) = finished.recv() => self.finish(done).await,
                () = wait(self.retry_at) => self.retry_at = None,
            }
            self.pump();
        }
    }

    /// Opens the file when it is needed and not open: a full disk may have been freed since.
    async fn outbox(&mut self) -> Result<Outbox, Problem> {
        if let Some(outbox) = &self.outbox {
            return Ok(outbox.clone());
        }
        let outbox = Outbox::open(&self.data_dir, self.owner.clone()).await?;
        self.pending = outbox.messages().await?;
        self.over = outbox.calls_over().await?;
        self.outbox = Some(outbox.clone());
        self.tell_over();
        self.show();
        Ok(outbox)
    }

    async fn take(&mut self, order: Order) {
        match order {
            Order::Send {
                conversation,
                what,
                reply,
            } => {
                let _ = reply.send(self.add(conversation, what).await);
            }
            Order::Discard { id, reply } => {
                let removed = match self.outbox().await {
                    Ok(outbox) => outbox.remove(id).await,
                    Err(problem) => Err(problem),
                };
                if removed.is_ok() {
                    self.stop_file(id);
                    self.pending.retain(|message| message.client_id != id);
                    self.show();
                }
                let _ = reply.send(removed);
            }
            Order::HangUp { id, ending, reply } => {
                if let Ok(outbox) = self.outbox().await
                    && let Err(problem) = outbox.add_call_over(id, ending).await
                {
                    tracing::warn!(%problem, "a hang-up is kept in memory only");
                }
                if !self.over.iter().any(|(known, _)| *known == id) {
                    self.over.push((id, ending));
                }
                self.tell_over();
                self.end(id, ending, reply);
            }
            Order::Online(online) => {
                self.online = online;
                self.retry_at = None;
                self.show();
            }
        }
    }

    /// A file that is given up need not go on; words are there before anybody could stop them. One that the server has
    /// all the same comes back as what it is: sent.
    fn stop_file(&mut self, id: ClientMessageId) {
        let file = self
            .pending
            .iter()
            .find(|message| message.client_id == id && message.file.is_some());
        if let Some(conversation) = file.map(|message| message.conversation)
            && self.busy.get(&conversation).is_some_and(|(carried, _)| *carried == id)
            && let Some((_, carrying)) = self.busy.remove(&conversation)
        {
            carrying.abort();
        }
    }

    async fn add(&mut self, conversation: ConversationId, what: What) -> Result<(), Problem> {
        let (text, file, content) = match what {
            What::Words(text) if text.trim().is_empty() => return Err(ErrorCode::EmptyMessage.into()),
            What::Words(text) if text.chars().count() > MAX_MESSAGE_CHARS => {
                return Err(ErrorCode::MessageTooLong.into());
            }
            What::Words(text) => (text, None, None),
            What::File(file) => {
                let name = clean_name(&file.name);
                // As the server will judge: better told while the agent still looks at the file.
                let kind = taken(&name, &file.kind, &file.content)?.to_owned();
                let size = u32::try_from(file.content.len()).map_err(|_| ErrorCode::FileTooLarge)?;
                let pending = PendingFile {
                    name,
                    kind,
                    size,
                    sent: 0,
                };
                (String::new(), Some(pending), Some(file.content))
            }
        };
        let outbox = self.outbox().await?;
        let message = PendingMessage {
            client_id: ClientMessageId(Uuid::now_v7()),
            conversation,
            text,
            file,
            at: crate::now(),
            state: PendingState::WaitingForNetwork,
        };
        outbox.add(&message, content.as_deref()).await?;
        self.pending.push(message);
        self.show();
        Ok(())
    }

    async fn finish(&mut self, done: Done) {
        match done {
            Done::Message {
                id,
                conversation,
                result,
            } => {
                if self.busy.get(&conversation).is_some_and(|(carried, _)| *carried == id) {
                    self.busy.remove(&conversation);
                }
                match result {
                    Ok(message) => {
                        (self.tell)(CourierEvent::Stored(message));
                        self.pending.retain(|message| message.client_id != id);
                        if let Some(outbox) = &self.outbox
                            && let Err(problem) = outbox.remove(id).await
                        {
                            // It will be sent again after a restart; the server knows its id.
                            tracing::warn!(%problem, "a sent message stays in the outbox");
                        }
                    }
                    Err(problem) if is_passing(&problem) => {
                        self.retry_at = Some(Instant::now() + jittered(RETRY));
                    }
                    Err(problem) => {
                        if let Some(outbox) = &self.outbox
                            && let Err(failed) = outbox.refuse(id, &problem).await
                        {
                            tracing::warn!(problem = %failed, "a refusal is kept in memory only");
                        }
                        if let Some(message) = self.pending.iter_mut().find(|message| message.client_id == id) {
                            message.state = PendingState::Refused { problem };
                        }
                    }
                }
                self.show();
            }
            Done::Sent { id, bytes } => {
                let file = self.pending.iter_mut().find(|message| message.client_id == id);
                if let Some(file) = file.and_then(|message| message.file.as_mut()) {
                    file.sent = bytes;
                }
                self.show();
            }
            Done::HangUp { id, reply, result } => {
                self.ending.remove(&id);
                if let Err(problem) = &result
                    && is_passing(problem)
                {
                    self.retry_at = Some(Instant::now() + jittered(RETRY));
                } else {
                    self.over.retain(|(kept, _)| *kept != id);
                    if let Some(outbox) = &self.outbox
                        && let Err(problem) = outbox.remove_call_over(id).await
                    {
                        tracing::warn!(%problem, "a finished hang-up stays in the outbox");
                    }
                    self.tell_over();
                }
                if let Some(reply) = reply {
                    let _ = reply.send(result);
                }
            }
        }
    }

    /// Sends the first unsent message of every conversation that has none in the air.
    fn pump(&mut self) {
        if !self.online || self.retry_at.is_some() {
            return;
        }
        let mut seen = HashSet::new();
        for message in &self.pending {
            if matches!(message.state, PendingState::Refused { .. }) || !seen.insert(message.conversation) {
                continue;
            }
            if self.busy.contains_key(&message.conversation) {
                continue;
            }
            let (id, conversation) = (message.client_id, message.conversation);
            let carrying = tokio::spawn(carry(
                self.api.clone(),
                self.outbox.clone(),
                self.done.clone(),
                message.clone(),
            ));
            self.busy.insert(conversation, (id, carrying.abort_handle()));
        }
        for (id, ending) in self.over.clone() {
            self.end(id, ending, None);
        }
    }

    fn tell_over(&self) {
        (self.tell)(CourierEvent::Over(self.over.iter().map(|(id, _)| *id).collect()));
    }

    fn end(&mut self, id: EscalationId, ending: Ending, reply: Option<Reply>) {
        if !self.ending.insert(id) {
            if let Some(reply) = reply {
                let _ = reply.send(Ok(()));
            }
            return;
        }
        let (api, done) = (self.api.clone(), self.done.clone());
        tokio::spawn(async move {
            let ended = match ending {
                Ending::HungUp => api.end_video(id).await,
                Ending::Failed => api.fail_video(id).await,
            };
            let result = match ended {
                // Somebody was faster, which is as good.
                Err(problem) if matches!(problem.code, ErrorCode::EscalationEnded | ErrorCode::RoomEnded) => Ok(()),
                other => other.map(drop),
            };
            let _ = done.send(Done::HangUp { id, reply, result });
        });
    }

    fn show(&mut self) {
        let moving = if self.online {
            PendingState::Sending
        } else {
            PendingState::WaitingForNetwork
        };
        for message in &mut self.pending {
            if !matches!(message.state, PendingState::Refused { .. }) {
                message.state = moving.clone();
            }
        }
        (self.tell)(CourierEvent::Pending(self.pending.clone()));
    }
}

/// One attempt at one message.
async fn carry(api: Api, outbox: Option<Outbox>, done: mpsc::UnboundedSender<Done>, message: PendingMessage) {
    let (id, conversation) = (message.client_id, message.conversation);
    let result = match (message.file, outbox) {
        (None, _) => {
            let text = message.text;
            api.send_message(conversation, &SendMessage { client_id: id, text })
                .await
        }
        (Some(file), Some(outbox)) => match outbox.content(id).await {
            Ok(content) => {
                let told = done.clone();
                let sent = move |bytes| drop(told.send(Done::Sent { id, bytes }));
                api.send_file((conversation, id), &file, content.into(), sent).await
            }
            Err(problem) => Err(problem),
        },
        (Some(_), None) => Err(ErrorCode::StorageFailed.into()),
    };
    let _ = done.send(Done::Message {
        id,
        conversation,
        result,
    });
}

async fn wait(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}
