import { describe, expect, it } from "vitest";
import type { DeskCommand, DeskEvent, Problem } from "$wire";
import type { Backend } from "../backend/backend";
import { mockBackend } from "../backend/mock/backend";
import { ANA } from "../backend/mock/people";
import { board, ready, testing } from "../backend/mock/readiness";
import { scenarios } from "../backend/mock/scenarios";
import { Desk } from "./desk.svelte";

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

  emit(event: DeskEvent): void {
    this.#handler(event);
  }

  send(command: DeskCommand): Promise<void> {
    this.sent.push(command);
    if (command.type === "attach") for (const event of this.first) this.emit(event);
    return this.problem === null ? Promise.resolve() : Promise.reject(this.problem);
  }
}

async function started(scenario: string): Promise<[Desk, Recorder]> {
  const backend = new Recorder(scenarios[scenario]?.() ?? []);
  const desk = new Desk(backend);
  await desk.start();
  return [desk, backend];
}

describe("the desk", () => {
  it.each(Object.keys(scenarios))("draws the scenario %s", async (scenario) => {
    const desk = new Desk(mockBackend(scenario));
    await desk.start();
    expect(desk.model.session.type).toBeTypeOf("string");
  });

  it("opens a conversation once", async () => {
    const [desk, backend] = await started("chat");
    desk.open(ANA);
    desk.open(ANA);
    expect(backend.sent.filter((c) => c.type === "open")).toEqual([{ type: "open", conversation: ANA }]);
  });

  it("shows the conversation of a call that begins", async () => {
    const [desk] = await started("invited");
    expect(desk.selected).toBe(ANA);
    expect(desk.stage?.phase.type).toBe("waiting");
  });

  it("asks before a wrap-up ends a call, and then ends it", async () => {
    const [desk, backend] = await started("live");
    await desk.wrapUp();
    expect(desk.dialog).toBe("end_and_wrap_up");
    expect(backend.sent.some((c) => c.type === "wrap_up")).toBe(false);
    await desk.wrapUp(true);
    expect(backend.sent.at(-1)).toEqual({ type: "wrap_up", conversation: ANA, end_call: true });
  });

  it("asks also when only the server knows of the call", async () => {
    const [desk, backend] = await started("chat");
    desk.open(ANA);
    backend.problem = { code: "call_live", message: "A call is live.", next_step: "End it." };
    await desk.wrapUp();
    expect(desk.dialog).toBe("end_and_wrap_up");
    expect(desk.notices).toEqual([]);
  });

  it("turns a refused command into one notice, however often it comes", async () => {
    const [desk, backend] = await started("chat");
    backend.problem = { code: "already_accepted", message: "Taken.", next_step: "Next." };
    await desk.command({ type: "accept", conversation: "w1" });
    await desk.command({ type: "accept", conversation: "w1" });
    expect(desk.notices.map((n) => [n.problem?.code, n.times])).toEqual([["already_accepted", 2]]);
  });

  it("never shows the text of an exception", async () => {
    const desk = new Desk({
      listen: () => Promise.resolve(),
      send: () => Promise.reject(new Error("invoke failed at 0x7f")),
      sendFile: () => Promise.resolve(),
    });
    await desk.command({ type: "hang_up" });
    expect(desk.notices[0]?.problem?.code).toBe("internal");
    expect(desk.notices[0]?.problem?.message).not.toMatch(/0x7f/);
  });

  it("leaves the conversation for the self-test and comes back to it", async () => {
    const [desk, backend] = await started("chat");
    desk.open(ANA);
    desk.go("self_test");
    // Keys that concern a conversation have none to concern.
    expect([desk.conversation, desk.stage, desk.owned]).toEqual([null, null, false]);
    desk.open(ANA);
    expect([desk.view, desk.conversation?.id]).toEqual(["conversations", ANA]);
    expect(backend.sent.filter((c) => c.type === "open")).toHaveLength(1);
  });

  it("watches the board only while a supervisor looks at it", async () => {
    const [desk, backend] = await started("board");
    const watched = () => backend.sent.filter((c) => c.type === "watch_board").map(({ open }) => open);
    desk.go("board");
    expect([desk.view, desk.model.board, watched()]).toEqual(["board", null, [true]]);
    backend.emit({ type: "board", rows: board() });
    expect(desk.model.board).toHaveLength(40);
    desk.go("self_test");
    expect(watched()).toEqual([true, false]);
    const [agent, hers] = await started("chat");
    agent.go("board");
    expect([agent.view, hers.sent.some((c) => c.type === "watch_board")]).toEqual(["conversations", false]);
  });

  it("begins a test with its one button, and stops the one that runs", async () => {
    const [desk, backend] = await started("ready");
    await desk.testOrStop();
    expect(backend.sent.at(-1)).toEqual({ type: "test_self", extent: "full", check: null });
    const before = Date.now();
    backend.emit({ type: "self_test", test: testing() });
    expect(desk.testSince).toBeGreaterThanOrEqual(before);
    await desk.testOrStop();
    expect(backend.sent.at(-1)).toEqual({ type: "stop_test" });
    // A second one waits until the first is over.
    await desk.testOne("camera");
    expect(backend.sent.at(-1)).toEqual({ type: "stop_test" });
    backend.emit({ type: "self_test", test: ready() });
    await desk.testOne("camera");
    expect(backend.sent.at(-1)).toEqual({ type: "test_self", extent: "single", check: "camera" });
  });

  it("does not test while a call has the devices", async () => {
    const [desk, backend] = await started("live");
    await desk.testSelf("full");
    expect(desk.testBlock).toMatch(/Finish the call/);
    expect(backend.sent.some((c) => c.type === "test_self")).toBe(false);
  });

  it("says where a file was written, until the next one is", async () => {
    const [desk, backend] = await started("ready");
    backend.emit({ type: "saved", path: "Downloads/self-test.txt" });
    expect(desk.saved).toBe("Downloads/self-test.txt");
    await desk.save(false);
    expect([desk.saved, backend.sent.at(-1)]).toEqual([null, { type: "save_readiness", board: false }]);
  });

  it("keeps drafts by conversation and forgets them at sign-out", async () => {
    const [desk, backend] = await started("chat");
    desk.keepDraft(ANA, "half a sen");
    expect(desk.draft(ANA)).toBe("half a sen");
    expect(desk.draft("b")).toBe("");
    for (const event of scenarios["signed-out"]?.() ?? []) backend.emit(event);
    expect(desk.draft(ANA)).toBe("");
    expect(desk.selected).toBe(null);
  });
});
