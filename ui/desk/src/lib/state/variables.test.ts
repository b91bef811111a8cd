import { describe, expect, it } from "vitest";
import { ANA, handedOver } from "../backend/mock/people";
import { mockBackend } from "../backend/mock/backend";
import { Desk } from "./desk.svelte";
import { grouped, isAsked, suggestion } from "./variables";

describe("what a bot hands over", () => {
  const { bot, rest } = grouped(handedOver().context);
  const text = (key: string) => bot.find((variable) => variable.key === key)?.text;

  it("stands together, in the order in which it helps, and each thing once", () => {
    expect(bot.map(({ label }) => label)).toEqual([
      "Suggestion",
      "Last words",
      "Last topic",
      "Topics",
      "Language",
      "Locale",
      "Survey",
      "Bot",
      "Bot's chat",
    ]);
    expect(rest.map(({ key }) => key)).toEqual(["order"]);
  });

  it("is said in words", () => {
    expect(text("va_Language")).toBe("English (United Kingdom), en-gb");
    expect(text("customerLocale")).toBe("Spanish (Spain), es-ES");
    expect(text("surveyConsent")).toBe("Does not want to be asked");
    const consent = (value: boolean | string) => grouped({ surveyConsent: value }).bot[0]?.text;
    expect([consent(true), consent("True"), consent("false")]).toEqual([
      "Agrees to be asked after the call",
      "Agrees to be asked after the call",
      "Does not want to be asked",
    ]);
    expect([isAsked({}), isAsked({ surveyConsent: 0 }), isAsked({ surveyConsent: " No " })]).toEqual([true, false, false]);
    expect(grouped({ va_Language: "not a language" }).bot[0]?.text).toBe("not a language");
  });

  it("keeps both spellings where they say different things, and topic variables of its own", () => {
    const both = grouped({ va_LastPhrase: "one", va_LastPhrases: "two", va_Extra: 3 }).bot;
    expect(both.map(({ text }) => text)).toEqual(["two", "one", "3"]);
    expect(both.at(-1)?.label).toBe("va_Extra");
  });

  it("is without what is for rules only", () => {
    expect(grouped({ va_Scope: "bot", order: 1 }, ["va_Scope"]).bot).toEqual([]);
  });

  it("may hold something to say", () => {
    expect(suggestion(handedOver().context)).toMatch(/^Hi Ana/);
    expect([suggestion({}), suggestion({ va_AgentMessage: "  " }), suggestion({ va_AgentMessage: 3 })]).toEqual([null, null, null]);
  });

  it("is not offered again once it was used", async () => {
    const desk = new Desk(mockBackend("bot"));
    await desk.start();
    expect(desk.isSettled(ANA, "Hi")).toBe(false);
    desk.settle(ANA, "Hi");
    expect([desk.isSettled(ANA, "Hi"), desk.isSettled(ANA, "Another"), desk.isSettled("b", "Hi")]).toEqual([true, false, false]);
  });
});
