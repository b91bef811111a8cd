import { describe, expect, it } from "vitest";
import { mockBackend } from "../backend/mock/backend";
import { ANA } from "../backend/mock/people";
import { actionFor, actions, chord } from "./actions";
import { Desk } from "./desk.svelte";

async function deskIn(scenario: string, open?: string): Promise<Desk> {
  const desk = new Desk(mockBackend(scenario));
  await desk.start();
  if (open !== undefined) desk.open(open);
  return desk;
}

const press = (key: string, more: Partial<KeyboardEvent> = {}) =>
  chord({ key, ctrlKey: false, metaKey: false, shiftKey: false, ...more });

describe("keys", () => {
  it("are read as chords", () => {
    expect(press("j")).toBe("j");
    expect(press("?", { shiftKey: true })).toBe("?");
    expect(press("k", { ctrlKey: true })).toBe("Ctrl+K");
    expect(press("H", { ctrlKey: true, shiftKey: true })).toBe("Ctrl+Shift+H");
    expect(press("k", { metaKey: true })).toBe("Ctrl+K");
  });

  it("are unique: one chord, one action", async () => {
    const keys = actions(await deskIn("chat", ANA)).flatMap((action) => action.keys);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("of one letter do nothing while somebody types", async () => {
    const all = actions(await deskIn("live", ANA));
    expect(actionFor(all, "m", true)).toBe(undefined);
    expect(actionFor(all, "m", false)?.id).toBe("microphone");
    expect(actionFor(all, "Ctrl+Shift+M", true)?.id).toBe("microphone");
    expect(actionFor(all, "Ctrl+Shift+H", true)?.id).toBe("hang_up");
    expect(actionFor(all, "Ctrl+C", true)).toBe(undefined);
  });
});

describe("actions of readiness", () => {
  const find = (desk: Desk, id: string) => actions(desk).find((action) => action.id === id);

  it("lead to the self-test and back", async () => {
    const desk = await deskIn("chat", ANA);
    expect(find(desk, "back")?.blocked).not.toBe(null);
    desk.go("self_test");
    expect(actionFor(actions(desk), "Escape", false)?.id).toBe("back");
    const keys = actions(desk).flatMap((action) => action.keys);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("answer the tone only while it is asked for", async () => {
    const quiet = actions(await deskIn("ready"));
    expect(actionFor(quiet, "y", false)).toBe(undefined);
    const asked = actions(await deskIn("test-tone"));
    expect(actionFor(asked, "y", false)?.id).toBe("tone_heard");
    expect(actionFor(asked, "n", false)?.id).toBe("tone_not_heard");
    expect(actionFor(asked, "y", true)).toBe(undefined);
  });

  it("show the board to supervisors", async () => {
    expect(find(await deskIn("chat"), "board")?.blocked).toBe("For supervisors only.");
    expect(find(await deskIn("board"), "board")?.blocked).toBe(null);
  });

  it("say why a desk cannot be tested", async () => {
    expect(find(await deskIn("live"), "test_full")?.blocked).toMatch(/Finish the call/);
    expect(find(await deskIn("testing"), "test_full")?.blocked).toMatch(/running/);
    expect(find(await deskIn("testing"), "test_stop")?.blocked).toBe(null);
  });
});

describe("actions", () => {
  it("say why they cannot be used", async () => {
    const all = actions(await deskIn("empty"));
    const blocked = (id: string) => all.find((action) => action.id === id)?.blocked;
    expect(blocked("accept")).toBe("Nobody is waiting.");
    expect(blocked("start_video")).toMatch(/Choose/);
    expect(blocked("hang_up")).toMatch(/not in a call/);
    expect(blocked("shortcuts")).toBe(null);
  });

  it("follow the call", async () => {
    const title = async (scenario: string) =>
      actions(await deskIn(scenario)).find((action) => action.id === "hang_up")?.title;
    expect(await title("invited")).toBe("Cancel video");
    expect(await title("live")).toBe("Hang up");
  });
});
