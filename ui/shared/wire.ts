// Generated from crates/wire by its test `typescript`; do not edit.

export type AccountId = string;

export type DeskId = string;

export type ConversationId = string;

export type MessageId = string;

export type ClientMessageId = string;

export type CommandId = string;

export type EscalationId = string;

export type RoomId = string;

export type ConnectionId = string;

export type ReportId = string;

export type AuditId = string;

export type FileId = string;

export type ErrorCode = "bad_request" | "too_large" | "file_too_large" | "file_refused" | "files_not_carried" | "files_turned_off" | "not_found" | "not_signed_in" | "wrong_credentials" | "session_expired" | "not_allowed" | "foreign_origin" | "rate_limited" | "second_desk" | "desk_displaced" | "not_your_conversation" | "conversation_not_active" | "conversation_closed" | "connector_in_use" | "bad_settings" | "settings_refused" | "no_settings_file" | "settings_not_written" | "connector_failing" | "already_accepted" | "colleague_asked" | "cannot_take_now" | "own_conversation" | "agent_full" | "agent_cannot_take" | "assigned_by_supervisor" | "closed_by_supervisor" | "cannot_transfer" | "unknown_target" | "empty_message" | "message_too_long" | "message_id_reused" | "too_many_context_variables" | "bad_context_variable" | "video_slot_taken" | "not_ready_for_video" | "desk_not_connected" | "channel_cannot_carry_link" | "caller_takes_no_sms" | "no_meetings" | "meeting_failed" | "no_browser" | "invite_not_sent" | "sound_on_phone" | "call_live" | "escalation_ended" | "invite_unknown" | "invite_expired" | "invite_revoked" | "invite_in_use" | "room_ended" | "room_refused" | "heartbeat_missed" | "camera_missing" | "camera_busy" | "camera_lost" | "microphone_missing" | "microphone_busy" | "microphone_lost" | "speaker_missing" | "speaker_busy" | "screen_gone" | "screen_unavailable" | "media_timeout" | "picture_blocked" | "relay_refused" | "relay_unreachable" | "relay_missing" | "media_failed" | "server_unreachable" | "keyring_unavailable" | "storage_failed" | "internal";

export type Problem = { 
/**
 * Stable name.
 */
code: ErrorCode, 
/**
 * What happened.
 */
message: string, 
/**
 * What to do.
 */
next_step: string, 
/**
 * The conversation that stands in the way, where there is one.
 */
conversation?: ConversationId, 
/**
 * The escalation that stands in the way, where there is one.
 */
escalation?: EscalationId, 
/**
 * All the conversations that stand in the way, where there may be several.
 */
conversations?: Array<ConversationId>, };

export type Role = "agent" | "supervisor" | "admin";

export type Account = { 
/**
 * Identifier.
 */
id: AccountId, 
/**
 * Sign-in name.
 */
email: string, 
/**
 * Shown to customers and colleagues.
 */
name: string, 
/**
 * What the account may do.
 */
role: Role, };

export type SignIn = { 
/**
 * Sign-in name.
 */
email: string, 
/**
 * Secret; never logged.
 */
password: string, };

export type Refresh = { 
/**
 * The newest refresh token; a used one revokes the whole family (RFC 9700, 4.14.2).
 */
refresh_token: string, };

export type Session = { 
/**
 * Who signed in.
 */
account: Account, 
/**
 * Bearer token, 15 minutes.
 */
access_token: string, 
/**
 * When the access token stops working.
 */
access_expires_at: number, 
/**
 * Rotates on every use.
 */
refresh_token: string, };

export type FirstAccount = { 
/**
 * Sign-in name.
 */
email: string, 
/**
 * What the account may do.
 */
role: Role, 
/**
 * Generated; stored only as an argon2id hash.
 */
password: string, };

export type ConversationState = "open" | "active" | "wrap_up" | "closed";

export type Channel = "web_chat" | "sms" | "whats_app" | "twilio" | "genesys" | "azure" | "bot" | "webex" | "webhook" | "phone" | "self_test";

export type Sound = "call" | "phone";

export type ContextValue = boolean | number | string;

export type Author = { "type": "customer" } | { "type": "agent", 
/**
 * Who.
 */
account: AccountId, 
/**
 * Shown to the customer.
 */
name: string, } | { "type": "bot", 
/**
 * As in the platform's transcript.
 */
name: string, } | { "type": "system" };

export type FilePlace = { "type": "here", 
/**
 * Under this name.
 */
id: FileId, } | { "type": "there", 
/**
 * `https://…`
 */
url: string, };

export type File = { 
/**
 * As it was called where it comes from; without folders.
 */
name: string, 
/**
 * Media type.
 */
kind: string, 
/**
 * Bytes, where that is known.
 */
size?: number, 
/**
 * Where it is. Nowhere: the platform keeps it, and shows it to nobody without its own sign-in.
 */
place?: FilePlace, };

export type FileLink = { 
/**
 * The address.
 */
url: string, 
/**
 * It opens nothing after this.
 */
expires_at: number, 
/**
 * Media type.
 */
kind: string, };

export type FileShown = { 
/**
 * Which.
 */
file: FileId, 
/**
 * Opens it in a browser.
 */
link: FileLink, 
/**
 * A picture's bytes in base64: the page itself speaks to no server.
 */
picture?: string, };

export type HistoryLine = { "kind": "call_over", 
/**
 * Why.
 */
reason: EndReason, 
/**
 * How long the two saw each other; 0 for not at all.
 */
live_ms: number, } | { "kind": "video_asked" } | { "kind": "nobody_here" } | { "kind": "everybody_left" } | { "kind": "queue_has_closed", 
/**
 * When it opens again, where that is known.
 */
opens_at?: number, } | { "kind": "queue_closed", 
/**
 * When it opens again, where that is known.
 */
opens_at?: number, } | { "kind": "joined", 
/**
 * Who.
 */
name: string, } | { "kind": "left", 
/**
 * Who.
 */
name: string, } | { "kind": "closed_by", 
/**
 * Who.
 */
name: string, } | { "kind": "took_over", 
/**
 * Whose.
 */
name: string, 
/**
 * Whose it was.
 */
before?: string, } | { "kind": "assigned", 
/**
 * The supervisor.
 */
by: string, 
/**
 * The agent.
 */
name: string, } | { "kind": "asked", 
/**
 * The supervisor.
 */
by: string, 
/**
 * The agent.
 */
name: string, } | { "kind": "handed_over", 
/**
 * Its title; the inbox has none.
 */
queue?: string, } | { "kind": "bot_hands_over", 
/**
 * Its name, where it told it.
 */
bot?: string, } | { "kind": "bot_finished", 
/**
 * Its name.
 */
bot: string, } | { "kind": "bot_gone" } | { "kind": "customer_left" } | { "kind": "customer_gone" } | { "kind": "asleep" };

export type ActionKind = "imBack" | "postBack" | "messageBack" | "openUrl";

export type CardAction = { 
/**
 * What choosing it does.
 */
type: ActionKind, 
/**
 * What stands on it.
 */
title: string, 
/**
 * What is sent, or the address that is opened.
 */
value?: unknown, 
/**
 * The words that are sent, of a `messageBack`.
 */
text?: string, 
/**
 * What the customer's chat shows of a `messageBack`.
 */
displayText?: string, };

export type Card = { 
/**
 * What it is about.
 */
title?: string, 
/**
 * Smaller, below it.
 */
subtitle?: string, 
/**
 * What it says.
 */
text?: string, 
/**
 * The kind of a card of which nothing can be shown here.
 */
notShown?: string, 
/**
 * What can be chosen.
 */
buttons: Array<CardAction>, };

export type SuggestedActions = { 
/**
 * In order.
 */
actions: Array<CardAction>, };

export type Body = { "type": "text", 
/**
 * At most [`crate::MAX_MESSAGE_CHARS`].
 */
text: string, } | { "type": "invite", 
/**
 * Which escalation it belongs to.
 */
escalation: EscalationId, 
/**
 * The sentence around the link, for channels that show only text.
 */
text: string, 
/**
 * The link.
 */
url: string, 
/**
 * When the link stops working.
 */
expires_at: number, } | { "type": "files", 
/**
 * The words and the files' names, for lists and channels that show only text.
 */
text: string, 
/**
 * What was written beside them; may be empty.
 */
words: string, 
/**
 * In the order in which they were chosen.
 */
files: Array<File>, } | { "type": "offer", 
/**
 * All of it in words, for agents, lists and channels that show only text.
 */
text: string, 
/**
 * What was said beside them; may be empty.
 */
words: string, 
/**
 * In order.
 */
cards: Array<Card>, 
/**
 * Answers to choose from, as long as nobody has answered.
 */
actions: Array<CardAction>, } | { "type": "choice", 
/**
 * What stood on the button, for whoever reads the conversation.
 */
text: string, 
/**
 * The words that the bot gets.
 */
said?: string, 
/**
 * What else it gets.
 */
value?: unknown, 
/**
 * Whether the customer's own chat shows it.
 */
seen: boolean, } | { "type": "event", 
/**
 * The line.
 */
text: string, 
/**
 * What it says, where a customer may read it in another language.
 */
line?: HistoryLine, } | { "type": "note", 
/**
 * What the next one should know.
 */
text: string, };

