import { describe, expect, it } from "vitest";
import type { Check, Lease, Narrowing, SelfTestView } from "$wire";
import { asking, audioOnly, notReady, ready, testing, unplugged, untested } from "../backend/mock/readiness";
import { dot, leaseBlock, narrowingShort, narrowingText, standing, testRuns, verdict } from "./readiness";

const now = Date.now();
const said = (test: SelfTestView | null) => verdict(test, now - 4_000, now);

describe("where a desk stands", () => {
  it("is unknown until a test has counted", () => {
    expect(standing(null)).toBe("unknown");
    expect(standing(untested().lease)).toBe("unknown");
    expect(standing(ready().lease)).toBe("video");
    expect(standing(notReady().lease)).toBe("not_ready");
  });

  it("is told by the dot in words, and while a test runs that it runs", () => {
    expect(dot(null).word).toBe("Not tested");
    expect(dot(ready())).toMatchObject({ standing: "video", word: "Ready", tone: "green" });
    expect(dot(audioOnly()).hint).toMatch(/audio only: The camera is used/);
    expect(dot(testing()).word).toBe("Testing");
    expect([testRuns(null), testRuns(ready()), testRuns(asking())]).toEqual([false, false, true]);
  });
});

describe("the verdict", () => {
  it("says the three things that a desk can be", () => {
    expect([ready(), audioOnly(), notReady()].map((test) => said(test).title)).toEqual([
      "Ready for video",
      "Ready for audio only",
      "Not ready",
    ]);
    expect(said(untested())).toMatchObject({ title: "Not tested yet", button: "Start the self-test" });
    expect(said(null).button).toBe("Start the self-test");
    expect(said(ready()).button).toBe("Test again");
  });

  it("names what is missing and what to do, and how much more there is", () => {
    expect(said(audioOnly()).text).toMatch(/used by another program.*Close that program/);
    expect(said(notReady()).text).toMatch(/microphone delivers nothing.*And 1 more/);
    expect(said(ready()).text).toMatch(/One thing could be better.*Counts until/);
  });

  it("follows the lease, not the test that was passed before the plug was pulled", () => {
    expect(unplugged().readiness).toBe("video");
    expect(said(unplugged())).toMatchObject({ standing: "audio", text: expect.stringMatching(/was unplugged.*Plug it back in/) });
  });

  it("says so when the server has not heard of a test", () => {
    const unheard = said({ ...ready(), lease: null });
    expect(unheard.title).toBe("Ready for video");
    expect(unheard.text).toMatch(/server does not know it yet/);
  });

  it("says what runs now, and turns into words when it takes too long", () => {
    expect(said(testing())).toMatchObject({ standing: "testing", title: "Testing this desk", button: "Stop" });
    expect(said(testing()).text).toMatch(/Now: Camera, Microphone/);
    expect(verdict({ ...testing(), extent: "single", running: ["line"] }, now, now).title).toBe("Testing: Line to the server");
    expect(verdict(testing(), now - 200_000, now).text).toMatch(/longer than it should. Stop it/);
    expect(verdict({ ...testing(), extent: "quick" }, now - 30_000, now).text).toMatch(/longer than it should/);
  });
});

describe("a narrowed lease", () => {
  const all: Narrowing[] = [
    { type: "never_tested" },
    { type: "failed", check: "line", finding: null },
    { type: "failed", check: "camera", finding: "camera_black" },
    { type: "unplugged", kind: "camera", name: "Webcam" },
    { type: "expired" },
    { type: "offline" },
    { type: "handshakes" },
  ];

  it("says why and what to do, each in its own words", () => {
    const told = all.map((each) => narrowingText(each));
    expect(new Set(told.map(({ what }) => what)).size).toBe(all.length);
    for (const { what, next } of told) {
      expect(what).toMatch(/^[A-Z].*\.$/);
      expect(next).toMatch(/^[A-Z].*\.$/);
    }
    expect(new Set(all.map(narrowingShort)).size).toBe(all.length);
    expect(narrowingShort(all[2] as Narrowing)).toBe("Camera: black picture");
  });

  it("uses the check's own sentence where there is one", () => {
    const check = audioOnly().checks.find(({ kind }) => kind === "camera") as Check;
    expect(narrowingText({ type: "failed", check: "camera", finding: "camera_busy" }, [check])).toEqual({
      what: check.sentence,
      next: check.remedy,
    });
  });
});

describe("Start video", () => {
  it("is free with a lease for video", () => {
    expect(leaseBlock(ready())).toBe(null);
  });

  it("says what the lease lacks", () => {
    expect(leaseBlock(untested())).toMatch(/not been tested/);
    expect(leaseBlock({ ...untested(), lease: null })).toMatch(/not been tested/);
    expect(leaseBlock(unplugged())).toMatch(/audio only. Integrated Webcam HD was unplugged/);
    expect(leaseBlock(notReady())).toMatch(/^The microphone delivers nothing/);
  });

  it("is free where the lease only advises, and while the server has said nothing", () => {
    const advised = { required: false, lease_ms: 1, minimum_version: "" };
    expect(leaseBlock({ ...notReady(), policy: advised })).toBe(null);
    expect(leaseBlock(null)).toBe(null);
    expect(leaseBlock({ ...untested(), lease: null, policy: null })).toBe(null);
    // A lease that is not enough counts also before the policy has come.
    const lease: Lease | null = unplugged().lease;
    expect(leaseBlock({ ...untested(), lease, policy: null })).not.toBe(null);
  });
});
