//! Between the desk's controller and the window it shows: commands in, view models out.

use crate::{
    Problem, UnixMillis,
    account::{Account, FirstAccount},
    conversation::{ContextValue, Conversation, Message},
    device::{DeviceKind, DeviceList, Quality},
    escalation::EndReason,
    ids::{AccountId, ClientMessageId, ConversationId, EscalationId},
    readiness::{BoardRow, CheckKind, Extent, Narrowing, Report, SelfTestView},
    room::{Attempt, MediaState},
    routing::{Pause, TakenBack},
    screen::ScreenList,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A rectangle of the window in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct Rect {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// Something the page shows above the pictures: they are painted around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct Above {
    /// Its place.
    pub rect: Rect,
    /// Of its corners.
    pub radius: f64,
}

/// Where the pictures go; `None` hides one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct StageLayout {
    /// The customer's picture, letterboxed on black.
    pub remote: Option<Rect>,
    /// The agent's own picture, mirrored, cropped to fill.
    pub own: Option<Rect>,
    /// Buttons, names and menus that lie over a picture.
    #[serde(default)]
    pub above: Vec<Above>,
    /// Device pixels per CSS pixel.
    pub scale: f64,
}

/// What the window asks of the controller. Each gets `Ok` or a [`Problem`].
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DeskCommand {
    /// The window has loaded: send everything.
    Attach,
    /// Tests this desk: everything, the devices, or one check on top of the last report.
    TestSelf {
        /// How much.
        extent: Extent,
        /// Which one, when it is a single check.
        check: Option<CheckKind>,
    },
    /// Whether the person hears the tone.
    ToneHeard {
        /// Or not.
        heard: bool,
    },
    /// Ends a running test.
    StopTest,
    /// Opens or closes the readiness board; supervisors only.
    WatchBoard {
        /// Open.
        open: bool,
    },
    /// Asks an agent's desk to test itself; supervisors only.
    AskForTest {
        /// Whose.
        agent: AccountId,
    },
    /// The last reports of an agent; supervisors, and an agent's own.
    ReadReports {
        /// Whose.
        agent: AccountId,
    },
    /// Writes the last report, or the board as CSV, into the person's download folder.
    SaveReadiness {
        /// The board instead of the report.
        board: bool,
    },
    /// Sign in.
    SignIn {
        /// Sign-in name.
        email: String,
        /// Secret.
        password: String,
    },
    /// Sign out; refused in a call.
    SignOut,
    /// Move this agent's work to this desk.
    TakeOver,
    /// Take a waiting conversation.
    Accept {
        /// Which.
        conversation: ConversationId,
    },
    /// Turn down the conversation that this agent is asked to take.
    Decline {
        /// Which.
        conversation: ConversationId,
    },
    /// The agent is there again, after an assignment that came to nothing.
    BackAgain,
    /// Show a conversation: its messages follow as [`DeskEvent::Thread`].
    Open {
        /// Which.
        conversation: ConversationId,
    },
    /// Send a text, now or when the server is back.
    Send {
        /// Where.
        conversation: ConversationId,
        /// What.
        text: String,
    },
    /// Give a failed or waiting message up.
    Discard {
        /// Which.
        client_id: ClientMessageId,
    },
    /// The agent is writing.
    Typing {
        /// Where.
        conversation: ConversationId,
    },
    /// Keep the agent's notes.
    SaveNotes {
        /// Where.
        conversation: ConversationId,
        /// The whole text.
        notes: String,
    },
    /// Set or remove a context variable.
    SetContext {
        /// Where.
        conversation: ConversationId,
        /// Case-sensitive.
        key: String,
        /// `null` removes it.
        value: Option<ContextValue>,
    },
    /// Start video.
    StartVideo {
        /// Where.
        conversation: ConversationId,
    },
    /// Write the link into the conversation once more.
    ResendInvite,
    /// Take the invite back.
    CancelInvite,
    /// End the call.
    HangUp,
    /// Take the ended call off the stage.
    DismissCall,
    /// Microphone on or off.
    SetMicrophone {
        /// On.
        on: bool,
    },
    /// Camera on or off.
    SetCamera {
        /// On.
        on: bool,
    },
    /// Look at what can be shared: [`DeskEvent::Screens`] follows.
    ListScreens,
    /// Share one of them instead of any other.
    ShareScreen {
        /// From [`crate::screen::ScreenSource`].
        id: String,
        /// Its name, for the bar that says what is shared.
        name: String,
    },
    /// Stop sharing.
    StopScreen,
    /// Choose a device; `None` follows the system's default.
    SelectDevice {
        /// Which kind.
        kind: DeviceKind,
        /// Which.
        id: Option<String>,
    },
    /// Move to wrap-up.
    WrapUp {
        /// Which.
        conversation: ConversationId,
        /// End a live call first.
        end_call: bool,
    },
    /// Close after wrap-up.
    Close {
        /// Which.
        conversation: ConversationId,
        /// How it ended.
        disposition: String,
    },
    /// The stage moved.
    Layout(StageLayout),
    /// Close the window although a call is live.
    CloseWindow,
}

