import { describe, expect, it } from "vitest";
import type { Conversation, EndReason, LinkView, SelfTestView } from "$wire";
import { ana, ANA, mine } from "../backend/mock/people";
import { audioOnly, ready } from "../backend/mock/readiness";
import { call, escalation, summary } from "../backend/mock/calls";
import { signedIn } from "../backend/mock/scenarios";
import { attemptWords, callLine, endNextStep, endReason, inviteStatus, startVideoBlock, worstLine } from "./call";
import { apply, initialModel, type DeskModel } from "./model";

function model(link: LinkView = { type: "online" }): DeskModel {
  const session = signedIn(link);
  return session.type === "session" ? apply(initialModel, session) : initialModel;
}

const reason = (m: DeskModel, c: Conversation | null) => startVideoBlock(m, c)?.reason ?? null;

describe("Start video", () => {
  it("is free on an active conversation of one's own", () => {
    expect(reason(model(), ana())).toBe(null);
  });

  it("says why it is not", () => {
    expect(reason(model(), null)).toMatch(/Choose a conversation/);
    expect(reason(model(), ana({ state: "open", owner: null }))).toMatch(/Accept/);
    expect(reason(model(), ana({ state: "wrap_up" }))).toMatch(/not active/);
    expect(reason(model(), ana({ owner: "b2" }))).toMatch(/colleague/);
    expect(reason(model({ type: "offline", since: 0 }), ana())).toMatch(/cannot be reached/);
  });

  it("names the other call and leads to it", () => {
    const busy = apply(model(), { type: "call", call: call({ type: "live", since: 0 }) });
    const block = startVideoBlock(busy, mine("b", "Yui", "hi", 1));
    expect(block?.reason).toMatch(/Ana Moreno/);
    expect(block?.jump).toEqual({ type: "conversation", conversation: ANA, label: "Go to the call" });
    expect(startVideoBlock(busy, ana())?.jump).toBe(null);
  });

  it("needs a lease for video, says what is missing, and leads to the self-test", () => {
    const tested = (test: SelfTestView) => startVideoBlock(apply(model(), { type: "self_test", test }), ana());
    expect(tested(ready())).toBe(null);
    const block = tested(audioOnly());
    expect(block?.reason).toMatch(/audio only. The camera is used by another program/);
    expect(block?.jump).toEqual({ type: "self_test", label: "Open the self-test" });
    // What is nearer at hand is said first.
    const offline = apply(model({ type: "offline", since: 0 }), { type: "self_test", test: audioOnly() });
    expect(reason(offline, ana())).toMatch(/cannot be reached/);
  });

  it("is free again when the call has ended", () => {
    const ended = call({ type: "ended", reason: "customer_left", live_ms: 5 });
    expect(reason(apply(model(), { type: "call", call: ended }), ana())).toBe(null);
  });
});

describe("an invite's card", () => {
  const at = (state: Parameters<typeof escalation>[0]) =>
    inviteStatus("e1", Date.now() + 1000, escalation(state), Date.now()).label;

  it("follows the escalation", () => {
    expect(at({ type: "invited" })).toBe("Not opened yet");
    expect(at({ type: "joining", since: 0 })).toBe("Joining");
    expect(at({ type: "live", since: 0 })).toBe("In the call");
    expect(at({ type: "ended", at: 0, reason: "cancelled", live_ms: 0 })).toBe("Taken back");
  });

  it("is over when a newer one exists, and when its time is up", () => {
    expect(inviteStatus("older", 0, escalation({ type: "invited" }), 0).tone).toBe("over");
    const old = { ...escalation({ type: "invited" }), expires_at: 10 };
    expect(inviteStatus("e1", 10, old, 11).label).toBe("Expired");
    // A resend prolongs the link that is already in the chat.
    expect(inviteStatus("e1", 10, { ...old, expires_at: 20 }, 11).label).toBe("Not opened yet");
    expect(inviteStatus("e1", 20, old, 11, true).label).toBe("Opened");
  });
});

describe("the way to the first picture", () => {
  it("is told step by step", () => {
    const told = (["direct", "again", "relay", "sound_only"] as const).map((each) => attemptWords(each, "Ana"));
    expect(new Set(told.map(({ title }) => title)).size).toBe(4);
    for (const { text } of told) expect(text).toMatch(/\.$/);
    expect(endNextStep("media_failed")).toMatch(/chat.*start video again/);
  });
});

describe("the end of a call", () => {
  const reasons: EndReason[] = [
    "agent_hung_up",
    "customer_left",
    "customer_declined",
    "cancelled",
    "invite_expired",
    "customer_lost",
    "agent_lost",
    "media_failed",
    "wrapped_up",
  ];

  it("is a sentence for every reason", () => {
    for (const each of reasons) expect(endReason(each, "Ana")).toMatch(/^[A-Z].*\.$/);
  });

  it("offers a next step where something failed", () => {
    expect(endNextStep("invite_expired")).toMatch(/Start video again/);
    expect(endNextStep("customer_left")).toBe(null);
  });
});

describe("what a call was like", () => {
  it("stands in one line with its length", () => {
    expect(callLine(362_000, summary("good"))).toBe("6 min 2 s on video, good quality.");
    expect(callLine(362_000, null)).toBe("6 min 2 s on video.");
    expect(callLine(9_000, { ...summary("unknown"), typical: "unknown" })).toBe("9 s on video.");
  });

  it("names its worst moment and why", () => {
    expect(worstLine(summary("poor"))).toMatch(/^Poor at \d+:\d\d.*: Ana's network loses packets\.$/);
    expect(worstLine({ ...summary("fair"), worst_reason: "" })).toMatch(/^Fair at .*\.$/);
    expect(worstLine(summary("good"))).toBe(null);
    expect(worstLine(null)).toBe(null);
  });
});
