import type {
  CallPhase,
  CallView,
  Conversation,
  DeskEvent,
  DeviceList,
  EscalationView,
  LinkView,
  Message,
  PendingMessage,
  Problem,
  Role,
  SelfTestView,
  SessionView,
} from "$wire";
import type { Asked } from "../../state/assignment";
import { call, escalation, INVITE_URL, quality, summary } from "./calls";
import { returned } from "./earlier";
import { ANA, ana, anaThread, botThread, conversation, crowd, handedOver, ME, mine } from "./people";
import { goalWall, quietWall, wall } from "./wall";
import { asking, audioOnly, board, calling, notReady, ready, testing, unplugged, untested } from "./readiness";
import { presence } from "./routing";

const MINUTE = 60_000;

export const signedIn = (link: LinkView = { type: "online" }, role: Role = ME.role): DeskEvent => ({
  type: "session",
  session: {
    type: "signed_in",
    account: { ...ME, role },
    company: "Hearth Support",
    link,
    chat_url: "http://127.0.0.1:7420/chat",
    keyring: null,
  },
});

const signedOut = (more: Partial<SessionView & { type: "signed_out" }> = {}): DeskEvent => ({
  type: "session",
  session: {
    type: "signed_out",
    server: "http://127.0.0.1:7420",
    problem: null,
    first_accounts: [],
    ...more,
  },
});

const inbox = (...conversations: Conversation[]): DeskEvent => ({ type: "inbox", conversations });

export const devices: DeviceList = {
  camera: "cam-1",
  microphone: null,
  speaker: "spk-1",
  missing: [],
  devices: [
    { id: "cam-1", kind: "camera", name: "Integrated Webcam HD" },
    { id: "synthetic:picture", kind: "camera", name: "Moving picture (test)" },
    { id: "mic-1", kind: "microphone", name: "Jabra Evolve2 65 Mono, Analog Stereo Input" },
    { id: "synthetic:tone", kind: "microphone", name: "Tone (test)" },
    { id: "spk-1", kind: "speaker", name: "Jabra Evolve2 65 Mono" },
  ],
};

const stage = (phase: CallPhase, more: Partial<CallView> = {}): DeskEvent => ({
  type: "call",
  call: call(phase, more),
});

const others = [
  conversation("w1", "Luis Ortega", "it blinks red and then nothing", 2.2),
  conversation("w2", "Customer 4821", "Is anyone there?", 0.7),
  mine("b", "Yui Tanaka", "thank you, I will try that tonight", 6, { last_seq: 3 }),
  mine("d", "Ömer Yıldız", "Can I change the address?", 24, { channel: "phone" }),
  mine("e", "Priya Raghunathan", "Great, that was it!", 41, { state: "wrap_up" }),
];

const thread = (withInvite: boolean): DeskEvent => {
  const messages = anaThread();
  if (withInvite) {
    messages.push({
      id: "m-invite",
      conversation: ANA,
      seq: 9,
      author: { type: "system" },
      body: {
        type: "invite",
        escalation: "e1",
        text: "Maria from Hearth Support would like to see you by video.",
        url: INVITE_URL,
        expires_at: Date.now() + 14 * MINUTE,
      },
      at: Date.now() - MINUTE,
    });
  }
  return { type: "thread", conversation: ANA, messages };
};

const pending = (...states: PendingMessage["state"][]): DeskEvent => ({
  type: "pending",
  messages: states.map((state, index) => ({
    client_id: `p${index}`,
    conversation: ANA,
    text: index === 0 ? "Then let me see it: I can call you by video." : "Would that be fine for you?",
    at: Date.now() - 20_000 + index * 4_000,
    state,
  })),
});

const problem = (code: Problem["code"], message: string, next_step: string): Problem => ({
  code,
  message,
  next_step,
});

const live = (more: Partial<CallView> = {}): DeskEvent[] => [
  ...base(ana({ escalation: escalation({ type: "live", since: Date.now() - 4 * MINUTE }) }), true),
  stage({ type: "live", since: Date.now() - 4 * MINUTE - 12_000 }, more),
];

function base(first: Conversation, invite = false): DeskEvent[] {
  return [signedIn(), { type: "devices", list: devices }, inbox(first, ...others), thread(invite)];
}

const invited = () => ana({ escalation: escalation({ type: "invited" }) });

const ended = (survey: EscalationView["survey"]): EscalationView => ({
  ...escalation(
    { type: "ended", at: Date.now() - MINUTE, reason: "customer_left", live_ms: 252_000 },
    survey,
  ),
  quality: summary(survey?.verdict === "down" ? "poor" : "good"),
});

/** Back by the link, and taken. */
const taken = (more: Partial<Conversation> = {}) =>
  returned({ state: "active", owner: ME.id, owner_name: ME.name, ...more });

