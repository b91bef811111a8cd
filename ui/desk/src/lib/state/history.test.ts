import { describe, expect, it } from "vitest";
import { call, quality } from "../backend/mock/calls";
import { PLOTS, SHOWN_SECONDS, addSecond, columns, type Second } from "./history";

const live = (mark: "good" | "poor" = "good") => call({ type: "live", since: 0 }, { quality: quality(mark) });

describe("the call's history", () => {
  it("keeps one entry a second, and five minutes of them", () => {
    let seconds: readonly Second[] = [];
    let before = live();
    for (let second = 0; second <= SHOWN_SECONDS; second++) {
      const now = live();
      seconds = addSecond(seconds, before, now, second * 1000);
      before = now;
    }
    expect(seconds.length).toBe(SHOWN_SECONDS);
    expect(seconds[0]?.at).toBe(1);
    expect(addSecond(seconds, before, live("poor"), SHOWN_SECONDS * 1000).length).toBe(SHOWN_SECONDS);
  });

  it("does not count the same figures twice, and starts anew with another call", () => {
    const first = live();
    const seconds = addSecond([], null, first, 1000);
    expect(addSecond(seconds, first, { ...first, signalling_lost: true }, 2000)).toEqual(seconds);
    expect(addSecond(seconds, first, null, 3000)).toEqual([]);
  });

  it("stays to be read when the call is over", () => {
    const first = live();
    const seconds = addSecond([], null, first, 1000);
    const ended = call({ type: "ended", reason: "agent_hung_up", live_ms: 1000 });
    expect(addSecond(seconds, first, ended, 2000)).toEqual(seconds);
  });

  it("becomes one column a line", () => {
    const seconds = addSecond([], null, live(), 1000);
    for (const plot of PLOTS) expect(columns(plot, seconds).length).toBe(1 + plot.lines.length);
  });
});
