import { describe, expect, it } from "vitest";
import { ago, bitrate, countdown, duration, firstName, initials, isAddress, languageName, share, shortAddress, timer, tone, waited } from "./format";
import { parseValue, valueText } from "./state/variables";

const MINUTE = 60_000;

describe("times", () => {
  it("count up and down", () => {
    expect(timer(127_900)).toBe("2:07");
    expect(timer(3_849_000)).toBe("1:04:09");
    expect(timer(-5)).toBe("0:00");
    expect(countdown(60_000)).toBe("1:00");
    expect(countdown(1)).toBe("0:01");
    expect(countdown(-1)).toBe("0:00");
  });

  it("grow coarser with age", () => {
    expect([waited(134_000), waited(64 * MINUTE), waited(49 * 60 * MINUTE)]).toEqual(["2:14", "1 h 4 m", "2 d"]);
    expect([ago(5_000), ago(4 * MINUTE), ago(200 * MINUTE)]).toEqual(["now", "4 m", "3 h"]);
    expect([duration(42_400), duration(252_000)]).toEqual(["42 s", "4 min 12 s"]);
  });
});

describe("figures", () => {
  it("read as people write them", () => {
    expect([bitrate(1_480_000), bitrate(184_200)]).toEqual(["1.5 Mbit/s", "184 kbit/s"]);
    expect([share(0), share(0.084), share(0.25)]).toEqual(["0 %", "8.4 %", "25 %"]);
  });
});

describe("names", () => {
  it("have initials and a first name", () => {
    expect([initials("Ana Moreno"), initials("madonna"), initials("李 小龙"), initials("  ")]).toEqual(["AM", "M", "李小", "?"]);
    expect([firstName("Ana Moreno"), firstName("Customer 4821")]).toEqual(["Ana", "Customer 4821"]);
  });

  it("have a tone that stays", () => {
    expect(tone("Ana Moreno")).toBe(tone("Ana Moreno"));
    expect(tone("Ana Moreno")).toBeLessThan(6);
  });
});

describe("addresses", () => {
  const acs = "8:acs:1b5cc06b-f352-4571-b1e6-d9b259b7c776_00000007-d5ae-2b1c-f883-084822000f3f";

  it("are told from names", () => {
    expect(["+4915550100221", "whatsapp:+34600", "ada@example.test", acs].map(isAddress)).toEqual([true, true, true, true]);
    expect(["Ana Moreno", "李小龙", "Customer 4821", "Maximiliana", "R2D2"].map(isAddress)).toEqual([false, false, false, false, false]);
  });

  it("fit by their middle", () => {
    expect(shortAddress(acs, 20)).toBe("8:acs:1b5c…822000f3f");
    expect([...shortAddress(acs, 20)]).toHaveLength(20);
    expect([shortAddress("+49155", 20), shortAddress("Maximiliana Wolfeschlegelstein", 20)]).toEqual(["+49155", "Maximiliana Wolfeschlegelstein"]);
    expect(firstName(acs)).toBe("8:acs:1b5c…822000f3f");
  });
});

describe("languages", () => {
  it("have names", () => {
    expect([languageName("de-AT"), languageName("en_US"), languageName("??")]).toEqual(["German (Austria)", "English (United States)", "??"]);
  });
});

describe("context variables", () => {
  it("keep their kind", () => {
    expect(["3", "-1.5", "yes", "false", "SO-20418"].map(parseValue)).toEqual([3, -1.5, true, false, "SO-20418"]);
  });

  it("stay text where a number would not come back the same", () => {
    expect(["007", "+34600", "1e3", "Infinity", ""].map(parseValue)).toEqual(["007", "+34600", "1e3", "Infinity", ""]);
    expect([valueText(true), valueText(3), valueText("x")]).toEqual(["yes", "3", "x"]);
  });
});
