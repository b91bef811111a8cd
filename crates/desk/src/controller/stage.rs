//! The call on the stage: hands what happens to [`DeskCall`]; `effects.rs` carries out what it says.

use super::{
    Controller, Input, answer,
    figures::{EVERY_MS, Figures},
    session::Answer,
};
use crate::{
    config::CLOSE_PATIENCE,
    courier::Reply,
    outbox::Ending,
    room::{RoomLine, RoomNews},
    shell::Shell,
    socket::jittered,
};
use sightline_call::{
    desk_call::{CallInput, DeskCall},
    text::first_name,
};
use sightline_media::{MediaEvent, Session, SessionConfig};
use sightline_wire::{
    ErrorCode, Problem,
    agent::DEFAULT_MAX_BITRATE,
    conversation::{Conversation, ConversationState, Sound},
    desk::{DeskEvent, LinkView},
    device::DeviceKind,
    escalation::{EscalationState, EscalationView, IceConfig, IcePolicy, VideoStarted},
    ids::{CommandId, ConversationId, EscalationId},
    room::{MediaState, Offer},
};
use std::time::Duration;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};
use uuid::Uuid;

/// A click is worth this much waiting for a server that restarts.
const START_PATIENCE: Duration = Duration::from_secs(10);
const START_PAUSE: Duration = Duration::from_millis(500);

/// Between two requests for a new room token.
const RENEW_PAUSE: Duration = Duration::from_secs(4);

/// What a new call sends.
fn at_first(sound: Sound) -> MediaState {
    MediaState {
        microphone: sound == Sound::Call,
        camera: true,
        screen: false,
    }
}

/// The call on the stage, with what it holds.
pub(super) struct Stage {
    pub(super) number: u64,
    /// What the call is like, until the server has it.
    pub(super) figures: Figures,
    pub call: DeskCall,
    pub(super) media: Option<Session>,
    pub(super) room: Option<RoomLine>,
    /// The server has not answered Start video yet.
    starting: bool,
    /// A new room token is on its way.
    rejoining: bool,
}

impl Stage {
    /// Gives everything back. Closing devices takes a moment, so it happens beside the loop.
    pub fn put_down(self) {
        drop(self.room);
        if let Some(media) = self.media {
            tokio::task::spawn_blocking(move || drop(media));
        }
    }
}

/// What happens to a call.
pub(crate) enum CallNews {
    Answered {
        result: Result<VideoStarted, Problem>,
        reply: Reply,
    },
    /// A room for a call of a desk that restarted, or a new token for the one on the stage.
    Rejoined {
        conversation: ConversationId,
        result: Result<VideoStarted, Problem>,
    },
    /// A room that refused a new token is asked once more.
    RenewRoom,
    /// The server has taken the figures, or not.
    FiguresSent(Result<(), Problem>),
    Room(RoomNews),
    Media(MediaEvent),
}

impl<S: Shell> Controller<S> {
    /// Whether a call is on the stage that is not over.
    pub(super) fn call_runs(&self) -> bool {
        self.stage.as_ref().is_some_and(|stage| !stage.call.is_over())
    }

    pub(super) fn start_video(&mut self, conversation: ConversationId, reply: Reply) {
        let conversation = match self.may_start_video(conversation) {
            Ok(conversation) => conversation,
            Err(problem) => return answer(reply, Err(problem)),
        };
        let Ok(api) = self.client() else {
            return answer(reply, Err(ErrorCode::NotSignedIn.into()));
        };
        self.end_auto_video(conversation.id);
        let number = self.put_on_stage(&conversation, 1, at_first(conversation.channel.sound()), true);
        let (inputs, id, command) = (self.inputs.clone(), conversation.id, CommandId(Uuid::new_v4()));
        tokio::spawn(async move {
            let give_up = Instant::now() + START_PATIENCE;
            let result = loop {
                match api.start_video(id, command).await {
                    Err(problem) if problem.code == ErrorCode::ServerUnreachable && Instant::now() < give_up => {
                        tokio::time::sleep(jittered(START_PAUSE)).await;
                    }
                    result => break result,
                }
            };
            inputs.send(Input::Call(number, CallNews::Answered { result, reply }));
        });
    }

