import { describe, expect, it } from "vitest";
import { entryOf } from "../src/chat/entry";

const at = (address: string) => entryOf(new URL(address, "https://chat.example.test") as unknown as Location);

describe("the address of the page", () => {
  it("is a link when it carries a code", () => {
    expect(at("/c/8nJxQ2vWm4T0bKfYc1hRsA")).toEqual({ type: "code", code: "8nJxQ2vWm4T0bKfYc1hRsA" });
    expect(at("/c/")).toBe(null);
    expect(at("/c/a/b")).toBe(null);
  });

  it("is handed over byte for byte in the shape of Dynamics 365", () => {
    const query = "conversationId=%7Ba%7D&agentId=b&email=m%2Bv%40x.test&exp=1&sig=q-_";
    expect(at(`/chat?${query}`)).toEqual({ type: "query", query });
    expect(at("/chat?sig=x")).toEqual({ type: "query", query: "sig=x" });
  });

  it("is nothing otherwise", () => {
    expect(at("/chat")).toBe(null);
    expect(at("/chat?embed=1&utm_source=sms")).toBe(null);
    expect(at("/chat?conversationid=a")).toBe(null);
  });
});
