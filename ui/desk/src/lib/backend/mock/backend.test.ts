import { describe, expect, it, vi } from "vitest";
import type { DeskEvent } from "$wire";
import { apply, initialModel, passes, type DeskModel } from "../../state/model";
import { isProblem } from "../backend";
import { mockBackend } from "./backend";
import { ANA } from "./people";

async function open(scenario: string) {
  const backend = mockBackend(scenario);
  let model: DeskModel = initialModel;
  await backend.listen((event: DeskEvent) => {
    if (!passes(event)) model = apply(model, event);
  });
  await backend.send({ type: "attach" });
  return { backend, model: () => model };
}

describe("the backend in the page", () => {
  it("stores what is sent and says when it has arrived", async () => {
    vi.useFakeTimers();
    const { backend, model } = await open("chat");
    await backend.send({ type: "send", conversation: ANA, text: "hello" });
    expect(model().pending.map((m) => m.state.type)).toEqual(["sending"]);
    await vi.advanceTimersByTimeAsync(300);
    expect(model().pending).toEqual([]);
    const last = model().threads[ANA]?.at(-1);
    expect(last?.body).toEqual({ type: "text", text: "hello" });
    await vi.advanceTimersByTimeAsync(1000);
    expect(model().conversations[ANA]?.delivered_seq).toBe(last?.seq);
    vi.useRealTimers();
  });

  it("keeps what is sent offline", async () => {
    const { backend, model } = await open("offline");
    await backend.send({ type: "send", conversation: ANA, text: "later" });
    expect(model().pending.at(-1)?.state.type).toBe("waiting_for_network");
  });

  it("refuses with problems, as the real one does", async () => {
    const { backend } = await open("signed-out");
    const refused = backend.send({ type: "sign_in", email: "a@example.test", password: "" });
    await expect(refused).rejects.toSatisfy(isProblem);
  });
});
