import { afterEach, describe, expect, it } from "vitest";
import type { HistoryLine } from "../../shared/wire";
import { lineWords } from "../src/chat/line";
import { speak } from "../src/say";
import { de } from "../src/words/de";
import { en } from "../src/words/en";

const words = (line: HistoryLine, now?: number) => lineWords(line, "as it is written", now);

afterEach(() => speak("en", en));

describe("a line of history", () => {
  it("is in English what the desk reads", () => {
    expect(words({ kind: "call_over", reason: "agent_hung_up", live_ms: 134_900 })).toBe("Video call ended after 2:14");
    expect(words({ kind: "call_over", reason: "wrapped_up", live_ms: 3_725_000 })).toBe("Video call ended after 1:02:05");
    expect(words({ kind: "call_over", reason: "media_failed", live_ms: 0 })).toBe(
      "Video call ended before it began: picture and sound did not come through",
    );
    expect(words({ kind: "call_over", reason: "invite_expired", live_ms: 0 })).toBe("The video link expired: nobody joined");
    expect(words({ kind: "took_over", name: "Ana", before: "Luis" })).toBe("Ana took over from Luis");
  });

  it("is in the customer's language", () => {
    speak("de", de);
    expect(words({ kind: "handed_over", queue: "Technik" })).toBe("Weitergegeben an Technik");
    expect(words({ kind: "call_over", reason: "customer_lost", live_ms: 61_000 })).toMatch(/^Videogespräch nach 1:01 beendet: /);
    const now = new Date(2026, 10, 20, 18, 0).getTime();
    expect(words({ kind: "queue_closed", opens_at: new Date(2026, 10, 23, 9, 0).getTime() }, now)).toContain(
      "am Montag, 23. November um 09:00",
    );
    expect(words({ kind: "queue_closed", opens_at: now + 3_600_000 }, now)).toContain("heute wieder um 19:00");
  });

  it("stands as it is written where nothing else is known", () => {
    expect(lineWords(undefined, "as it is written")).toBe("as it is written");
    expect(words({ kind: "from_a_newer_server" } as unknown as HistoryLine)).toBe("as it is written");
  });
});