const hello = (): DeskEvent => ({
  type: "thread",
  conversation: ANA,
  messages: [
    {
      id: "m-hello",
      conversation: ANA,
      seq: 1,
      author: { type: "customer" },
      body: { type: "text", text: "Here I am, with glasses" },
      at: Date.now() - 15_000,
    },
  ],
});

const assigned = (more: Partial<Asked> = {}): DeskEvent => ({
  type: "assignment",
  assignment: {
    type: "asked",
    conversation: "w1",
    customer_name: "Luis Ortega",
    video: true,
    until: Date.now() + 14_500,
    asked_ms: 20_000,
    because: "Without new work for longer than 2 others who could take it.",
    from: null,
    note: null,
    ...more,
  },
});

const takenBack: DeskEvent = {
  type: "assignment",
  assignment: {
    type: "taken_back",
    conversation: "w1",
    customer_name: "Luis Ortega",
    why: "lease_narrowed",
    narrowing: { type: "unplugged", kind: "camera", name: "Logitech C920" },
    elsewhere: true,
  },
};

const selfTest = (test: SelfTestView): DeskEvent => ({ type: "self_test", test });

/** What a colleague wrote before handing Ana over. */
const handedNote = (): Message => ({
  id: "note",
  conversation: ANA,
  seq: 90,
  author: { type: "agent", account: "a2", name: "Jonas Weber" },
  body: { type: "note", text: "Has tried another cable already; would rather show it than explain it." },
  at: Date.now() - 30_000,
});
/** Somebody who looks after the deployment, or after its letters. */
const administering = (role: Role = "admin"): DeskEvent[] => [
  signedIn({ type: "online" }, role),
  { type: "devices", list: devices },
  inbox(ana(), ...others),
];

/** Every scenario: its name in the address, and the events that draw it. */
/** A supervisor's desk without conversations of its own. */
const supervising = (...events: DeskEvent[]): DeskEvent[] => [
  signedIn({ type: "online" }, "supervisor"),
  { type: "devices", list: devices },
  inbox(...others),
  ...events,
];

