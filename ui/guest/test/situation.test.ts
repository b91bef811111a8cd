import { describe, expect, it } from "vitest";
import { situation } from "../src/call/situation";

type Facts = Parameters<typeof situation>[0];

const calm: Facts = {
  state: { type: "live", since: 0 },
  agent: "Maria",
  other: { place: "here", session: 1 },
  otherMedia: { microphone: true, camera: true, screen: false },
  trying: "direct",
  signallingLost: false,
  mediaLost: false,
  still: false,
  takingOver: false,
};

describe("what the stage says", () => {
  it("shows the picture and nothing else when all is well", () => {
    expect(situation(calm)).toEqual({ stage: "picture", card: null, banner: null });
  });

  it("keeps the picture while signalling is gone, and says so", () => {
    const now = situation({ ...calm, signallingLost: true });
    expect(now.stage).toBe("picture");
    expect(now.banner).toContain("go on talking");
  });

  it("freezes with a reason when media is gone", () => {
    expect(situation({ ...calm, mediaLost: true })).toMatchObject({
      stage: "frozen",
      card: { title: "Connection lost, reconnecting…" },
    });
    expect(situation({ ...calm, still: true, other: { place: "away", until: 1 } })).toMatchObject({
      stage: "frozen",
      card: { title: "Maria lost the connection" },
    });
  });

  it("names who takes over, and no lost connection, until the new picture is there", () => {
    const now = situation({ ...calm, agent: "Jonas", takingOver: true, mediaLost: true, other: { place: "away", until: 1 } });
    expect(now).toMatchObject({ stage: "frozen", card: { title: "Jonas is taking over", busy: true }, banner: null });
  });

  it("does not call a still shared screen a stopped picture", () => {
    const screen = { microphone: true, camera: true, screen: true };
    expect(situation({ ...calm, still: true, otherMedia: screen }).stage).toBe("picture");
  });

  it("shows a face when no picture is sent", () => {
    const off = { microphone: true, camera: false, screen: false };
    expect(situation({ ...calm, otherMedia: off })).toMatchObject({ stage: "face", card: { text: "Camera is off" } });
  });

  it("names every rung of the ladder, and none of them is a bare spinner", () => {
    const titles = (["direct", "again", "relay", "sound_only"] as const).map((trying) => {
      const { card } = situation({ ...calm, trying, state: { type: "connecting", overdue: false } });
      expect(card).toMatchObject({ busy: true, again: false });
      expect(card?.text).toMatch(/\.$/);
      return card?.title;
    });
    expect(titles[1]).toBe("Trying another way…");
    expect(new Set(titles).size).toBe(4);
  });

  it("says in a call without pictures why there are none, and that it is a call", () => {
    const off = { microphone: true, camera: false, screen: false };
    expect(situation({ ...calm, otherMedia: off, trying: "sound_only" })).toMatchObject({
      stage: "face",
      card: { text: "Sound only" },
      banner: expect.stringContaining("you can hear each other"),
    });
    // The agent's picture is shown while it comes, whatever is being tried.
    expect(situation({ ...calm, trying: "relay" })).toEqual({ stage: "picture", card: null, banner: null });
  });

  it("turns every wait into words and a way on after its deadline", () => {
    for (const type of ["waiting", "connecting"] as const) {
      expect(situation({ ...calm, state: { type, overdue: false } }).card).toMatchObject({ busy: true, again: false });
      expect(situation({ ...calm, state: { type, overdue: true } }).card).toMatchObject({ busy: false, again: true });
    }
  });
});
