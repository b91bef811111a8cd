import { describe, expect, it } from "vitest";
import { HEADER_BYTES, i420Bytes, i420ToRgba, parseFrame } from "./frame";

function frame(width: number, height: number, tile = 0, version = 1): ArrayBuffer {
  const data = new ArrayBuffer(HEADER_BYTES + (width === 0 ? 0 : i420Bytes(width, height)));
  const header = new DataView(data);
  header.setUint8(0, version);
  header.setUint8(1, tile);
  header.setUint16(2, width, true);
  header.setUint16(4, height, true);
  header.setBigUint64(8, 1_700_000_000_123n, true);
  return data;
}

describe("a frame of the loopback socket", () => {
  it("is read with its size, tile and time", () => {
    expect(parseFrame(frame(6, 4, 1))).toMatchObject({ tile: 1, width: 6, height: 4, at: 1_700_000_000_123 });
  });

  it("of width 0 says that the picture is gone", () => {
    expect(parseFrame(frame(0, 0))).toMatchObject({ tile: 0, width: 0 });
  });

  it("is refused when it is cut, foreign or of another version", () => {
    expect(parseFrame(new ArrayBuffer(3))).toBe(null);
    expect(parseFrame(frame(6, 4).slice(0, -1))).toBe(null);
    expect(parseFrame(frame(6, 4, 2))).toBe(null);
    expect(parseFrame(frame(6, 4, 0, 9))).toBe(null);
  });

  it("rounds chroma up for odd sizes", () => {
    expect(i420Bytes(4, 4)).toBe(24);
    expect(i420Bytes(5, 3)).toBe(15 + 2 * 3 * 2);
  });

  it("is converted to the colours it was made from", () => {
    const data = frame(2, 2);
    const planes = new Uint8Array(data, HEADER_BYTES);
    // Red in BT.601, limited range.
    planes.set([81, 81, 81, 81, 90, 240]);
    const parsed = parseFrame(data);
    const rgba = new Uint8ClampedArray(16);
    if (parsed !== null) i420ToRgba(parsed, rgba);
    expect(rgba[0]).toBeGreaterThan(250);
    expect(rgba[1]).toBeLessThan(5);
    expect(rgba[2]).toBeLessThan(5);
    expect(rgba[15]).toBe(255);
  });
});
