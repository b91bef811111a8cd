import { describe, expect, it } from "vitest";
import type { BoardRow, Narrowing, Readiness } from "$wire";
import { board, reports } from "../backend/mock/readiness";
import { askBlock, boardLine, boardLines, CHOICES, counts, FIRST_ORDER, reportLine, turned } from "./board";
import { keepOrder } from "./inbox";

const row = (agent: string, readiness: Readiness | null, more: Partial<BoardRow> = {}, narrowed_by: Narrowing[] = []): BoardRow => ({
  agent,
  name: agent,
  desk: "d",
  online: true,
  lease: readiness === null ? null : { readiness, since: 1_000, expires_at: 9_000, narrowed_by, devices: [] },
  tested_at: 500,
  path: "UDP, direct",
  testing: false,
  ...more,
});

const ids = (lines: readonly { id: string }[]) => lines.map(({ id }) => id);

describe("the board", () => {
  const rows = [
    row("good", "video"),
    row("new", null, { desk: null, online: false, tested_at: null, path: "" }),
    row("deaf", "not_ready", {}, [{ type: "failed", check: "microphone", finding: "microphone_muted" }]),
    row("blind", "audio", { path: "TLS relay" }, [{ type: "unplugged", kind: "camera", name: "Brio" }, { type: "handshakes" }]),
  ];

  it("puts first what needs somebody", () => {
    expect(ids(boardLines(rows, "", "all", FIRST_ORDER))).toEqual(["deaf", "blind", "new", "good"]);
    expect(ids(boardLines(rows, "", "all", { column: "standing", down: true }))).toEqual(["good", "new", "blind", "deaf"]);
  });

  it("names what is missing", () => {
    expect(rows.map((each) => boardLine(each).missing)).toEqual([
      "",
      "Never tested",
      "Microphone: muted by the system",
      "Unplugged: Brio; Three calls did not come about",
    ]);
  });

  it("is filtered by words and by standing, and counts both ways", () => {
    expect(ids(boardLines(rows, " brio ", "all", FIRST_ORDER))).toEqual(["blind"]);
    expect(ids(boardLines(rows, "tls", "all", FIRST_ORDER))).toEqual(["blind"]);
    expect(ids(boardLines(rows, "", "unknown", FIRST_ORDER))).toEqual(["new"]);
    expect(ids(boardLines(rows, "brio", "video", FIRST_ORDER))).toEqual([]);
    expect(counts(rows.map(boardLine))).toEqual({ all: 4, video: 1, audio: 1, not_ready: 1, unknown: 1 });
    expect(CHOICES.map(({ shown }) => shown)).toEqual(["all", "video", "audio", "not_ready", "unknown"]);
  });

  it("is sorted by each of its columns, and turned round by the same again", () => {
    const by = (column: "name" | "missing" | "devices" | "path" | "tested") => ids(boardLines(rows, "", "all", { column, down: false }));
    expect(by("name")).toEqual(["blind", "deaf", "good", "new"]);
    expect(by("path").slice(0, 1)).toEqual(["blind"]);
    expect(by("path").at(-1)).toBe("new");
    expect(by("missing").at(-1)).toBe("good");
    expect(by("tested")[0]).toBe("new");
    expect(by("devices")).toHaveLength(4);
    expect(turned(FIRST_ORDER, "standing")).toEqual({ column: "standing", down: true });
    expect(turned({ column: "standing", down: true }, "standing").down).toBe(false);
    expect(turned(FIRST_ORDER, "name")).toEqual({ column: "name", down: false });
  });

  it("does not move rows under the pointer", () => {
    const next = boardLines(rows, "", "all", { column: "name", down: false });
    expect(ids(keepOrder(["good", "deaf"], next))).toEqual(["good", "deaf", "blind", "new"]);
  });

  it("knows whose desk can be asked for a test", () => {
    expect(askBlock(row("a", "video"))).toBe(null);
    expect(askBlock(row("a", "video", { testing: true }))).toMatch(/running/);
    expect(askBlock(row("a", "video", { online: false }))).toMatch(/not connected/);
    expect(askBlock(row("a", null, { online: false, desk: null }))).toMatch(/never signed in/);
  });

  it("holds forty agents without losing one", () => {
    const all = board();
    expect(boardLines(all, "", "all", FIRST_ORDER)).toHaveLength(40);
    const { all: whole, ...parts } = counts(all.map(boardLine));
    expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBe(whole);
    for (const part of Object.values(parts)) expect(part).toBeGreaterThan(0);
  });
});

describe("a report in one line", () => {
  it("names what failed, else what could be better, else nothing", () => {
    const failed = reports().find(({ readiness }) => readiness === "audio");
    const warned = reports().find(({ readiness, extent }) => readiness === "video" && extent === "full");
    const quick = reports().find(({ readiness, extent }) => readiness === "video" && extent === "quick");
    const lines = [failed, warned, quick].map((report) => (report === undefined ? null : reportLine(report)));
    expect(lines).toEqual(["Camera: used by another program", "Relay over UDP: blocked", "Nothing to say"]);
  });
});
