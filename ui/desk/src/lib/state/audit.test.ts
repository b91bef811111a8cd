import { describe, expect, it } from "vitest";
import type { AuditEntry } from "$wire";
import { actText, checkText, detailText, mergeAudit } from "./audit";

const entry = (seq: number, more: Partial<AuditEntry> = {}): AuditEntry => ({
  seq,
  id: `e${seq}`,
  at: seq * 1_000,
  actor: "s1",
  actor_name: "Grace",
  act: "read",
  conversation: "c1",
  agent: "a1",
  agent_name: "Ada",
  escalation: null,
  detail: {},
  hash: "00",
  ...more,
});
const page = (seqs: readonly number[], more: boolean) => ({ entries: seqs.map((seq) => entry(seq)), more });
const seqs = (read: { entries: readonly AuditEntry[] }) => read.entries.map(({ seq }) => seq);

describe("the audit log in pages", () => {
  const first = mergeAudit(null, null, page([9, 8, 7], true));

  it("puts older entries behind, once", () => {
    const whole = mergeAudit(first, 7, page([6, 5], false));
    expect(seqs(whole)).toEqual([9, 8, 7, 6, 5]);
    expect(whole.more).toBe(false);
    expect(seqs(mergeAudit(whole, 7, page([6, 5], false)))).toEqual([9, 8, 7, 6, 5]);
  });

  it("puts new ones before what was read", () => {
    const whole = mergeAudit(mergeAudit(first, 7, page([6], false)), null, page([11, 10, 9], true));
    expect(seqs(whole)).toEqual([11, 10, 9, 8, 7, 6]);
    expect(whole.more).toBe(false);
  });

  it("begins anew where it does not know what lies between", () => {
    const whole = mergeAudit(first, null, page([30, 29, 28], true));
    expect(seqs(whole)).toEqual([30, 29, 28]);
    expect(whole.more).toBe(true);
    expect(seqs(mergeAudit(first, null, page([12, 11, 10], true)))).toEqual([12, 11, 10, 9, 8, 7]);
  });
});

describe("an entry in words", () => {
  it("says what was done to whom", () => {
    expect(actText(entry(1, { act: "joined" }))).toBe("Joined Ada’s conversation");
    expect(actText(entry(1, { act: "assigned" }))).toBe("Assigned it to Ada");
    expect(actText(entry(1, { act: "force_closed", agent: null, agent_name: undefined }))).toBe("Force closed it");
  });

  it("adds the figures that belong to it", () => {
    expect(detailText({})).toBe("");
    expect(detailText({ state: "open", over_units: 30, over_conversations: 1 })).toBe(
      "it waited, 30 units too many, 1 conversation too many",
    );
    expect(detailText({ state: "active", over_units: 0, ended_call: true })).toBe("it was active, the call was ended");
  });

  it("says what a check came to", () => {
    expect(checkText({ intact: 0, head: "", broken_at: null })).toContain("nothing to check");
    expect(checkText({ intact: 12, head: "ab", broken_at: null })).toBe("All 12 entries are intact.");
    expect(checkText({ intact: 4, head: "ab", broken_at: 5 })).toContain("entry 5 was changed");
    expect(checkText({ intact: 0, head: "", broken_at: 1 })).toContain("Nothing before it is intact.");
  });
});
