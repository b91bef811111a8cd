//! Every error a person can meet: a stable code, what happened, and what to do next.

use crate::ids::{ConversationId, EscalationId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $status:literal $message:literal $next:literal;)+) => {
        /// A stable name for what went wrong. User interfaces match on it, never on the text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
        #[serde(rename_all = "snake_case")]
        pub enum ErrorCode { $($(#[$doc])* $name,)+ }

        impl ErrorCode {
            /// Every code, for documentation and exhaustive tests.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$name,)+];

            /// HTTP status that carries this code.
            pub fn status(self) -> u16 { match self { $(ErrorCode::$name => $status,)+ } }

            /// What happened, in plain words.
            pub fn message(self) -> &'static str { match self { $(ErrorCode::$name => $message,)+ } }

            /// What the person can do about it.
            pub fn next_step(self) -> &'static str { match self { $(ErrorCode::$name => $next,)+ } }
        }
    };
}

codes! {
    /// The request could not be understood.
    BadRequest 400 "The request could not be understood." "Update the app or reload the page.";
    /// A frame or body over the limit.
    TooLarge 413 "That is too large to send." "Shorten it and send it again.";
    /// A file over the limit, too many of them, or no room left in the conversation.
    FileTooLarge 413 "The file is too large to send." "Send a smaller one: up to 4 MB each, ten at a time.";
    /// A kind of file that is not taken, or one that is not what it says.
    FileRefused 415 "This kind of file cannot be sent." "Send a picture, a PDF, a text, an office document, sound or video.";
    /// An agent's file, in a conversation whose channel has no place for it.
    FilesNotCarried 409 "This channel carries no files." "Send a link to the file, or write what is in it.";
    /// The deployment does not want agents to send files.
    FilesTurnedOff 403 "Agents do not send files here." "Send a link to the file, or ask whoever looks after this server.";
    /// Nothing at that address.
    NotFound 404 "That does not exist here." "Check the address or go back to the inbox.";
    /// No or unreadable token.
    NotSignedIn 401 "You are not signed in." "Sign in.";
    /// E-mail or password do not match.
    WrongCredentials 401 "E-mail or password is not right." "Check both and try again.";
    /// The access or refresh token is over.
    SessionExpired 401 "Your session has ended." "Sign in again.";
    /// The role does not allow it.
    NotAllowed 403 "Your role does not allow this." "Ask a supervisor.";
    /// Origin absent or not ours.
    ForeignOrigin 403 "This page may not connect to the server." "Open the page from the server's own address.";
    /// Too many attempts.
    RateLimited 429 "Too many attempts in a short time." "Wait a minute and try again.";
    /// The same agent is signed in on another desk.
    SecondDesk 409 "You are signed in on another desk." "Continue here to move your work to this desk.";
    /// Another desk of the same agent has taken over.
    DeskDisplaced 409 "You continued on another desk." "Continue here to move back.";
    /// The conversation belongs to a colleague.
    NotYourConversation 403 "This conversation belongs to a colleague." "Choose one of your own conversations.";
    /// The conversation is not active.
    ConversationNotActive 409 "The conversation is not active." "Accept it first.";
    /// The conversation is closed.
    ConversationClosed 409 "The conversation is closed." "Start a new conversation.";
    /// Conversations go over the connector that is to be switched off.
    ConnectorInUse 409 "Conversations are using this connector." "Close or transfer them first.";
    /// The deployment's file; said by a server that does not start.
    BadSettings 500 "The settings are not right." "Mend the file that SIGHTLINE_CONFIG names, and start again.";
    /// Settings that were entered in the app and make no connector.
    SettingsRefused 422 "These settings are not right." "Correct what is named, and save again.";
    /// A server that was started without a file has nowhere to keep settings.
    NoSettingsFile 409 "This server keeps no settings." "Start it with SIGHTLINE_CONFIG naming a file, then set up connectors here.";
    /// The file cannot be changed.
    SettingsNotWritten 500 "The settings' file could not be written." "Let the server write that file and its folder, then save again.";
    /// The platform refuses, or cannot be reached.
    ConnectorFailing 502 "The platform did not answer as it should." "Check address and sign-in in the connector's settings, then test again.";
    /// A colleague was faster.
    AlreadyAccepted 409 "A colleague has accepted this conversation." "Take the next one.";
    /// It is assigned to a colleague, who has not answered yet.
    ColleagueAsked 409 "A colleague is being asked to take this conversation." "It comes back in a moment if the colleague does not take it.";
    /// Where conversations are assigned: not one for this agent now.
    CannotTakeNow 409 "You cannot take this conversation now." "Go on with what you have; you are asked when it is your turn.";
    /// Supervisors watch and help others, not themselves.
    OwnConversation 409 "This is your own conversation." "Work on it in your inbox, or ask another supervisor.";
    /// More than that agent may have; [`crate::wall::Assign`] says it again with `even_if_full`.
    AgentFull 409 "That agent has as much as one may have." "Assign it anyway, or choose somebody else.";
    /// A supervisor's choice that nobody can follow now.
    AgentCannotTake 409 "That agent cannot take this conversation now." "Choose somebody else.";
    /// A notice to an agent, not a refusal.
    AssignedBySupervisor 409 "A supervisor has assigned a conversation to you." "It is in your inbox.";
    /// A notice to an agent, not a refusal.
    ClosedBySupervisor 409 "A supervisor has closed your conversation." "There is nothing more to do in it.";
    /// A colleague or a queue that cannot have it now.
    CannotTransfer 409 "The conversation cannot be handed over like that now." "Choose somebody else, or try again in a moment.";
    /// No such colleague or queue.
    UnknownTarget 404 "There is no such colleague or queue." "Choose one from the list.";
    /// Nothing but spaces.
    EmptyMessage 422 "The message is empty." "Write something first.";
    /// Over [`crate::MAX_MESSAGE_CHARS`].
    MessageTooLong 422 "The message is longer than 4,000 characters." "Split it in two.";
    /// A client message id was used again for another text.
    MessageIdReused 409 "This message id was used for another message." "Send it again as a new message.";
    /// Over [`crate::MAX_CONTEXT_VARIABLES`].
    TooManyContextVariables 422 "A conversation holds at most 100 context variables." "Remove some first.";
    /// Not text, number or truth value, or an empty key.
    BadContextVariable 422 "A context variable is a named text, number or yes/no." "Correct the value.";
    /// One live video per agent.
    VideoSlotTaken 409 "You are already in a video call." "Finish that call first.";
    /// No lease for video: never tested, expired, or narrowed.
    NotReadyForVideo 409 "This desk is not ready for video." "Run the self-test; it says what is missing.";
    /// A test was asked of an agent who is not there.
    DeskNotConnected 409 "That agent's desk is not connected." "Ask again when the agent is signed in.";
    /// The channel has no way to deliver a link.
    ChannelCannotCarryLink 409 "Nothing can be written on this channel." "Ask for another way to reach the customer.";
    /// A telephone conversation whose caller no SMS would reach.
    CallerTakesNoSms 409 "Nothing can be sent to this caller." "Ask for a mobile number with its country code, put it into the variable phoneNumber, remove LineType, and start again.";
    /// The deployment names no broker for rooms elsewhere.
    NoMeetings 404 "Rooms of Webex are not set up here." "Start video instead, or ask whoever looks after this installation.";
    /// The broker makes no room.
    MeetingFailed 502 "The Webex room could not be made." "Try again, or start video here.";
    /// A desk whose system has no browser to open a room in.
    NoBrowser 409 "This computer has no browser that opens the room." "Open the address on another device, or ask whoever looks after this computer for a browser.";
    /// There is a room, and the customer does not know.
    InviteNotSent 502 "The customer's link did not go out." "Try again, or send the link another way.";
    /// The customer is on the phone, which carries the sound.
    SoundOnPhone 409 "The sound of this call is on the phone." "Mute and unmute there.";
    /// Wrap-up while a call is live.
    CallLive 409 "The video call is still running." "End the call and wrap up, or keep talking.";
    /// The escalation is over.
    EscalationEnded 409 "This video call is over." "Start a new one.";
    /// No such invite.
    InviteUnknown 404 "This link is not one of ours." "Check the link, or ask for a new one in the chat.";
    /// The invite's time is over.
    InviteExpired 410 "This link has expired." "Ask for a new one in the chat.";
    /// The agent took the invite back.
    InviteRevoked 410 "This link was taken back." "Ask for a new one in the chat.";
    /// Another browser has joined with it.
    InviteInUse 409 "This link is already in use on another device." "Go on there, or ask for a new link.";
    /// The call behind the invite is over.
    RoomEnded 410 "The call has ended." "Ask for a new call in the chat.";
    /// A room token or resume token that does not fit.
    RoomRefused 403 "You have no place in this call." "Open the link again.";
    /// No word from the other side within the deadline.
    HeartbeatMissed 408 "The connection was silent for too long." "It reconnects by itself.";
    /// No camera found.
    CameraMissing 409 "No camera was found." "Plug one in or choose another in the device menu.";
    /// Another program has it.
    CameraBusy 409 "The camera is used by another program." "Close that program, then choose the camera again.";
    /// Unplugged in the call.
    CameraLost 409 "The camera was unplugged." "Plug it back in or choose another.";
    /// No microphone found.
    MicrophoneMissing 409 "No microphone was found." "Plug one in or choose another in the device menu.";
    /// Another program has it.
    MicrophoneBusy 409 "The microphone is used by another program." "Close that program, or choose another microphone.";
    /// Unplugged or stopped.
    MicrophoneLost 409 "The microphone stopped." "Plug it back in or choose another.";
    /// No speaker found.
    SpeakerMissing 409 "No speaker was found." "Plug one in or choose another in the device menu.";
    /// Another program has it.
    SpeakerBusy 409 "The speaker is used by another program." "Close that program, or choose another speaker.";
    /// The shared window was closed, or the monitor unplugged.
    ScreenGone 410 "What you shared was closed, so sharing has stopped." "Share another window if there is more to show.";
    /// No way to capture a screen here.
    ScreenUnavailable 409 "Windows and screens cannot be shared from this system yet." "Sign in on an X11 session, or send a picture in the chat.";
    /// Neither picture nor sound within the deadline, whatever was tried.
    MediaTimeout 504 "Picture and sound did not come through." "The network may block video. Go on in the chat, or try again.";
    /// Sound comes, pictures do not.
    PictureBlocked 504 "Video does not get through; you can hear each other." "Go on talking. The pictures are tried again by themselves.";
    /// A TURN server refused the credentials, or has no room.
    RelayRefused 403 "The relay did not let this call in." "Try again. If it happens again, tell IT that the relay refuses credentials.";
    /// No TURN server answers.
    RelayUnreachable 503 "No relay can be reached." "Check the network; a firewall may block the way to the relay.";
    /// `relay-only` in a deployment without a relay; said by a server that does not start.
    RelayMissing 503 "Calls may use nothing but a relay (SIGHTLINE_ICE_POLICY=relay-only), and there is none." "Set SIGHTLINE_TURN to the address that the server's own relay shall listen at, or SIGHTLINE_TURN_URLS to those of coturn.";
    /// The media engine stopped.
    MediaFailed 500 "The call's media stopped." "Hang up and start the video again.";
    /// The desk cannot reach its server.
    ServerUnreachable 503 "The server cannot be reached." "Messages wait here and are sent when it is back.";
    /// No keyring on this machine.
    KeyringUnavailable 503 "This machine has no keyring." "You stay signed in until the app closes.";
    /// The disk is full or read-only.
    StorageFailed 507 "It could not be saved." "Free some disk space, then try again.";
    /// A bug; the detail is in the log.
    Internal 500 "The server could not do this." "Try again. If it happens again, tell IT the time it happened.";
}

/// An error as it crosses the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// Stable name.
    pub code: ErrorCode,
    /// What happened.
    pub message: String,
    /// What to do.
    pub next_step: String,
    /// The conversation that stands in the way, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub conversation: Option<ConversationId>,
    /// The escalation that stands in the way, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub escalation: Option<EscalationId>,
    /// All the conversations that stand in the way, where there may be several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<Vec<ConversationId>>")]
    pub conversations: Vec<ConversationId>,
}

impl Problem {
    /// The code with its own words.
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            message: code.message().into(),
            next_step: code.next_step().into(),
            conversation: None,
            escalation: None,
            conversations: Vec::new(),
        }
    }

    /// Says what happened more exactly than the code alone.
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Says what to do next, or what is done already, more exactly than the code alone.
    pub fn advising(mut self, next_step: impl Into<String>) -> Self {
        self.next_step = next_step.into();
        self
    }

    /// Names the conversation that stands in the way.
    pub fn in_conversation(mut self, conversation: ConversationId) -> Self {
        self.conversation = Some(conversation);
        self
    }

    /// Names the conversations that stand in the way.
    pub fn blocked_by(mut self, conversations: Vec<ConversationId>) -> Self {
        self.conversations = conversations;
        self
    }

    /// Names the escalation that stands in the way.
    pub fn in_escalation(mut self, escalation: EscalationId) -> Self {
        self.escalation = Some(escalation);
        self
    }
}

impl From<ErrorCode> for Problem {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}
