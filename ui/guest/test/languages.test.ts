import { describe, expect, it } from "vitest";
import template from "../chat.html?raw";
import { ISSUES } from "../src/words";
import { WIDGET, spoken } from "../src/words/widget";
import { DICTIONARIES, written } from "../vite.pages";

const en = DICTIONARIES["en"]!;
const places = (text: string) => [...text.matchAll(/\{(\w*)\}/g)].map(([, name]) => name).sort();
const others = Object.entries(DICTIONARIES).filter(([language]) => language !== "en");

describe.each(others)("%s", (language, words) => {
  it("has every sentence of English and no other", () => {
    expect(Object.keys(words).sort()).toEqual(Object.keys(en).sort());
  });

  it("has the same places in each", () => {
    for (const [name, text] of Object.entries(words)) {
      expect([name, places(text)]).toEqual([name, places(en[name as keyof typeof en])]);
    }
  });

  it("leaves nothing empty, and next to nothing in English", () => {
    const same = Object.entries(words).filter(([name, text]) => text.trim() === "" || text === en[name as keyof typeof en]);
    // Words such as Video, Chat and Message are the same in several languages.
    expect(same.filter(([, text]) => text.trim() === "" || text.includes(" "))).toEqual([]);
  });

  it("is in the page, and its data ends nowhere before its end", () => {
    const page = written(template, language, { ...words, send: "</script><b>&\"" });
    expect(page).toContain(`<html lang="${language}">`);
    expect(page).toContain('aria-label="&lt;/script>&lt;b>&amp;&quot;"');
    expect(page).not.toContain("{{");
    const [, data] = /id="words">(.*?)<\/script>/s.exec(page)!;
    expect((JSON.parse(data!) as typeof en).send).toBe("</script><b>&\"");
  });
});

describe("the page", () => {
  it("has no data in English, and refuses a sentence that nobody wrote", () => {
    expect(written("{{language}} {{send}}{{dictionary}}", "en", en)).toBe("en Send");
    expect(() => written("{{sent_}}", "en", en)).toThrow("sent_");
  });

  it("has a sentence for each reason of the survey", () => {
    for (const issue of ISSUES) expect(en).toHaveProperty(`issue_${issue}`);
  });
});

describe("the button on other sites", () => {
  it("speaks the same languages", () => {
    expect(Object.keys(WIDGET).sort()).toEqual(Object.keys(DICTIONARIES).sort());
    for (const words of Object.values(WIDGET)) expect(places(words.unread)).toEqual(["count"]);
  });

  it("takes the first that it knows", () => {
    expect(spoken([null, "ja-JP", "pt_BR", "de"]).language).toBe("pt");
    expect(spoken(["constructor", "__proto__", 7, "<b>"]).language).toBe("en");
  });
});