/// Where the session stands.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SessionView {
    /// Looking into the keyring, reaching the server.
    Starting,
    /// Nobody is signed in.
    SignedOut {
        /// The server's address.
        server: String,
        /// Why, when it was not by choice.
        problem: Option<Problem>,
        /// Accounts made at this very start, shown once.
        first_accounts: Vec<FirstAccount>,
    },
    /// Somebody is.
    SignedIn {
        /// Who.
        account: Account,
        /// On whose behalf.
        company: String,
        /// How the server is reached.
        link: LinkView,
        /// Where a customer can open the web chat.
        chat_url: String,
        /// A session that does not outlive the app, and why.
        keyring: Option<Problem>,
    },
}

/// The connection to the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LinkView {
    /// Live.
    Online,
    /// Lost; trying.
    Offline {
        /// Since when.
        since: UnixMillis,
    },
    /// The agent works on another desk.
    Displaced {
        /// Before: [`crate::ErrorCode::SecondDesk`]; after: `desk_displaced`.
        problem: Problem,
    },
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PendingMessage {
    /// Identifier.
    pub client_id: ClientMessageId,
    /// Where it belongs.
    pub conversation: ConversationId,
    /// What.
    pub text: String,
    /// When the agent pressed Enter.
    pub at: UnixMillis,
    /// How far it is.
    pub state: PendingState,
}

/// How far a message is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PendingState {
    /// On its way.
    Sending,
    /// Kept on this disk until the server is back.
    WaitingForNetwork,
    /// The server will never take it.
    Refused {
        /// Why.
        problem: Problem,
    },
}

/// Where the call on the stage stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CallPhase {
    /// Asking the server, opening devices.
    Preparing,
    /// The link is out.
    Waiting {
        /// When it stops working.
        expires_at: UnixMillis,
        /// A customer has the link's page open; the connection is made ahead of the tap.
        opened: bool,
    },
    /// The customer has joined; media is on its way.
    Connecting {
        /// Since when.
        since: UnixMillis,
        /// Then it goes back to the chat.
        deadline: UnixMillis,
    },
    /// Both sides see or hear each other.
    Live {
        /// Since when.
        since: UnixMillis,
    },
    /// Over.
    Ended {
        /// Why.
        reason: EndReason,
        /// How long it was live.
        live_ms: i64,
    },
}

