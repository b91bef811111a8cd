import type { Conversation, File, Message, PendingMessage, Undelivered } from "$wire";

/** How far one of the agent's messages is. */
export type Delivery = "sending" | "waiting" | "refused" | "sent" | "delivered" | "lost";

/** A bubble: stored or on its way. */
export interface Bubble {
  /** Stays the same when a pending message becomes a stored one, so that nothing blinks. */
  readonly key: string;
  readonly at: number;
  readonly text: string;
  readonly files: readonly File[];
  readonly delivery: Delivery | null;
  /** The state is spelled out only where it says something new. */
  readonly showDelivery: boolean;
  readonly pending: PendingMessage | null;
  /** Why it did not reach the customer's platform; null when it did, or may still. */
  readonly lost: Undelivered | null;
}

/** A bot speaks from the customer's side, and is not the customer. */
export type Side = "customer" | "bot" | "agent";

/** What the message list draws, top to bottom. */
export type Row =
  | { readonly type: "day"; readonly key: string; readonly at: number }
  | {
      readonly type: "group";
      readonly key: string;
      readonly side: Side;
      readonly author: string;
      readonly at: number;
      readonly bubbles: readonly Bubble[];
    }
  | {
      /** Stands where the bot's transcript begins, when it is long. */
      readonly type: "transcript";
      readonly key: string;
      readonly at: number;
      /** So many messages of it are not drawn. */
      readonly hidden: number;
      /** Of so many. */
      readonly of: number;
    }
  | { readonly type: "event"; readonly key: string; readonly at: number; readonly text: string }
  /** From colleague to colleague; `author` is empty where the product wrote it. */
  | {
      readonly type: "note";
      readonly key: string;
      readonly at: number;
      readonly author: string;
      readonly text: string;
    }
  | {
      readonly type: "invite";
      readonly key: string;
      readonly at: number;
      readonly message: Message;
    };

/** Messages of one author within this time share one header. */
const GROUP_MS = 5 * 60_000;

/** What rows need to know of their conversation. */
type Told = Pick<Conversation, "customer_name" | "delivered_seq" | "undelivered">;

/** A transcript of a bot that is longer is folded: what counts is how it ended. */
export const TRANSCRIPT_LINES = 12;
/** As much of a folded one as stays. */
const LAST_LINES = 6;
/** Characters that fit into a line of a bubble, roughly. */
const LINE_CHARS = 64;

/** How many lines a text takes in a bubble, roughly. */
export function linesOf(text: string): number {
  return text.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / LINE_CHARS)), 0);
}

/** How many messages from the first are a bot's transcript, and how many of those are left out when it is folded. */
export function transcript(messages: readonly Message[]): { readonly of: number; readonly hidden: number } {
  const answered = messages.findIndex(({ author }) => author.type === "agent");
  const before = answered < 0 ? messages : messages.slice(0, answered);
  const of = before.findLastIndex(({ author }) => author.type === "bot") + 1;
  const lines = before.slice(0, of).map(({ body }) => linesOf(body.text));
  if (lines.reduce((sum, count) => sum + count, 0) <= TRANSCRIPT_LINES) return { of, hidden: 0 };
  let shown = 0;
  let hidden = of;
  // The last word of the bot stays, however long.
  while (hidden > 0 && (hidden === of || shown + (lines[hidden - 1] ?? 0) <= LAST_LINES)) {
    hidden -= 1;
    shown += lines[hidden] ?? 0;
  }
  return { of, hidden };
}

/**
 * Rows for a conversation: days, groups, events, invites, and at the end what is on its way. A long transcript of a bot
 * is folded unless `whole`.
 */
export function threadRows(
  conversation: Told,
  messages: readonly Message[],
  pending: readonly PendingMessage[],
  me: string,
  whole = false,
): readonly Row[] {
  const lastOwn = messages.findLast((m) => m.author.type === "agent" && (m.body.type === "text" || m.body.type === "files"));
  const bots = transcript(messages);
  const shown = whole ? messages : messages.slice(bots.hidden);
  const entries: Entry[] = shown.map((message) => entry(conversation, message, lastOwn?.seq));
  for (const message of pending) entries.push(pendingEntry(message, me));

  const rows: Row[] = [];
  let day = "";
  for (const item of entries) {
    const itemDay = new Date(item.at).toDateString();
    if (itemDay !== day) {
      day = itemDay;
      rows.push({ type: "day", key: `day ${itemDay}`, at: item.at });
      if (rows.length === 1 && bots.hidden > 0) {
        rows.push({ type: "transcript", key: "transcript", at: item.at, hidden: whole ? 0 : bots.hidden, of: bots.of });
      }
    }
    const last = rows.at(-1);
    if (item.row !== null) {
      rows.push(item.row);
    } else if (last?.type === "group" && belongsTo(last, item)) {
      rows[rows.length - 1] = { ...last, bubbles: [...last.bubbles, item.bubble] };
    } else {
      rows.push({
        type: "group",
        key: `group ${item.bubble.key}`,
        side: item.side,
        author: item.author,
        at: item.at,
        bubbles: [item.bubble],
      });
    }
  }
  return rows;
}

type Entry =
  | { readonly at: number; readonly row: Row }
  | {
      readonly at: number;
      readonly row: null;
      readonly side: Side;
      readonly author: string;
      readonly bubble: Bubble;
    };

function entry(conversation: Told, message: Message, lastOwn: number | undefined): Entry {
  const { at, author, body } = message;
  const key = message.client_id ?? message.id;
  if (body.type === "invite") return { at, row: { type: "invite", key, at, message } };
  if (body.type === "note") {
    const name = author.type === "agent" ? author.name : "";
    return { at, row: { type: "note", key, at, author: name, text: body.text } };
  }
  if (body.type === "event" || author.type === "system") {
    return { at, row: { type: "event", key, at, text: body.text } };
  }
  const own = author.type === "agent";
  const lost = conversation.undelivered.find(({ seq }) => seq === message.seq) ?? null;
  const delivery = lost !== null ? "lost" : message.seq <= conversation.delivered_seq ? "delivered" : "sent";
  return {
    at,
    row: null,
    side: author.type,
    author: author.type === "customer" ? conversation.customer_name : author.name,
    bubble: {
      key,
      at,
      text: body.type === "files" ? body.words : body.text,
      files: body.type === "files" ? body.files : [],
      delivery: own ? delivery : null,
      showDelivery: message.seq === lastOwn || lost !== null,
      pending: null,
      lost,
    },
  };
}

function pendingEntry(message: PendingMessage, me: string): Entry {
  return {
    at: message.at,
    row: null,
    side: "agent",
    author: me,
    bubble: {
      key: message.client_id,
      at: message.at,
      text: message.text,
      files: [],
      delivery: pendingDelivery(message),
      showDelivery: true,
      pending: message,
      lost: null,
    },
  };
}

function pendingDelivery(message: PendingMessage): Delivery {
  switch (message.state.type) {
    case "sending":
      return "sending";
    case "waiting_for_network":
      return "waiting";
    case "refused":
      return "refused";
  }
}

function belongsTo(
  group: Row & { type: "group" },
  item: { side: Side; author: string; at: number },
): boolean {
  const last = group.bubbles.at(-1);
  return (
    group.side === item.side &&
    group.author === item.author &&
    last !== undefined &&
    item.at - last.at < GROUP_MS
  );
}
