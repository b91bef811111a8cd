import type { Conversation, Message, PendingMessage } from "$wire";

/** How far one of the agent's messages is. */
export type Delivery = "sending" | "waiting" | "refused" | "sent" | "delivered";

/** A bubble: stored or on its way. */
export interface Bubble {
  /** Stays the same when a pending message becomes a stored one, so that nothing blinks. */
  readonly key: string;
  readonly at: number;
  readonly text: string;
  readonly delivery: Delivery | null;
  /** The state is spelled out only where it says something new. */
  readonly showDelivery: boolean;
  readonly pending: PendingMessage | null;
}

export type Side = "customer" | "agent";

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
  | { readonly type: "event"; readonly key: string; readonly at: number; readonly text: string }
  | {
      readonly type: "invite";
      readonly key: string;
      readonly at: number;
      readonly message: Message;
    };

/** Messages of one author within this time share one header. */
const GROUP_MS = 5 * 60_000;

/** Rows for a conversation: days, groups, events, invites, and at the end what is on its way. */
export function threadRows(
  conversation: Conversation,
  messages: readonly Message[],
  pending: readonly PendingMessage[],
  me: string,
): readonly Row[] {
  const lastOwn = messages.findLast((m) => m.author.type === "agent" && m.body.type === "text");
  const entries: Entry[] = messages.map((message) => entry(conversation, message, lastOwn?.seq));
  for (const message of pending) entries.push(pendingEntry(message, me));

  const rows: Row[] = [];
  let day = "";
  for (const item of entries) {
    const itemDay = new Date(item.at).toDateString();
    if (itemDay !== day) {
      day = itemDay;
      rows.push({ type: "day", key: `day ${itemDay}`, at: item.at });
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

function entry(conversation: Conversation, message: Message, lastOwn: number | undefined): Entry {
  const { at, author, body } = message;
  const key = message.client_id ?? message.id;
  if (body.type === "invite") return { at, row: { type: "invite", key, at, message } };
  if (body.type === "event" || author.type === "system") {
    return { at, row: { type: "event", key, at, text: body.text } };
  }
  const own = author.type === "agent";
  return {
    at,
    row: null,
    side: own ? "agent" : "customer",
    author: own ? author.name : conversation.customer_name,
    bubble: {
      key,
      at,
      text: body.text,
      delivery: own ? (message.seq <= conversation.delivered_seq ? "delivered" : "sent") : null,
      showDelivery: message.seq === lastOwn,
      pending: null,
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
      delivery: pendingDelivery(message),
      showDelivery: true,
      pending: message,
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
