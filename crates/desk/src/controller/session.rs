//! Signing in and out, and finding the session of the last time again.

use super::{Controller, Input, answer, assignment::Assigned, auto_video::AutoVideos, inbox::Inbox, wall::Wall};
use crate::{
    api::{Api, is_final},
    config::{START_PATIENCE, StartedServer, WELCOME_PATIENCE},
    courier::{Courier, CourierEvent, Reply},
    link::{Link, LinkEvent},
    shell::Shell,
    socket::jittered,
};
use sightline_wire::{
    ErrorCode, Problem,
    account::{Account, Session},
    agent::DEFAULT_MAX_BITRATE,
    conversation::{Conversation, MessagePage},
    desk::{DeskEvent, LinkView, SessionView},
    escalation::EscalationView,
    ids::ConversationId,
    link::EarlierConversation,
};
use std::time::Duration;
use tokio::sync::mpsc;

/// Between two attempts to restore a session while the server cannot be reached.
const RESTORE_PAUSE: Duration = Duration::from_secs(2);

/// Who is signed in.
pub(super) enum SessionState {
    Starting,
    SignedOut { problem: Option<Problem> },
    SignedIn(Box<SignedIn>),
}

/// A session and everything that lives as long as it.
pub(super) struct SignedIn {
    pub account: Account,
    pub company: String,
    /// What a call may use, bits a second.
    pub max_bitrate: u32,
    pub link_view: LinkView,
    /// Shown to the window: held back until the first welcome, so that nobody sees a moment of "offline".
    pub shown: bool,
    pub link: Link,
    pub courier: Courier,
    pub inbox: Inbox,
    pub assigned: Assigned,
    pub auto_video: AutoVideos,
    /// While it is open.
    pub wall: Option<Wall>,
}

/// What happens to a session.
pub(crate) enum SessionInput {
    Restored(Result<Option<Session>, Problem>),
    SignedIn {
        result: Result<Session, Problem>,
        reply: Reply,
    },
    StartOverdue,
    WelcomeOverdue,
    Link(LinkEvent),
    Courier(CourierEvent),
    Answer {
        answer: Answer,
        reply: Option<Reply>,
    },
    Page {
        conversation: ConversationId,
        result: Result<MessagePage, Problem>,
    },
    Earlier {
        conversation: ConversationId,
        earlier: EarlierConversation,
    },
    /// Video was announced for this conversation; its moment has come.
    AutoVideoDue(ConversationId),
    AutoVideoRefused {
        conversation: ConversationId,
        problem: Problem,
    },
    DrawWall,
}

/// What the server answered to a request of the session.
pub(crate) enum Answer {
    Conversation(Box<Conversation>),
    /// The agent has taken it.
    Accepted(Box<Conversation>),
    Escalation(Box<EscalationView>),
    /// Of no consequence but for the window.
    Shown(Box<DeskEvent>),
}

impl<S: Shell> Controller<S> {
    /// The address is known, or will never be.
    pub(super) fn server_found(&mut self, started: Result<StartedServer, Problem>) {
        let api = started.and_then(|started| {
            self.first_accounts = started.first_accounts;
            let (lost, mut why) = mpsc::unbounded_channel();
            if self.server_name.is_empty() {
                self.server_name.clone_from(&started.url);
            }
            // Two desks of one person on one machine must not spend each other's token.
            let kept_as = format!("{}|{}", self.server_name, self.settings.desk());
            let api = Api::new(&started.url, self.keyring.clone(), kept_as, lost)?;
            let inputs = self.inputs.clone();
            tokio::spawn(async move {
                while let Some(problem) = why.recv().await {
                    inputs.send(Input::SessionLost(problem));
                }
            });
            Ok(api)
        });
        match api {
            Ok(api) => {
                self.api = Some(api);
                self.restore();
            }
            Err(problem) => self.show_signed_out(Some(problem)),
        }
    }

    fn restore(&mut self) {
        let Some(api) = self.api.clone() else { return };
        let (inputs, epoch) = (self.inputs.clone(), self.epoch);
        let overdue = inputs.clone();
        tokio::spawn(async move {
            tokio::time::sleep(START_PATIENCE).await;
            overdue.send(Input::Session(epoch, SessionInput::StartOverdue));
        });
        let attempts = tokio::spawn(async move {
            loop {
                let result = api.restore().await;
                let again = matches!(&result, Err(problem) if !is_final(problem));
                inputs.send(Input::Session(epoch, SessionInput::Restored(result)));
                if !again {
                    return;
                }
                tokio::time::sleep(jittered(RESTORE_PAUSE)).await;
            }
        });
        self.restoring = Some(attempts.abort_handle());
    }

