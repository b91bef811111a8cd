// What rows share: the network, the display, the sound device, and each side of the comparison, started when first
// asked for.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { startDisplay } from '../../tests/lib/display.mjs';
import { startSound } from '../../tests/lib/sound.mjs';
import { trust, windowSize } from './chromium.mjs';
import { withDeadline } from './deadline.mjs';
import { writeFootage } from './footage.mjs';
import { startJanus } from './janus.mjs';
import { startNetwork } from './network.mjs';
import { servePages } from './pages.mjs';
import { startPeer } from './peer.mjs';
import { startSightline } from './sightline.mjs';

/** `needs` is what the chosen rows want from joins.mjs: [{ condition, sides }]. */
export async function startWorld(options, needs, progress) {
  const network = await startNetwork();
  const [display, sound, pages] = await Promise.all([startDisplay(windowSize), startSound(), servePages()]);
  trust(pages.port);
  mkdirSync(join(tmpdir(), 'media'));
  const footage = writeFootage(join(tmpdir(), 'media', 'person.y4m'));
  const shared = { network, display, sound, pages, footage };

  /** Parts by name: promises, so that two askers start one. */
  const parts = new Map();
  const part = (name, begin) => () => {
    if (!parts.has(name)) {
      const starting = withDeadline(begin(), 90_000, `the start of ${name}`);
      // One that did not start is tried anew by the next row.
      starting.catch(() => parts.delete(name));
      parts.set(name, starting);
    }
    return parts.get(name);
  };

  return {
    options,
    progress,
    ...shared,
    needs,
    joins: new Map(),
    warmedUp: new Set(),
    /** Of joins, C's browser is headless: it then needs no time to draw, which favours it. */
    sightline: part('sightline', () => startSightline(shared)),
    peer: part('peer', () => startPeer({ network, pages, footage })),
    janus: part('janus', () => startJanus(shared)),

    /** Ends both sides, for rows that want a machine to themselves. */
    async clear() {
      const running = [...parts.values()];
      parts.clear();
      this.warmedUp.clear();
      for (const starting of running) {
        const started = await starting.catch(() => null);
        await withDeadline(started?.close(), 20_000, 'closing').catch(() => {});
      }
    },

    shared,
  };
}
