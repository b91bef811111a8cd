// Everything a test needs, started together and ended in the opposite order.
import { startBrowser } from './customer.mjs';
import { openDesk } from './desk.mjs';
import { startDisplay } from './display.mjs';
import { startServer } from './server.mjs';
import { startSound } from './sound.mjs';

export async function startWorld({ serverEnv, browserArgs } = {}) {
  const closers = [];
  const keep = (part) => {
    closers.push(() => part.close());
    return part;
  };
  const close = async () => {
    while (closers.length) await closers.pop()().catch(() => {});
  };
  try {
    const sound = keep(await startSound());
    const [display, server, browser] = await Promise.all([
      startDisplay().then(keep),
      startServer({ env: serverEnv }).then(keep),
      startBrowser({ env: sound.customerEnv, args: browserArgs }).then(keep),
    ]);
    return {
      display,
      sound,
      server,
      browser,
      /** A window; the test closes it itself when it wants another one first. */
      desk: async (options = {}) => keep(await openDesk({ display, sound, server, ...options })),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