/// The call on the stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct CallView {
    /// Which; unknown until the server has answered.
    pub escalation: Option<EscalationId>,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Whose picture it is.
    pub customer_name: String,
    /// Where it stands.
    pub phase: CallPhase,
    /// What is being tried to get picture and sound through; `direct` when nothing has to be.
    pub attempt: Attempt,
    /// The customer's link.
    pub url: Option<String>,
    /// What we send.
    pub own: MediaState,
    /// The name of what the agent shares, from the click on.
    pub sharing: Option<String>,
    /// What the customer sends.
    pub other: MediaState,
    /// The customer's socket is gone; the seat is kept until then.
    pub customer_away_until: Option<UnixMillis>,
    /// The signalling socket is gone; the picture goes on.
    pub signalling_lost: bool,
    /// Devices that are missing or were lost.
    pub problems: Vec<Problem>,
    /// The mark and its figures.
    pub quality: Option<Quality>,
}

/// What the window shows of an assignment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AssignmentView {
    /// The agent is asked to take a conversation.
    Asked {
        /// Which.
        conversation: ConversationId,
        /// Who wrote.
        customer_name: String,
        /// The customer wants to be seen.
        video: bool,
        /// Until then, by this desk's clock.
        until: UnixMillis,
        /// Of so many milliseconds altogether.
        asked_ms: i64,
        /// Why this agent, in plain words.
        because: String,
    },
    /// Not any more.
    TakenBack {
        /// Which.
        conversation: ConversationId,
        /// Who wrote.
        customer_name: String,
        /// Why.
        why: TakenBack,
        /// What speaks against this desk, where that is why.
        narrowing: Option<Narrowing>,
        /// A colleague is asked now.
        elsewhere: bool,
    },
}

/// What the controller tells the window. Each replaces what was shown before under the same name.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DeskEvent {
    /// The self-test and the lease.
    SelfTest {
        /// As they stand.
        test: SelfTestView,
    },
    /// The conversation that the agent is asked to take.
    Assignment {
        /// `None` when it is taken, or there is none.
        assignment: Option<AssignmentView>,
    },
    /// Why no conversations are assigned to this agent.
    Paused {
        /// `None` when they are, or everybody takes them unasked.
        why: Option<Pause>,
    },
    /// The readiness board, while it is open.
    Board {
        /// Every agent.
        rows: Vec<BoardRow>,
    },
    /// Reports that were asked for.
    Reports {
        /// Whose.
        agent: AccountId,
        /// The newest first.
        reports: Vec<Report>,
    },
    /// A report or the board was written.
    Saved {
        /// Where, as the person knows it.
        path: String,
    },
    /// The session.
    Session {
        /// New state.
        session: SessionView,
    },
    /// The whole inbox, after sign-in and after a reconnect.
    Inbox {
        /// Every conversation of it.
        conversations: Vec<Conversation>,
    },
    /// One conversation is new or has changed.
    Conversation {
        /// All of it.
        conversation: Conversation,
    },
    /// Messages to insert by `seq`; overlapping ones are the same.
    Thread {
        /// Where.
        conversation: ConversationId,
        /// Ascending.
        messages: Vec<Message>,
    },
    /// Every message on its way.
    Pending {
        /// In the order typed.
        messages: Vec<PendingMessage>,
    },
    /// The customer is writing.
    Typing {
        /// Where.
        conversation: ConversationId,
        /// Show it until then.
        until: UnixMillis,
    },
    /// The stage.
    Call {
        /// `None` when nothing is on it.
        call: Option<CallView>,
    },
    /// Devices.
    Devices {
        /// What there is and what is chosen.
        list: DeviceList,
    },
    /// What can be shared.
    Screens {
        /// All of it.
        list: ScreenList,
    },
    /// Something to say that belongs to no place on the screen.
    Notice {
        /// What.
        problem: Problem,
    },
    /// How pictures reach the window.
    Painter {
        /// How.
        painter: PainterView,
    },
    /// The agent asked to close the window in a call.
    ConfirmClose,
}

/// How pictures reach the window.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PainterView {
    /// Painted natively over the page, around what [`StageLayout::above`] names.
    Native,
    /// Frames come over a loopback socket: draw them on a canvas.
    Canvas {
        /// `ws://127.0.0.1:port/`.
        url: String,
        /// First text frame.
        token: String,
    },
}
