import { describe, expect, it } from "vitest";
import type { Problem } from "$wire";
import { addNews, addNotice, goesByItself, MOST_SHOWN, shownNotices, type Notice } from "./notices";

const problem = (code: Problem["code"], message: string = code): Problem => ({ code, message, next_step: "Try again." });
const news = (id: number, what: string, good = true) => ({ id, what, next: "", good, conversation: null });

describe("notices", () => {
  it("replaces the one of the same code and keeps its words", () => {
    let all: readonly Notice[] = [];
    all = addNotice(all, problem("already_accepted", "Ada has it."), 1);
    all = addNotice(all, problem("internal"), 2);
    all = addNotice(all, problem("already_accepted", "Noah has it."), 3);
    all = addNotice(all, problem("already_accepted", "Noah has it."), 4);
    expect(all.map(({ id, what, times, before }) => [id, what, times, before])).toEqual([
      [2, "internal", 1, []],
      [4, "Noah has it.", 3, ["Ada has it."]],
    ]);
  });

  it("shows the newest three and loses none", () => {
    let all: readonly Notice[] = [];
    for (const [index, code] of (["internal", "not_found", "call_live", "bad_request", "not_allowed"] as const).entries()) {
      all = addNotice(all, problem(code), index);
    }
    expect(all).toHaveLength(5);
    expect(shownNotices(all).map(({ id }) => id)).toEqual([2, 3, 4]);
    expect(shownNotices(all)).toHaveLength(MOST_SHOWN);
    const read = all.filter(({ id }) => id !== 4);
    expect(shownNotices(read).map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it("lets only what went well go by itself", () => {
    const all = addNews(addNotice([], problem("internal"), 1), news(2, "Ada is asked."));
    expect(all.map(goesByItself)).toEqual([false, true]);
    expect(addNews(all, news(3, "Ada said no.", false)).map(goesByItself)).toEqual([false, true, false]);
  });

  it("counts news that come again", () => {
    const all = addNews(addNews([], news(1, "Ada is asked.")), news(2, "Ada is asked."));
    expect(all.map(({ id, times }) => [id, times])).toEqual([[2, 2]]);
  });
});
