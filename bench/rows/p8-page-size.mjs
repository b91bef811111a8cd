// P8: what the customer's pages load, by a fresh browser's own network log.
import { Customer } from '../../tests/lib/customer.mjs';
import { openChromium } from '../lib/chromium.mjs';
import { round } from '../lib/statistics.mjs';

const goal = '<= 40 KB gzip, <= 5 requests, 0 third-party origins';

export default {
  id: 'P8',
  order: 8,
  title: "the customer's pages",
  goal,
  deadline_s: 120,
  async run(world) {
    await world.network.set({});
    const sightline = await world.sightline();
    const url = await sightline.invite();
    const pages = {};
    try {
      for (const [name, address] of [['link', url], ['chat', `${sightline.server.url}/chat`]]) pages[name] = await load(world, address);
    } finally {
      await sightline.cancel();
    }
    return {
      lines: Object.entries(pages).map(([name, { requests, bytes, foreign }]) => ({
        row: 'P8',
        what: `${name} page, first load`,
        ours: `${round(bytes / 1024, 1)} KB in ${requests.length} requests, ${foreign.length} third-party`,
        goal,
        met: bytes <= 40 * 1024 && requests.length <= 5 && foreign.length === 0,
      })),
      measured: pages,
    };
  },
};

async function load(world, address) {
  const browser = await openChromium({ prefix: world.network.inB });
  try {
    const context = await browser.newContext();
    const customer = new Customer({ context, page: await context.newPage(), faults: [] });
    const session = await context.newCDPSession(customer.page);
    const requests = new Map();
    session.on('Network.requestWillBeSent', ({ requestId, request }) => request.url.startsWith('data:') || requests.set(requestId, { url: request.url, bytes: 0 }));
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      if (requests.has(requestId)) requests.get(requestId).bytes = encodedDataLength;
    });
    await session.send('Network.enable');
    await customer.page.goto(address, { waitUntil: 'networkidle' });
    const all = [...requests.values()];
    const own = new URL(address).origin;
    return { requests: all, bytes: all.reduce((sum, { bytes }) => sum + bytes, 0), foreign: all.filter(({ url }) => new URL(url).origin !== own) };
  } finally {
    await browser.close();
  }
}
