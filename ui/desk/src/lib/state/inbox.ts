import type { AccountId, Conversation, ConversationId } from "$wire";
import type { DeskModel } from "./model";

/** The inbox as it is drawn. */
export interface InboxView {
  readonly waiting: readonly Conversation[];
  readonly mine: readonly Conversation[];
}

/** Whether a waiting customer has asked for this agent. */
export function asksFor(conversation: Conversation, me: AccountId): boolean {
  return conversation.state === "open" && conversation.asked_for === me;
}

/** Waiting: who asked for this agent, then longest first. Mine: newest message first. Colleagues' and closed ones are not listed. */
export function inboxView(
  conversations: Readonly<Record<ConversationId, Conversation>>,
  me: AccountId,
  search: string,
): InboxView {
  const found = Object.values(conversations).filter((c) => matches(c, search));
  return {
    waiting: found
      .filter((c) => c.state === "open")
      .sort((a, b) => asks(a, b, me) || a.opened_at - b.opened_at || a.id.localeCompare(b.id)),
    mine: found
      .filter((c) => (c.owner === me || takesPart(c, me)) && (c.state === "active" || c.state === "wrap_up"))
      .sort((a, b) => b.last_at - a.last_at || a.id.localeCompare(b.id)),
  };
}

function asks(a: Conversation, b: Conversation, me: AccountId): number {
  return Number(asksFor(b, me)) - Number(asksFor(a, me));
}

/** Whether somebody has joined a conversation of somebody else. */
export function takesPart(conversation: Conversation, account: AccountId): boolean {
  return conversation.participants.some((one) => one.account === account);
}

/** Keeps the order shown while the pointer rests on the list; what is new goes to the end. */
export function keepOrder<Row extends { readonly id: string }>(
  shown: readonly string[],
  next: readonly Row[],
): readonly Row[] {
  const place = new Map(shown.map((id, index) => [id, index]));
  return next
    .map((row, index) => ({ row, rank: place.get(row.id) ?? shown.length + index }))
    .sort((a, b) => a.rank - b.rank)
    .map((entry) => entry.row);
}

/** The customer's messages that the owner has not read. */
export function unreadCount(model: DeskModel, conversation: Conversation): number {
  const thread = model.threads[conversation.id];
  if (thread === undefined) return Math.max(0, conversation.last_seq - conversation.read_seq);
  return thread.filter((m) => m.seq > conversation.read_seq && m.author.type === "customer").length;
}

/** The neighbour of `current` in `ids`, clamped; the first when nothing is current. */
export function neighbour(
  ids: readonly ConversationId[],
  current: ConversationId | null,
  step: 1 | -1,
): ConversationId | null {
  const at = current === null ? -1 : ids.indexOf(current);
  if (at < 0) return ids[0] ?? null;
  return ids[Math.min(ids.length - 1, Math.max(0, at + step))] ?? null;
}

function matches(conversation: Conversation, search: string): boolean {
  const needle = search.trim().toLocaleLowerCase();
  if (needle === "") return true;
  const values = Object.values(conversation.context).map(String);
  return [conversation.customer_name, conversation.last_text, ...values].some((text) =>
    text.toLocaleLowerCase().includes(needle),
  );
}
