import type {
  AccountId,
  AssignmentView,
  BoardRow,
  CallView,
  ClientMessageId,
  Conversation,
  ConversationId,
  DeskEvent,
  DeviceList,
  Message,
  PainterView,
  Pause,
  PendingMessage,
  Report,
  ScreenList,
  SelfTestView,
  SessionView,
} from "$wire";

/** Everything the controller has told the window. Replaced, never mutated. */
export interface DeskModel {
  readonly session: SessionView;
  readonly conversations: Readonly<Record<ConversationId, Conversation>>;
  /** Messages by conversation, ascending and without doubles. */
  readonly threads: Readonly<Record<ConversationId, readonly Message[]>>;
  readonly pending: readonly PendingMessage[];
  /** Until when the customer counts as writing. */
  readonly typing: Readonly<Record<ConversationId, number>>;
  readonly call: CallView | null;
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
  /** The readiness board; null while it is closed or on its way. */
  readonly board: readonly BoardRow[] | null;
  /** Reports by agent, the newest first, as last read. */
  readonly reports: Readonly<Record<AccountId, readonly Report[]>>;
  /** Somebody tried to close the window in a call. */
  readonly confirmClose: boolean;
}

export const initialModel: DeskModel = {
  session: { type: "starting" },
  conversations: {},
  threads: {},
  pending: [],
  typing: {},
  call: null,
  devices: null,
  screens: null,
  painter: { type: "native" },
  test: null,
  assignment: null,
  paused: null,
  board: null,
  reports: {},
  confirmClose: false,
};

/** What passes by and is not state: notices, and the news that a file was written. */
export type PassingEvent = Extract<DeskEvent, { type: "notice" | "saved" }>;
export type StateEvent = Exclude<DeskEvent, PassingEvent>;

export function passes(event: DeskEvent): event is PassingEvent {
  return event.type === "notice" || event.type === "saved";
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
    case "board":
      return { ...model, board: event.rows };
    case "reports":
      return { ...model, reports: { ...model.reports, [event.agent]: event.reports } };
    case "confirm_close":
      return { ...model, confirmClose: true };
  }
}

/** Whether anything would be lost by closing the window. */
export function callRuns(call: CallView | null): call is CallView {
  return call !== null && call.phase.type !== "ended";
}

/** Inserts by sequence number; overlapping pages and repeated events change nothing. */
export function mergeMessages(
  known: readonly Message[],
  incoming: readonly Message[],
): readonly Message[] {
  if (incoming.length === 0) return known;
  const bySeq = new Map(known.map((message) => [message.seq, message]));
  for (const message of incoming) bySeq.set(message.seq, message);
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
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
