import type {
  AccountId,
  QualityMark,
  ServiceLevel,
  WallAgent,
  WallConversation,
  WallPresence,
  WallQueue,
  Why,
} from "$wire";
import { channelName } from "../format";

/** Who waits for longer than this is not served in time any more, where a queue says nothing else. */
const SERVED_WITHIN_MS = 20_000;

export type Shown = "all" | "open" | "active" | "call" | "wrap_up";
export type Column = "state" | "customer" | "agent" | "call";
export interface Order {
  readonly column: Column;
  readonly down: boolean;
}

export const FIRST_ORDER: Order = { column: "state", down: false };

/** The filter's choices, in their order on the screen. */
export const CHOICES: readonly { readonly shown: Shown; readonly word: string }[] = [
  { shown: "all", word: "All" },
  { shown: "open", word: "Waiting" },
  { shown: "active", word: "Active" },
  { shown: "call", word: "On video" },
  { shown: "wrap_up", word: "Wrap-up" },
];

/** Whether a conversation is one of those. */
export function belongs(row: WallConversation, shown: Shown): boolean {
  switch (shown) {
    case "all":
      return true;
    case "call":
      return row.call !== null;
    default:
      return row.state === shown;
  }
}

/** How many conversations each choice shows. */
export function counts(rows: readonly WallConversation[]): Readonly<Record<Shown, number>> {
  const found = { all: 0, open: 0, active: 0, call: 0, wrap_up: 0 };
  for (const { shown } of CHOICES) found[shown] = rows.filter((row) => belongs(row, shown)).length;
  return found;
}

const QUALITY_RANK: Readonly<Record<QualityMark, number>> = { poor: 0, fair: 1, unknown: 2, good: 3 };
const STATE_RANK = { open: 0, active: 1, wrap_up: 2, closed: 3 } as const;

/** What fits the words, the agent and the choice, in order. */
export function wallConversations(
  rows: readonly WallConversation[],
  search: string,
  shown: Shown,
  agent: AccountId | null,
  order: Order,
): readonly WallConversation[] {
  const sign = order.down ? -1 : 1;
  return rows
    .filter((row) => belongs(row, shown) && (agent === null || row.owner === agent) && fits(row, search))
    .sort((a, b) => sign * compare(a, b, order.column) || a.opened_at - b.opened_at || a.id.localeCompare(b.id));
}

/** The order after a click on a column's head: the same again turns it round. */
export function turned(order: Order, column: Column): Order {
  return { column, down: order.column === column && !order.down };
}

/** What needs somebody comes first: who waits, then calls that go badly, then everything else by its age. */
function compare(a: WallConversation, b: WallConversation, column: Column): number {
  switch (column) {
    case "state":
      return STATE_RANK[a.state] - STATE_RANK[b.state] || trouble(a) - trouble(b) || a.since - b.since;
    case "customer":
      return a.customer_name.localeCompare(b.customer_name);
    case "agent":
      return emptyLast(a.owner_name ?? "", b.owner_name ?? "");
    case "call":
      return callRank(a) - callRank(b) || (a.call?.since ?? 0) - (b.call?.since ?? 0);
  }
}

function trouble(row: WallConversation): number {
  return row.call?.state === "live" && (row.call.mark === "poor" || row.call.mark === "fair")
    ? QUALITY_RANK[row.call.mark]
    : 2;
}

function callRank(row: WallConversation): number {
  return row.call === null ? 9 : row.call.state === "live" ? QUALITY_RANK[row.call.mark] : 4;
}

function emptyLast(a: string, b: string): number {
  return Number(a === "") - Number(b === "") || a.localeCompare(b);
}

function fits(row: WallConversation, search: string): boolean {
  const needle = search.trim().toLocaleLowerCase();
  if (needle === "") return true;
  const texts = [row.customer_name, row.owner_name ?? "", row.asked_name ?? "", channelName(row.channel), ...row.helpers];
  return texts.some((text) => text.toLocaleLowerCase().includes(needle));
}

/** An agent's presence in words. */
export const PRESENCE: Readonly<Record<WallPresence, string>> = {
  available: "Available",
  busy: "Busy",
  in_call: "On video",
  full: "Full",
  do_not_disturb: "Do not disturb",
  declined: "Declined the last one",
  inactive: "Missed the last one",
  away: "Away",
  offline: "Offline",
};

