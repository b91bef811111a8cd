import { describe, expect, it } from "vitest";
import type { Conversation } from "$wire";
import { ME } from "../backend/mock/people";
import { ana, ANA, anaThread, conversation, mine } from "../backend/mock/people";
import { inboxView, keepOrder, neighbour, unreadCount } from "./inbox";
import { initialModel } from "./model";

const record = (...list: Conversation[]) => Object.fromEntries(list.map((c) => [c.id, c]));
const ids = (list: readonly Conversation[]) => list.map((c) => c.id);

describe("the inbox", () => {
  const all = record(
    conversation("short", "Ben", "hi", 1),
    conversation("long", "Cleo", "still here?", 9),
    mine("old", "Dana", "thanks", 30),
    mine("new", "Eli", "one more thing", 2),
    mine("wrap", "Flo", "bye", 5, { state: "wrap_up" }),
    mine("closed", "Gus", "bye", 1, { state: "closed" }),
    mine("colleague", "Hal", "hello", 1, { owner: "somebody else" }),
  );

  it("lists the longest waiting first and the newest of mine first", () => {
    const view = inboxView(all, ME.id, "");
    expect(ids(view.waiting)).toEqual(["long", "short"]);
    expect(ids(view.mine)).toEqual(["new", "wrap", "old"]);
  });

  it("puts who asked for this agent first, and shows the others too", () => {
    const asking = { ...all, asked: conversation("asked", "Ivy", "me again", 0, { asked_for: ME.id }) };
    expect(ids(inboxView(asking, ME.id, "").waiting)).toEqual(["asked", "long", "short"]);
    expect(ids(inboxView(asking, "somebody else", "").waiting)).toEqual(["long", "short", "asked"]);
  });

  it("finds by name, by words and by variables", () => {
    expect(ids(inboxView(all, ME.id, " cLEO ").waiting)).toEqual(["long"]);
    expect(ids(inboxView(all, ME.id, "one more").mine)).toEqual(["new"]);
    const withOrder = record(ana());
    expect(ids(inboxView(withOrder, ME.id, "so-20418").mine)).toEqual([ANA]);
    expect(ids(inboxView(withOrder, ME.id, "so-99999").mine)).toEqual([]);
  });

  it("does not move rows under the pointer", () => {
    const next = inboxView(all, ME.id, "").mine;
    expect(ids(keepOrder(["old", "new"], next))).toEqual(["old", "new", "wrap"]);
    expect(ids(keepOrder([], next))).toEqual(ids(next));
  });

  it("counts what the customer wrote after the last look", () => {
    const closedView = ana({ read_seq: 5, last_seq: 8 });
    expect(unreadCount(initialModel, closedView)).toBe(3);
    const loaded = { ...initialModel, threads: { [ANA]: anaThread() } };
    // 6 and 8 are the customer's, 7 is the agent's own.
    expect(unreadCount(loaded, closedView)).toBe(2);
  });

  it("moves by one and stops at the ends", () => {
    expect(neighbour(["a", "b", "c"], null, 1)).toBe("a");
    expect(neighbour(["a", "b", "c"], "a", 1)).toBe("b");
    expect(neighbour(["a", "b", "c"], "c", 1)).toBe("c");
    expect(neighbour(["a", "b", "c"], "a", -1)).toBe("a");
    expect(neighbour([], null, 1)).toBe(null);
  });
});
