import { describe, expect, it } from "vitest";
import type { DeskCommand, DeskEvent, Problem, WallAgent, WallConversation } from "$wire";
import type { Backend } from "../backend/backend";
import { mockBackend } from "../backend/mock/backend";
import { scenarios } from "../backend/mock/scenarios";
import { whyOf } from "../backend/mock/supervision";
import { wall } from "../backend/mock/wall";
import { actionFor, actions } from "./actions";
import { Desk } from "./desk.svelte";
import {
  belowGoal,
  CHOICES,
  counts,
  FIRST_ORDER,
  goalText,
  loadShare,
  loadText,
  longestWait,
  percent,
  readyUntil,
  receivers,
  turned,
  wallAgents,
  wallConversations,
  whyHead,
  withinOf,
} from "./wall";

const row = (id: string, more: Partial<WallConversation> = {}): WallConversation => ({
  id,
  queue: 1,
  channel: "web_chat",
  state: "active",
  since: 1_000,
  opened_at: 1_000,
  customer_name: id,
  owner: "n",
  owner_name: "Noah",
  asked_name: null,
  helpers: [],
  call: null,
  ...more,
});

const agent = (name: string, more: Partial<WallAgent> = {}): WallAgent => ({
  agent: name,
  name,
  presence: "available",
  load: { units: 30, capacity: 100 },
  conversations: 1,
  asked: null,
  readiness: "video",
  ready_until: null,
  call: null,
  ...more,
});

const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);

describe("conversations on the wall", () => {
  const nobody = { owner: null, owner_name: null, state: "open" } as const;
  const live = (mark: "poor" | "good") => ({ state: "live", since: 2_000, mark, reason: "" }) as const;
  const rows = [
    row("old", { since: 1 }),
    row("poor", { since: 9_000, call: live("poor") }),
    row("good", { since: 5_000, call: live("good"), owner: "e", owner_name: "Ebun" }),
    row("new", { ...nobody, since: 8_000 }),
    row("first", { ...nobody, since: 3_000, asked_name: "Tomasz" }),
    row("done", { state: "wrap_up", since: 0 }),
  ];

  it("show first who waits, then calls that go badly", () => {
    expect(ids(wallConversations(rows, "", "all", null, FIRST_ORDER))).toEqual(["first", "new", "poor", "old", "good", "done"]);
  });

  it("are filtered by words, choice and agent, and counted", () => {
    const found = (search: string, shown: Parameters<typeof wallConversations>[2], who: string | null = null) =>
      ids(wallConversations(rows, search, shown, who, FIRST_ORDER));
    expect(found(" TOMASZ ", "all")).toEqual(["first"]);
    expect(found("", "call")).toEqual(["poor", "good"]);
    expect(found("", "all", "e")).toEqual(["good"]);
    expect(found("web chat", "wrap_up")).toEqual(["done"]);
    expect(found("nobody is called that", "all")).toEqual([]);
    expect(counts(rows)).toEqual({ all: 6, open: 2, active: 3, call: 2, wrap_up: 1 });
    expect(CHOICES.map(({ shown }) => shown)).toEqual(["all", "open", "active", "call", "wrap_up"]);
  });

  it("are sorted by each column, and turned round by the same again", () => {
    const by = (column: "customer" | "agent" | "call", down = false) =>
      ids(wallConversations(rows, "", "all", null, { column, down }));
    expect(by("customer")[0]).toBe("done");
    expect(by("agent")[0]).toBe("good");
    expect(by("agent").slice(-2).sort()).toEqual(["first", "new"]);
    expect(by("call").slice(0, 2)).toEqual(["poor", "good"]);
    expect(turned(FIRST_ORDER, "state")).toEqual({ column: "state", down: true });
    expect(turned(FIRST_ORDER, "call")).toEqual({ column: "call", down: false });
  });
});