export type Message = { 
/**
 * Identifier.
 */
id: MessageId, 
/**
 * Where it belongs.
 */
conversation: ConversationId, 
/**
 * 1, 2, 3 ... without gaps in one conversation.
 */
seq: number, 
/**
 * The sender's own id, where it gave one.
 */
client_id?: ClientMessageId, 
/**
 * Who wrote it.
 */
author: Author, 
/**
 * What it holds.
 */
body: Body, 
/**
 * When it was committed.
 */
at: number, };

export type AgentFiles = "carried" | "not_carried" | "turned_off";

export type CameBy = "link" | "unsigned_link" | "expired_link" | "foreign_link";

export type PreviousConversation = { "type": "known", 
/**
 * Which.
 */
id: ConversationId, 
/**
 * How the customer reached us then.
 */
channel: Channel, 
/**
 * When it began.
 */
opened_at: number, 
/**
 * When it was closed; `None` while it goes on beside this one.
 */
closed_at: number | null, 
/**
 * The customer's name then.
 */
customer_name: string, 
/**
 * Somebody whom we believe has said so: then whoever owns the later one may read it.
 */
verified: boolean, } | { "type": "unknown", 
/**
 * As it was given.
 */
name: string, };

export type Participant = { 
/**
 * Who.
 */
account: AccountId, 
/**
 * Shown to the customer.
 */
name: string, };

export type Undelivered = { 
/**
 * The message's number.
 */
seq: number, 
/**
 * Why, in plain words.
 */
why: string, 
/**
 * Under this name it can be sent again; `None` when somebody has given it up for good.
 */
letter: DeliveryId | null, };

export type Conversation = { 
/**
 * Identifier.
 */
id: ConversationId, 
/**
 * How the customer reaches us.
 */
channel: Channel, 
/**
 * Where it stands.
 */
state: ConversationState, 
/**
 * The customer's name, or "Customer" and a short number.
 */
customer_name: string, 
/**
 * Whether the customer has the chat open now.
 */
customer_present: boolean, 
/**
 * Who owns it.
 */
owner: AccountId | null, 
/**
 * The owner's name.
 */
owner_name: string | null, 
/**
 * Supervisors who have joined, in that order.
 */
participants: Array<Participant>, 
/**
 * When it began.
 */
opened_at: number, 
/**
 * When its state last changed.
 */
state_since: number, 
/**
 * The last message's sequence number, 0 for none.
 */
last_seq: number, 
/**
 * Up to this number the customer's page has received our messages.
 */
delivered_seq: number, 
/**
 * Up to this number the owner has read.
 */
read_seq: number, 
/**
 * The last message's text, cut to one line.
 */
last_text: string, 
/**
 * When the last message came.
 */
last_at: number, 
/**
 * Context variables.
 */
context: { [key in string]: ContextValue }, 
/**
 * The agent's notes.
 */
notes: string, 
/**
 * What the agent chose at the end.
 */
disposition: string | null, 
/**
 * The newest escalation.
 */
escalation: EscalationView | null, 
/**
 * The queue's title, where there are several.
 */
queue?: string, 
/**
 * Why its owner was chosen, in plain words.
 */
because?: string, 
/**
 * Our messages that did not reach the customer's platform.
 */
undelivered: Array<Undelivered>, 
/**
 * What its calls may use at most where that is less than the deployment allows, bits a second.
 */
max_bitrate?: number, 
/**
 * The customer wants to be seen, and no call has been started since.
 */
video_request?: VideoRequest, 
/**
 * What it continues.
 */
previous: PreviousConversation | null, 
/**
 * The link that brought the customer.
 */
came_by: CameBy | null, 
/**
 * The context is from somebody whom we believe: a link of ours, or what the deployment allows.
 */
trusted: boolean, 
/**
 * The agent for whom it asks. Others may take it all the same.
 */
asked_for: AccountId | null, 
/**
 * Whether agents can send files.
 */
agent_files: AgentFiles, 
/**
 * Whether a room elsewhere can be made for it.
 */
meetings: boolean, 
/**
 * Variables that are for rules; the agent is shown them only on demand.
 */
hidden_variables: Array<string>, };

export type SendMessage = { 
/**
 * Sending the same id again answers with the stored message.
 */
client_id: ClientMessageId, 
/**
 * At most [`crate::MAX_MESSAGE_CHARS`].
 */
text: string, };

export type MessagePage = { 
/**
 * The messages.
 */
messages: Array<Message>, 
/**
 * Whether more follow; with `before`, whether there are earlier ones.
 */
more: boolean, };

export type EditConversation = { 
/**
 * The agent's notes.
 */
notes?: string, 
/**
 * Variables to set; `null` removes one.
 */
context?: { [key in string]: ContextValue | null }, 
/**
 * Up to this number the owner has read.
 */
read_seq?: number, };

export type WrapUp = { 
/**
 * End a live call first; without it a live call refuses the wrap-up.
 */
end_call: boolean, };

export type Close = { 
/**
 * How it ended, in the deployment's own words.
 */
disposition: string, };

export type LinkShape = "opaque" | "dynamics";

export type MakeChatLink = { 
/**
 * Chosen by the desk; also that of the message.
 */
client_id: ClientMessageId, 
/**
 * The video starts by itself when the agent takes the chat.
 */
video: boolean, 
/**
 * What it looks like.
 */
shape: LinkShape, };

export type ChatLinkSent = { 
/**
 * The link.
 */
url: string, 
/**
 * When it stops working.
 */
expires_at: number, 
/**
 * The message with it.
 */
message: Message, };

export type MakeMeeting = { 
/**
 * Of the message with the customer's link.
 */
client_id: ClientMessageId, };

export type MeetingMade = { 
/**
 * For the agent alone: whoever opens it is the host.
 */
host_url: string, 
/**
 * Why the customer's link has not gone out; nothing when it has.
 */
not_invited: Problem | null, };

export type ChatEntry = { "type": "code", 
/**
 * The last segment of the path.
 */
code: string, } | { "type": "query", 
/**
 * Everything behind the question mark, byte for byte: a signature is over exactly that.
 */
query: string, };

export type Verdict = "up" | "down";

export type Issue = "could_not_hear" | "not_heard" | "low_quality" | "choppy" | "could_not_see" | "out_of_sync" | "not_seen" | "other";

export type Survey = { 
/**
 * Thumbs.
 */
verdict: Verdict, 
/**
 * Reasons, when something was wrong.
 */
issues: Array<Issue>, 
/**
 * Free text, at most 1,000 characters.
 */
comment: string, };

export type EndReason = "agent_hung_up" | "customer_left" | "customer_declined" | "cancelled" | "invite_expired" | "customer_lost" | "agent_lost" | "media_failed" | "wrapped_up";

export type EscalationState = { "type": "invited" } | { "type": "joining", 
/**
 * When.
 */
since: number, } | { "type": "live", 
/**
 * Since the first frame.
 */
since: number, } | { "type": "ended", 
/**
 * When.
 */
at: number, 
/**
 * Why.
 */
reason: EndReason, 
/**
 * How long it was live.
 */
live_ms: number, };

export type EscalationView = { 
/**
 * Identifier.
 */
id: EscalationId, 
/**
 * Where it belongs.
 */
conversation: ConversationId, 
/**
 * Where the parties meet.
 */
room: RoomId, 
/**
 * Where it stands.
 */
state: EscalationState, 
/**
 * The customer's link.
 */
url: string, 
/**
 * When the link stops working.
 */
expires_at: number, 
/**
 * When the agent clicked.
 */
created_at: number, 
/**
 * What the customer said afterwards.
 */
survey: Survey | null, 
/**
 * What it was like, once it is over and something is known.
 */
quality: CallSummary | null, };

export type StartVideo = { 
/**
 * Chosen by the desk.
 */
command_id: CommandId, };

export type IceServer = { 
/**
 * `stun:host:port` or `turn:host:port?transport=udp`.
 */
urls: Array<string>, 
/**
 * For TURN.
 */
username?: string, 
/**
 * For TURN; time-limited.
 */
credential?: string, };

export type IcePolicy = "all" | "relay_only";

export type IceConfig = { 
/**
 * Where to find out the own address, and relays.
 */
servers: Array<IceServer>, 
/**
 * Which ways may be taken.
 */
policy: IcePolicy, };

