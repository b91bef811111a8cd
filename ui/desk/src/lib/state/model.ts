import type {
  AccountId,
  AuditCheck,
  AuditEntry,
  AssignmentView,
  AutoVideo,
  BoardRow,
  CallView,
  ClientMessageId,
  ConnectorTest,
  ConnectorKind,
  ConnectorView,
  Conversation,
  ConversationId,
  DeadLetter,
  DeskEvent,
  DeviceList,
  EarlierConversation,
  FileId,
  FileShown,
  Message,
  MyPresence,
  PainterView,
  Pause,
  PendingMessage,
  Report,
  ScreenList,
  SelfTestView,
  SessionView,
  WallView,
  Why,
} from "$wire";
import { mergeAudit } from "./audit";
import { mergeEarlier } from "./earlier";
import { mergeMessages } from "./messages";

/** Everything the controller has told the window. Replaced, never mutated. */
export interface DeskModel {
  readonly session: SessionView;
  readonly conversations: Readonly<Record<ConversationId, Conversation>>;
  /** Messages by conversation, ascending and without doubles. */
  readonly threads: Readonly<Record<ConversationId, readonly Message[]>>;
  /** What each conversation continues, as far as it was read; the nearest first. */
  readonly earlier: Readonly<Record<ConversationId, readonly EarlierConversation[]>>;
  readonly pending: readonly PendingMessage[];
  /** Until when the customer counts as writing. */
  readonly typing: Readonly<Record<ConversationId, number>>;
  readonly call: CallView | null;
  /** Video that is about to start by itself, or why it did not. */
  readonly autoVideo: AutoVideo | null;
  readonly devices: DeviceList | null;
  /** What can be shared, as last looked at. */
  readonly screens: ScreenList | null;
  readonly painter: PainterView;
  /** The self-test and the lease; null until the controller has said anything of them. */
  readonly test: SelfTestView | null;
  /** The conversation that the agent is asked to take, or why not any more. */
  readonly assignment: AssignmentView | null;
  /** Why nothing is assigned to this agent; null when something is, or everybody takes it unasked. */
  readonly paused: Pause | null;
  /** The agent's own presence; null until the server has said it. */
  readonly presence: MyPresence | null;
  /** The readiness board; null while it is closed or on its way. */
  readonly board: readonly BoardRow[] | null;
  /** The live wall; null while it is closed or on its way. */
  readonly wall: WallView | null;
  /** Why a conversation is where it is, as last asked for; null before the answer. */
  readonly why: { readonly conversation: ConversationId; readonly why: Why; readonly at: number } | null;
  /** The audit log as far as it was read, the newest first; null before that. */
  readonly audit: { readonly entries: readonly AuditEntry[]; readonly more: boolean } | null;
  /** What its last check came to; null before one. */
  readonly auditCheck: { readonly check: AuditCheck; readonly at: number } | null;
  /** Reports by agent, the newest first, as last read. */
  readonly reports: Readonly<Record<AccountId, readonly Report[]>>;
  /** Connectors as last read; null before that. */
  readonly connectors: readonly ConnectorView[] | null;
  /** What can be set up, once asked for. */
  readonly connectorKinds: readonly ConnectorKind[] | null;
  /** What their last tests came to, by name. */
  readonly connectorTests: Readonly<Record<string, { readonly test: ConnectorTest; readonly at: number }>>;
  /** What did not reach a platform, as last read, the newest first; null before that. */
  readonly letters: readonly DeadLetter[] | null;
  /** Files that were asked for, by their ids. Their links work for some minutes only. */
  readonly files: Readonly<Record<FileId, FileShown>>;
  /** Somebody tried to close the window in a call. */
  readonly confirmClose: boolean;
}

export const initialModel: DeskModel = {
  session: { type: "starting" },
  conversations: {},
  threads: {},
  earlier: {},
  pending: [],
  typing: {},
  call: null,
  autoVideo: null,
  devices: null,
  screens: null,
  painter: { type: "native" },
  test: null,
  assignment: null,
  paused: null,
  presence: null,
  board: null,
  wall: null,
  why: null,
  audit: null,
  auditCheck: null,
  reports: {},
  connectors: null,
  connectorKinds: null,
  connectorTests: {},
  letters: null,
  files: {},
  confirmClose: false,
};

/** What passes by and is not state: notices, answers to a search, and the news that a file was written. */
export type PassingEvent = Extract<DeskEvent, { type: "notice" | "saved" | "handed" | "targets" }>;
export type StateEvent = Exclude<DeskEvent, PassingEvent>;

