import { describe, expect, it } from "vitest";
import { sameLayout } from "./layout";

describe("a layout", () => {
  const rect = { x: 1, y: 2, width: 3, height: 4 };
  const layout = { remote: rect, own: null, scale: 1 };

  it("is the same when the native side would paint the same", () => {
    expect(sameLayout(layout, { remote: { ...rect }, own: null, scale: 1 })).toBe(true);
    expect(sameLayout(layout, { ...layout, scale: 2 })).toBe(false);
    expect(sameLayout(layout, { ...layout, remote: null })).toBe(false);
    expect(sameLayout(layout, { ...layout, own: rect })).toBe(false);
  });

  it("can be compared give or take a pixel", () => {
    const moved = { ...layout, remote: { ...rect, height: 4.56 } };
    expect(sameLayout(layout, moved)).toBe(false);
    expect(sameLayout(layout, moved, 1)).toBe(true);
    expect(sameLayout(layout, { ...layout, remote: { ...rect, x: 2.5 } }, 1)).toBe(false);
  });
});
