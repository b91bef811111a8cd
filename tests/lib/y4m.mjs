// Pictures as a Y4M file, which the desk offers as a camera and shows over and over.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Each picture in RGBA, four bytes a pixel; sizes must be even. */
export function writeY4m(path, width, height, ...pictures) {
  mkdirSync(dirname(path), { recursive: true });
  const header = Buffer.from(`YUV4MPEG2 W${width} H${height} F30:1 Ip A1:1 C420\n`);
  const frames = pictures.flatMap((rgba) => [Buffer.from('FRAME\n'), ...planes(width, height, rgba)]);
  writeFileSync(path, Buffer.concat([header, ...frames]));
}

/** A camera that passes a self-test: 720p, bright, and with another grain in each picture, as every real camera has it. */
export function writeCamera(path) {
  const [width, height] = [1280, 720];
  const pictures = [1, 2, 3, 4].map(() => {
    const grain = randomBytes(width * height);
    const rgba = Buffer.alloc(width * height * 4, 255);
    for (let at = 0; at < grain.length; at++) rgba.fill(60 + ((at % width) * 100) / width + (grain[at] & 15), at * 4, at * 4 + 3);
    return rgba;
  });
  writeY4m(path, width, height, ...pictures);
}

function planes(width, height, rgba) {
  const luma = Buffer.alloc(width * height);
  const [u, v] = [Buffer.alloc((width * height) / 4), Buffer.alloc((width * height) / 4)];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [r, g, b] = rgba.subarray((y * width + x) * 4, (y * width + x) * 4 + 3);
      luma[y * width + x] = 16 + (65.7 * r + 129.1 * g + 25.1 * b) / 256;
      if (y % 2 || x % 2) continue;
      const at = (y / 2) * (width / 2) + x / 2;
      u[at] = 128 + (-37.9 * r - 74.5 * g + 112.4 * b) / 256;
      v[at] = 128 + (112.4 * r - 94.1 * g - 18.3 * b) / 256;
    }
  }
  return [luma, u, v];
}
