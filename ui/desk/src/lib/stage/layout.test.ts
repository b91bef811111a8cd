import { describe, expect, it } from "vitest";
import type { StageLayout } from "$wire";
import { overlap, sameLayout } from "./layout";

const rect = { x: 1, y: 2, width: 3, height: 4 };

describe("a layout", () => {
  const layout: StageLayout = { remote: rect, own: null, above: [{ rect, radius: 6 }], scale: 1 };

  it("is the same when the native side would paint the same", () => {
    expect(sameLayout(layout, structuredClone(layout))).toBe(true);
    expect(sameLayout(layout, { ...layout, scale: 2 })).toBe(false);
    expect(sameLayout(layout, { ...layout, remote: null })).toBe(false);
    expect(sameLayout(layout, { ...layout, own: rect })).toBe(false);
    expect(sameLayout(layout, { ...layout, remote: { ...rect, height: 4.5 } })).toBe(false);
  });

  it("differs when something over the picture comes, goes or moves", () => {
    expect(sameLayout(layout, { ...layout, above: [] })).toBe(false);
    expect(sameLayout(layout, { ...layout, above: [{ rect, radius: 7 }] })).toBe(false);
    expect(sameLayout(layout, { ...layout, above: [{ rect: { ...rect, x: 9 }, radius: 6 }] })).toBe(false);
  });

  it("counts only what shares a place with a picture", () => {
    expect(overlap(rect, { x: 3, y: 5, width: 9, height: 9 })).toBe(true);
    expect(overlap(rect, { x: 4, y: 2, width: 9, height: 9 })).toBe(false);
    expect(overlap(rect, { x: 1, y: 6, width: 9, height: 9 })).toBe(false);
  });
});
