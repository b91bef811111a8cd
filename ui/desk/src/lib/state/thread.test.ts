import { describe, expect, it } from "vitest";
import type { Message, PendingMessage } from "$wire";
import { ana, ANA, botThread, ME } from "../backend/mock/people";
import { linesOf, threadRows, transcript, type Row } from "./thread";

const noon = new Date(2026, 4, 4, 12).getTime();
const MINUTE = 60_000;
const customer = { type: "customer" } as const;
const agent = { type: "agent", account: ME.id, name: ME.name } as const;

const text = (seq: number, author: Message["author"], minutes: number, words = `line ${seq}`): Message => ({
  id: `m${seq}`,
  conversation: ANA,
  seq,
  author,
  body: { type: "text", text: words },
  at: noon + minutes * MINUTE,
});

const waiting = (id: string): PendingMessage => ({
  client_id: id,
  conversation: ANA,
  text: "later",
  at: noon + 3 * MINUTE,
  state: { type: "waiting_for_network" },
});

/** One line a row, so that a test reads like the screen. */
function draw(rows: readonly Row[]): string[] {
  return rows.map((row) =>
    row.type === "group"
      ? `${row.author}: ${row.bubbles.map((b) => b.text + (b.showDelivery ? ` (${b.delivery})` : "")).join(" | ")}`
      : row.type,
  );
}

describe("the thread", () => {
  it("groups by author and pause", () => {
    const rows = threadRows(
      ana(),
      [text(1, customer, 0), text(2, customer, 1), text(3, customer, 9), text(4, agent, 9.5)],
      [],
      ME.name,
    );
    expect(draw(rows)).toEqual([
      "day",
      "Ana Moreno: line 1 | line 2",
      "Ana Moreno: line 3",
      "Maria Keller: line 4 (delivered)",
    ]);
  });

  it("says how far the last own message is", () => {
    const own = [text(1, agent, 0), text(2, agent, 1)];
    const at = (delivered_seq: number) => draw(threadRows(ana({ delivered_seq }), own, [], ME.name)).at(-1);
    expect(at(2)).toBe("Maria Keller: line 1 | line 2 (delivered)");
    expect(at(1)).toBe("Maria Keller: line 1 | line 2 (sent)");
  });

  it("says of each message that did not arrive why, and nothing else of it", () => {
    const own = [text(1, agent, 0), text(2, agent, 1)];
    const lost = { seq: 1, why: "The platform refuses (blocked).", letter: "l1" };
    const rows = threadRows(ana({ delivered_seq: 0, undelivered: [lost] }), own, [], ME.name);
    expect(draw(rows).at(-1)).toBe("Maria Keller: line 1 (lost) | line 2 (sent)");
    const group = rows.at(-1);
    expect(group?.type === "group" && group.bubbles.map((bubble) => bubble.lost)).toEqual([lost, null]);
  });

  it("puts what is on its way at the end, each with its state", () => {
    const rows = threadRows(ana({ delivered_seq: 1 }), [text(1, agent, 2)], [waiting("a"), waiting("b")], ME.name);
    expect(draw(rows)).toEqual([
      "day",
      "Maria Keller: line 1 (delivered) | later (waiting) | later (waiting)",
    ]);
  });

  it("keeps the key of a message that has been stored, so that nothing blinks", () => {
    const before = threadRows(ana(), [], [waiting("a")], ME.name);
    const after = threadRows(ana(), [{ ...text(1, agent, 3), client_id: "a" }], [], ME.name);
    expect(before.map((row) => row.key)).toEqual(after.map((row) => row.key));
  });

  it("draws events and invites as rows of their own, and a new day", () => {
    const invite: Message = {
      ...text(3, agent, 2),
      body: { type: "invite", escalation: "e1", text: "Join", url: "u", expires_at: 0 },
    };
    const event: Message = { ...text(2, { type: "system" }, 1), body: { type: "event", text: "joined" } };
    const rows = threadRows(ana(), [text(1, customer, 0), event, invite, text(4, customer, 24 * 60)], [], ME.name);
    expect(draw(rows)).toEqual([
      "day",
      "Ana Moreno: line 1",
      "event",
      "invite",
      "day",
      "Ana Moreno: line 4",
    ]);
  });
});

describe("a bot", () => {
  const bot = { type: "bot", name: "Helper" } as const;

  it("speaks from the customer's side, by its own name", () => {
    const rows = threadRows(ana(), [text(1, customer, 0), text(2, bot, 0.1), text(3, agent, 1)], [], ME.name);
    expect(draw(rows).slice(1, 3)).toEqual(["Ana Moreno: line 1", "Helper: line 2"]);
    expect(rows.map((row) => (row.type === "group" ? row.side : ""))).toEqual(["", "customer", "bot", "agent"]);
  });

  it("is folded when it has said much, and unfolded whole", () => {
    const messages = botThread();
    const { of, hidden } = transcript(messages);
    expect(of).toBe(12);
    const said = (rows: readonly Row[]) => rows.flatMap((row) => (row.type === "group" ? row.bubbles : [])).length;
    const folded = threadRows(ana(), messages, [], ME.name);
    expect([folded[1]?.type, said(folded)]).toEqual(["transcript", 12 - hidden]);
    expect(hidden).toBeGreaterThan(5);
    // How it ended is never hidden.
    expect(folded.at(-1)?.type).toBe("event");
    const whole = threadRows(ana(), messages, [], ME.name, true);
    expect([whole[1], said(whole)]).toEqual([expect.objectContaining({ type: "transcript", hidden: 0 }), 12]);
  });

  it("keeps its last word, however long, and a short transcript as it is", () => {
    const long = [text(1, customer, 0), text(2, bot, 1, "word\n".repeat(40))];
    expect(transcript(long)).toEqual({ of: 2, hidden: 1 });
    expect(transcript([text(1, customer, 0), text(2, bot, 1)])).toEqual({ of: 2, hidden: 0 });
    expect(transcript(Array.from({ length: 40 }, (_, n) => text(n + 1, customer, n)))).toEqual({ of: 0, hidden: 0 });
    // What it says while an agent is there is no transcript.
    const later = [text(1, agent, 0), ...Array.from({ length: 40 }, (_, n) => text(n + 2, bot, n))];
    expect(transcript(later)).toEqual({ of: 0, hidden: 0 });
  });

  it("has files beside their words, not in them", () => {
    const files = [{ name: "kettle.png", kind: "image/png", size: 2048, place: { type: "here", id: "f1" } as const }];
    const message: Message = {
      ...text(1, customer, 0),
      body: { type: "files", text: "Look\n[image/png] kettle.png", words: "Look", files },
    };
    const group = threadRows(ana(), [message], [], ME.name).at(-1);
    expect(group?.type === "group" && group.bubbles.map((bubble) => [bubble.text, bubble.files])).toEqual([["Look", files]]);
  });

  it("has lines as a bubble has", () => {
    expect([linesOf(""), linesOf("one"), linesOf("one\ntwo"), linesOf("x".repeat(129))]).toEqual([1, 1, 2, 3]);
  });
});
