import { describe, expect, it } from "vitest";
import type { Backend } from "../backend/backend";
import { Attachments, MOST_BYTES, MOST_FILES } from "./attachments.svelte";

const file = (name: string, size = 3): File => new File([new Uint8Array(size)], name, { type: "text/plain" });
const names = (files: readonly File[]): string[] => files.map(({ name }) => name);

/** Refuses a file of this name. */
function backend(refused: string): Backend & { sent: string[] } {
  const sent: string[] = [];
  return {
    sent,
    send: () => Promise.resolve(),
    listen: () => Promise.resolve(),
    sendFile: (_, { name }) => {
      if (name === refused) return Promise.reject({ code: "file_refused", message: `${name} is of a kind.`, next_step: "Send a picture." });
      sent.push(name);
      return Promise.resolve();
    },
  };
}

describe("files that are chosen", () => {
  it("stay with their conversation until they are taken out", () => {
    const chosen = new Attachments();
    const [one, two] = [file("one.txt"), file("two.txt")];
    expect(chosen.add("ana", [one, two])).toBe(null);
    expect(names(chosen.of("ana"))).toEqual(["one.txt", "two.txt"]);
    expect(chosen.of("luis")).toEqual([]);
    chosen.remove("ana", one);
    expect(names(chosen.of("ana"))).toEqual(["two.txt"]);
    chosen.clear();
    expect(chosen.of("ana")).toEqual([]);
  });

  it("are not taken when they are too large or too many, and say which", () => {
    const chosen = new Attachments();
    const problem = chosen.add("ana", [file("film.mp4", MOST_BYTES + 1), file("fits.txt", MOST_BYTES)]);
    expect(problem?.message).toBe("film.mp4 is larger than 4 MB.");
    expect(names(chosen.of("ana"))).toEqual(["fits.txt"]);
    expect(chosen.add("ana", Array.from({ length: MOST_FILES }, (_, n) => file(`${n}.txt`)))?.message).toMatch(/Only 10 files/);
    expect(chosen.of("ana")).toHaveLength(MOST_FILES);
  });

  it("go one after the other, and one that is refused stays with whatever comes behind it", async () => {
    const chosen = new Attachments();
    chosen.add("ana", [file("a.txt"), file("b.exe"), file("c.txt")]);
    const first = backend("b.exe");
    expect((await chosen.send("ana", first))?.code).toBe("file_refused");
    expect(first.sent).toEqual(["a.txt"]);
    expect(names(chosen.of("ana"))).toEqual(["b.exe", "c.txt"]);
    const second = backend("");
    expect(await chosen.send("ana", second)).toBe(null);
    expect(second.sent).toEqual(["b.exe", "c.txt"]);
    expect(chosen.of("ana")).toEqual([]);
  });
});