export type VideoStarted = { 
/**
 * The new escalation.
 */
escalation: EscalationView, 
/**
 * Opens the room socket as the agent.
 */
room_token: string, 
/**
 * For ICE.
 */
ice_servers: Array<IceServer>, 
/**
 * Which of them may be used.
 */
ice_policy: IcePolicy, 
/**
 * This call uses no more, picture and sound together, bits a second: the smaller of the deployment's cap and its
 * queue's.
 */
max_bitrate: number, };

export type InviteState = "open" | "expired" | "revoked" | "in_use" | "ended";

export type InviteView = { 
/**
 * Whether joining is possible.
 */
state: InviteState, 
/**
 * Who waits.
 */
agent_name: string, 
/**
 * On whose behalf.
 */
company: string, 
/**
 * When the link stops working.
 */
expires_at: number, 
/**
 * Whether the customer may be asked how it was.
 */
survey: boolean, 
/**
 * Where the customer and the agent hear each other.
 */
sound: Sound, 
/**
 * How the customer writes dates and times, where a bot or a page has said: `de-CH`.
 */
locale: string | null, };

export type Redeem = { 
/**
 * At least 128 random bits that this browser keeps; the seat is bound to them.
 */
browser_key: string, };

export type Redeemed = { 
/**
 * Where the parties meet.
 */
room: RoomId, 
/**
 * Opens the room socket as the customer, and the survey.
 */
room_token: string, 
/**
 * Who waits.
 */
agent_name: string, 
/**
 * On whose behalf.
 */
company: string, 
/**
 * The desk's waiting offer, when it has left one.
 */
offer: Offer | null, 
/**
 * For ICE.
 */
ice_servers: Array<IceServer>, 
/**
 * Which of them may be used.
 */
ice_policy: IcePolicy, };

export type Warmed = { 
/**
 * Opens the room socket until the invite is redeemed elsewhere or over.
 */
room_token: string, 
/**
 * The desk's waiting offer; one that is answered already is followed by another in the room.
 */
offer: Offer | null, 
/**
 * For ICE.
 */
ice_servers: Array<IceServer>, 
/**
 * Which of them may be used ahead of the tap.
 */
ice_policy: IcePolicy, };

export type Party = "agent" | "customer";

export type Offer = { 
/**
 * Increases with every offer of a room.
 */
negotiation: number, 
/**
 * SDP with all candidates known so far.
 */
sdp: string, };

export type MediaState = { 
/**
 * The microphone is heard.
 */
microphone: boolean, 
/**
 * The camera is seen.
 */
camera: boolean, 
/**
 * A screen is shared.
 */
screen: boolean, };

export type Attempt = "direct" | "again" | "relay" | "sound_only";

export type Presence = { "place": "absent" } | { "place": "warm", 
/**
 * As in `here`.
 */
session: number, } | { "place": "here", 
/**
 * Increases when the side came without a resume token: its peer connection is new.
 */
session: number, } | { "place": "away", 
/**
 * Until then.
 */
until: number, };

export type RoomRequest = { "type": "hello", 
/**
 * From [`crate::escalation::VideoStarted`], [`crate::escalation::Warmed`] or
 * [`crate::escalation::Redeemed`].
 */
token: string, 
/**
 * From the last welcome, when the same peer connection goes on.
 */
resume: string | null, } | { "type": "offer" } & Offer | { "type": "answer", 
/**
 * Of the offer answered.
 */
negotiation: number, 
/**
 * SDP.
 */
sdp: string, } | { "type": "candidate", 
/**
 * Of the offer it belongs to.
 */
negotiation: number, 
/**
 * An SDP candidate attribute, `candidate:...`; empty at the end of candidates.
 */
candidate: string, } | { "type": "attempt", 
/**
 * What.
 */
attempt: Attempt, } | { "type": "join" } | { "type": "media" } & MediaState | { "type": "media_flowing" } | { "type": "leave" } | { "type": "heartbeat" };

export type RoomEvent = { "type": "welcome", 
/**
 * This socket.
 */
connection: ConnectionId, 
/**
 * For the next hello of the same peer connection.
 */
resume: string, 
/**
 * Where.
 */
room: RoomId, 
/**
 * Which side you are.
 */
you: Party, 
/**
 * The other side's place.
 */
other: Presence, 
/**
 * The other side's media.
 */
other_media: MediaState, 
/**
 * An offer that waits for an answer (customer only).
 */
offer: Offer | null, 
/**
 * Send a heartbeat this often.
 */
heartbeat_ms: number, 
/**
 * Give a socket up after this much silence.
 */
silence_ms: number, } | { "type": "ice" } & IceConfig | { "type": "joined" } | { "type": "presence" } & Presence | { "type": "agent", 
/**
 * By name.
 */
name: string, } | { "type": "offer" } & Offer | { "type": "answer", 
/**
 * Of the offer answered.
 */
negotiation: number, 
/**
 * SDP.
 */
sdp: string, } | { "type": "candidate", 
/**
 * Of the offer it belongs to.
 */
negotiation: number, 
/**
 * SDP candidate attribute.
 */
candidate: string, } | { "type": "media" } & MediaState | { "type": "attempt", 
/**
 * What.
 */
attempt: Attempt, } | { "type": "ended", 
/**
 * Why.
 */
reason: EndReason, } | { "type": "problem" } & Problem | { "type": "heartbeat" };

export type Assignment = { 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * The customer wants to be seen: the desk's lease has to allow it for as long as the agent is asked.
 */
video: boolean, 
/**
 * The agent is asked for so much longer, in milliseconds; the clocks of desk and server need not agree.
 */
left_ms: number, 
/**
 * Of so many altogether.
 */
asked_ms: number, 
/**
 * Why this agent, in plain words.
 */
because: string, 
/**
 * Who wrote.
 */
customer_name: string, 
/**
 * The colleague who hands it over, by name.
 */
from?: string, 
/**
 * What that colleague, or the owner before, wrote for the next one.
 */
note?: string, };

export type TakenBack = "missed" | "declined" | "disconnected" | "absent" | "lease_narrowed" | "gives_way" | "call_began" | "wants_other" | "withdrawn";

export type Pause = "missed" | "declined";

export type ServiceLevel = { 
/**
 * Within the time that the queue has set itself.
 */
in_time: number, 
/**
 * Of so many. Nothing can be said of none.
 */
of: number, };

export type WallQueue = { 
/**
 * Its number.
 */
queue: number, 
/**
 * As people call it.
 */
title: string, 
/**
 * Conversations that nobody owns, those included that somebody is being asked to take.
 */
waiting: number, 
/**
 * When the one came that waits for longest.
 */
oldest: number | null, 
/**
 * Conversations that agents have.
 */
active: number, 
/**
 * Agents of the queue who are there, with their hands full or not.
 */
here: number, 
/**
 * Those among them who could take something now.
 */
free: number, 
/**
 * Who is answered within so many milliseconds is served well; [`SERVED_WITHIN_MS`] unless the deployment says more.
 */
within_ms: number, 
/**
 * So many of a hundred customers are to be served well; `None` where nobody has set a goal.
 */
goal: number | null, 
/**
 * Of the customers who came in the last hour.
 */
hour: ServiceLevel, 
/**
 * Of those who came in the last 24 hours.
 */
day: ServiceLevel, };

export type WallPresence = "available" | "busy" | "in_call" | "full" | "do_not_disturb" | "declined" | "inactive" | "away" | "offline";

export type WallLoad = { 
/**
 * Units taken; more than there are where a supervisor said so.
 */
units: number, 
/**
 * Of so many.
 */
capacity: number, };

export type WallAgent = { 
/**
 * Who.
 */
agent: AccountId, 
/**
 * As colleagues know the agent.
 */
name: string, 
/**
 * How the agent is.
 */
presence: WallPresence, 
/**
 * `None` where conversations are not assigned: nobody counts there.
 */
load: WallLoad | null, 
/**
 * Conversations that the agent has, those in wrap-up included.
 */
conversations: number, 
/**
 * Which one the agent is being asked to take.
 */
asked: ConversationId | null, 
/**
 * What the desk may be offered; `None` when it was never tested.
 */
readiness: Readiness | null, 
/**
 * Until when, by itself.
 */
ready_until: number | null, 
/**
 * The conversation of the call that the agent is in, or has invited to.
 */
call: ConversationId | null, };

export type WallCallState = "invited" | "joining" | "live";

export type WallCall = { 
/**
 * How far it is.
 */
state: WallCallState, 
/**
 * Since when.
 */
since: number, 
/**
 * The worst mark of the last 15 s that the desk has told.
 */
mark: QualityMark, 
/**
 * Why, as the agent reads it; empty when it is good.
 */
reason: string, };

