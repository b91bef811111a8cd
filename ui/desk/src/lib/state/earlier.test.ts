import { describe, expect, it } from "vitest";
import type { EarlierConversation, Message } from "$wire";
import { ana } from "../backend/mock/people";
import { BEFORE, earlierPage, previous, returned } from "../backend/mock/earlier";
import { cameBy, earlierRows, mergeEarlier, nextPage, stepsBack } from "./earlier";

const line = (seq: number): Message => ({
  id: `m${seq}`,
  conversation: BEFORE,
  seq,
  author: { type: "customer" },
  body: { type: "text", text: `line ${seq}` },
  at: seq,
});

const part = (seqs: number[], more: boolean, rest: Partial<EarlierConversation> = {}): EarlierConversation => ({
  id: BEFORE,
  messages: seqs.map(line),
  more,
  owner_name: null,
  previous: null,
  ...rest,
});

const seqs = (parts: readonly EarlierConversation[]) => parts.map(({ messages }) => messages.map(({ seq }) => seq));

describe("what a conversation continues", () => {
  it("is read backwards, page by page, and then further back", () => {
    const now = returned();
    expect(nextPage(stepsBack(ana(), []))).toBe(null);
    expect(nextPage(stepsBack(now, []))).toEqual({ earlier: BEFORE, before: null });
    const last = mergeEarlier([], part([5, 6], true));
    expect(nextPage(stepsBack(now, last))).toEqual({ earlier: BEFORE, before: 5 });
    const before = { ...previous(), id: "first" } as const;
    const all = mergeEarlier(last, part([3, 4], false, { previous: before as never }));
    expect(seqs(all)).toEqual([[3, 4, 5, 6]]);
    expect(nextPage(stepsBack(now, all))).toEqual({ earlier: "first", before: null });
    const end = mergeEarlier(all, part([1], false, { id: "first" }));
    expect(stepsBack(now, end).map(({ known }) => known.id)).toEqual([BEFORE, "first"]);
    expect(nextPage(stepsBack(now, end))).toBe(null);
  });

  it("is the same when a page comes twice, and the last page does not hide that there is more", () => {
    const both = mergeEarlier(mergeEarlier([], part([5, 6], true)), part([3, 4], false));
    const again = mergeEarlier(both, part([5, 6], true));
    expect(seqs(again)).toEqual([[3, 4, 5, 6]]);
    expect(again[0]?.more).toBe(false);
  });

  it("never goes round in a circle", () => {
    const circle = part([1], false, { previous: previous() });
    expect(stepsBack(returned(), [circle])).toHaveLength(1);
  });

  it("shows neither how far a message got nor a link that is over", () => {
    const event = earlierPage("ana", BEFORE, null);
    if (event.type !== "earlier") throw new Error("an earlier page");
    const invite: Message = {
      ...line(99),
      author: { type: "system" },
      body: { type: "invite", escalation: "e", text: "Join", url: "http://x/j/y", expires_at: 0 },
    };
    const read = { ...event.earlier, messages: [...event.earlier.messages, invite] };
    const [step] = stepsBack(returned(), [read]);
    if (step === undefined) throw new Error("a step");
    const rows = earlierRows(step);
    expect(rows.some((row) => row.type === "invite")).toBe(false);
    expect(rows.flatMap((row) => (row.type === "group" ? row.bubbles : [])).every((b) => b.delivery === null)).toBe(true);
    expect(rows.some((row) => row.type === "group" && row.author === "Ana Moreno")).toBe(true);
  });

  it("is doubted where nobody has signed it", () => {
    expect(cameBy(ana())).toBe(null);
    expect(cameBy(returned())?.careful).toBe(false);
    expect(cameBy(returned({ came_by: "unsigned_link" }))?.careful).toBe(false);
    expect(cameBy(returned({ came_by: "unsigned_link", trusted: false }))?.careful).toBe(true);
    expect(cameBy(returned({ came_by: "expired_link", trusted: false }))?.text).toContain("expired");
    expect(cameBy(returned({ came_by: "foreign_link", trusted: false }))?.text).toContain("not ours");
  });
});