const PRESENCE_ORDER = Object.keys(PRESENCE) as WallPresence[];

/** Those who are there first, the freest before the others. */
export function wallAgents(agents: readonly WallAgent[]): readonly WallAgent[] {
  return [...agents].sort(
    (a, b) =>
      PRESENCE_ORDER.indexOf(a.presence) - PRESENCE_ORDER.indexOf(b.presence) ||
      a.name.localeCompare(b.name) ||
      a.agent.localeCompare(b.agent),
  );
}

/** Whom a conversation can be given: their desk is there, and they do not have it already. */
export function receivers(agents: readonly WallAgent[], owner: AccountId | null, search: string): readonly WallAgent[] {
  const needle = search.trim().toLocaleLowerCase();
  return wallAgents(agents).filter(
    ({ agent, name, presence }) =>
      presence !== "offline" && agent !== owner && name.toLocaleLowerCase().includes(needle),
  );
}

/** What an agent has to do, in words: "2 conversations, 60 of 100 units". */
export function loadText(agent: WallAgent): string {
  const work =
    agent.conversations === 0
      ? "no conversations"
      : `${agent.conversations} ${agent.conversations === 1 ? "conversation" : "conversations"}`;
  return agent.load === null ? work : `${work}, ${agent.load.units} of ${agent.load.capacity} units`;
}

/** How much of an agent's capacity is taken: 0 to 1, and more where it is too much. Null where nobody counts. */
export function loadShare(agent: WallAgent): number | null {
  if (agent.load === null) return null;
  return agent.load.capacity === 0 ? Number(agent.load.units > 0) : agent.load.units / agent.load.capacity;
}

/** "83 %", or a dash where nothing can be said. */
export function percent(level: ServiceLevel): string {
  return level.of === 0 ? "–" : `${Math.round((100 * level.in_time) / level.of)} %`;
}

/** Fewer are served in time than the queue has set itself; never where it has set itself nothing. */
export function belowGoal({ goal }: Pick<WallQueue, "goal">, level: ServiceLevel): boolean {
  return goal !== null && level.of > 0 && 100 * level.in_time < goal * level.of;
}

/** What a queue has set itself: "Goal: 80 % within 20 s", "Within 20 s". */
export function goalText({ goal, within_ms }: Pick<WallQueue, "goal" | "within_ms">): string {
  const within = `within ${shortTime(within_ms)}`;
  return goal === null ? `Served ${within}` : `Goal: ${goal} % ${within}`;
}

/** "20 s", "5 min". */
export function shortTime(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds >= 120 && seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** By when a conversation's customer is to be answered: as its queue says. */
export function withinOf(queues: readonly WallQueue[], queue: number): number {
  return queues.find((one) => one.queue === queue)?.within_ms ?? SERVED_WITHIN_MS;
}

/** How it stands with a conversation, as the beginning of what explains it. */
export function whyHead(why: Why): string {
  const kept = why.owner === null ? "" : ` It stays with ${why.owner} until the answer.`;
  if (why.asked !== null) return `${why.asked} is being asked.${kept}`;
  if (why.owner !== null) return `It is with ${why.owner}.`;
  return why.waits === null ? "Nobody has it." : "It waits.";
}

/** How long the longest has waited in a queue, by the server's clock; null when nobody waits. */
export function longestWait(queue: WallQueue, now: number): number | null {
  return queue.oldest === null ? null : Math.max(0, now - queue.oldest);
}

export const CALL_STATES = { invited: "Invited", joining: "Joining", live: "Live" } as const;

/** What a call is like, in a word; empty where there is nothing to say. */
export const MARKS: Readonly<Record<QualityMark, string>> = { unknown: "", good: "Good", fair: "Fair", poor: "Poor" };

/** Until when a desk may be offered something, for its row; null where it may be offered nothing, or for ever. */
export function readyUntil(agent: WallAgent): number | null {
  const able = agent.readiness === "video" || agent.readiness === "audio";
  return able ? agent.ready_until : null;
}

/** A lease that ends within this time is worth a word to its agent. */
export const ENDS_SOON_MS = 30 * 60_000;