export type WallConversation = { 
/**
 * Which.
 */
id: ConversationId, 
/**
 * Where it waits, or waited.
 */
queue: number, 
/**
 * How the customer reaches us.
 */
channel: Channel, 
/**
 * Where it stands.
 */
state: ConversationState, 
/**
 * Since when.
 */
since: number, 
/**
 * When it began.
 */
opened_at: number, 
/**
 * The customer.
 */
customer_name: string, 
/**
 * Who owns it.
 */
owner: AccountId | null, 
/**
 * The owner's name.
 */
owner_name: string | null, 
/**
 * Who is being asked to take it.
 */
asked_name: string | null, 
/**
 * Supervisors who take part in it.
 */
helpers: Array<string>, 
/**
 * Its call, unless it is over.
 */
call: WallCall | null, };

export type WallNews = { 
/**
 * Grows with every news. What is older than the whole wall that was told last says nothing new.
 */
number: number, 
/**
 * The server's clock, by which all times of the wall are meant.
 */
at: number, 
/**
 * What was known before is forgotten: the whole wall follows.
 */
begins: boolean, 
/**
 * New or changed.
 */
queues: Array<WallQueue>, 
/**
 * New or changed.
 */
agents: Array<WallAgent>, 
/**
 * New or changed.
 */
conversations: Array<WallConversation>, 
/**
 * Not on the wall any more.
 */
gone_agents: Array<AccountId>, 
/**
 * Closed.
 */
gone: Array<ConversationId>, };

export type WallView = { 
/**
 * By so much this desk's clock is ahead of the server's, in milliseconds.
 */
ahead_ms: number, 
/**
 * By their numbers.
 */
queues: Array<WallQueue>, 
/**
 * By their names.
 */
agents: Array<WallAgent>, 
/**
 * The oldest first.
 */
conversations: Array<WallConversation>, };

export type Assign = { 
/**
 * Who is to take it.
 */
agent: AccountId, 
/**
 * Although it is more than the agent may have; without it that is [`crate::ErrorCode::AgentFull`].
 */
even_if_full: boolean, };

export type AssignAnswer = { 
/**
 * As it stands now. Where conversations are assigned by turn the agent is asked first, so nobody owns it yet.
 */
conversation: Conversation, 
/**
 * By so many units it is more than the agent's capacity.
 */
over_units: number, 
/**
 * By so many conversations it is more than one may have.
 */
over_conversations: number, };

export type ForceClose = { 
/**
 * What the customer and the agent read, at most [`MAX_NOTICE_CHARS`].
 */
notice: string, 
/**
 * End a live call with it; without it a live call refuses the close.
 */
end_call: boolean, };

export type Intervention = { 
/**
 * In which.
 */
conversation: ConversationId, 
/**
 * Whose it is.
 */
customer_name: string, 
/**
 * The supervisor's name.
 */
by: string, 
/**
 * What.
 */
act: InterventionAct, };

export type InterventionAct = { "type": "assigned" } | { "type": "closed", 
/**
 * What customer and agent are told.
 */
notice: string, };

export type AuditAct = "read" | "joined" | "left" | "assigned" | "transferred" | "force_closed";

export type AuditDetail = { 
/**
 * Where the conversation stood.
 */
state?: ConversationState, 
/**
 * Capacity units that the agent now has too many.
 */
over_units?: number, 
/**
 * Conversations that the agent now has too many.
 */
over_conversations?: number, 
/**
 * A video call was ended with it.
 */
ended_call?: boolean, };

export type AuditEntry = { 
/**
 * 1, 2, 3 … without gaps.
 */
seq: number, 
/**
 * Identifier.
 */
id: AuditId, 
/**
 * When.
 */
at: number, 
/**
 * Who.
 */
actor: AccountId, 
/**
 * The name of that account today.
 */
actor_name: string, 
/**
 * What.
 */
act: AuditAct, 
/**
 * In which conversation.
 */
conversation: ConversationId | null, 
/**
 * Its customer, by the name of today.
 */
customer_name?: string, 
/**
 * Which agent it concerned.
 */
agent: AccountId | null, 
/**
 * The name of that account today.
 */
agent_name?: string, 
/**
 * Which call it concerned.
 */
escalation: EscalationId | null, 
/**
 * What belongs to it.
 */
detail: AuditDetail, 
/**
 * SHA-256 over the hash before and this entry, in hexadecimal.
 */
hash: string, };

export type AuditPage = { 
/**
 * The newest first.
 */
entries: Array<AuditEntry>, 
/**
 * Whether older ones follow.
 */
more: boolean, };

export type AuditCheck = { 
/**
 * How many entries are intact, from the first one on.
 */
intact: number, 
/**
 * The hash of the last intact one. Kept elsewhere, it shows later that nothing was cut off at the end.
 */
head: string, 
/**
 * The first entry that is changed, missing or out of its place; `None` when all are intact.
 */
broken_at: number | null, };

export type Chosen = "available" | "do_not_disturb" | "away" | "offline";

export type AgentPresence = { "type": "available" } | { "type": "busy" } | { "type": "do_not_disturb", 
/**
 * Why.
 */
why: Undisturbed, } | { "type": "inactive" } | { "type": "away" } | { "type": "offline" };

export type Undisturbed = "chosen" | "declined" | "in_call" | "sessions" | "full";

export type MyPresence = { 
/**
 * What the agent chose.
 */
chosen: Chosen, 
/**
 * What colleagues see.
 */
presence: AgentPresence, 
/**
 * Conversations are assigned here; who waits is not everybody's to take.
 */
by_turn: boolean, };

export type Transfer = { 
/**
 * To whom.
 */
to: TransferTo, 
/**
 * For the next agent; may be empty.
 */
note: string, };

export type TransferTo = { "type": "agent", 
/**
 * Who.
 */
account: AccountId, } | { "type": "queue", 
/**
 * Its number.
 */
queue: number, };

export type TransferTargets = { 
/**
 * Colleagues by name; those who cannot have it say why.
 */
agents: Array<AgentTarget>, 
/**
 * Queues by title.
 */
queues: Array<QueueTarget>, };

export type AgentTarget = { 
/**
 * Who.
 */
account: AccountId, 
/**
 * By name.
 */
name: string, 
/**
 * As it is now.
 */
presence: AgentPresence, 
/**
 * Why it cannot be handed to this one now, in plain words.
 */
why_not: string | null, };

export type QueueTarget = { 
/**
 * Its number.
 */
queue: number, 
/**
 * Its title.
 */
title: string, 
/**
 * Somebody is there.
 */
staffed: boolean, 
/**
 * It is within its hours.
 */
open: boolean, 
/**
 * So many wait in it.
 */
waiting: number, };

export type Handed = { 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * Whose customer.
 */
customer_name: string, 
/**
 * Who was asked.
 */
to: string, 
/**
 * Why it stays with its owner; `None`: the colleague has it now.
 */
why_not: TakenBack | null, };

export type Why = { 
/**
 * Who owns it, by name.
 */
owner: string | null, 
/**
 * Who is being asked to take it, by name.
 */
asked: string | null, 
/**
 * The queue it stands in, or came from.
 */
queue: string, 
/**
 * The deployment's rule that put it there.
 */
rule: string | null, 
/**
 * Higher is more urgent.
 */
priority: number, 
/**
 * It arrived.
 */
since: number, 
/**
 * Why its owner, or the one who is asked, was chosen, in plain words.
 */
because: string | null, 
/**
 * Why nobody has it, in plain words.
 */
waits: string | null, 
/**
 * While it waits: each agent of the queue with what stands in the way, those who could take it first.
 */
agents: Array<WhyNot>, };

export type WhyNot = { 
/**
 * Who.
 */
account: AccountId, 
/**
 * By name.
 */
name: string, 
/**
 * In plain words; `None` for one who could take it.
 */
reason: string | null, };

export type VideoRequest = { 
/**
 * Since when.
 */
at: number, 
/**
 * Where it comes from, in plain words.
 */
why: string, };

export type AgentRequest = { "type": "hello", 
/**
 * From [`crate::account::Session`].
 */
access_token: string, 
/**
 * This installation; its own older socket is replaced silently.
 */
desk: DeskId, 
/**
 * Replace another desk of the same agent.
 */
take_over: boolean, } | { "type": "typing", 
/**
 * Where.
 */
conversation: ConversationId, } | { "type": "narrow", 
/**
 * Only [`Narrowing::Failed`] and [`Narrowing::Unplugged`]: the rest is the server's to know.
 */
why: Narrowing, } | { "type": "watch_board", 
/**
 * Open.
 */
open: boolean, } | { "type": "watch_wall", 
/**
 * Open.
 */
open: boolean, } | { "type": "back_again" } | { "type": "presence", 
/**
 * Which.
 */
chosen: Chosen, } | { "type": "heartbeat" };

