import { describe, expect, it } from "vitest";
import { problemIn } from "../src/api";
import { Backoff } from "../src/backoff";
import { detectSupport } from "../src/support";
import { speak, writeAs } from "../src/say";
import { bytes, clock, endWords, initials, problemWords, timeLeft, timeOfDay } from "../src/words";
import { de } from "../src/words/de";
import { en } from "../src/words/en";

describe("support", () => {
  const android = "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 Chrome/130 Mobile Safari/537.36";

  it("takes a real browser as it is", () => {
    expect(detectSupport(android, true)).toEqual({ type: "full" });
    expect(detectSupport(android, false)).toEqual({ type: "unsupported" });
  });

  it.each([
    ["[FBAN/FBIOS;FBAV/470.0]", "Facebook"],
    ["Instagram 330.0.0", "Instagram"],
    ["MicroMessenger/8.0.50", "WeChat"],
    ["Line/14.1.0", "LINE"],
    ["(Linux; Android 15; Pixel 8; wv) Version/4.0", null],
  ])("knows the app around %s", (agent, app) => {
    expect(detectSupport(`Mozilla/5.0 ${agent}`, true)).toEqual({ type: "in_app", app, can_receive: true });
  });

  it("does not take 'online' for LINE", () => {
    expect(detectSupport(`${android} Online/1`, true)).toEqual({ type: "full" });
  });
});

describe("words", () => {
  it("counts time with stable digits", () => {
    expect([0, 61_000, 3_600_000 + 5_000].map(clock)).toEqual(["00:00", "01:01", "1:00:05"]);
  });

  it("makes initials from any name", () => {
    expect(["Maria Lopez", "ana", " ", "李 小龙"].map(initials)).toEqual(["ML", "A", "?", "李小"]);
  });

  it("writes times as the customer does, within the language of the page", () => {
    const afternoon = new Date(2026, 0, 1, 14, 5).getTime();
    writeAs("en-US");
    expect(timeOfDay(afternoon)).toMatch(/^0?2:05\sPM$/);
    writeAs("en-GB");
    expect(timeOfDay(afternoon)).toBe("14:05");
    for (const odd of ["", "English (Ireland)", "de-DE", "<b>", 1031, null]) {
      writeAs(odd);
      expect(timeOfDay(afternoon)).toBe("14:05");
    }
  });

  it("speaks another language, with its numbers", () => {
    try {
      speak("de", de);
      writeAs("de-CH");
      expect(endWords("customer_left", "Ana")).toBe("Sie haben das Gespräch verlassen.");
      expect(timeLeft(14 * 60_000)).toBe("Noch 14 Minuten offen.");
      const problem = { message: "page.html is of a kind that is not taken.", next_step: "Send a picture." };
      expect(problemWords({ code: "file_refused", ...problem })).toBe(de.problem_file_refused);
      expect(problemWords({ code: "second_desk", ...problem })).toBe(de.problem_internal);
      speak("en", en);
      expect(problemWords({ code: "file_refused", ...problem })).toBe(`${problem.message} ${problem.next_step}`);
      expect(problemWords({ code: "media_failed", message: "", next_step: "" })).toBe(en.problem_media_failed);
      speak("de", de);
      expect(bytes(1.5 * 1024 * 1024)).toBe("1,5 MB");
    } finally {
      speak("en", en);
    }
  });

  it("says how long an invitation holds", () => {
    expect(timeLeft(14 * 60_000)).toBe("Open for 14 more minutes.");
    expect(timeLeft(20_000)).toBe("Open for one more minute.");
    expect(timeLeft(-1)).toBe("This invitation has expired.");
  });
});

describe("problems", () => {
  it("finds a problem as it is and inside Direct Line's error", () => {
    const problem = { code: "invite_expired", message: "m", next_step: "n" };
    expect(problemIn(problem)).toEqual(problem);
    expect(problemIn({ error: problem })).toEqual(problem);
    expect(problemIn({ error: "text" })).toBeNull();
    expect(problemIn(null)).toBeNull();
    expect(problemIn("text")).toBeNull();
  });
});

describe("backoff", () => {
  it("grows to its limit, with jitter, and starts again", () => {
    const wait = new Backoff(100, 1_000, () => 1);
    expect([wait.next(), wait.next(), wait.next(), wait.next(), wait.next()]).toEqual([100, 200, 400, 800, 1_000]);
    wait.reset();
    expect(wait.next()).toBe(100);
    expect(new Backoff(100, 1_000, () => 0).next()).toBe(50);
  });
});