export function passes(event: DeskEvent): event is PassingEvent {
  return ["notice", "saved", "handed", "targets"].includes(event.type);
}

/** The model after one event. */
export function apply(model: DeskModel, event: StateEvent): DeskModel {
  switch (event.type) {
    case "session":
      return applySession(model, event.session);
    case "inbox":
      return {
        ...model,
        conversations: Object.fromEntries(event.conversations.map((c) => [c.id, c])),
      };
    case "conversation":
      return {
        ...model,
        conversations: { ...model.conversations, [event.conversation.id]: event.conversation },
      };
    case "thread":
      return applyThread(model, event.conversation, event.messages);
    case "earlier": {
      const parts = mergeEarlier(model.earlier[event.conversation] ?? [], event.earlier);
      return { ...model, earlier: { ...model.earlier, [event.conversation]: parts } };
    }
    case "auto_video":
      return { ...model, autoVideo: event.video };
    case "pending":
      return { ...model, pending: event.messages };
    case "typing":
      return { ...model, typing: { ...model.typing, [event.conversation]: event.until } };
    case "call":
      return {
        ...model,
        call: event.call,
        confirmClose: model.confirmClose && callRuns(event.call),
      };
    case "devices":
      return { ...model, devices: event.list };
    case "screens":
      return { ...model, screens: event.list };
    case "painter":
      return { ...model, painter: event.painter };
    case "self_test":
      return { ...model, test: event.test };
    case "assignment":
      return { ...model, assignment: event.assignment };
    case "paused":
      return { ...model, paused: event.why };
    case "presence":
      return { ...model, presence: event.presence };
    case "board":
      return { ...model, board: event.rows };
    case "wall":
      return { ...model, wall: event.wall };
    case "why":
      return { ...model, why: event };
    case "audit":
      return { ...model, audit: mergeAudit(model.audit, event.before, event.page) };
    case "audit_checked":
      return { ...model, auditCheck: event };
    case "reports":
      return { ...model, reports: { ...model.reports, [event.agent]: event.reports } };
    case "connectors":
      return { ...model, connectors: event.connectors };
    case "connector_kinds":
      return { ...model, connectorKinds: event.kinds };
    case "connector_tested": {
      const { connector, test, at } = event;
      return { ...model, connectorTests: { ...model.connectorTests, [connector]: { test, at } } };
    }
    case "file":
      return { ...model, files: { ...model.files, [event.file]: event } };
    case "dead_letters":
      return { ...model, letters: event.letters };
    case "confirm_close":
      return { ...model, confirmClose: true };
  }
}

/** Whether anything would be lost by closing the window. */
export function callRuns(call: CallView | null): call is CallView {
  return call !== null && call.phase.type !== "ended";
}

function applySession(model: DeskModel, session: SessionView): DeskModel {
  const before = account(model.session);
  const after = account(session);
  // Another person's conversations never survive on the screen.
  if (before !== null && before !== after) {
    return { ...initialModel, session, painter: model.painter, devices: model.devices };
  }
  return { ...model, session };
}

function account(session: SessionView): string | null {
  return session.type === "signed_in" ? session.account.id : null;
}

function applyThread(
  model: DeskModel,
  conversation: ConversationId,
  messages: readonly Message[],
): DeskModel {
  const thread = mergeMessages(model.threads[conversation] ?? [], messages);
  const typing = { ...model.typing };
  // Whoever has just written has stopped writing.
  if (messages.some((message) => message.author.type === "customer")) delete typing[conversation];
  return { ...model, typing, threads: { ...model.threads, [conversation]: thread } };
}

/** Messages of `conversation` on their way, without those the server has meanwhile stored. */
export function pendingOf(
  model: DeskModel,
  conversation: ConversationId,
): readonly PendingMessage[] {
  const stored = new Set<ClientMessageId>();
  for (const message of model.threads[conversation] ?? []) {
    if (message.client_id !== undefined) stored.add(message.client_id);
  }
  return model.pending.filter(
    (message) => message.conversation === conversation && !stored.has(message.client_id),
  );
}

/** The conversation of somebody whom this agent has just answered on the telephone: it comes to the front by itself. */
export function popsUp(model: DeskModel, { conversation }: Extract<DeskEvent, { type: "conversation" }>): boolean {
  if (model.session.type !== "signed_in" || callRuns(model.call)) return false;
  const me = model.session.account.id;
  const answered = (c: Conversation | undefined) => c?.channel === "phone" && c.state === "active" && c.owner === me;
  return answered(conversation) && !answered(model.conversations[conversation.id]);
}