export type AgentEvent = { "type": "welcome", 
/**
 * Who.
 */
account: Account, 
/**
 * On whose behalf.
 */
company: string, 
/**
 * No call sends more than this, picture and sound together, nor asks the customer's browser for more;
 * bits a second.
 */
max_bitrate: number, 
/**
 * The inbox.
 */
conversations: Array<Conversation>, 
/**
 * Send a heartbeat this often.
 */
heartbeat_ms: number, 
/**
 * Give the socket up after this much silence.
 */
silence_ms: number, } | { "type": "conversation" } & Conversation | { "type": "message" } & Message | { "type": "typing", 
/**
 * Where.
 */
conversation: ConversationId, 
/**
 * Show it until then.
 */
until: number, } | { "type": "readiness" } & MyReadiness | { "type": "test_wanted" } | { "type": "board" } & BoardRow | { "type": "wall" } & WallNews | { "type": "intervened" } & Intervention | { "type": "assigned" } & Assignment | { "type": "taken_back", 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * Why.
 */
why: TakenBack, 
/**
 * A colleague is asked now.
 */
elsewhere: boolean, } | { "type": "paused", 
/**
 * `None`: they are given.
 */
why: Pause | null, } | { "type": "presence" } & MyPresence | { "type": "handed" } & Handed | { "type": "gone", 
/**
 * Which.
 */
conversation: ConversationId, } | { "type": "problem" } & Problem | { "type": "heartbeat" };

export type DeviceKind = "camera" | "microphone" | "speaker";

export type Device = { 
/**
 * Stable while the device is plugged in; `synthetic:...` for the product's own test sources.
 */
id: string, 
/**
 * What it is for.
 */
kind: DeviceKind, 
/**
 * Shown in the menu.
 */
name: string, };

export type DeviceList = { 
/**
 * In the system's order, synthetic ones last.
 */
devices: Array<Device>, 
/**
 * Chosen ones that are not connected.
 */
missing: Array<Device>, 
/**
 * Chosen camera.
 */
camera: string | null, 
/**
 * Chosen microphone.
 */
microphone: string | null, 
/**
 * Chosen speaker.
 */
speaker: string | null, };

export type QualityMark = "unknown" | "good" | "fair" | "poor";

export type TransportProtocol = "udp" | "tcp" | "tls";

export type PathView = { 
/**
 * Through a relay, ours or the customer's.
 */
relayed: boolean, 
/**
 * From this machine to the next hop.
 */
protocol: TransportProtocol, };

export type Quality = { 
/**
 * The mark.
 */
mark: QualityMark, 
/**
 * "Ana's network is weak, the picture is reduced."; empty when good.
 */
reason: string, 
/**
 * Round trip.
 */
rtt_ms: number | null, 
/**
 * Share of our packets lost on the way, 0 to 1.
 */
loss_out: number, 
/**
 * Share of the customer's packets lost on the way, 0 to 1.
 */
loss_in: number, 
/**
 * What we send, bits a second.
 */
bitrate_out: number, 
/**
 * What we receive, bits a second.
 */
bitrate_in: number, 
/**
 * Frames a second that reached the screen.
 */
fps_in: number, 
/**
 * Size of the customer's picture.
 */
width: number, 
/**
 * Size of the customer's picture.
 */
height: number, 
/**
 * Frames a second of our camera that were sent.
 */
fps_out: number, 
/**
 * Width of our picture as it was sent; 0 while none is.
 */
width_out: number, 
/**
 * Height of our picture as it was sent; 0 while none is.
 */
height_out: number, 
/**
 * Share of its time that the busier of our encoder and our decoder worked, 0 to 1: near 1 it cannot keep up.
 */
busy: number, 
/**
 * Share of this computer's processors that all programs use, 0 to 1. Absent where the system does not tell.
 */
processors: number | null, 
/**
 * Frames decoded since the call began.
 */
frames_decoded: number, 
/**
 * Frames drawn since the call began.
 */
frames_drawn: number, 
/**
 * When the first of them was drawn.
 */
first_frame_at: number | null, 
/**
 * Sound concealed, as a share of all played, 0 to 1.
 */
concealed: number, 
/**
 * Samples of 48 kHz played since the call began, made-up ones included; silence that was sent counts.
 */
sound_played: number, 
/**
 * How many of them were made up because nothing had come in time.
 */
sound_concealed: number, 
/**
 * From the arrival of a quick packet to its sound at the loudspeaker, in milliseconds.
 */
playout_delay_ms: number, 
/**
 * How unevenly the customer's sound arrives (RFC 3550, 6.4.1), in milliseconds.
 */
jitter_ms: number, 
/**
 * How much later the picture is shown than the sound of the same moment is heard, in milliseconds;
 * negative when the sound is late. Absent until the customer's clocks are known.
 */
picture_after_sound_ms: number | null, 
/**
 * The way media takes, once there is one.
 */
path: PathView | null, };

export type ConversationStarted = { 
/**
 * The conversation, in the client's eyes.
 */
conversationId: string, 
/**
 * Bearer token for everything that follows.
 */
token: string, 
/**
 * Seconds.
 */
expires_in: number, 
/**
 * WebSocket address with a single-use ticket; absent for `tokens/*`.
 */
streamUrl?: string, };

export type ChannelAccount = { 
/**
 * The client's own id for the person.
 */
id: string, 
/**
 * Shown to the other side.
 */
name?: string, 
/**
 * `user` or `bot`.
 */
role?: string, };

export type ConversationAccount = { 
/**
 * Identifier.
 */
id: string, };

export type Activity = { 
/**
 * `message`, `typing`, `event`, `endOfConversation`.
 */
type: string, 
/**
 * `conversation|0000007`, set by the server.
 */
id?: string, 
/**
 * ISO 8601, set by the server.
 */
timestamp?: string, 
/**
 * `directline`.
 */
channelId?: string, 
/**
 * Who.
 */
from: ChannelAccount, 
/**
 * Where.
 */
conversation?: ConversationAccount, 
/**
 * What was written.
 */
text?: string, 
/**
 * Files, and what is shown like one.
 */
attachments?: Array<Attachment>, 
/**
 * Answers to choose from.
 */
suggestedActions?: SuggestedActions, 
/**
 * BCP 47.
 */
locale?: string, 
/**
 * Name of an event.
 */
name?: string, 
/**
 * Value of an event, or of a button that was chosen.
 */
value?: unknown, 
/**
 * `clientActivityID` from Web Chat; `sightline` ([`SightlineData`]) from us.
 */
channelData?: unknown, };

export type SightlineData = { "type": "invite", 
/**
 * The link.
 */
url: string, 
/**
 * The last path segment of the link.
 */
code: string, 
/**
 * Who invites.
 */
agent_name: string, 
/**
 * When the link stops working.
 */
expires_at: number, } | { "type": "event", 
/**
 * What it says; nothing for one that is shown as it is written.
 */
line?: HistoryLine, };

export type Attachment = { 
/**
 * Media type.
 */
contentType: string, 
/**
 * Where the file is: an address, or `data:` with the file itself.
 */
contentUrl?: string, 
/**
 * What a card says.
 */
content?: unknown, 
/**
 * The file's name.
 */
name?: string, };

export type ActivitySet = { 
/**
 * In order.
 */
activities: Array<Activity>, 
/**
 * Ask for what follows with this.
 */
watermark?: string, };

export type ResourceResponse = { 
/**
 * `conversation|0000007`.
 */
id: string, };

export type WebChatStart = { 
/**
 * The customer's name, if they gave one.
 */
name?: string, 
/**
 * Context variables of the page that embeds the widget: primitives, or Dynamics 365's
 * `{ "value": ..., "isDisplayable": ... }` around one.
 */
context: Record<string, ContextValue | { value: ContextValue, isDisplayable?: boolean }>, 
/**
 * What the page's address says, where it is a link into the chat: the conversation begins at once.
 */
entry?: ChatEntry, 
/**
 * At least 128 random bits that this browser keeps: the same link opened again goes on with the same chat.
 */
browser_key?: string, };

export type Rect = { 
/**
 * From the left.
 */
x: number, 
/**
 * From the top.
 */
y: number, 
/**
 * Width.
 */
width: number, 
/**
 * Height.
 */
height: number, };

export type Above = { 
/**
 * Its place.
 */
rect: Rect, 
/**
 * Of its corners.
 */
radius: number, };

export type CallMoment = { 
/**
 * Its end, by the desk's clock. Names the moment within its call: the same one sent twice is stored once.
 */
at: number, 
/**
 * The worst mark since the moment before.
 */
worst: QualityMark, 
/**
 * Why, as the agent was told; empty when it was good.
 */
reason: string, 
/**
 * The figures at its end.
 */
quality: Quality, };

