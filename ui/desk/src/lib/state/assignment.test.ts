import { describe, expect, it } from "vitest";
import type { AssignmentView, DeskCommand, DeskEvent } from "$wire";
import type { Backend } from "../backend/backend";
import { signedIn } from "../backend/mock/scenarios";
import { conversation } from "../backend/mock/people";
import { endedText, pauseText, timeLeft, type Asked, type Ended } from "./assignment";
import { actionFor, actions } from "./actions";
import { Desk } from "./desk.svelte";

const asked: Asked = {
  type: "asked",
  conversation: "w2",
  customer_name: "Ana",
  video: true,
  until: 30_000,
  asked_ms: 20_000,
  because: "Nobody else could take it.",
  from: null,
  note: null,
};

const ended = (more: Partial<Ended>): Ended => ({
  type: "taken_back",
  conversation: "w2",
  customer_name: "Ana",
  why: "missed",
  narrowing: null,
  elsewhere: true,
  ...more,
});

describe("an assignment", () => {
  it("counts down to zero, and no further", () => {
    expect(timeLeft(asked, 10_000)).toEqual({ seconds: 20, share: 1 });
    expect(timeLeft(asked, 29_001)).toEqual({ seconds: 1, share: 999 / 20_000 });
    expect(timeLeft(asked, 90_000)).toEqual({ seconds: 0, share: 0 });
    // A clock that was set back does not give more than all.
    expect(timeLeft(asked, 0).share).toBe(1);
  });

  it("says why it was taken back, and where it went", () => {
    const unplugged = { type: "unplugged", kind: "camera", name: "C920" } as const;
    expect(endedText(ended({ why: "lease_narrowed", narrowing: unplugged }))).toBe(
      "Your camera was unplugged. It went to a colleague.",
    );
    expect(endedText(ended({ why: "lease_narrowed", narrowing: { type: "expired" } }))).toMatch(/too old/);
    expect(endedText(ended({ elsewhere: false }))).toBe(
      "You did not answer in time. It waits for the next one who is free.",
    );
    expect(endedText(ended({ why: "withdrawn", elsewhere: false }))).toBe("Nobody waits there any more.");
    expect(pauseText("declined")).not.toBe(pauseText("missed"));
  });
});

class Recorder implements Backend {
  readonly sent: DeskCommand[] = [];
  emit: (event: DeskEvent) => void = () => {};

  sendFile(): Promise<void> {
    return Promise.resolve();
  }

  listen(handler: (event: DeskEvent) => void): Promise<void> {
    this.emit = handler;
    return Promise.resolve();
  }

  send(command: DeskCommand): Promise<void> {
    this.sent.push(command);
    return Promise.resolve();
  }
}

async function askedDesk(assignment: AssignmentView): Promise<[Desk, Recorder]> {
  const backend = new Recorder();
  const desk = new Desk(backend);
  await desk.start();
  backend.emit(signedIn());
  backend.emit({
    type: "inbox",
    conversations: [conversation("w1", "Luis", "Hello", 9), conversation("w2", "Ana", "Hello", 1)],
  });
  backend.emit({ type: "assignment", assignment });
  return [desk, backend];
}

describe("the keys of an assignment", () => {
  it("take the one that is asked about, not the one that has waited longest", async () => {
    const [desk, backend] = await askedDesk(asked);
    expect(actionFor(actions(desk), "a", false)?.title).toBe("Accept Ana");
    expect(actionFor(actions(desk), "Ctrl+Shift+A", true)?.id).toBe("accept");
    await desk.accept(null);
    expect(backend.sent.at(-1)).toEqual({ type: "accept", conversation: "w2" });
    expect(desk.selected).toBe("w2");
  });

  it("take it before its conversation is here, and nobody else's", async () => {
    const backend = new Recorder();
    const desk = new Desk(backend);
    await desk.start();
    backend.emit(signedIn());
    backend.emit({ type: "inbox", conversations: [conversation("w1", "Luis", "Hello", 9)] });
    backend.emit({ type: "assignment", assignment: asked });
    expect(actionFor(actions(desk), "a", false)?.title).toBe("Accept Ana");
    await desk.accept(desk.acceptTarget()?.id ?? null);
    expect(backend.sent.at(-1)).toEqual({ type: "accept", conversation: "w2" });
  });

  it("turn it down, also while something is typed", async () => {
    const [desk, backend] = await askedDesk(asked);
    expect(actionFor(actions(desk), "d", true)).toBeUndefined();
    actionFor(actions(desk), "Ctrl+Shift+D", true)?.run();
    expect(backend.sent.at(-1)).toEqual({ type: "decline", conversation: "w2" });
  });

  it("turn nothing down that is over", async () => {
    const [desk] = await askedDesk(ended({}));
    expect(actions(desk).find(({ id }) => id === "decline")?.blocked).not.toBeNull();
    expect(desk.acceptTarget()?.id).toBe("w1");
    desk.dismissAssignment();
    expect(desk.model.assignment).toBeNull();
  });
});