    pub(super) fn session_input(&mut self, input: SessionInput) {
        match input {
            SessionInput::Restored(Ok(Some(session))) => self.signed_in(session),
            SessionInput::Restored(Ok(None)) => self.show_signed_out(None),
            SessionInput::Restored(Err(problem)) if is_final(&problem) => {
                self.show_signed_out(Some(ErrorCode::SessionExpired.into()));
            }
            // The attempts go on; the words come with the first of these two.
            SessionInput::Restored(Err(problem)) => {
                tracing::info!(code = ?problem.code, "the session could not be restored yet");
            }
            SessionInput::StartOverdue => {
                if matches!(self.session, SessionState::Starting) {
                    self.show_signed_out(Some(ErrorCode::ServerUnreachable.into()));
                }
            }
            SessionInput::SignedIn {
                result: Ok(session),
                reply,
            } => {
                self.signed_in(session);
                answer(reply, Ok(()));
            }
            SessionInput::SignedIn {
                result: Err(problem),
                reply,
            } => answer(reply, Err(problem)),
            SessionInput::WelcomeOverdue => self.show_session_once(),
            SessionInput::Link(event) => self.link_event(event),
            SessionInput::Courier(event) => self.courier_event(event),
            SessionInput::Answer { answer, reply } => self.answered(answer, reply),
            SessionInput::Page { conversation, result } => self.page_arrived(conversation, result),
            SessionInput::Earlier { conversation, earlier } => self.earlier_arrived(conversation, earlier),
            SessionInput::AutoVideoDue(conversation) => self.auto_video_due(conversation),
            SessionInput::AutoVideoRefused { conversation, problem } => {
                self.auto_video_refused(conversation, problem);
            }
            SessionInput::DrawWall => self.draw_wall(),
        }
    }

    pub(super) fn sign_in(&mut self, email: String, password: String, reply: Reply) {
        let Some(api) = self.api.clone() else {
            return answer(reply, Err(ErrorCode::ServerUnreachable.into()));
        };
        if matches!(self.session, SessionState::SignedIn(_)) {
            return answer(reply, Ok(()));
        }
        let (inputs, epoch) = (self.inputs.clone(), self.epoch);
        tokio::spawn(async move {
            let result = api.sign_in(email, password).await;
            inputs.send(Input::Session(epoch, SessionInput::SignedIn { result, reply }));
        });
    }

