//! One task that owns the desk's state and takes one input at a time.

mod assignment;
mod auto_video;
mod connectors;
mod earlier;
mod effects;
mod figures;
mod inbox;
mod meeting;
mod selftest;
mod session;
mod share;
mod stage;
mod wall;

use crate::{
    api::Api,
    config::{DEVICE_GLANCE, DEVICE_POLL, DeskConfig, RELAY_POLL, SERVER_START_PATIENCE, ServerSource, StartedServer},
    courier::Reply,
    desk::NewFile,
    devices::Devices,
    keyring::Keyring,
    settings::Settings,
    shell::Shell,
};
use selftest::{TestNews, Testing};
use session::{SessionInput, SessionState};
use sightline_wire::{
    ErrorCode, Problem,
    account::FirstAccount,
    desk::{CallView, DeskCommand, DeskEvent},
    device::{Device, DeviceKind},
    ids::{ConversationId, EscalationId},
};
use stage::{CallNews, Stage};
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::AbortHandle,
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};

/// Everything that can happen to a desk.
pub(crate) enum Input {
    Command {
        command: DeskCommand,
        reply: Reply,
    },
    File {
        conversation: ConversationId,
        file: NewFile,
        reply: Reply,
    },
    CloseRequested(oneshot::Sender<bool>),
    Focus(bool),
    Server(Result<StartedServer, Problem>),
    KeyringChanged,
    /// The server has ended the session.
    SessionLost(Problem),
    /// What there is, and which kinds the system has muted.
    Devices(Vec<Device>, Vec<DeviceKind>),
    /// Belongs to the session of that number; one of an earlier session is dropped.
    Session(u64, SessionInput),
    /// Belongs to the call of that number.
    Call(u64, CallNews),
    /// Of the self-test and the lease.
    Test(TestNews),
}

/// The way back into the loop. It does not keep the loop alive: the handles do.
#[derive(Clone)]
pub(crate) struct Inputs(mpsc::WeakUnboundedSender<Input>);

impl Inputs {
    fn send(&self, input: Input) {
        if let Some(inputs) = self.0.upgrade() {
            let _ = inputs.send(input);
        }
    }
}

/// The desk's state.
pub(crate) struct Controller<S: Shell> {
    shell: Arc<S>,
    inputs: Inputs,
    data_dir: PathBuf,
    downloads: PathBuf,
    keyring: Keyring,
    settings: Settings,
    devices: Devices,
    source: Option<ServerSource>,
    /// The same at every start, which the address of an embedded server need not be.
    server_name: String,
    api: Option<Api>,
    first_accounts: Vec<FirstAccount>,
    session: SessionState,
    /// Counts sessions, so that what belongs to an earlier one is recognised.
    epoch: u64,
    restoring: Option<AbortHandle>,
    stage: Option<Stage>,
    calls: u64,
    testing: Testing,
    /// Calls of an earlier run that are being joined again.
    rejoining: HashSet<EscalationId>,
    shown_call: Option<CallView>,
    /// The window closes once the server has heard of the end of a call it has not even answered yet.
    closing: Option<Reply>,
    attached: bool,
    focused: bool,
    attention: usize,
}

impl<S: Shell> Controller<S> {
    pub fn new(config: DeskConfig, shell: Arc<S>, inputs: mpsc::WeakUnboundedSender<Input>) -> Self {
        let settings = Settings::open(&config.data_dir);
        let devices = Devices::watching(device_folders(&config.data_dir));
        Self {
            shell,
            inputs: Inputs(inputs),
            data_dir: config.data_dir,
            downloads: config.downloads,
            keyring: config.keyring,
            settings,
            devices,
            server_name: match &config.server {
                ServerSource::Url(_) => String::new(),
                ServerSource::Starting(_) => "embedded".into(),
            },
            source: Some(config.server),
            api: None,
            first_accounts: Vec::new(),
            session: SessionState::Starting,
            epoch: 0,
            restoring: None,
            stage: None,
            calls: 0,
            testing: Testing::default(),
            rejoining: HashSet::new(),
            shown_call: None,
            closing: None,
            attached: false,
            focused: true,
            attention: 0,
        }
    }

