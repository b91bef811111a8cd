import { expect, it } from "vitest";
import { codeOf } from "../src/join/code";

it("reads the code of an invite, however its address was written, and fails on none", () => {
  expect(codeOf("/j/abc-_1")).toBe("abc-_1");
  expect(codeOf("/j/abc%2D_1/")).toBe("abc-_1");
  expect(codeOf("/j/%E0%A4%A")).toBe("%E0%A4%A");
  expect(codeOf("/")).toBe("");
});
