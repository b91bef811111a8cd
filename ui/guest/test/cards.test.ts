import { describe, expect, it } from "vitest";
import type { Activity, CardAction } from "../../shared/wire";
import { actionOf, answering, cardsOf, choicesOf } from "../src/chat/cards";
import { Thread } from "../src/chat/thread";

const action = (type: CardAction["type"], value?: unknown, more: object = {}): CardAction => ({ type, title: "Parts", value, ...more });
const HERO = "application/vnd.microsoft.card.hero";

function said(number: number, who: "me" | "bot", more: Partial<Activity>): Activity {
  return {
    type: "message",
    id: `c|000000${number}`,
    timestamp: new Date(number * 1000).toISOString(),
    from: who === "me" ? { id: "customer", role: "user" } : { id: "bot", name: "Helper", role: "bot" },
    ...more,
  };
}

describe("a button of a bot", () => {
  it("says its value as if it had been written", () => {
    expect(actionOf(action("imBack", "Order parts"))).toEqual({ type: "say", title: "Parts", text: "Order parts" });
    expect(actionOf(action("imBack", { topic: 1 }))).toBeNull();
  });

  it("sends a value to the bot alone", () => {
    const data = actionOf(action("postBack", { topic: "parts" }));
    expect(data).toMatchObject({ type: "choose", chosen: { seen: false, title: "Parts" } });
    expect(data?.type === "choose" && answering(data.chosen)).toEqual({
      value: { topic: "parts" },
      channelData: { title: "Parts", postBack: true },
    });
    const words = actionOf(action("postBack", "parts"));
    expect(words?.type === "choose" && answering(words.chosen)).toEqual({
      text: "parts",
      channelData: { title: "Parts", postBack: true },
    });
  });

  it("shows other words than it sends, or none", () => {
    const both = actionOf(action("messageBack", { n: 1 }, { text: "size:s", displayText: "The small one" }));
    expect(both?.type === "choose" && answering(both.chosen)).toEqual({
      text: "size:s",
      value: { n: 1 },
      channelData: { title: "The small one", messageBack: { displayText: "The small one" } },
    });
    expect(actionOf(action("messageBack", { n: 1 }))).toMatchObject({ chosen: { seen: false } });
  });

  it("opens encrypted addresses and nothing else", () => {
    expect(actionOf(action("openUrl", "https://example.com/manual"))).toEqual({
      type: "open", title: "Parts", url: "https://example.com/manual",
    });
    for (const bad of ["http://example.com", "javascript:alert(1)", "data:text/html,x", "//example.com", "", 7, undefined]) {
      expect(actionOf(action("openUrl", bad))).toBeNull();
    }
    expect(actionOf(action("signin" as "openUrl", "https://example.com"))).toBeFalsy();
  });
});

describe("what a bot offers", () => {
  const offer = said(2, "bot", {
    attachments: [
      { contentType: HERO, content: { title: "Repairs", buttons: [action("postBack", "parts"), action("openUrl", "nowhere")] } },
      { contentType: HERO, content: { notShown: "adaptive", buttons: [] } },
      { contentType: HERO, content: 7 },
      { contentType: "image/png", content: {} },
    ],
    suggestedActions: { actions: [action("imBack", "Yes")] },
  });

  it("is read with what can be shown", () => {
    const cards = cardsOf(offer);
    expect(cards.map(({ title, text, actions }) => [title, text, actions.length])).toEqual([
      ["Repairs", "", 1],
      ["", "Something that cannot be shown here: adaptive", 0],
    ]);
    expect(choicesOf(offer)).toHaveLength(1);
    expect(choicesOf(said(1, "bot", { suggestedActions: 7 as never }))).toEqual([]);
  });

  it("can be chosen from until something else is said, also unseen", () => {
    const thread = new Thread();
    thread.add(said(1, "me", { text: "Hello" }));
    thread.add(offer);
    expect(thread.choices()).toHaveLength(1);
    expect(thread.all()).toHaveLength(2);
    expect(thread.add(said(3, "me", { value: "parts", channelData: { postBack: true, clientActivityID: "k" } }))).toBe(true);
    expect(thread.choices()).toEqual([]);
    expect(thread.all()).toHaveLength(2);
    thread.add(said(4, "bot", { text: "Which one?" }));
    expect(thread.choices()).toEqual([]);
    expect(thread.all()).toHaveLength(3);
  });
});
