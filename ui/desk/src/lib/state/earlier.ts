import type { Conversation, ConversationId, EarlierConversation, Message, PreviousConversation } from "$wire";
import { mergeMessages } from "./messages";
import { threadRows, type Row } from "./thread";

/** One of ours that a conversation continues. */
export type Known = Extract<PreviousConversation, { type: "known" }>;

/** One step back: what is continued, and as much of it as has been read. */
export interface Step {
  readonly known: Known;
  readonly part: EarlierConversation | null;
}

/** What to read next. */
export interface NextPage {
  readonly earlier: ConversationId;
  readonly before: number | null;
}

/** The parts with one more page; repeated and overlapping pages change nothing. */
export function mergeEarlier(
  parts: readonly EarlierConversation[],
  page: EarlierConversation,
): readonly EarlierConversation[] {
  const known = parts.find((part) => part.id === page.id);
  if (known === undefined) return [...parts, page];
  const older = first(page.messages) <= first(known.messages);
  const merged = {
    ...page,
    messages: [...mergeMessages(known.messages, page.messages)],
    more: older ? page.more : known.more,
  };
  return parts.map((part) => (part.id === page.id ? merged : part));
}

/** The steps back from a conversation, the nearest first, up to the first that nobody has read yet. */
export function stepsBack(conversation: Conversation, parts: readonly EarlierConversation[]): readonly Step[] {
  const steps: Step[] = [];
  const seen = new Set<ConversationId>([conversation.id]);
  let pointer = conversation.previous;
  while (pointer?.type === "known" && !seen.has(pointer.id)) {
    const { id } = pointer;
    seen.add(id);
    const part: EarlierConversation | null = parts.find((candidate) => candidate.id === id) ?? null;
    steps.push({ known: pointer, part });
    pointer = part?.previous ?? null;
  }
  return steps;
}

/** The page before everything that is shown; null when that is all. */
export function nextPage(steps: readonly Step[]): NextPage | null {
  const last = steps.at(-1);
  if (last === undefined) return null;
  if (last.part === null) return { earlier: last.known.id, before: null };
  const oldest = last.part.messages[0];
  return last.part.more && oldest !== undefined ? { earlier: last.known.id, before: oldest.seq } : null;
}

/** The rows of an earlier conversation. How far a message got then is no news now, and its links are over. */
export function earlierRows(step: Step): readonly Row[] {
  const told = { customer_name: step.known.customer_name, delivered_seq: 0, undelivered: [] };
  return threadRows(told, (step.part?.messages ?? []).map(asLine), [], "", true).map((row) =>
    row.type === "group"
      ? { ...row, bubbles: row.bubbles.map((bubble) => ({ ...bubble, delivery: null, showDelivery: false })) }
      : row,
  );
}

function asLine(message: Message): Message {
  if (message.body.type !== "invite") return message;
  return { ...message, body: { type: "event", text: "Video invitation" } };
}

function first(messages: readonly Message[]): number {
  return messages[0]?.seq ?? Number.POSITIVE_INFINITY;
}

/** How the customer came, where there is something to say about it, and whether it asks for care. */
export function cameBy(conversation: Conversation): { readonly text: string; readonly careful: boolean } | null {
  switch (conversation.came_by) {
    case null:
      return null;
    case "link":
      return { text: "The customer opened the chat link", careful: false };
    case "unsigned_link":
      return conversation.trusted
        ? { text: "The customer opened a chat link", careful: false }
        : { text: "The customer's chat link was not signed. Check who you are talking to.", careful: true };
    case "expired_link":
      return { text: "The customer's chat link had expired, so nothing it said counts.", careful: true };
    case "foreign_link":
      return { text: "The customer's chat link is not ours or was changed, so nothing it said counts.", careful: true };
  }
}