export type CallMoments = { 
/**
 * At most [`MAX_MOMENTS`].
 */
moments: Array<CallMoment>, };

export type CallSummary = { 
/**
 * How many moments were kept.
 */
moments: number, 
/**
 * What it was like most of the time: the median of the moments' worst marks.
 */
typical: QualityMark, 
/**
 * The worst of all.
 */
worst: QualityMark, 
/**
 * When that was first.
 */
worst_at: number, 
/**
 * Why, as the agent was told.
 */
worst_reason: string, };

export type CallStats = { 
/**
 * Ascending in time.
 */
moments: Array<CallMoment>, 
/**
 * Absent while nothing is known.
 */
summary: CallSummary | null, };

export type CheckKind = "camera" | "microphone" | "speaker" | "echo" | "permissions" | "encoder" | "backend" | "clock" | "line" | "stun" | "relay_udp" | "relay_tcp" | "relay_tls" | "call" | "relayed_call" | "storage" | "keyring" | "version";

export type Outcome = "pass" | "skipped" | "warn" | "fail";

export type Finding = "camera_missing" | "camera_busy" | "camera_denied" | "camera_failed" | "camera_black" | "camera_covered" | "camera_frozen" | "camera_dark" | "camera_bright" | "camera_slow" | "camera_small" | "microphone_missing" | "microphone_busy" | "microphone_denied" | "microphone_failed" | "microphone_muted" | "microphone_silent" | "microphone_quiet" | "microphone_clips" | "microphone_noisy" | "microphone_one_sided" | "speaker_missing" | "speaker_busy" | "speaker_failed" | "speaker_muted" | "speaker_not_heard" | "echo_strong" | "permission_missing" | "encoder_slow" | "backend_unreachable" | "certificate_bad" | "certificate_ending" | "portal" | "clock_wrong" | "round_trip_long" | "uneven" | "packets_lost" | "line_narrow" | "stun_unreachable" | "relay_unreachable" | "relay_refused" | "call_failed" | "call_slow" | "call_without_picture" | "call_without_sound" | "call_poor" | "storage_full" | "storage_unusable" | "keyring_unusable" | "version_old" | "device_changed" | "too_late";

export type Unit = "ms" | "dbfs" | "db" | "fps" | "px" | "percent" | "bits_per_second" | "bytes" | "mos" | "days" | "count";

export type Figure = { 
/**
 * Stable, as in `first_frame`.
 */
name: string, 
/**
 * In `unit`.
 */
value: number, 
/**
 * What it counts.
 */
unit: Unit, };

export type DeviceIdentity = { 
/**
 * What it is for.
 */
kind: DeviceKind, 
/**
 * Stable while it is plugged in.
 */
id: string, 
/**
 * As the system calls it.
 */
name: string, };

export type Check = { 
/**
 * What.
 */
kind: CheckKind, 
/**
 * How it went.
 */
outcome: Outcome, 
/**
 * Why, unless it passed.
 */
finding: Finding | null, 
/**
 * In plain words.
 */
sentence: string, 
/**
 * What to do; empty when it passed.
 */
remedy: string, 
/**
 * What was measured.
 */
figures: Array<Figure>, 
/**
 * The device, where it is about one.
 */
device: DeviceIdentity | null, 
/**
 * How long it took, in milliseconds.
 */
took_ms: number, };

export type Readiness = "not_ready" | "audio" | "video";

export type Extent = "full" | "quick" | "single";

export type Report = { 
/**
 * Made by the desk; a report that is sent twice counts once.
 */
id: ReportId, 
/**
 * How much was checked.
 */
extent: Extent, 
/**
 * When it began.
 */
started_at: number, 
/**
 * When it ended.
 */
finished_at: number, 
/**
 * Of the app.
 */
app_version: string, 
/**
 * "Debian 12, x86_64".
 */
system: string, 
/**
 * What it comes to.
 */
readiness: Readiness, 
/**
 * In the order of [`CheckKind`].
 */
checks: Array<Check>, };

export type Narrowing = { "type": "never_tested" } | { "type": "failed", 
/**
 * Which check.
 */
check: CheckKind, 
/**
 * What was found.
 */
finding: Finding | null, } | { "type": "unplugged", 
/**
 * Which kind of device.
 */
kind: DeviceKind, 
/**
 * As the system called it.
 */
name: string, } | { "type": "expired" } | { "type": "offline" } | { "type": "handshakes" };

export type Lease = { 
/**
 * Now.
 */
readiness: Readiness, 
/**
 * Since when it is that.
 */
since: number, 
/**
 * When it ends by itself.
 */
expires_at: number, 
/**
 * Why it is not more; empty for [`Readiness::Video`].
 */
narrowed_by: Array<Narrowing>, 
/**
 * What it was given for.
 */
devices: Array<DeviceIdentity>, };

export type BoardRow = { 
/**
 * Who.
 */
agent: AccountId, 
/**
 * Shown.
 */
name: string, 
/**
 * Where; absent for one who has never signed in.
 */
desk: DeskId | null, 
/**
 * Whether that desk is connected.
 */
online: boolean, 
/**
 * Absent: unknown, never tested.
 */
lease: Lease | null, 
/**
 * Of the last full report.
 */
tested_at: number | null, 
/**
 * How media leaves that desk, in words: "UDP, direct", "TLS relay".
 */
path: string, 
/**
 * A test that a supervisor asked for is running.
 */
testing: boolean, };

export type ReadinessPolicy = { 
/**
 * Whether a call needs a lease, or the lease only advises.
 */
required: boolean, 
/**
 * How long a passed full self-test counts.
 */
lease_ms: number, 
/**
 * Older versions of the app are not ready; empty allows every version.
 */
minimum_version: string, };

export type MyReadiness = { 
/**
 * Absent before the first report.
 */
lease: Lease | null, 
/**
 * What counts here.
 */
policy: ReadinessPolicy, };

export type TestCall = { 
/**
 * Over a relay alone.
 */
relayed: boolean, };

export type EchoHeard = { 
/**
 * Pictures that came whole.
 */
pictures: number, 
/**
 * The newest one's size; 0 before the first.
 */
width: number, 
/**
 * The newest one's size; 0 before the first.
 */
height: number, 
/**
 * Packets of sound that came.
 */
packets: number, 
/**
 * Share of packets lost on the way there, 0 to 1.
 */
loss: number, 
/**
 * From joining to the desk's first picture.
 */
first_picture_ms: number | null, };

export type SelfTestView = { 
/**
 * Which checks run at the moment; none when no test does.
 */
running: Array<CheckKind>, 
/**
 * How much is being checked, or was last.
 */
extent: Extent | null, 
/**
 * What is known so far, in the order of [`CheckKind`].
 */
checks: Array<Check>, 
/**
 * What it comes to, when the test is over.
 */
readiness: Readiness | null, 
/**
 * When it ended.
 */
finished_at: number | null, 
/**
 * The tone plays, and the person is asked whether it is heard.
 */
asks_for_tone: boolean, 
/**
 * The microphone's level while it is measured, 0 to 1.
 */
level: number | null, 
/**
 * What the server allows because of it.
 */
lease: Lease | null, 
/**
 * What counts here; absent until the server has said it.
 */
policy: ReadinessPolicy | null, };

export type ScreenKind = "window" | "monitor" | "test";

export type ScreenSource = { 
/**
 * Good while the window is open or the monitor plugged in.
 */
id: string, 
/**
 * What it is.
 */
kind: ScreenKind, 
/**
 * The window's title or the monitor's name.
 */
name: string, 
/**
 * In device pixels.
 */
width: number, 
/**
 * In device pixels.
 */
height: number, 
/**
 * A small picture of it, as a `data:` URL; absent when it cannot be seen at the moment.
 */
preview: string | null, };

export type ScreenList = { 
/**
 * Windows, monitors, the test page.
 */
sources: Array<ScreenSource>, 
/**
 * Why windows and monitors are missing, where this system shares none.
 */
problem: Problem | null, };

export type DeliveryId = string;

export type ConnectorState = { "type": "enabled" } | { "type": "disabled" } | { "type": "failing", 
/**
 * The platform's own code, or ours.
 */
code: string, 
/**
 * What that means, in plain words.
 */
sentence: string, 
/**
 * Since then.
 */
since: number, };

export type SecretFound = "set" | "missing";

export type ConnectorSetting = { 
/**
 * As in the file.
 */
name: string, 
/**
 * As in the file; of a secret the place where it is kept, never itself.
 */
value: string, 
/**
 * Whether that place is one of a secret, and has one.
 */
secret?: SecretFound, };