describe("agents on the wall", () => {
  it("stand in the order in which somebody can be found", () => {
    const all = [agent("z", { presence: "offline" }), agent("b", { presence: "full" }), agent("c"), agent("a", { presence: "busy" })];
    expect(wallAgents(all).map(({ name }) => name)).toEqual(["c", "a", "b", "z"]);
    expect(receivers(all, "c", "").map(({ name }) => name)).toEqual(["a", "b"]);
    expect(receivers(all, null, " B").map(({ name }) => name)).toEqual(["b"]);
  });

  it("say how much they have to do", () => {
    expect(loadText(agent("a"))).toBe("1 conversation, 30 of 100 units");
    expect(loadText(agent("a", { load: null, conversations: 2 }))).toBe("2 conversations");
    expect(loadText(agent("a", { load: null, conversations: 0 }))).toBe("no conversations");
    expect(loadShare(agent("a", { load: { units: 120, capacity: 100 } }))).toBe(1.2);
    expect(loadShare(agent("a", { load: { units: 30, capacity: 0 } }))).toBe(1);
    expect(loadShare(agent("a", { load: null }))).toBe(null);
  });
});

describe("a queue's figures", () => {
  it("say nothing of nobody", () => {
    expect(percent({ in_time: 0, of: 0 })).toBe("–");
    expect(percent({ in_time: 5, of: 6 })).toBe("83 %");
  });

  it("are below the queue's own goal, or below none", () => {
    const goal = (percent: number | null) => ({ goal: percent, within_ms: 60_000 });
    expect(belowGoal(goal(80), { in_time: 0, of: 0 })).toBe(false);
    expect(belowGoal(goal(80), { in_time: 4, of: 5 })).toBe(false);
    expect(belowGoal(goal(80), { in_time: 3, of: 4 })).toBe(true);
    expect(belowGoal(goal(100), { in_time: 999, of: 1_000 })).toBe(true);
    expect(belowGoal(goal(null), { in_time: 0, of: 9 })).toBe(false);
    expect(goalText(goal(80))).toBe("Goal: 80 % within 60 s");
    expect(goalText({ goal: null, within_ms: 20_000 })).toBe("Served within 20 s");
    const queues = wall().queues.map((queue) => ({ ...queue, within_ms: 60_000 }));
    expect([withinOf(queues, 1), withinOf(queues, 9)]).toEqual([60_000, 20_000]);
  });

  it("count by the server's clock, and never backwards", () => {
    const [queue] = wall().queues;
    if (queue === undefined) throw new Error("a queue");
    expect(longestWait({ ...queue, oldest: 1_000 }, 5_000)).toBe(4_000);
    expect(longestWait({ ...queue, oldest: 9_000 }, 5_000)).toBe(0);
    expect(longestWait({ ...queue, oldest: null }, 5_000)).toBe(null);
  });
});

/** Records commands; answers with `problem` where one is set. */
class Recorder implements Backend {
  readonly sent: DeskCommand[] = [];
  problem: Problem | null = null;
  #handler: (event: DeskEvent) => void = () => {};

  constructor(readonly first: readonly DeskEvent[]) {}

  sendFile(): Promise<void> {
    return Promise.resolve();
  }

  listen(handler: (event: DeskEvent) => void): Promise<void> {
    this.#handler = handler;
    return Promise.resolve();
  }

  send(command: DeskCommand): Promise<void> {
    this.sent.push(command);
    if (command.type === "attach") for (const event of this.first) this.#handler(event);
    return this.problem === null ? Promise.resolve() : Promise.reject(this.problem);
  }
}

async function started(scenario: string): Promise<[Desk, Recorder]> {
  const backend = new Recorder(scenarios[scenario]?.() ?? []);
  const desk = new Desk(backend);
  await desk.start();
  return [desk, backend];
}

const watching = (backend: Recorder) => backend.sent.filter((c) => c.type === "watch_wall").map((c) => c.open);