export const scenarios: Readonly<Record<string, () => DeskEvent[]>> = {
  starting: () => [{ type: "session", session: { type: "starting" } }],
  "signed-out": () => [signedOut()],
  "session-expired": () => [
    signedOut({ problem: problem("session_expired", "Your session has ended.", "Sign in again.") }),
  ],
  "first-start": () => [
    signedOut({
      first_accounts: [
        { email: "agent@sightline.test", role: "agent", password: "quartz-lantern-74" },
        { email: "supervisor@sightline.test", role: "supervisor", password: "maple-harbour-19" },
        { email: "admin@sightline.test", role: "admin", password: "copper-meadow-53" },
      ],
    }),
  ],
  empty: () => [signedIn(), { type: "devices", list: devices }, inbox()],
  full: () => [signedIn(), { type: "devices", list: devices }, inbox(ana(), ...crowd(40)), thread(false)],
  chat: () => [
    ...base(ana()),
    { type: "typing", conversation: ANA, until: Date.now() + 600_000 },
  ],
  waiting: () => [signedIn(), { type: "devices", list: devices }, inbox(...others)],
  offline: () => [
    ...base(ana()),
    signedIn({ type: "offline", since: Date.now() - 70_000 }),
    pending({ type: "waiting_for_network" }, { type: "waiting_for_network" }),
  ],
  preparing: () => [...base(ana()), stage({ type: "preparing" })],
  invited: () => [
    ...base(invited(), true),
    stage({ type: "waiting", expires_at: Date.now() + 14 * MINUTE, opened: false }),
  ],
  connecting: () => [
    ...base(ana({ escalation: escalation({ type: "joining", since: Date.now() }) }), true),
    stage({ type: "connecting", since: Date.now(), deadline: Date.now() + 20_000 }),
  ],
  "connecting-relay": () => [
    ...base(ana({ escalation: escalation({ type: "joining", since: Date.now() }) }), true),
    stage({ type: "connecting", since: Date.now(), deadline: Date.now() + 7_000 }, { attempt: "relay" }),
  ],
  live: () => live(),
  "live-sound-only": () =>
    live({
      attempt: "sound_only",
      own: { microphone: true, camera: false, screen: false },
      other: { microphone: true, camera: false, screen: false },
      problems: [
        problem(
          "picture_blocked",
          "Video does not get through; you can hear each other.",
          "Go on talking. The pictures are tried again by themselves.",
        ),
      ],
    }),
  "live-poor": () => live({ quality: quality("poor") }),
  "live-camera-off": () => live({ other: { microphone: false, camera: false, screen: false } }),
  "live-away": () =>
    live({
      customer_away_until: Date.now() + 52_000,
      other: { microphone: false, camera: false, screen: false },
    }),
  "live-trouble": () =>
    live({
      signalling_lost: true,
      own: { microphone: false, camera: false, screen: false },
      problems: [
        problem(
          "camera_lost",
          "The camera was unplugged.",
          "Plug it in again or choose another camera under Devices.",
        ),
      ],
    }),
  "live-elsewhere": () => live(),
  "confirm-close": () => [...live(), { type: "confirm_close" }],
  ended: () => [
    ...base(ana({ escalation: ended(null) }), true),
    stage({ type: "ended", reason: "customer_left", live_ms: 252_000 }),
  ],
  survey: () => [
    ...base(
      ana({
        escalation: ended({
          verdict: "down",
          issues: ["choppy", "could_not_hear"],
          comment: "The sound was gone for a while, but Maria was very patient with me.",
        }),
      }),
      true,
    ),
    stage({ type: "ended", reason: "customer_left", live_ms: 252_000 }),
  ],
  "wrap-up": () =>
    base(
      ana({
        state: "wrap_up",
        escalation: ended({ verdict: "up", issues: [], comment: "" }),
      }),
      true,
    ),
  assigned: () => [...base(ana()), assigned()],
  "assigned-hurry": () => [
    signedIn(),
    { type: "devices", list: devices },
    inbox(...others),
    assigned({ video: false, until: Date.now() + 4_500, because: "Nobody else could take it." }),
  ],
  "taken-back": () => [...base(ana()), selfTest(unplugged()), takenBack],
  paused: () => [...base(ana()), { type: "paused", why: "missed" }],
  "asked-for-you": () => [signedIn(), { type: "devices", list: devices }, inbox(returned(), ...others)],
  previous: () => [signedIn(), { type: "devices", list: devices }, inbox(taken(), ...others), hello()],
  "previous-unknown": () => [
    signedIn(),
    { type: "devices", list: devices },
    inbox(
      taken({
        previous: { type: "unknown", name: "xxx2d15x-2703-xxea-xx80-xxxbfe13dd08" },
        came_by: "unsigned_link",
        trusted: false,
        asked_for: null,
        meetings: false,
        context: { PreviousConversationId: "xxx2d15x-2703-xxea-xx80-xxxbfe13dd08" },
        hidden_variables: [],
      }),
      ...others,
    ),
    hello(),
  ],
  "video-starting": () => [
    signedIn(),
    { type: "devices", list: devices },
    inbox(taken(), ...others),
    hello(),
    { type: "auto_video", video: { type: "starting", conversation: ANA, at: Date.now() + 3_000, announced_ms: 3_000 } },
  ],
  "video-blocked": () => [
    signedIn(),
    { type: "devices", list: devices },
    inbox(taken(), ...others),
    hello(),
    selfTest(unplugged()),
    {
      type: "auto_video",
      video: {
        type: "blocked",
        conversation: ANA,
        problem: problem("not_ready_for_video", "This desk is not ready for video.", "Run the self-test, then start the video."),
      },
    },
  ],
  transfer: () => [
    ...base(ana({ queue: "Support" })),
    { type: "presence", presence: presence("available") },
    { type: "thread", conversation: ANA, messages: [handedNote()] },
  ],
  presence: () => [...base(ana()), { type: "presence", presence: presence("do_not_disturb") }],
  "asked-transfer": () => [
    ...base(ana()),
    { type: "presence", presence: presence("available") },
    assigned({
      video: false,
      from: "Jonas Weber",
      note: "Has tried another cable already; would rather show it than explain it.",
      because: "Jonas Weber handed it over.",
    }),
  ],
  "transfer-live": () => [...live(), { type: "presence", presence: presence("available") }],
  "asked-live": () => [
    ...base(ana({ owner: "colleague", escalation: escalation({ type: "live", since: Date.now() - 4 * MINUTE }) })),
    { type: "presence", presence: presence("available") },
    assigned({
      conversation: ANA,
      customer_name: "Ana Moreno",
      from: "Jonas Weber",
      note: "Has tried another cable already; would rather show it than explain it.",
      because: "The agent before handed it over.",
    }),
  ],
  "video-wanted": () => [
    ...base(ana({ video_request: { at: Date.now() - 40_000, why: "The customer asks to be seen." } })),
    { type: "presence", presence: presence("available") },
    {
      type: "notice",
      problem: problem("cannot_transfer", "Jonas Weber cannot take it now. Is in a video call.", "Choose somebody else."),
    },
  ],
  untested: () => [...base(ana()), selfTest(untested())],
  testing: () => [...base(ana()), selfTest(testing())],
  "test-tone": () => [...base(ana()), selfTest(asking())],
  "test-call": () => [...base(ana()), selfTest(calling())],
  ready: () => [...base(ana()), selfTest(ready())],
  "audio-only": () => [...base(ana()), selfTest(audioOnly())],
  "not-ready": () => [...base(ana()), selfTest(notReady())],
  unplugged: () => [...base(ana()), selfTest(unplugged())],
  board: () => [
    signedIn({ type: "online" }, "supervisor"),
    { type: "devices", list: devices },
    inbox(...others),
    selfTest(ready()),
    { type: "board", rows: board() },
  ],
  wall: () => supervising({ type: "wall", wall: wall() }),
  "wall-read": () => supervising({ type: "wall", wall: wall() }),
  "wall-joined": () => supervising({ type: "wall", wall: wall() }),
  "wall-assign": () => supervising({ type: "wall", wall: wall() }),
  "wall-transfer": () => supervising({ type: "wall", wall: wall() }),
  "wall-close": () => supervising({ type: "wall", wall: wall() }),
  "wall-goals": () => supervising({ type: "wall", wall: goalWall() }),
  "wall-why": () => supervising({ type: "wall", wall: wall() }),
  "wall-why-read": () => supervising({ type: "wall", wall: wall() }),
  audit: () => supervising({ type: "wall", wall: wall() }),
  "audit-empty": () => supervising({ type: "wall", wall: wall() }),
  "audit-broken": () => supervising({ type: "wall", wall: wall() }),
  "audit-failed": () => supervising({ type: "wall", wall: wall() }),
  "not-delivered": () =>
    base(
      ana({
        channel: "whats_app",
        because: "Without new work for longer than 2 others who could take it.",
        undelivered: [
          { seq: 4, why: "The platform refuses (blocked).", letter: null },
          { seq: 7, why: "The customer has not written for a day, so the platform takes nothing more.", letter: "l1" },
        ],
      }),
    ),
  "wall-quiet": () => supervising({ type: "wall", wall: quietWall() }),
  connectors: () => administering(),
  "connectors-use": () => administering(),
  "connectors-none": () => administering(),
  "connectors-new": () => administering(),
  letters: () => administering("supervisor"),
  "letters-none": () => administering("supervisor"),
  bot: () => [
    signedIn(),
    { type: "devices", list: devices },
    inbox(handedOver(), ...others),
    { type: "thread", conversation: ANA, messages: botThread() },
  ],
  channels: () => [
    signedIn(),
    { type: "devices", list: devices },
    inbox(
      mine(ANA, "8:acs:1b5cc06b-f352-4571-b1e6-d9b259b7c776_00000007-d5ae-2b1c-f883-084822000f3f", "Hello, is this the right place?", 1, {
        channel: "azure",
        customer_present: false,
      }),
      conversation("k1", "+4915550100221", "it blinks red and then nothing", 4, { channel: "sms", customer_present: false }),
      conversation("k2", "Luis Ortega", "Is anyone there?", 1, { channel: "whats_app", customer_present: false }),
      conversation("k3", "Åsa Lindström", "Operator, please", 0.2, { channel: "bot", customer_present: false }),
      mine("k4", "Ömer Yıldız", "Can I change the address?", 3, { channel: "twilio" }),
      mine("k5", "Yui Tanaka", "thank you, I will try that tonight", 6, { channel: "genesys", last_seq: 3 }),
      mine("k6", "Priya Raghunathan", "Great, that was it!", 9, { channel: "webex" }),
      mine("k7", "ada.moreno@example.test", "The parcel is open", 12, { channel: "webhook" }),
      mine("k8", "Customer 4821", "ok", 20, { channel: "phone" }),
      mine("k9", "李 小龙", "谢谢", 26),
    ),
  ],
  displaced: () => [
    ...base(ana()),
    signedIn({
      type: "displaced",
      problem: problem(
        "second_desk",
        "You are signed in on another desk.",
        "Continue here to move your work to this desk.",
      ),
    }),
  ],
  errors: () => [
    ...base(ana()),
    pending(
      { type: "sending" },
      {
        type: "refused",
        problem: problem("message_too_long", "The message is too long.", "Send it in parts."),
      },
    ),
    {
      type: "notice",
      problem: problem(
        "already_accepted",
        "A colleague has accepted this conversation.",
        "Take the next one.",
      ),
    },
    {
      type: "notice",
      problem: {
        ...problem("video_slot_taken", "You are already on video.", "End that call first."),
        conversation: "b",
      },
    },
    ...["Ana Moreno", "Luis Ortega"].map((name): DeskEvent => ({
      type: "notice",
      problem: problem("closed_by_supervisor", `Sofia has closed the conversation with ${name}.`, "“We close for today.”"),
    })),
    { type: "notice", problem: problem("internal", "The server could not do that.", "Try again.") },
  ],
};