    fn signed_in(&mut self, session: Session) {
        let Some(api) = self.api.clone() else { return };
        if let Some(restoring) = self.restoring.take() {
            restoring.abort();
        }
        if matches!(self.session, SessionState::SignedIn(_)) {
            return;
        }
        self.epoch += 1;
        self.first_accounts.clear();
        let epoch = self.epoch;
        let owner = format!("{}|{}", self.server_name, session.account.id);
        let inputs = self.inputs.clone();
        let courier = Courier::start(api, self.data_dir.clone(), owner, move |event| {
            inputs.send(Input::Session(epoch, SessionInput::Courier(event)));
        });
        let Some(link) = self.open_link(false) else { return };
        self.session = SessionState::SignedIn(Box::new(SignedIn {
            account: session.account,
            company: String::new(),
            max_bitrate: DEFAULT_MAX_BITRATE,
            link_view: LinkView::Offline { since: crate::now() },
            shown: false,
            link,
            courier,
            inbox: Inbox::default(),
            assigned: Assigned::default(),
            auto_video: AutoVideos::default(),
            wall: None,
        }));
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            tokio::time::sleep(WELCOME_PATIENCE).await;
            inputs.send(Input::Session(epoch, SessionInput::WelcomeOverdue));
        });
    }

    fn open_link(&self, take_over: bool) -> Option<Link> {
        let (inputs, epoch) = (self.inputs.clone(), self.epoch);
        Some(Link::open(
            self.api.clone()?,
            self.settings.desk(),
            take_over,
            move |event| {
                inputs.send(Input::Session(epoch, SessionInput::Link(event)));
            },
        ))
    }

    pub(super) fn take_over(&mut self) -> Result<(), Problem> {
        let link = self.open_link(true);
        let signed_in = self.signed_in_mut()?;
        if let (Some(link), LinkView::Displaced { .. }) = (link, &signed_in.link_view) {
            signed_in.link = link;
            signed_in.link_view = LinkView::Offline { since: crate::now() };
            self.show_session();
        }
        Ok(())
    }

    pub(super) fn sign_out(&mut self, reply: Reply) {
        if self.call_runs() {
            return answer(reply, Err(ErrorCode::CallLive.into()));
        }
        let Some(api) = self.api.clone() else {
            return answer(reply, Ok(()));
        };
        self.leave_session();
        self.show_signed_out(None);
        tokio::spawn(async move {
            api.sign_out().await;
            answer(reply, Ok(()));
        });
    }

    /// The server has ended the session; a call's picture goes on until its room ends it.
    pub(super) fn session_lost(&mut self, problem: Problem) {
        if matches!(self.session, SessionState::SignedIn(_)) {
            self.leave_session();
            self.show_signed_out(Some(problem));
        }
    }

    fn leave_session(&mut self) {
        self.epoch += 1;
        if let Some(restoring) = self.restoring.take() {
            restoring.abort();
        }
        self.session = SessionState::SignedOut { problem: None };
        self.forget_readiness();
        if !self.call_runs() {
            self.drop_stage();
        }
    }

    fn show_signed_out(&mut self, problem: Option<Problem>) {
        self.session = SessionState::SignedOut { problem };
        self.show_session();
    }

    pub(super) fn show_session_once(&mut self) {
        if let SessionState::SignedIn(signed_in) = &mut self.session
            && !signed_in.shown
        {
            signed_in.shown = true;
            self.show_session();
            self.show_inbox();
        }
    }

    pub(super) fn show_session(&self) {
        let server = self.api.as_ref().map(|api| api.base().to_owned()).unwrap_or_default();
        let session = match &self.session {
            SessionState::Starting => SessionView::Starting,
            SessionState::SignedOut { problem } => SessionView::SignedOut {
                server,
                problem: problem.clone(),
                first_accounts: self.first_accounts.clone(),
            },
            SessionState::SignedIn(signed_in) if signed_in.shown => SessionView::SignedIn {
                account: signed_in.account.clone(),
                company: signed_in.company.clone(),
                link: signed_in.link_view.clone(),
                chat_url: format!("{server}/chat"),
                keyring: self.keyring.problem(),
            },
            SessionState::SignedIn(_) => SessionView::Starting,
        };
        self.shell.emit(DeskEvent::Session { session });
    }

    pub(super) fn signed_in_ref(&self) -> Result<&SignedIn, Problem> {
        match &self.session {
            SessionState::SignedIn(signed_in) => Ok(signed_in),
            SessionState::Starting | SessionState::SignedOut { .. } => Err(ErrorCode::NotSignedIn.into()),
        }
    }

    pub(super) fn signed_in_mut(&mut self) -> Result<&mut SignedIn, Problem> {
        match &mut self.session {
            SessionState::SignedIn(signed_in) => Ok(signed_in),
            SessionState::Starting | SessionState::SignedOut { .. } => Err(ErrorCode::NotSignedIn.into()),
        }
    }

    /// The server's client, for a session that is signed in.
    pub(super) fn client(&self) -> Result<Api, Problem> {
        self.signed_in_ref()?;
        self.api.clone().ok_or_else(|| ErrorCode::NotSignedIn.into())
    }

    /// Asks the server in a task of its own; the answer comes back into the loop, and then to the window.
    pub(super) fn ask<T, F>(&self, reply: Reply, request: impl FnOnce(Api) -> F, answered: fn(Box<T>) -> Answer)
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let api = match self.client() {
            Ok(api) => api,
            Err(problem) => return answer(reply, Err(problem)),
        };
        let (request, inputs, epoch) = (request(api), self.inputs.clone(), self.epoch);
        tokio::spawn(async move {
            match request.await {
                Ok(value) => {
                    let answer = answered(Box::new(value));
                    inputs.send(Input::Session(
                        epoch,
                        SessionInput::Answer {
                            answer,
                            reply: Some(reply),
                        },
                    ));
                }
                Err(problem) => answer(reply, Err(problem)),
            }
        });
    }
}
