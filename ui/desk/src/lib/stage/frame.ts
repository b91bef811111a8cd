/** The bytes of the loopback frame socket. */

export const HEADER_BYTES = 16;
const VERSION = 1;

/** One picture, or the news that there is none any more (`width` 0). */
export interface Frame {
  /** 0 the customer's, 1 the agent's own. */
  readonly tile: 0 | 1;
  readonly width: number;
  readonly height: number;
  /** When it was captured, milliseconds. */
  readonly at: number;
  /** Y, then U, then V; chroma at half size, rounded up. */
  readonly planes: Uint8Array<ArrayBuffer>;
}

/** Null for anything that is not a whole frame of the version we know. */
export function parseFrame(data: ArrayBuffer): Frame | null {
  if (data.byteLength < HEADER_BYTES) return null;
  const header = new DataView(data, 0, HEADER_BYTES);
  const tile = header.getUint8(1);
  if (header.getUint8(0) !== VERSION || (tile !== 0 && tile !== 1)) return null;
  const width = header.getUint16(2, true);
  const height = header.getUint16(4, true);
  const planes = new Uint8Array(data, HEADER_BYTES);
  if (width !== 0 && planes.byteLength < i420Bytes(width, height)) return null;
  return { tile, width, height, at: Number(header.getBigUint64(8, true)), planes };
}

/** Size of an I420 picture. */
export function i420Bytes(width: number, height: number): number {
  return width * height + 2 * chroma(width) * chroma(height);
}

function chroma(length: number): number {
  return (length + 1) >> 1;
}

/** BT.601, limited range, for webviews without `VideoFrame`. */
export function i420ToRgba(frame: Frame, rgba: Uint8ClampedArray): void {
  const { width, height, planes } = frame;
  const half = chroma(width);
  const uStart = width * height;
  const vStart = uStart + half * chroma(height);
  let out = 0;
  for (let y = 0; y < height; y += 1) {
    const row = y * width;
    const chromaRow = (y >> 1) * half;
    for (let x = 0; x < width; x += 1) {
      const luma = 1.164 * ((planes[row + x] ?? 0) - 16);
      const u = (planes[uStart + chromaRow + (x >> 1)] ?? 128) - 128;
      const v = (planes[vStart + chromaRow + (x >> 1)] ?? 128) - 128;
      rgba[out] = luma + 1.596 * v;
      rgba[out + 1] = luma - 0.392 * u - 0.813 * v;
      rgba[out + 2] = luma + 2.017 * u;
      rgba[out + 3] = 255;
      out += 4;
    }
  }
}