export type ConnectorView = { 
/**
 * As in the file, and part of the address that the platform calls.
 */
name: string, 
/**
 * Which platform.
 */
kind: string, 
/**
 * How it stands.
 */
state: ConnectorState, 
/**
 * What the platform calls; empty where there is nothing to be called.
 */
hook: string, 
/**
 * Its settings.
 */
settings: Array<ConnectorSetting>, 
/**
 * So much waits to be sent.
 */
waiting: number, 
/**
 * So much did not arrive.
 */
dead: number, 
/**
 * Conversations that are not closed.
 */
conversations: number, 
/**
 * When the platform last called.
 */
heard_at: number | null, 
/**
 * When the platform last took something.
 */
sent_at: number | null, };

export type FieldShape = "text" | "texts" | "number" | "address" | "secret" | "secrets";

export type ConnectorField = { 
/**
 * As it stands in the file.
 */
name: string, 
/**
 * What it is, in one sentence.
 */
what: string, 
/**
 * What stands there.
 */
shape: FieldShape, 
/**
 * Whether there is no connector without it.
 */
needed: boolean, 
/**
 * What is taken where nothing stands there. A name in braces is the field of that name.
 */
default: string | null, };

export type ConnectorKind = { 
/**
 * As it stands in the file.
 */
name: string, 
/**
 * What it is, in one sentence.
 */
what: string, 
/**
 * The one name that it can have: it is set up once. Any name without it.
 */
only: string | null, 
/**
 * What it has to be told, in the order in which to ask.
 */
fields: Array<ConnectorField>, };

export type SaveConnector = { 
/**
 * Which kind; that of a connector which is there stays.
 */
kind: string, 
/**
 * Several values of one field in their order. Of a secret its place, never itself.
 */
settings: { [key in string]: Array<string> }, };

export type ConnectorTest = { 
/**
 * The platform knows us.
 */
works: boolean, 
/**
 * In plain words.
 */
sentence: string, 
/**
 * How long it took.
 */
took_ms: number, };

export type LetterKind = "message" | "invite" | "context" | "handoff" | "receipt";

export type DeadLetter = { 
/**
 * Identifier.
 */
id: DeliveryId, 
/**
 * By whom.
 */
connector: string, 
/**
 * Because of which conversation.
 */
conversation: ConversationId, 
/**
 * With whom.
 */
customer_name: string, 
/**
 * What.
 */
kind: LetterKind, 
/**
 * Its beginning.
 */
text: string, 
/**
 * The platform's own code, or ours.
 */
error: string, 
/**
 * Tried so often.
 */
attempts: number, 
/**
 * When it was decided.
 */
created_at: number, 
/**
 * When it was given up.
 */
given_up_at: number, };

export type StageLayout = { 
/**
 * The customer's picture, letterboxed on black.
 */
remote: Rect | null, 
/**
 * The agent's own picture, mirrored, cropped to fill.
 */
own: Rect | null, 
/**
 * Buttons, names and menus that lie over a picture.
 */
above: Array<Above>, 
/**
 * Device pixels per CSS pixel.
 */
scale: number, };

export type AuditEnd = { 
/**
 * So many entries.
 */
seq: number, 
/**
 * The hash of the last one.
 */
hash: string, };

export type DeskCommand = { "type": "attach" } | { "type": "test_self", 
/**
 * How much.
 */
extent: Extent, 
/**
 * Which one, when it is a single check.
 */
check: CheckKind | null, } | { "type": "tone_heard", 
/**
 * Or not.
 */
heard: boolean, } | { "type": "stop_test" } | { "type": "watch_board", 
/**
 * Open.
 */
open: boolean, } | { "type": "watch_wall", 
/**
 * Open.
 */
open: boolean, } | { "type": "join", 
/**
 * Which.
 */
conversation: ConversationId, } | { "type": "leave", 
/**
 * Which.
 */
conversation: ConversationId, } | { "type": "assign", 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * Who is to take it.
 */
agent: AccountId, 
/**
 * Although it is more than the agent may have.
 */
even_if_full: boolean, } | { "type": "transfer_to", 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * To whom.
 */
agent: AccountId, 
/**
 * For that agent; may be empty.
 */
note: string, } | { "type": "force_close", 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * What the customer and the agent read.
 */
notice: string, 
/**
 * End a live call with it.
 */
end_call: boolean, } | { "type": "read_why", 
/**
 * Which.
 */
conversation: ConversationId, } | { "type": "read_audit", 
/**
 * Entries before this number; `None`: the newest.
 */
before: number | null, } | { "type": "check_audit", 
/**
 * The end of an earlier check, which has to be there still.
 */
known: AuditEnd | null, } | { "type": "ask_for_test", 
/**
 * Whose.
 */
agent: AccountId, } | { "type": "read_reports", 
/**
 * Whose.
 */
agent: AccountId, } | { "type": "save_readiness", 
/**
 * The board instead of the report.
 */
board: boolean, } | { "type": "read_connectors" } | { "type": "test_connector", 
/**
 * Its name.
 */
connector: string, } | { "type": "switch_connector", 
/**
 * Its name.
 */
connector: string, 
/**
 * On.
 */
on: boolean, } | { "type": "read_connector_kinds" } | { "type": "save_connector", 
/**
 * Its name.
 */
connector: string, 
/**
 * All of them.
 */
settings: SaveConnector, } | { "type": "remove_connector", 
/**
 * Its name.
 */
connector: string, } | { "type": "read_file", 
/**
 * Which.
 */
file: FileId, } | { "type": "read_dead_letters" } | { "type": "resend_letter", 
/**
 * Which.
 */
letter: DeliveryId, } | { "type": "discard_letter", 
/**
 * Which.
 */
letter: DeliveryId, } | { "type": "read_conversations", 
/**
 * At most [`MOST_LOOKED_UP`].
 */
conversations: Array<ConversationId>, } | { "type": "sign_in", 
/**
 * Sign-in name.
 */
email: string, 
/**
 * Secret.
 */
password: string, } | { "type": "sign_out" } | { "type": "take_over" } | { "type": "accept", 
/**
 * Which.
 */
conversation: ConversationId, } | { "type": "decline", 
/**
 * Which.
 */
conversation: ConversationId, } | { "type": "back_again" } | { "type": "choose_presence", 
/**
 * Which.
 */
chosen: Chosen, } | { "type": "find_targets", 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * A part of a name, or nothing.
 */
search: string, } | { "type": "transfer", 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * To whom.
 */
to: TransferTo, 
/**
 * For the next one.
 */
note: string, } | { "type": "open", 
/**
 * Which.
 */
conversation: ConversationId, } | { "type": "send", 
/**
 * Where.
 */
conversation: ConversationId, 
/**
 * What.
 */
text: string, } | { "type": "discard", 
/**
 * Which.
 */
client_id: ClientMessageId, } | { "type": "typing", 
/**
 * Where.
 */
conversation: ConversationId, } | { "type": "save_notes", 
/**
 * Where.
 */
conversation: ConversationId, 
/**
 * The whole text.
 */
notes: string, } | { "type": "set_context", 
/**
 * Where.
 */
conversation: ConversationId, 
/**
 * Case-sensitive.
 */
key: string, 
/**
 * `null` removes it.
 */
value: ContextValue | null, } | { "type": "read_earlier", 
/**
 * The later one.
 */
conversation: ConversationId, 
/**
 * The earlier one.
 */
earlier: ConversationId, 
/**
 * Its messages before this number; `None`: its last ones.
 */
before: number | null, } | { "type": "send_chat_link", 
/**
 * Where.
 */
conversation: ConversationId, 
/**
 * The video starts by itself when the agent takes the chat.
 */
video: boolean, } | { "type": "make_meeting", 
/**
 * Where.
 */
conversation: ConversationId, } | { "type": "start_video", 
/**
 * Where.
 */
conversation: ConversationId, } | { "type": "cancel_auto_video" } | { "type": "resend_invite" } | { "type": "cancel_invite" } | { "type": "hang_up" } | { "type": "dismiss_call" } | { "type": "set_microphone", 
/**
 * On.
 */
on: boolean, } | { "type": "set_camera", 
/**
 * On.
 */
on: boolean, } | { "type": "list_screens" } | { "type": "share_screen", 
/**
 * From [`crate::screen::ScreenSource`].
 */
id: string, 
/**
 * Its name, for the bar that says what is shared.
 */
name: string, } | { "type": "stop_screen" } | { "type": "select_device", 
/**
 * Which kind.
 */
kind: DeviceKind, 
/**
 * Which.
 */
id: string | null, } | { "type": "wrap_up", 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * End a live call first.
 */
end_call: boolean, } | { "type": "close", 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * How it ended.
 */
disposition: string, } | { "type": "layout" } & StageLayout | { "type": "close_window" };

