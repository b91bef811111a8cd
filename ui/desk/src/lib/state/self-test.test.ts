import { describe, expect, it } from "vitest";
import type { CheckKind, Unit } from "$wire";
import { audioOnly, calling, KINDS, ready, reports, testing, untested } from "../backend/mock/readiness";
import {
  callShown,
  cameraShown,
  checkLine,
  checkOf,
  checkState,
  figureRows,
  figureText,
  lampWord,
  LAMPS,
  progress,
  reportText,
  SECTIONS,
  stateWord,
} from "./self-test";

const words = (value: number, unit: Unit) => figureText({ name: "x", value, unit });

describe("the page of the self-test", () => {
  it("shows every check once", () => {
    const shown = SECTIONS.flatMap(({ kinds }) => kinds);
    expect([...shown].sort()).toEqual([...KINDS].sort());
    expect(SECTIONS.slice(0, 5).map(({ id }) => id)).toEqual(["camera", "microphone", "speaker", "network", "call"]);
  });

  it("knows what runs, what has been, and what comes later", () => {
    const state = (kind: CheckKind) => checkState(testing(), kind);
    expect([state("camera"), state("backend"), state("call")]).toEqual(["running", "pass", "waiting"]);
    expect(checkState(untested(), "camera")).toBe("unknown");
    expect(checkState({ ...testing(), extent: "quick" }, "call")).toBe("unknown");
    expect(checkState(null, "camera")).toBe("unknown");
    expect(checkState(audioOnly(), "camera")).toBe("fail");
  });

  it("has a word and a line for every state", () => {
    const states = ["running", "waiting", "unknown", "pass", "skipped", "warn", "fail"] as const;
    expect(new Set(states.map(stateWord)).size).toBe(states.length);
    const check = checkOf(audioOnly(), "camera");
    expect(checkLine("fail", check)).toBe(check?.sentence);
    for (const state of ["running", "waiting", "unknown"] as const) expect(checkLine(state, null)).not.toBe("");
  });

  it("lights three lamps, each with a word", () => {
    expect(LAMPS.map(({ name }) => name)).toEqual(["UDP", "TCP", "TLS"]);
    const lamp = (kind: CheckKind) => lampWord(checkState(testing(), kind), checkOf(testing(), kind));
    expect([lamp("relay_udp"), lamp("relay_tcp")]).toEqual(["Open", "Testing"]);
    const blocked = checkOf(audioOnly(), "relay_udp");
    expect(lampWord("fail", blocked)).toBe("Blocked");
    expect(lampWord("fail", blocked === null ? null : { ...blocked, finding: "relay_refused" })).toBe("Refused");
  });

  it("shows the pictures while there are any", () => {
    expect([cameraShown(testing()), callShown(testing())]).toEqual([true, false]);
    expect([cameraShown(calling()), callShown(calling())]).toEqual([true, true]);
    expect([cameraShown(ready()), cameraShown(null)]).toEqual([false, false]);
  });

  it("counts a whole test, and no short one", () => {
    expect(progress(testing())).toEqual({ done: 5, all: KINDS.length });
    expect(progress({ ...testing(), extent: "quick" })).toBe(null);
    expect(progress(ready())).toBe(null);
  });
});

describe("figures", () => {
  it("have units that people read", () => {
    expect(words(212, "ms")).toBe("212 ms");
    expect(words(12_400, "ms")).toBe("12 s");
    expect(words(-41.2, "dbfs")).toBe("−41 dBFS");
    expect(words(-0.04, "db")).toBe("0 dB");
    expect(words(29.94, "fps")).toBe("30 fps");
    expect(words(0.14, "percent")).toBe("0.1 %");
    expect(words(21_700_000, "bits_per_second")).toBe("21.7 Mbit/s");
    expect(words(214_000_000_000, "bytes")).toBe("214 GB");
    expect(words(999, "bytes")).toBe("999 bytes");
    expect(words(4.31, "mos")).toBe("4.3 of 4.5");
    expect([words(1.9, "days"), words(61, "days")]).toEqual(["1 day", "61 days"]);
    expect(words(3, "count")).toBe("3");
  });

  it("are told as one would say them", () => {
    const rows = figureRows([
      { name: "width", value: 1280, unit: "px" },
      { name: "height", value: 720, unit: "px" },
      { name: "fps_possible", value: 176, unit: "fps" },
      { name: "relayed", value: 1, unit: "count" },
      { name: "transport", value: 2, unit: "count" },
    ]).map(({ name, text }) => `${name}: ${text}`);
    expect(rows).toEqual(["Picture: 1280 × 720", "FPS possible: 176 fps", "Way: over a relay", "Transport: TLS"]);
    expect(figureRows([{ name: "width", value: 640, unit: "px" }])).toEqual([{ name: "Width", text: "640 px" }]);
  });
});

describe("the report as text", () => {
  it("holds the verdict, and every check with its code, figures and remedy", () => {
    const text = reportText(audioOnly());
    expect(text).toMatch(/^Sightline self-test\n/);
    expect(text).toMatch(/\nReady for audio only\n/);
    expect(text).toMatch(/Failed: Camera \[camera_busy\] - The camera is used .* Close that program/);
    expect(text.split("\n").filter((line) => /^(Good|Failed|Could be better|Skipped): /.test(line))).toHaveLength(KINDS.length);
    const [newest] = reports();
    expect(newest === undefined ? "" : reportText(newest)).toMatch(/Debian 12, x86_64, 0.1.0/);
  });
});
