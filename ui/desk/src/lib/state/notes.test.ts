import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Problem } from "$wire";
import { NotesDraft } from "./notes.svelte";

const offline: Problem = { code: "server_unreachable", message: "No server.", next_step: "Wait." };

describe("notes", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("are saved once, after a pause", async () => {
    const save = vi.fn(async () => null);
    const draft = new NotesDraft("", save);
    draft.edit("a");
    await vi.advanceTimersByTimeAsync(500);
    draft.edit("ab");
    await vi.advanceTimersByTimeAsync(500);
    expect(save).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(300);
    expect(save.mock.calls).toEqual([["ab"]]);
    expect(draft.state).toBe("saved");
  });

  it("that change during a save are saved again", async () => {
    const saved: string[] = [];
    let release = () => {};
    const draft = new NotesDraft("", (text) => {
      saved.push(text);
      return new Promise((resolve) => (release = () => resolve(null)));
    });
    draft.edit("first");
    const flushed = draft.flush();
    draft.edit("second");
    release();
    await Promise.resolve();
    await Promise.resolve();
    release();
    await flushed;
    expect(saved).toEqual(["first", "second"]);
  });

  it("that could not be saved stay, and go out later", async () => {
    let answer: Problem | null = offline;
    const draft = new NotesDraft("", async () => answer);
    draft.edit("kept");
    await draft.flush();
    expect(draft.state).toBe("failed");
    expect(draft.problem?.code).toBe("server_unreachable");
    answer = null;
    await draft.flush();
    expect(draft.state).toBe("saved");
    expect(draft.problem).toBe(null);
  });

  it("from elsewhere replace only what nobody is typing over", () => {
    const draft = new NotesDraft("old", async () => null);
    draft.receive("newer");
    expect(draft.text).toBe("newer");
    draft.edit("mine");
    draft.receive("theirs");
    expect(draft.text).toBe("mine");
    expect(draft.dirty).toBe(true);
  });
});
