// The picture that both sides' cameras show: a person-sized shape that sways before a textured wall, with a sensor's
// grain. Made from nothing, the same bytes every time; it loops without a seam. Static test patterns would flatter
// every encoder: with this one 720p30 can use any rate the goals speak of.
import { closeSync, openSync, writeSync } from 'node:fs';

export const size = { width: 1280, height: 720, fps: 30 };
const frames = 60;

/** Numbers that repeat with their seed (mulberry32). */
function chance(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Smooth noise at several scales, as a wall or a cloth has. */
function texture(width, height, seed) {
  const out = new Float32Array(width * height);
  for (const [cell, depth] of [[128, 38], [48, 22], [16, 12], [6, 7]]) {
    const random = chance(seed + cell);
    const columns = Math.ceil(width / cell) + 2;
    const grid = Float32Array.from({ length: columns * (Math.ceil(height / cell) + 2) }, () => random() - 0.5);
    for (let y = 0; y < height; y++) {
      const [row, fy] = [Math.floor(y / cell), (y % cell) / cell];
      for (let x = 0; x < width; x++) {
        const [column, fx] = [Math.floor(x / cell), (x % cell) / cell];
        const at = row * columns + column;
        const top = grid[at] + (grid[at + 1] - grid[at]) * fx;
        const bottom = grid[at + columns] + (grid[at + columns + 1] - grid[at + columns]) * fx;
        out[y * width + x] += depth * (top + (bottom - top) * fy);
      }
    }
  }
  return out;
}

export function writeFootage(path) {
  const { width, height, fps } = size;
  const wall = texture(width, height, 7);
  const cloth = texture(width, height, 99);
  const random = chance(3);
  const grain = Int8Array.from({ length: 1 << 20 }, () => Math.round((random() + random() + random() - 1.5) * 4));
  const file = openSync(path, 'w');
  writeSync(file, `YUV4MPEG2 W${width} H${height} F${fps}:1 Ip A1:1 C420jpeg\n`);
  const luma = Buffer.alloc(width * height);
  const chroma = Buffer.alloc((width * height) / 2, 128);
  for (let n = 0; n < frames; n++) {
    const turn = (2 * Math.PI * n) / frames;
    const [dx, dy] = [Math.round(24 * Math.sin(turn)), Math.round(6 * Math.sin(2 * turn))];
    const [cx, cy] = [width / 2 + dx, height * 0.42 + dy];
    const offset = (n * 104_729) % (1 << 20);
    for (let y = 0; y < height; y++) {
      const head = ((y - cy) / 190) ** 2;
      const body = ((y - height - dy) / 260) ** 2;
      for (let x = 0; x < width; x++) {
        const at = y * width + x;
        const inside = head + ((x - cx) / 140) ** 2 < 1 || body + ((x - cx) / 400) ** 2 < 1;
        const base = inside
          ? 150 + cloth[Math.min(height - 1, Math.max(0, y - dy)) * width + Math.min(width - 1, Math.max(0, x - dx))]
          : 95 + wall[at];
        luma[at] = Math.max(16, Math.min(235, base + grain[(at + offset) & 0xfffff]));
      }
    }
    writeSync(file, 'FRAME\n');
    writeSync(file, luma);
    writeSync(file, chroma);
  }
  closeSync(file);
  return path;
}