    /// Runs until the last handle is gone.
    pub async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Input>) {
        self.find_server();
        self.watch_keyring();
        let mut device_poll = interval(DEVICE_POLL);
        device_poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut device_glance = interval(DEVICE_GLANCE);
        device_glance.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut relay_poll = interval(RELAY_POLL);
        relay_poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let call_due = self
                .stage
                .as_ref()
                .and_then(|stage| stage.call.deadline())
                .map(instant_of);
            tokio::select! {
                input = queue.recv() => match input {
                    Some(input) => self.take(input),
                    None => break,
                },
                () = due(call_due) => self.call_tick(),
                _ = device_poll.tick() => if self.attached { self.list_devices() },
                _ = device_glance.tick() => if self.attached && self.devices.stirred() { self.list_devices() },
                _ = relay_poll.tick() => self.ask_relays(),
            }
            self.test_when_free();
            self.show_call();
            self.show_test();
            self.show_attention();
        }
        tracing::debug!("the controller ends");
        if let Some(stage) = self.stage.take() {
            stage.put_down();
        }
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Command { command, reply } => self.command(command, reply),
            Input::CloseRequested(reply) => {
                let in_call = self.call_runs();
                if in_call {
                    self.shell.emit(DeskEvent::ConfirmClose);
                }
                let _ = reply.send(!in_call);
            }
            Input::File {
                conversation,
                file,
                reply,
            } => self.send_file(conversation, file, reply),
            Input::Focus(focused) => {
                self.focused = focused;
                self.mark_read();
            }
            Input::Server(started) => self.server_found(started),
            Input::KeyringChanged => self.show_session(),
            Input::SessionLost(problem) => self.session_lost(problem),
            Input::Devices(found, muted) => {
                if self.devices.replace(found) {
                    self.show_devices();
                    self.devices_changed();
                }
                self.muted_by_system(muted);
            }
            Input::Session(epoch, input) => {
                if epoch == self.epoch {
                    self.session_input(input);
                }
            }
            Input::Call(number, news) => self.call_news(number, news),
            Input::Test(news) => self.test_news(news),
        }
    }

    fn command(&mut self, command: DeskCommand, reply: Reply) {
        match command {
            DeskCommand::Attach => {
                self.attach();
                let _ = reply.send(Ok(()));
            }
            DeskCommand::SignIn { email, password } => self.sign_in(email, password, reply),
            DeskCommand::SignOut => self.sign_out(reply),
            DeskCommand::TakeOver => answer(reply, self.take_over()),
            DeskCommand::Accept { conversation } => self.accept(conversation, reply),
            DeskCommand::Decline { conversation } => self.decline(conversation, reply),
            DeskCommand::BackAgain => answer(reply, self.back_again()),
            DeskCommand::ChoosePresence { chosen } => answer(reply, self.choose_presence(chosen)),
            DeskCommand::FindTargets { conversation, search } => self.find_targets(conversation, search, reply),
            DeskCommand::Transfer { conversation, to, note } => self.transfer(conversation, to, note, reply),
            DeskCommand::Open { conversation } => answer(reply, self.open_thread(conversation)),
            DeskCommand::Send { conversation, text } => self.send_text(conversation, text, reply),
            DeskCommand::Discard { client_id } => self.discard(client_id, reply),
            DeskCommand::Typing { conversation } => answer(reply, self.typing(conversation)),
            DeskCommand::SaveNotes { conversation, notes } => self.save_notes(conversation, notes, reply),
            DeskCommand::SetContext {
                conversation,
                key,
                value,
            } => self.set_context(conversation, key, value, reply),
            DeskCommand::ReadEarlier {
                conversation,
                earlier,
                before,
            } => self.read_earlier(conversation, earlier, before, reply),
            DeskCommand::SendChatLink { conversation, video } => self.send_chat_link(conversation, video, reply),
            DeskCommand::MakeMeeting { conversation } => self.make_meeting(conversation, reply),
            DeskCommand::StartVideo { conversation } => self.start_video(conversation, reply),
            DeskCommand::CancelAutoVideo => {
                self.cancel_auto_video();
                answer(reply, Ok(()));
            }
            DeskCommand::ResendInvite => self.resend_invite(reply),
            DeskCommand::CancelInvite | DeskCommand::HangUp => answer(reply, self.hang_up()),
            DeskCommand::DismissCall => answer(reply, self.dismiss_call()),
            DeskCommand::SetMicrophone { on } => answer(reply, self.switch(DeviceKind::Microphone, on)),
            DeskCommand::SetCamera { on } => answer(reply, self.switch(DeviceKind::Camera, on)),
            DeskCommand::ListScreens => self.list_screens(reply),
            DeskCommand::ShareScreen { id, name } => answer(reply, self.share_screen(Some((id, name)))),
            DeskCommand::StopScreen => answer(reply, self.share_screen(None)),
            DeskCommand::SelectDevice { kind, id } => answer(reply, self.select_device(kind, id)),
            DeskCommand::WrapUp { conversation, end_call } => self.wrap_up(conversation, end_call, reply),
            DeskCommand::Close {
                conversation,
                disposition,
            } => self.close(conversation, disposition, reply),
            DeskCommand::Layout(layout) => {
                self.shell.set_layout(layout);
                let _ = reply.send(Ok(()));
            }
            DeskCommand::CloseWindow => self.close_window(reply),
            DeskCommand::TestSelf { extent, check } => answer(reply, self.test_self(extent, check)),
            DeskCommand::ToneHeard { heard } => answer(reply, self.tone_heard(heard)),
            DeskCommand::StopTest => {
                self.stop_test();
                answer(reply, Ok(()));
            }
            DeskCommand::WatchBoard { open } => answer(reply, self.watch_board(open)),
            DeskCommand::WatchWall { open } => answer(reply, self.watch_wall(open)),
            DeskCommand::Join { conversation } => self.join(conversation, reply),
            DeskCommand::Leave { conversation } => self.leave(conversation, reply),
            DeskCommand::Assign {
                conversation,
                agent,
                even_if_full,
            } => self.assign(conversation, agent, even_if_full, reply),
            DeskCommand::TransferTo {
                conversation,
                agent,
                note,
            } => self.transfer_to(conversation, agent, note, reply),
            DeskCommand::ForceClose {
                conversation,
                notice,
                end_call,
            } => self.force_close(conversation, notice, end_call, reply),
            DeskCommand::ReadWhy { conversation } => self.read_why(conversation, reply),
            DeskCommand::ReadAudit { before } => self.read_audit(before, reply),
            DeskCommand::CheckAudit { known } => self.check_audit(known, reply),
            DeskCommand::ReadConnectors => self.read_connectors(reply),
            DeskCommand::TestConnector { connector } => self.test_connector(connector, reply),
            DeskCommand::ReadConnectorKinds => self.read_connector_kinds(reply),
            DeskCommand::SaveConnector { connector, settings } => self.save_connector(connector, settings, reply),
            DeskCommand::RemoveConnector { connector } => self.remove_connector(connector, reply),
            DeskCommand::SwitchConnector { connector, on } => self.switch_connector(connector, on, reply),
            DeskCommand::ReadFile { file } => self.read_file(file, reply),
            DeskCommand::ReadDeadLetters => self.read_dead_letters(reply),
            DeskCommand::ResendLetter { letter } => self.resend_letter(letter, reply),
            DeskCommand::DiscardLetter { letter } => self.discard_letter(letter, reply),
            DeskCommand::ReadConversations { conversations } => self.read_conversations(conversations, reply),
            DeskCommand::AskForTest { agent } => self.ask_for_test(agent, reply),
            DeskCommand::ReadReports { agent } => self.read_reports(agent, reply),
            DeskCommand::SaveReadiness { board } => self.save_readiness(board, reply),
        }
    }

    /// The page has loaded, perhaps not for the first time: it knows nothing.
    fn attach(&mut self) {
        self.attached = true;
        self.shell.emit(DeskEvent::Painter {
            painter: self.shell.painter_view(),
        });
        self.show_session();
        self.show_inbox();
        self.show_assignment();
        self.show_pause();
        self.show_auto_video();
        self.show_presence();
        let call = self.shown_call.clone();
        self.shell.emit(DeskEvent::Call { call });
        self.show_test_again();
        self.show_devices();
        self.list_devices();
    }

    fn find_server(&mut self) {
        let inputs = self.inputs.clone();
        match self.source.take() {
            Some(ServerSource::Url(url)) => {
                inputs.send(Input::Server(Ok(StartedServer {
                    url,
                    first_accounts: Vec::new(),
                })));
            }
            Some(ServerSource::Starting(start)) => {
                tokio::spawn(async move {
                    let started = timeout(SERVER_START_PATIENCE, start).await.unwrap_or_else(|_| {
                        Err(Problem::new(ErrorCode::Internal).saying("The built-in server did not start in time."))
                    });
                    inputs.send(Input::Server(started));
                });
            }
            None => {}
        }
    }

    fn watch_keyring(&self) {
        let (inputs, mut changes) = (self.inputs.clone(), self.keyring.changes());
        tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                inputs.send(Input::KeyringChanged);
            }
        });
    }

    fn list_devices(&mut self) {
        if self.devices.listing {
            return;
        }
        self.devices.listing = true;
        let inputs = self.inputs.clone();
        let chosen = [DeviceKind::Microphone, DeviceKind::Speaker].map(|kind| (kind, self.settings.device(kind)));
        tokio::task::spawn_blocking(move || {
            let muted = chosen.iter().filter(|(kind, id)| is_muted(*kind, id.as_deref()));
            let muted = muted.map(|(kind, _)| *kind).collect();
            inputs.send(Input::Devices(sightline_media::list_devices(), muted));
        });
    }

    fn show_devices(&self) {
        self.shell.emit(DeskEvent::Devices {
            list: self.devices.list(&self.settings),
        });
    }

    fn notice(&self, problem: Problem) {
        self.shell.emit(DeskEvent::Notice { problem });
    }
}

fn is_muted(kind: DeviceKind, id: Option<&str>) -> bool {
    sightline_media::measure::system_muted(kind, id) == Some(true)
}

/// Cameras and sound cards on Linux, and the files that stand in for them. Other systems are asked now and then only.
fn device_folders(data_dir: &Path) -> Vec<PathBuf> {
    let files = std::env::var_os("SIGHTLINE_MEDIA_DIR").map(PathBuf::from);
    let files = files.unwrap_or_else(|| data_dir.join("media"));
    vec!["/dev".into(), "/dev/snd".into(), files]
}

fn answer(reply: Reply, result: Result<(), Problem>) {
    let _ = reply.send(result);
}

fn instant_of(at: sightline_wire::UnixMillis) -> Instant {
    let left = u64::try_from(at - crate::now()).unwrap_or(0);
    Instant::now() + Duration::from_millis(left)
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
