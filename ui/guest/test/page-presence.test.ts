import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { watchPage } from "../src/page-presence";

const page = { document: new EventTarget(), window: new EventTarget() };

function turn(visibilityState: DocumentVisibilityState): void {
  Object.assign(page.document, { visibilityState });
  page.document.dispatchEvent(new Event("visibilitychange"));
}

function watch() {
  const heard: string[] = [];
  const stop = watchPage({ here: () => heard.push("here"), away: () => heard.push("away") });
  return { heard, stop };
}

beforeEach(() => {
  vi.useFakeTimers();
  page.document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  page.window = Object.assign(new EventTarget(), { setTimeout, clearTimeout });
  vi.stubGlobal("document", page.document);
  vi.stubGlobal("window", page.window);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("whether somebody has the page before them", () => {
  it("is told at once of a page that is seen, and of a hidden one when it is", () => {
    expect(watch().heard).toEqual(["here"]);
    Object.assign(page.document, { visibilityState: "hidden" });
    const { heard } = watch();
    vi.advanceTimersByTime(120_000);
    expect(heard).toEqual([]);
    turn("visible");
    expect(heard).toEqual(["here"]);
  });

  it("takes a glance at another app for what it is", () => {
    const { heard } = watch();
    turn("hidden");
    vi.advanceTimersByTime(29_000);
    turn("visible");
    vi.advanceTimersByTime(120_000);
    expect(heard).toEqual(["here"]);
  });

  it("tells of a page that stays behind another one, once, and of its return", () => {
    const { heard } = watch();
    turn("hidden");
    vi.advanceTimersByTime(30_000);
    expect(heard).toEqual(["here", "away"]);
    vi.advanceTimersByTime(120_000);
    turn("visible");
    turn("visible");
    expect(heard).toEqual(["here", "away", "here"]);
  });

  it("lets go at once of a page that is put into the back/forward cache", () => {
    const { heard } = watch();
    page.window.dispatchEvent(new Event("pagehide"));
    turn("hidden");
    vi.advanceTimersByTime(120_000);
    expect(heard).toEqual(["here", "away"]);
    Object.assign(page.document, { visibilityState: "visible" });
    page.window.dispatchEvent(new Event("pageshow"));
    expect(heard).toEqual(["here", "away", "here"]);
  });

  it("says nothing any more when nobody watches", () => {
    const { heard, stop } = watch();
    turn("hidden");
    stop();
    vi.advanceTimersByTime(120_000);
    turn("visible");
    page.window.dispatchEvent(new Event("pagehide"));
    expect(heard).toEqual(["here"]);
  });
});
