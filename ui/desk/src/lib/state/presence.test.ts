import { describe, expect, it } from "vitest";
import type { Handed, TakenBack } from "$wire";
import { CHOICES, handedText, presenceText, railWord } from "./presence";

describe("a presence", () => {
  it("says why an agent is not to be disturbed", () => {
    expect(presenceText({ type: "do_not_disturb", why: "in_call" })).toMatchObject({ why: "In a video call" });
    expect(presenceText({ type: "available" }).tone).toBe("green");
    expect(railWord(null)).toBeNull();
    const mine = { chosen: "available", by_turn: true } as const;
    expect(railWord({ ...mine, presence: { type: "do_not_disturb", why: "full" } })).toBe("Full");
    expect(CHOICES.map(({ chosen }) => chosen)).not.toContain("busy");
  });
});

describe("a transfer", () => {
  const handed = (why_not: TakenBack | null): Handed => ({
    conversation: "c",
    customer_name: "Ana",
    to: "Tom",
    why_not,
  });

  it("says who has the customer now", () => {
    expect(handedText(handed(null))).toMatchObject({ what: "Tom took over Ana.", good: true });
    expect(handedText(handed("declined")).what).toBe("Ana stays with you: Tom turned it down.");
    const all: TakenBack[] = ["missed", "declined", "disconnected", "absent", "lease_narrowed", "gives_way"];
    expect(new Set(all.map((why) => handedText(handed(why)).what)).size).toBe(all.length);
  });
});
