// A virtual X display whose picture can be read at any moment: Xvfb keeps its frame buffer in a file in XWD format.
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { png } from './png.mjs';
import { start, stop } from './process.mjs';
import { temporaryFolder } from './paths.mjs';
import { age, decode } from './barcode.mjs';
import { pause } from './wait.mjs';

export async function startDisplay({ width = 1280, height = 800 } = {}) {
  const folder = temporaryFolder('display');
  const child = start('Xvfb', ['-displayfd', '3', '-screen', '0', `${width}x${height}x24`, '-fbdir', folder, '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const number = await displayNumber(child);
  const screen = openScreen(join(folder, 'Xvfb_screen0'));
  return {
    name: `:${number}`,
    pid: child.pid,
    env: { DISPLAY: `:${number}` },
    ...screen,
    close: async () => {
      screen.close();
      await stop(child);
    },
  };
}

/** Xvfb picks a free number and writes it once it accepts connections. */
const displayNumber = (child) =>
  new Promise((resolve, reject) => {
    let text = '';
    child.stdio[3].on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(Number(text));
    });
    child.exited.then(() => reject(new Error('Xvfb ended before it had a display')));
  });

/** Reads rows of the frame buffer file: a header of big-endian words, a colour map, then the pixels (BGRX). */
function openScreen(path) {
  const file = openSync(path, 'r');
  const header = Buffer.alloc(100);
  readSync(file, header, 0, 100, 0);
  const word = (index) => header.readUInt32BE(index * 4);
  const [width, height, stride] = [word(4), word(5), word(12)];
  const pixels = word(0) + word(19) * 12;

  const line = (y) => {
    const bytes = Buffer.alloc(stride);
    readSync(file, bytes, 0, stride, pixels + y * stride);
    return bytes;
  };

  /** The time barcode of a picture shown in `rect`, or null. */
  const readBarcode = (rect) => {
    const lines = new Map();
    const now = Date.now();
    const time = decode((x, y) => {
      const px = Math.round(rect.x + x * rect.width);
      const py = Math.round(rect.y + y * rect.height);
      if (px < 0 || py < 0 || px >= width || py >= height) return 0;
      if (!lines.has(py)) lines.set(py, line(py));
      const bytes = lines.get(py);
      return bytes[px * 4] * 0.114 + bytes[px * 4 + 1] * 0.587 + bytes[px * 4 + 2] * 0.299;
    });
    return time === null ? null : { time, age: age(time, now) };
  };

  /** The colour of a spot, for "is there a picture at all". */
  const colourAt = (x, y) => {
    const bytes = line(Math.round(y));
    const at = Math.round(x) * 4;
    return [bytes[at + 2], bytes[at + 1], bytes[at]];
  };

  return {
    width,
    height,
    readBarcode,

    /** Samples a moving picture: the ages of its frames, one per new frame, and how many different ones were seen. */
    async watchBarcode(rect, { lasting = 2000, every = 8 } = {}) {
      const ages = [];
      let last = null;
      for (const end = Date.now() + lasting; Date.now() < end; ) {
        const seen = readBarcode(rect);
        if (seen && seen.time !== last) {
          ages.push(seen.age);
          last = seen.time;
        }
        await pause(every);
      }
      return ages;
    },

    /**
     * Follows a moving picture until the returned function is called: how many frames were seen, and the longest
     * time in ms without a new one. `where` is asked again and again, because what is above may push it down.
     */
    followBarcode(where, { every = 8 } = {}) {
      let following = true;
      const times = [Date.now()];
      const watch = (async () => {
        let [rect, found, last] = [await where(), Date.now(), null];
        while (following) {
          if (Date.now() - found > 400) [rect, found] = [await where(), Date.now()];
          const seen = readBarcode(rect);
          if (seen && seen.time !== last) {
            times.push(Date.now());
            last = seen.time;
          }
          await pause(every);
        }
      })();
      return async () => {
        following = false;
        await watch;
        times.push(Date.now());
        return { frames: times.length - 2, longestGap: Math.max(...times.slice(1).map((time, n) => time - times[n])) };
      };
    },

    colourAt,

    /** The colours that a spot takes for a while, each change once. */
    async watchColour(x, y, { lasting = 2000, every = 8 } = {}) {
      const colours = [];
      for (const end = Date.now() + lasting; Date.now() < end; ) {
        const colour = colourAt(x, y);
        if (String(colour) !== String(colours.at(-1))) colours.push(colour);
        await pause(every);
      }
      return colours;
    },

    /** The whole screen, native picture included, as a PNG file. */
    save(target) {
      const rgb = Buffer.alloc(width * height * 3);
      for (let y = 0, out = 0; y < height; y++) {
        const bytes = line(y);
        for (let x = 0; x < width; x++, out += 3) {
          rgb[out] = bytes[x * 4 + 2];
          rgb[out + 1] = bytes[x * 4 + 1];
          rgb[out + 2] = bytes[x * 4];
        }
      }
      writeFileSync(target, png(width, height, rgb));
    },

    /** The luma of a grid of spots, to tell whether the screen looks as it did before. */
    glance(step = 6) {
      const seen = [];
      for (let y = 0; y < height; y += step) {
        const bytes = line(y);
        for (let x = 0; x < width; x += step) seen.push(bytes[x * 4 + 1]);
      }
      return Uint8Array.from(seen);
    },

    close: () => closeSync(file),
  };
}