describe("a supervisor's desk", () => {
  it("has the wall open only while it is looked at", async () => {
    const [desk, backend] = await started("wall");
    desk.go("wall");
    desk.go("conversations");
    expect(watching(backend)).toEqual([true, false]);
    desk.supervise("assign", "q1");
    desk.endSupervision();
    expect(watching(backend)).toEqual([true, false, true, false]);
    desk.supervise("force_close", "q1");
    desk.endSupervision();
    expect(watching(backend)).toHaveLength(4);
    desk.go("wall");
    desk.supervise("assign", "q1");
    desk.endSupervision();
    expect(watching(backend)).toEqual([true, false, true, false, true]);
  });

  it("keeps a refused question open and says why", async () => {
    const [desk, backend] = await started("wall");
    desk.go("wall");
    desk.supervise("assign", "q1");
    backend.problem = { code: "agent_full", message: "20 too many.", next_step: "Assign it anyway." };
    const choice = { type: "assign", conversation: "q1", agent: "p2", even_if_full: false } as const;
    expect(await desk.intervene(choice)).toBe(false);
    expect([desk.dialog, desk.refused?.code]).toEqual(["assign", "agent_full"]);
    expect(desk.notices).toHaveLength(0);
    backend.problem = null;
    expect(await desk.intervene({ ...choice, even_if_full: true })).toBe(true);
    expect([desk.dialog, desk.refused]).toEqual([null, null]);
  });

  it("opens a colleague's conversation for reading, joins it and leaves it", async () => {
    const desk = new Desk(mockBackend("wall"));
    await desk.start();
    desk.open("c7");
    await Promise.resolve();
    expect([desk.watches, desk.helps, desk.owned]).toEqual([true, false, false]);
    const join = () => actions(desk).find(({ id }) => id === "join");
    expect(join()?.title).toBe("Join the conversation");
    await desk.command({ type: "join", conversation: "c7" });
    expect(desk.helps).toBe(true);
    expect(desk.inbox.mine.map(({ id }) => id)).toContain("c7");
    expect(join()?.title).toBe("Leave the conversation");
    await desk.command({ type: "leave", conversation: "c7" });
    expect(desk.inbox.mine.map(({ id }) => id)).not.toContain("c7");
  });

  it("asks why about the wall's row, or about the open conversation", async () => {
    const desk = new Desk(mockBackend("wall"));
    await desk.start();
    const why = () => actions(desk).find(({ id }) => id === "why");
    expect(why()?.blocked).toBe("No conversation is open.");
    desk.go("wall");
    expect(why()?.blocked).toContain("has the focus");
    desk.pointed = "q1";
    why()?.run();
    expect([desk.dialog, desk.subject, desk.model.why]).toEqual(["why", "q1", null]);
    await desk.command({ type: "read_why", conversation: "q1" });
    expect(desk.model.why?.why.waits).toContain("Nobody can take it.");
    desk.dialog = null;
    desk.open("c7");
    await Promise.resolve();
    expect(desk.explained()).toBe("c7");
    expect(desk.pointed).toBe(null);
  });

  it("reads the audit log page by page", async () => {
    const desk = new Desk(mockBackend("audit"));
    await desk.start();
    desk.go("audit");
    await desk.command({ type: "read_audit", before: null });
    expect([desk.model.audit?.entries.length, desk.model.audit?.more]).toEqual([50, true]);
    await desk.command({ type: "read_audit", before: 71 });
    await desk.command({ type: "read_audit", before: 21 });
    expect([desk.model.audit?.entries.at(-1)?.seq, desk.model.audit?.more]).toEqual([1, false]);
  });

  it("has keys of its own that agents do not have", async () => {
    const [boss] = await started("wall");
    const all = actions(boss);
    const keys = all.flatMap((action) => action.keys);
    expect(new Set(keys).size).toBe(keys.length);
    expect(actionFor(all, "l", false)?.id).toBe("wall");
    const [someone] = await started("chat");
    expect(actionFor(actions(someone), "l", false)).toBe(undefined);
    someone.go("wall");
    expect(someone.view).toBe("conversations");
  });
});

describe("what explains a conversation", () => {
  const why = { ...whyOf("q1"), waits: null };
  it("begins with how it stands", () => {
    expect(whyHead({ ...why, waits: "Nobody can take it." })).toBe("It waits.");
    expect(whyHead({ ...why, owner: "Noah" })).toBe("It is with Noah.");
    expect(whyHead({ ...why, asked: "Priya" })).toBe("Priya is being asked.");
    expect(whyHead({ ...why, owner: "Noah", asked: "Priya" })).toBe(
      "Priya is being asked. It stays with Noah until the answer.",
    );
  });
});

describe("a desk's lease on the wall", () => {
  it("says until when, where it allows anything", () => {
    expect(readyUntil(agent("a", { readiness: "video", ready_until: 5 }))).toBe(5);
    expect(readyUntil(agent("a", { readiness: "audio", ready_until: 5 }))).toBe(5);
    expect(readyUntil(agent("a", { readiness: "not_ready", ready_until: 5 }))).toBe(null);
    expect(readyUntil(agent("a", { readiness: null, ready_until: null }))).toBe(null);
  });
});