export type SessionView = { "type": "starting" } | { "type": "signed_out", 
/**
 * The server's address.
 */
server: string, 
/**
 * Why, when it was not by choice.
 */
problem: Problem | null, 
/**
 * Accounts made at this very start, shown once.
 */
first_accounts: Array<FirstAccount>, } | { "type": "signed_in", 
/**
 * Who.
 */
account: Account, 
/**
 * On whose behalf.
 */
company: string, 
/**
 * How the server is reached.
 */
link: LinkView, 
/**
 * Where a customer can open the web chat.
 */
chat_url: string, 
/**
 * A session that does not outlive the app, and why.
 */
keyring: Problem | null, };

export type LinkView = { "type": "online" } | { "type": "offline", 
/**
 * Since when.
 */
since: number, } | { "type": "displaced", 
/**
 * Before: [`crate::ErrorCode::SecondDesk`]; after: `desk_displaced`.
 */
problem: Problem, };

export type PendingFile = { 
/**
 * As it is called; without folders.
 */
name: string, 
/**
 * Media type.
 */
kind: string, 
/**
 * Bytes.
 */
size: number, 
/**
 * So many of them have left this desk in the current attempt.
 */
sent: number, };

export type PendingMessage = { 
/**
 * Identifier.
 */
client_id: ClientMessageId, 
/**
 * Where it belongs.
 */
conversation: ConversationId, 
/**
 * What.
 */
text: string, 
/**
 * The file that it is; then there are no words.
 */
file?: PendingFile, 
/**
 * When the agent pressed Enter.
 */
at: number, 
/**
 * How far it is.
 */
state: PendingState, };

export type PendingState = { "type": "sending" } | { "type": "waiting_for_network" } | { "type": "refused", 
/**
 * Why.
 */
problem: Problem, };

export type CallPhase = { "type": "preparing" } | { "type": "waiting", 
/**
 * When it stops working.
 */
expires_at: number, 
/**
 * A customer has the link's page open; the connection is made ahead of the tap.
 */
opened: boolean, } | { "type": "connecting", 
/**
 * Since when.
 */
since: number, 
/**
 * Then it goes back to the chat.
 */
deadline: number, } | { "type": "live", 
/**
 * Since when.
 */
since: number, } | { "type": "ended", 
/**
 * Why.
 */
reason: EndReason, 
/**
 * How long it was live.
 */
live_ms: number, };

export type CallView = { 
/**
 * Which; unknown until the server has answered.
 */
escalation: EscalationId | null, 
/**
 * Its conversation.
 */
conversation: ConversationId, 
/**
 * Whose picture it is.
 */
customer_name: string, 
/**
 * Where agent and customer hear each other.
 */
sound: Sound, 
/**
 * Where it stands.
 */
phase: CallPhase, 
/**
 * What is being tried to get picture and sound through; `direct` when nothing has to be.
 */
attempt: Attempt, 
/**
 * The customer's link.
 */
url: string | null, 
/**
 * What we send.
 */
own: MediaState, 
/**
 * The name of what the agent shares, from the click on.
 */
sharing: string | null, 
/**
 * What the customer sends.
 */
other: MediaState, 
/**
 * The customer's socket is gone; the seat is kept until then.
 */
customer_away_until: number | null, 
/**
 * The signalling socket is gone; the picture goes on.
 */
signalling_lost: boolean, 
/**
 * Devices that are missing or were lost.
 */
problems: Array<Problem>, 
/**
 * The mark and its figures.
 */
quality: Quality | null, };

export type AssignmentView = { "type": "asked", 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * Who wrote.
 */
customer_name: string, 
/**
 * The customer wants to be seen.
 */
video: boolean, 
/**
 * Until then, by this desk's clock.
 */
until: number, 
/**
 * Of so many milliseconds altogether.
 */
asked_ms: number, 
/**
 * Why this agent, in plain words.
 */
because: string, 
/**
 * The colleague who hands it over, by name.
 */
from: string | null, 
/**
 * What that colleague, or the owner before, wrote.
 */
note: string | null, } | { "type": "taken_back", 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * Who wrote.
 */
customer_name: string, 
/**
 * Why.
 */
why: TakenBack, 
/**
 * What speaks against this desk, where that is why.
 */
narrowing: Narrowing | null, 
/**
 * A colleague is asked now.
 */
elsewhere: boolean, };

export type AutoVideo = { "type": "starting", 
/**
 * Where.
 */
conversation: ConversationId, 
/**
 * By this desk's clock.
 */
at: number, 
/**
 * So many milliseconds after it was announced.
 */
announced_ms: number, } | { "type": "blocked", 
/**
 * Where.
 */
conversation: ConversationId, 
/**
 * Why.
 */
problem: Problem, };

export type EarlierConversation = { 
/**
 * Which.
 */
id: ConversationId, 
/**
 * The last messages before the place that was asked for, ascending.
 */
messages: Array<Message>, 
/**
 * Whether it has earlier ones.
 */
more: boolean, 
/**
 * Who owned it.
 */
owner_name: string | null, 
/**
 * What it continued in turn.
 */
previous: PreviousConversation | null, };

export type DeskEvent = { "type": "self_test", 
/**
 * As they stand.
 */
test: SelfTestView, } | { "type": "assignment", 
/**
 * `None` when it is taken, or there is none.
 */
assignment: AssignmentView | null, } | { "type": "paused", 
/**
 * `None` when they are, or everybody takes them unasked.
 */
why: Pause | null, } | { "type": "presence", 
/**
 * `None` before the server has said it.
 */
presence: MyPresence | null, } | { "type": "targets", 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * What was looked for.
 */
search: string, 
/**
 * The answer.
 */
targets: TransferTargets, } | { "type": "handed", 
/**
 * All of it.
 */
handed: Handed, } | { "type": "board", 
/**
 * Every agent.
 */
rows: Array<BoardRow>, } | { "type": "wall", 
/**
 * As it stands.
 */
wall: WallView, } | { "type": "why", 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * All of it.
 */
why: Why, 
/**
 * When, by this desk's clock.
 */
at: number, } | { "type": "audit", 
/**
 * The entries before this number; `None`: the newest.
 */
before: number | null, 
/**
 * What there is.
 */
page: AuditPage, } | { "type": "audit_checked", 
/**
 * All of it.
 */
check: AuditCheck, 
/**
 * When, by this desk's clock.
 */
at: number, } | { "type": "reports", 
/**
 * Whose.
 */
agent: AccountId, 
/**
 * The newest first.
 */
reports: Array<Report>, } | { "type": "connectors", 
/**
 * In the order of the file.
 */
connectors: Array<ConnectorView>, } | { "type": "connector_kinds", 
/**
 * In the order in which to show them.
 */
kinds: Array<ConnectorKind>, } | { "type": "connector_tested", 
/**
 * Its name.
 */
connector: string, 
/**
 * What it came to.
 */
test: ConnectorTest, 
/**
 * When, by this desk's clock.
 */
at: number, } | { "type": "file" } & FileShown | { "type": "dead_letters", 
/**
 * The newest first.
 */
letters: Array<DeadLetter>, } | { "type": "saved", 
/**
 * Where, as the person knows it.
 */
path: string, } | { "type": "session", 
/**
 * New state.
 */
session: SessionView, } | { "type": "inbox", 
/**
 * Every conversation of it.
 */
conversations: Array<Conversation>, } | { "type": "conversation", 
/**
 * All of it.
 */
conversation: Conversation, } | { "type": "thread", 
/**
 * Where.
 */
conversation: ConversationId, 
/**
 * Ascending.
 */
messages: Array<Message>, } | { "type": "pending", 
/**
 * In the order typed.
 */
messages: Array<PendingMessage>, } | { "type": "typing", 
/**
 * Where.
 */
conversation: ConversationId, 
/**
 * Show it until then.
 */
until: number, } | { "type": "earlier", 
/**
 * The later one.
 */
conversation: ConversationId, 
/**
 * The earlier one.
 */
earlier: EarlierConversation, } | { "type": "auto_video", 
/**
 * `None` when none does.
 */
video: AutoVideo | null, } | { "type": "call", 
/**
 * `None` when nothing is on it.
 */
call: CallView | null, } | { "type": "devices", 
/**
 * What there is and what is chosen.
 */
list: DeviceList, } | { "type": "screens", 
/**
 * All of it.
 */
list: ScreenList, } | { "type": "notice", 
/**
 * What.
 */
problem: Problem, } | { "type": "painter", 
/**
 * How.
 */
painter: PainterView, } | { "type": "confirm_close" };

export type PainterView = { "type": "native" } | { "type": "canvas", 
/**
 * `ws://127.0.0.1:port/`.
 */
url: string, 
/**
 * First text frame.
 */
token: string, };
