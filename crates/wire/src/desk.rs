//! Between the desk's controller and the window it shows: commands in, view models out.

pub use crate::{
    stage::{Above, CallPhase, CallView, PainterView, Rect, StageLayout},
    views::{AssignmentView, AutoVideo, LinkView, PendingFile, PendingMessage, PendingState, SessionView},
};

use crate::{
    Problem, UnixMillis,
    audit::{AuditCheck, AuditPage},
    connectors::{ConnectorKind, ConnectorTest, ConnectorView, DeadLetter, SaveConnector},
    conversation::{ContextValue, Conversation, FileShown, Message},
    device::{DeviceKind, DeviceList},
    ids::{AccountId, ClientMessageId, ConversationId, DeliveryId, FileId},
    link::EarlierConversation,
    readiness::{BoardRow, CheckKind, Extent, Report, SelfTestView},
    routing::{Chosen, Handed, MyPresence, Pause, TransferTargets, TransferTo, Why},
    screen::ScreenList,
    wall::WallView,
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Conversations that are looked up at once, in [`DeskCommand::ReadConversations`].
pub const MOST_LOOKED_UP: usize = 20;

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
    /// Opens or closes the live wall; supervisors only.
    WatchWall {
        /// Open.
        open: bool,
    },
    /// Take part in a colleague's conversation: the customer sees one more name. Supervisors only.
    Join {
        /// Which.
        conversation: ConversationId,
    },
    /// Take part no longer.
    Leave {
        /// Which.
        conversation: ConversationId,
    },
    /// Choose the agent for a conversation that waits; supervisors only.
    Assign {
        /// Which.
        conversation: ConversationId,
        /// Who is to take it.
        agent: AccountId,
        /// Although it is more than the agent may have.
        even_if_full: bool,
    },
    /// Hand a colleague's conversation to another agent; supervisors only.
    TransferTo {
        /// Which.
        conversation: ConversationId,
        /// To whom.
        agent: AccountId,
        /// For that agent; may be empty.
        note: String,
    },
    /// Close a colleague's conversation; supervisors only.
    ForceClose {
        /// Which.
        conversation: ConversationId,
        /// What the customer and the agent read.
        notice: String,
        /// End a live call with it.
        end_call: bool,
    },
    /// Why a conversation came to its agent, or why nobody gets it: [`DeskEvent::Why`] follows; supervisors only.
    ReadWhy {
        /// Which.
        conversation: ConversationId,
    },
    /// A page of the audit log: [`DeskEvent::Audit`] follows; supervisors only.
    ReadAudit {
        /// Entries before this number; `None`: the newest.
        before: Option<i64>,
    },
    /// Computes the audit log's chain anew: [`DeskEvent::AuditChecked`] follows; supervisors only.
    CheckAudit {
        /// The end of an earlier check, which has to be there still.
        known: Option<AuditEnd>,
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
    /// How the connectors stand: [`DeskEvent::Connectors`] follows; admins only.
    ReadConnectors,
    /// Calls a connector's platform: [`DeskEvent::ConnectorTested`] follows; admins only.
    TestConnector {
        /// Its name.
        connector: String,
    },
    /// Switches a connector on, or off where no conversation uses it; admins only.
    SwitchConnector {
        /// Its name.
        connector: String,
        /// On.
        on: bool,
    },
    /// What each kind of connector has to be told: [`DeskEvent::ConnectorKinds`] follows; admins only.
    ReadConnectorKinds,
    /// Sets a connector up, or gives it other settings; admins only.
    SaveConnector {
        /// Its name.
        connector: String,
        /// All of them.
        settings: SaveConnector,
    },
    /// Disconnects a platform that no conversation uses; admins only.
    RemoveConnector {
        /// Its name.
        connector: String,
    },
    /// A file of a conversation: [`DeskEvent::File`] follows.
    ReadFile {
        /// Which.
        file: FileId,
    },
    /// What did not reach a platform: [`DeskEvent::DeadLetters`] follows; supervisors only.
    ReadDeadLetters,
    /// Sends a dead letter again; supervisors, and agents in their own conversations.
    ResendLetter {
        /// Which.
        letter: DeliveryId,
    },
    /// Gives a dead letter up for good; supervisors only.
    DiscardLetter {
        /// Which.
        letter: DeliveryId,
    },
    /// Looks up conversations that are in no inbox of this desk: each that there is follows as
    /// [`DeskEvent::Conversation`].
    ReadConversations {
        /// At most [`MOST_LOOKED_UP`].
        conversations: Vec<ConversationId>,
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
    /// Choose a presence.
    ChoosePresence {
        /// Which.
        chosen: Chosen,
    },
    /// Look for colleagues and queues to hand a conversation to: they follow as [`DeskEvent::Targets`].
    FindTargets {
        /// Which.
        conversation: ConversationId,
        /// A part of a name, or nothing.
        search: String,
    },
    /// Hand a conversation over; to a colleague it goes once that one has said yes.
    Transfer {
        /// Which.
        conversation: ConversationId,
        /// To whom.
        to: TransferTo,
        /// For the next one.
        note: String,
    },
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
    /// Read what a conversation continues: [`DeskEvent::Earlier`] follows.
    ReadEarlier {
        /// The later one.
        conversation: ConversationId,
        /// The earlier one.
        earlier: ConversationId,
        /// Its messages before this number; `None`: its last ones.
        before: Option<i64>,
    },
    /// Write a link into the web chat into the conversation.
    SendChatLink {
        /// Where.
        conversation: ConversationId,
        /// The video starts by itself when the agent takes the chat.
        video: bool,
    },
    /// Make a room elsewhere: the host's link opens in the system's browser, the guest's goes to the customer.
    MakeMeeting {
        /// Where.
        conversation: ConversationId,
    },
    /// Start video.
    StartVideo {
        /// Where.
        conversation: ConversationId,
    },
    /// The video that is about to start by itself shall not; or it is known why it did not.
    CancelAutoVideo,
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

/// The end of the audit log, as an earlier check has told it.
#[derive(Clone, Serialize, Deserialize, TS)]
pub struct AuditEnd {
    /// So many entries.
    pub seq: i64,
    /// The hash of the last one.
    pub hash: String,
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
    /// The agent's own presence.
    Presence {
        /// `None` before the server has said it.
        presence: Option<MyPresence>,
    },
    /// Whom a conversation can be handed to.
    Targets {
        /// Which.
        conversation: ConversationId,
        /// What was looked for.
        search: String,
        /// The answer.
        targets: TransferTargets,
    },
    /// What came of a transfer.
    Handed {
        /// All of it.
        handed: Handed,
    },
    /// The readiness board, while it is open.
    Board {
        /// Every agent.
        rows: Vec<BoardRow>,
    },
    /// The live wall, while it is open.
    Wall {
        /// As it stands.
        wall: WallView,
    },
    /// Why a conversation is where it is, as it was asked for.
    Why {
        /// Which.
        conversation: ConversationId,
        /// All of it.
        why: Why,
        /// When, by this desk's clock.
        at: UnixMillis,
    },
    /// A page of the audit log.
    Audit {
        /// The entries before this number; `None`: the newest.
        before: Option<i64>,
        /// What there is.
        page: AuditPage,
    },
    /// What a check of the audit log came to.
    AuditChecked {
        /// All of it.
        check: AuditCheck,
        /// When, by this desk's clock.
        at: UnixMillis,
    },
    /// Reports that were asked for.
    Reports {
        /// Whose.
        agent: AccountId,
        /// The newest first.
        reports: Vec<Report>,
    },
    /// Every connector, after a question or a switch.
    Connectors {
        /// In the order of the file.
        connectors: Vec<ConnectorView>,
    },
    /// What can be set up.
    ConnectorKinds {
        /// In the order in which to show them.
        kinds: Vec<ConnectorKind>,
    },
    /// What a test of a connector came to.
    ConnectorTested {
        /// Its name.
        connector: String,
        /// What it came to.
        test: ConnectorTest,
        /// When, by this desk's clock.
        at: UnixMillis,
    },
    /// A file that was asked for.
    File(FileShown),
    /// What did not reach a platform.
    DeadLetters {
        /// The newest first.
        letters: Vec<DeadLetter>,
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
    /// What a conversation continues, or more of it.
    Earlier {
        /// The later one.
        conversation: ConversationId,
        /// The earlier one.
        earlier: EarlierConversation,
    },
    /// Video that starts because the customer asked for it.
    AutoVideo {
        /// `None` when none does.
        video: Option<AutoVideo>,
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