    /// What can be known here is refused here, before a camera light goes on. The server checks again.
    pub(super) fn may_start_video(&self, id: ConversationId) -> Result<Conversation, Problem> {
        let signed_in = self.signed_in_ref()?;
        if let Some(stage) = self.stage.as_ref().filter(|stage| !stage.call.is_over()) {
            let problem = Problem::new(ErrorCode::VideoSlotTaken).in_conversation(stage.call.conversation());
            return Err(match stage.call.escalation() {
                Some(escalation) => problem.in_escalation(escalation),
                None => problem,
            });
        }
        match &signed_in.link_view {
            LinkView::Online => {}
            LinkView::Offline { .. } => return Err(ErrorCode::ServerUnreachable.into()),
            LinkView::Displaced { problem } => return Err(problem.clone()),
        }
        let conversation = signed_in.inbox.conversations.get(&id).ok_or(ErrorCode::NotFound)?;
        if conversation.state != ConversationState::Active {
            return Err(ErrorCode::ConversationNotActive.into());
        }
        if conversation.owner != Some(signed_in.account.id) {
            return Err(ErrorCode::NotYourConversation.into());
        }
        self.ready_for_video()?;
        Ok(conversation.clone())
    }

    /// Opens devices and asks for the first offer.
    fn put_on_stage(&mut self, conversation: &Conversation, negotiation: u32, own: MediaState, starting: bool) -> u64 {
        self.make_way_for_call();
        self.drop_stage();
        self.calls += 1;
        let number = self.calls;
        let (events, mut heard) = mpsc::unbounded_channel();
        let max_bitrate = self
            .signed_in_ref()
            .map_or(DEFAULT_MAX_BITRATE, |signed_in| signed_in.max_bitrate);
        // Known before the server has answered, so that the first offer asks for no more either.
        let max_bitrate = conversation.max_bitrate.map_or(max_bitrate, |cap| cap.min(max_bitrate));
        let config = SessionConfig {
            camera: self.settings.device(DeviceKind::Camera),
            other_cameras: self.settings.other_cameras(),
            microphone: self.settings.device(DeviceKind::Microphone),
            speaker: self.settings.device(DeviceKind::Speaker),
            // The server names them in its answer.
            ice_servers: Vec::new(),
            ice_policy: IcePolicy::default(),
            extra_ca: std::env::var_os("SIGHTLINE_EXTRA_CA").map(Into::into),
            start_with: own,
            max_bitrate,
            customer_name: first_name(&conversation.customer_name).to_owned(),
        };
        let media = Session::start(config, self.shell.painter(), events);
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            while let Some(event) = heard.recv().await {
                inputs.send(Input::Call(number, CallNews::Media(event)));
            }
        });
        let (call, effects) = DeskCall::new(conversation, negotiation, own);
        self.stage = Some(Stage {
            number,
            figures: Figures::new(EVERY_MS),
            call,
            media: Some(media),
            room: None,
            starting,
            rejoining: false,
        });
        self.carry_out(effects);
        number
    }

    pub(super) fn call_news(&mut self, number: u64, news: CallNews) {
        match news {
            CallNews::Answered { result, reply } => self.video_answered(number, result, reply),
            CallNews::Rejoined { conversation, result } => self.rejoined(number, conversation, result),
            CallNews::Room(news) if self.on_stage(number) => self.room_news(news),
            CallNews::Media(event) if self.on_stage(number) => {
                let input = match event {
                    MediaEvent::Offer { negotiation, sdp } => CallInput::OfferReady(Offer { negotiation, sdp }),
                    MediaEvent::Candidate { negotiation, candidate } => CallInput::Found { negotiation, candidate },
                    MediaEvent::NoRelay { negotiation, problem } => {
                        self.relay_lost(&problem);
                        CallInput::NoRelay { negotiation, problem }
                    }
                    MediaEvent::Connected { negotiation } => CallInput::Connected { negotiation },
                    MediaEvent::Path { up } => CallInput::Path { up },
                    MediaEvent::Knocked { negotiation } => CallInput::Knocked { negotiation },
                    MediaEvent::Flowing { negotiation, arrival } => CallInput::Flowing { negotiation, arrival },
                    MediaEvent::Quality(quality) => {
                        self.note_figures(&quality);
                        CallInput::Quality(quality)
                    }
                    MediaEvent::DeviceProblem { kind, problem } => CallInput::DeviceProblem { kind, problem },
                    MediaEvent::DeviceReady { kind } => CallInput::DeviceReady { kind },
                    MediaEvent::Own(own) => CallInput::Own(own),
                    MediaEvent::ScreenEnded(problem) => {
                        self.notice(problem);
                        CallInput::Sharing(None)
                    }
                    MediaEvent::Failed(problem) => CallInput::MediaFailed(problem),
                };
                self.call_input(input);
            }
            CallNews::RenewRoom if self.on_stage(number) => {
                if let Some(stage) = &mut self.stage {
                    stage.rejoining = false;
                }
                self.renew_room();
            }
            CallNews::FiguresSent(result) if self.on_stage(number) => self.figures_sent(&result),
            CallNews::FiguresSent(_) | CallNews::RenewRoom | CallNews::Room(_) | CallNews::Media(_) => {}
        }
    }

    fn on_stage(&self, number: u64) -> bool {
        self.stage.as_ref().is_some_and(|stage| stage.number == number)
    }

    fn video_answered(&mut self, number: u64, result: Result<VideoStarted, Problem>, reply: Reply) {
        match (result, self.on_stage(number)) {
            (Ok(started), true) => {
                self.enter_room(started);
                answer(reply, Ok(()));
            }
            // The agent gave up and took it off the stage before the server had answered.
            (Ok(started), false) => {
                let told = self.closing.take();
                self.end_on_server(started.escalation.id, told);
                answer(reply, Ok(()));
            }
            (Err(problem), on_stage) => {
                self.closing = None;
                if on_stage {
                    self.drop_stage();
                }
                answer(reply, Err(problem));
            }
        }
    }

    /// The answer to Start video or to a rejoin, for the call on the stage.
    fn enter_room(&mut self, started: VideoStarted) {
        let Some(api) = self.api.clone() else { return };
        let Some(stage) = &mut self.stage else { return };
        stage.starting = false;
        stage.rejoining = false;
        self.use_ice(IceConfig {
            servers: started.ice_servers,
            policy: started.ice_policy,
        });
        let Some(stage) = &mut self.stage else { return };
        with(&stage.media, |media| media.set_max_bitrate(started.max_bitrate));
        if !stage.call.is_over() {
            let (inputs, number) = (self.inputs.clone(), stage.number);
            stage.room = Some(RoomLine::open(api.base().to_owned(), started.room_token, move |news| {
                inputs.send(Input::Call(number, CallNews::Room(news)));
            }));
        }
        self.call_input(CallInput::Started(started.escalation));
    }

    /// What the server says about reaching the customer, in time for the next offer.
    fn use_ice(&mut self, ice: IceConfig) {
        let Some(stage) = &self.stage else { return };
        let mut urls = ice.servers.iter().flat_map(|server| &server.urls);
        let relays = urls.any(|url| url.starts_with("turn"));
        with(&stage.media, |media| {
            media.set_ice_policy(ice.policy);
            media.set_ice_servers(ice.servers);
        });
        self.call_input(CallInput::Relays(relays));
        self.call_input(CallInput::Policy(ice.policy));
    }

    fn room_news(&mut self, news: RoomNews) {
        let input = match news {
            RoomNews::Reached { other, other_media } => CallInput::RoomReached { other, other_media },
            RoomNews::Presence(presence) => CallInput::OtherPresence(presence),
            RoomNews::Media(media) => CallInput::OtherMedia(media),
            RoomNews::Answer { negotiation, sdp } => CallInput::Answer { negotiation, sdp },
            RoomNews::Candidate { negotiation, candidate } => CallInput::Candidate { negotiation, candidate },
            RoomNews::Ice(ice) => return self.use_ice(ice),
            RoomNews::Ended(reason) => CallInput::RoomEnded(reason),
            RoomNews::Lost => CallInput::RoomLost,
            RoomNews::Refused(problem) if problem.code == ErrorCode::NotYourConversation => {
                if let Some(stage) = &self.stage {
                    self.let_go(stage.call.conversation());
                }
                return;
            }
            RoomNews::Refused(problem) => {
                tracing::info!(code = ?problem.code, "the room wants another token");
                self.call_input(CallInput::RoomLost);
                return self.renew_room();
            }
        };
        self.call_input(input);
    }

    /// The room token is not good any more: asks for another, which also tells whether the call is over.
    fn renew_room(&mut self) {
        let Ok(api) = self.client() else { return };
        let Some(stage) = &mut self.stage else { return };
        let Some(escalation) = stage
            .call
            .escalation()
            .filter(|_| !stage.rejoining && !stage.call.is_over())
        else {
            return;
        };
        stage.rejoining = true;
        stage.room = None;
        let (number, conversation) = (stage.number, stage.call.conversation());
        self.rejoin(api, number, conversation, escalation);
    }

    fn rejoin(&self, api: crate::api::Api, number: u64, conversation: ConversationId, escalation: EscalationId) {
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            let result = api.rejoin(escalation).await;
            inputs.send(Input::Call(number, CallNews::Rejoined { conversation, result }));
        });
    }

    fn rejoined(&mut self, number: u64, conversation: ConversationId, result: Result<VideoStarted, Problem>) {
        let on_stage = self.on_stage(number) && self.call_runs();
        match result {
            Ok(started) if on_stage => self.enter_room(started),
            Ok(started) => {
                self.rejoining.remove(&started.escalation.id);
                let Ok(signed_in) = self.signed_in_ref() else { return };
                let Some(conversation) = signed_in.inbox.conversations.get(&conversation).cloned() else {
                    return;
                };
                if self.call_runs() || self.is_over_here(started.escalation.id) {
                    return;
                }
                let kept = self.settings.media_of(started.escalation.id);
                let own = kept.unwrap_or_else(|| at_first(conversation.channel.sound()));
                self.put_on_stage(&conversation, later_negotiation(), own, false);
                self.enter_room(started);
            }
            Err(problem) => {
                tracing::info!(code = ?problem.code, "a call could not be joined again");
                if problem.code == ErrorCode::NotYourConversation {
                    // This desk did not hear of it, or not yet.
                    self.let_go(conversation);
                } else if on_stage {
                    self.refresh_conversation(conversation);
                    let inputs = self.inputs.clone();
                    tokio::spawn(async move {
                        tokio::time::sleep(jittered(RENEW_PAUSE)).await;
                        inputs.send(Input::Call(number, CallNews::RenewRoom));
                    });
                }
            }
        }
    }

    /// The conversation as the server has it now tells how its call stands.
    fn refresh_conversation(&self, id: ConversationId) {
        let (reply, _) = oneshot::channel();
        self.ask(
            reply,
            |api| async move { api.conversation(id).await },
            Answer::Conversation,
        );
    }

    /// Follows the newest escalation of a conversation, and goes on with one that this desk had before it
    /// was restarted.
    pub(super) fn follow_escalation(&mut self, conversation: &Conversation) {
        let Some(escalation) = conversation.escalation.clone() else {
            return;
        };
        let ours = self
            .stage
            .as_ref()
            .is_some_and(|stage| stage.call.escalation() == Some(escalation.id));
        if ours {
            let over = matches!(escalation.state, EscalationState::Ended { .. });
            let resumes = !over && self.stage.as_ref().is_some_and(|s| s.room.is_none() && !s.rejoining);
            self.call_input(CallInput::Escalation(escalation));
            if resumes {
                self.renew_room();
            }
            return;
        }
        let Ok(signed_in) = self.signed_in_ref() else { return };
        let mine = conversation.owner == Some(signed_in.account.id) && signed_in.link_view == LinkView::Online;
        let known = signed_in.inbox.over.is_some() && !self.is_over_here(escalation.id);
        let stage_free = self
            .stage
            .as_ref()
            .is_none_or(|stage| !stage.starting && stage.call.is_over());
        if mine && known && stage_free && escalation.state.holds_slot() && self.rejoining.insert(escalation.id) {
            let Ok(api) = self.client() else { return };
            self.rejoin(api, 0, conversation.id, escalation.id);
        }
    }

    pub(super) fn follow_all_escalations(&mut self) {
        let Ok(signed_in) = self.signed_in_ref() else { return };
        let conversations: Vec<_> = signed_in.inbox.conversations.values().cloned().collect();
        for conversation in conversations {
            self.follow_escalation(&conversation);
        }
    }

    pub(super) fn escalation_changed(&mut self, escalation: EscalationView) {
        if self
            .stage
            .as_ref()
            .is_some_and(|stage| stage.call.escalation() == Some(escalation.id))
        {
            self.call_input(CallInput::Escalation(escalation));
        }
    }

    fn is_over_here(&self, id: EscalationId) -> bool {
        self.signed_in_ref()
            .ok()
            .and_then(|signed_in| signed_in.inbox.over.as_ref())
            .is_some_and(|over| over.contains(&id))
    }

    pub(super) fn call_tick(&mut self) {
        self.call_input(CallInput::Tick);
    }

    pub(super) fn call_input(&mut self, input: CallInput) {
        let Some(stage) = &mut self.stage else { return };
        let effects = stage.call.handle(input, crate::now());
        self.carry_out(effects);
        if let Some(stage) = &self.stage
            && let Some(escalation) = stage.call.escalation()
        {
            let media = (!stage.call.is_over()).then(|| (escalation, stage.call.own()));
            self.settings.remember_media(media);
        }
    }

    /// `told` hears when the server knows.
    fn end_on_server(&mut self, escalation: EscalationId, told: Option<Reply>) {
        self.over_on_server(escalation, Ending::HungUp, told);
    }

    pub(super) fn hang_up(&mut self) -> Result<(), Problem> {
        if !self.call_runs() {
            return Err(ErrorCode::EscalationEnded.into());
        }
        self.call_input(CallInput::HangUp);
        Ok(())
    }

    pub(super) fn dismiss_call(&mut self) -> Result<(), Problem> {
        if self.call_runs() {
            return Err(ErrorCode::CallLive.into());
        }
        self.drop_stage();
        Ok(())
    }

    /// The conversation is a colleague's now, and its call with it: camera, microphone and room are given back, and
    /// nobody is hung up on.
    pub(super) fn let_go(&mut self, conversation: ConversationId) {
        let held = |stage: &Stage| stage.call.conversation() == conversation && !stage.call.is_over();
        if self.stage.as_ref().is_some_and(held) {
            self.settings.remember_media(None);
            self.drop_stage();
        }
    }

    pub(super) fn drop_stage(&mut self) {
        if let Some(stage) = self.stage.take() {
            stage.put_down();
        }
    }

    pub(super) fn resend_invite(&self, reply: Reply) {
        let running = self.stage.as_ref().filter(|stage| !stage.call.is_over());
        match running.and_then(|stage| stage.call.escalation()) {
            Some(id) => self.ask(
                reply,
                move |api| async move { api.resend(id).await },
                Answer::Escalation,
            ),
            None => answer(reply, Err(ErrorCode::EscalationEnded.into())),
        }
    }

    pub(super) fn switch(&mut self, kind: DeviceKind, on: bool) -> Result<(), Problem> {
        let stage = self.stage.as_ref().ok_or(ErrorCode::EscalationEnded)?;
        let media = stage.media.as_ref().ok_or(ErrorCode::EscalationEnded)?;
        if kind == DeviceKind::Microphone && stage.call.sound() == Sound::Phone {
            return Err(ErrorCode::SoundOnPhone.into());
        }
        match kind {
            DeviceKind::Camera => media.set_camera(on),
            DeviceKind::Microphone => media.set_microphone(on),
            DeviceKind::Speaker => {}
        }
        Ok(())
    }

    pub(super) fn select_device(&mut self, kind: DeviceKind, id: Option<String>) -> Result<(), Problem> {
        let kept = self.settings.choose(kind, id.clone());
        if let Some(stage) = &self.stage {
            with(&stage.media, |media| media.select(kind, id));
        }
        self.show_devices();
        self.list_devices();
        kept
    }

    /// Hangs up, waits a moment for the server to hear it, and closes.
    pub(super) fn close_window(&mut self, reply: Reply) {
        let (told, heard) = oneshot::channel();
        let starting = self.stage.as_ref().is_some_and(|stage| stage.starting);
        let running = self.stage.as_ref().filter(|stage| !stage.call.is_over());
        match running.and_then(|stage| stage.call.escalation()) {
            Some(escalation) => self.end_on_server(escalation, Some(told)),
            None if starting => self.closing = Some(told),
            None => drop(told),
        }
        self.call_input(CallInput::HangUp);
        self.drop_stage();
        let shell = self.shell.clone();
        tokio::spawn(async move {
            if !matches!(timeout(CLOSE_PATIENCE, heard).await, Ok(Ok(Ok(())))) {
                tracing::debug!("closing; a hang-up the server has not heard of waits in the outbox");
            }
            shell.close();
            answer(reply, Ok(()));
        });
    }

    /// Tells the window when the call looks different from what it shows.
    pub(super) fn show_call(&mut self) {
        let view = self.stage.as_ref().map(|stage| stage.call.view());
        if self.shown_call != view {
            self.shown_call.clone_from(&view);
            self.shell.emit(DeskEvent::Call { call: view });
        }
    }
}

pub(super) fn with<T>(value: &Option<T>, f: impl FnOnce(&T)) {
    if let Some(value) = value {
        f(value);
    }
}

/// Higher than whatever an earlier run of this desk has used in the room: those counted from one, or from
/// an earlier second.
fn later_negotiation() -> u32 {
    u32::try_from(crate::now() / 1_000).unwrap_or(u32::MAX)
}
