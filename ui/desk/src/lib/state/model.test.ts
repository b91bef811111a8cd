import { describe, expect, it } from "vitest";
import type { Message, SessionView } from "$wire";
import { ana, ANA, ME } from "../backend/mock/people";
import { call } from "../backend/mock/calls";
import { mergeMessages } from "./messages";
import { apply, initialModel, pendingOf, popsUp, type DeskModel } from "./model";

const message = (seq: number, more: Partial<Message> = {}): Message => ({
  id: `m${seq}`,
  conversation: ANA,
  seq,
  author: { type: "customer" },
  body: { type: "text", text: `line ${seq}` },
  at: seq * 1000,
  ...more,
});

const signedIn = (id: string): SessionView => ({
  type: "signed_in",
  account: { ...ME, id },
  company: "Hearth",
  link: { type: "online" },
  chat_url: "",
  keyring: null,
});

const after = (...events: Parameters<typeof apply>[1][]): DeskModel =>
  events.reduce(apply, initialModel);

describe("messages", () => {
  it("are inserted by number, and a repeated page changes nothing", () => {
    const once = mergeMessages([message(1), message(4)], [message(3), message(2)]);
    expect(once.map((m) => m.seq)).toEqual([1, 2, 3, 4]);
    expect(mergeMessages(once, [message(2), message(3)])).toEqual(once);
  });

  it("of the customer end the typing mark of that conversation only", () => {
    const model = after(
      { type: "typing", conversation: ANA, until: 5000 },
      { type: "typing", conversation: "other", until: 5000 },
      { type: "thread", conversation: ANA, messages: [message(1)] },
    );
    expect(model.typing).toEqual({ other: 5000 });
  });

  it("leave the pending list of the screen as soon as the server has them", () => {
    const pending = (id: string) => ({
      client_id: id,
      conversation: ANA,
      text: id,
      at: 0,
      state: { type: "sending" as const },
    });
    const model = after(
      { type: "pending", messages: [pending("a"), pending("b")] },
      { type: "thread", conversation: ANA, messages: [message(1, { client_id: "a" })] },
    );
    expect(pendingOf(model, ANA).map((m) => m.client_id)).toEqual(["b"]);
    expect(pendingOf(model, "other")).toEqual([]);
  });
});

describe("the session", () => {
  it("takes another person's conversations off the screen", () => {
    const model = after(
      { type: "session", session: signedIn("a1") },
      { type: "inbox", conversations: [ana()] },
      { type: "thread", conversation: ANA, messages: [message(1)] },
      { type: "session", session: signedIn("a2") },
    );
    expect(model.conversations).toEqual({});
    expect(model.threads).toEqual({});
  });

  it("keeps them when only the link changes", () => {
    const model = after(
      { type: "session", session: signedIn("a1") },
      { type: "inbox", conversations: [ana()] },
      {
        type: "session",
        session: { ...signedIn("a1"), link: { type: "offline", since: 1 } } as SessionView,
      },
    );
    expect(Object.keys(model.conversations)).toEqual([ANA]);
  });

  it("sees an inbox as the whole truth", () => {
    const model = after(
      { type: "conversation", conversation: ana({ id: "gone" }) },
      { type: "inbox", conversations: [ana()] },
    );
    expect(Object.keys(model.conversations)).toEqual([ANA]);
  });
});

describe("the question before closing", () => {
  it("goes away with the call it is about", () => {
    const live = call({ type: "live", since: 0 });
    const asked = after({ type: "call", call: live }, { type: "confirm_close" });
    expect(asked.confirmClose).toBe(true);
    expect(apply(asked, { type: "call", call: { ...live } }).confirmClose).toBe(true);
    const ended = call({ type: "ended", reason: "customer_left", live_ms: 1 });
    expect(apply(asked, { type: "call", call: ended }).confirmClose).toBe(false);
    expect(apply(asked, { type: "call", call: null }).confirmClose).toBe(false);
  });
});

describe("a phone call", () => {
  const answered = ana({ channel: "phone", state: "active", owner: ME.id });
  const event = (conversation = answered) => ({ type: "conversation" as const, conversation });

  it("comes to the front once, at the desk of whoever has answered it", () => {
    const desk = after({ type: "session", session: signedIn(ME.id) });
    expect(popsUp(desk, event())).toBe(true);
    expect(popsUp(apply(desk, event()), event())).toBe(false);
    expect(popsUp(desk, event(ana({ channel: "phone", state: "active", owner: "b2" })))).toBe(false);
    expect(popsUp(desk, event(ana({ channel: "phone", state: "open", owner: null })))).toBe(false);
    expect(popsUp(desk, event(ana({ state: "active", owner: ME.id })))).toBe(false);
  });

  it("leaves a call alone that the agent is in", () => {
    const desk = after({ type: "session", session: signedIn(ME.id) }, { type: "call", call: call({ type: "live", since: 1 }) });
    expect(popsUp(desk, event())).toBe(false);
  });
});
