import { describe, expect, it } from "vitest";
import { Failure, OFFLINE } from "../src/api";
import { Outbox, uuid } from "../src/chat/outgoing";
import type { Outgoing, Post } from "../src/chat/outgoing";
import type { Slot } from "../src/store";

function memory(first: Outgoing[] | null = null): Slot<Outgoing[]> {
  let kept = first;
  return {
    read: () => kept,
    write: (value) => {
      kept = structuredClone(value);
    },
    clear: () => {
      kept = null;
    },
  };
}

/** An outbox whose every change can be awaited by state. */
function outbox(post: Post, slot = memory()) {
  const waiters: { states: string; done: () => void }[] = [];
  const states = () => box.all().map(({ state }) => state.type).join();
  const box: Outbox = new Outbox(post, slot, () => {
    for (const waiter of waiters) if (waiter.states === states()) waiter.done();
  });
  const reach = (wanted: string) =>
    new Promise<void>((done) => {
      if (states() === wanted) done();
      else waiters.push({ states: wanted, done });
    });
  return { box, reach, slot };
}

describe("outbox", () => {
  it("sends in the order typed, one at a time", async () => {
    const sent: string[] = [];
    const { box, reach } = outbox(async ({ text }) => void sent.push(text));
    box.add("one");
    box.add("two");
    await reach("sent,sent");
    expect(sent).toEqual(["one", "two"]);
  });

  it("waits for the network and keeps the client id when it tries again", async () => {
    const ids: string[] = [];
    const { box, reach } = outbox(async ({ client_id }) => {
      ids.push(client_id);
      if (ids.length === 1) throw new Failure(OFFLINE, 0);
    });
    box.add("hello");
    await reach("waiting");
    void box.flush();
    await reach("sent");
    expect(ids).toHaveLength(2);
    expect(ids[0]).toBe(ids[1]);
  });

  it("says why a message was refused and goes on with the next", async () => {
    const problem = { code: "message_too_long", message: "Too long.", next_step: "Split it." } as const;
    const { box, reach } = outbox(async ({ text }) => {
      if (text === "long") throw new Failure(problem, 422);
    });
    box.add("long");
    box.add("short");
    await reach("refused,sent");
    expect(box.all()[0]?.state).toEqual({ type: "refused", problem });
    box.remove(box.all()[0]!.client_id);
    expect(box.all()).toHaveLength(1);
  });

  it("survives a reload: what waited still waits, what was sent is not sent again", () => {
    const kept = memory([
      { client_id: "a", text: "sent", at: 1, state: { type: "sent" } },
      { client_id: "b", text: "on its way", at: 2, state: { type: "sending" } },
    ]);
    const { box } = outbox(async () => {}, kept);
    expect(box.all().map(({ client_id, state }) => [client_id, state.type])).toEqual([["b", "waiting"]]);
    expect(box.pending).toBe(true);
  });

  it("makes version 4 ids", () => {
    expect(uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
