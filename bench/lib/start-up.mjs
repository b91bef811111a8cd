// How long the desk takes from the start of its process to a console that looks as it does when everything has
// settled. The display itself is watched, so nothing slows the start down.
import { join } from 'node:path';
import { openDesk } from '../../tests/lib/desk.mjs';
import { binary, output, temporaryFolder } from '../../tests/lib/paths.mjs';
import { start, stop } from '../../tests/lib/process.mjs';
import { startServer } from '../../tests/lib/server.mjs';
import { until } from '../../tests/lib/wait.mjs';
import { hostA } from './network.mjs';

/** A pixel this much darker or lighter is another one; this share may differ (a clock, a caret, "online"). */
const TOLERANCE = 8;
const MAY_DIFFER = 0.005;
const STILL_MS = 2000;

export async function startTimes(world) {
  const { display, sound } = world;
  await world.clear();
  const server = await startServer({ env: { SIGHTLINE_BIND: `${hostA}:0` } });
  const data = temporaryFolder('start');
  try {
    const desk = await openDesk({ display, sound, server, data });
    await desk.signIn(server.agent);
    await desk.close();

    const run = () =>
      start(binary('sightline'), [], {
        env: {
          ...display.env, ...sound.env, SIGHTLINE_SERVER: server.url, SIGHTLINE_DATA_DIR: data,
          XDG_DATA_HOME: join(data, 'xdg-data'), XDG_CONFIG_HOME: join(data, 'xdg-config'),
        },
        log: join(data, 'desk.log'),
      });
    // Without a window the display is black.
    const empty = new Uint8Array(display.glance().length);
    const gone = () => until('the last window is gone', () => differs(display.glance(), empty) <= MAY_DIFFER, { every: 20 });
    await gone();
    const first = run();
    const settled = await settledScreen(display, empty);
    display.save(output('bench', 'P7-started.png'));
    await stop(first);

    const starts = [];
    for (let n = 0; n < Math.min(world.options.n, 12); n++) {
      await gone();
      const began = Date.now();
      const child = run();
      try {
        await until('the console is there', () => differs(display.glance(), settled) <= MAY_DIFFER, { every: 4 });
        starts.push({ shown_ms: Date.now() - began });
      } catch (error) {
        starts.push({ failed: error.message });
      }
      await stop(child);
    }
    return starts;
  } finally {
    await server.close();
  }
}

/** The screen once it shows something and has not changed for a while. */
async function settledScreen(display, empty) {
  let last = empty;
  let since = Date.now();
  await until('the window has settled', () => {
    const now = display.glance();
    if (differs(now, last) > 0.001) since = Date.now();
    last = now;
    return differs(now, empty) > 0.05 && Date.now() - since > STILL_MS;
  }, { within: 30_000, every: 100 });
  return last;
}

function differs(a, b) {
  let count = 0;
  for (let n = 0; n < a.length; n++) if (Math.abs(a[n] - b[n]) > TOLERANCE) count += 1;
  return count / a.length;
}
