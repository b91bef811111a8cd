// C: Chromium to Chromium over bench/pages/peer.html. The agent's browser stays open, as the desk does; the
// customer's is a fresh process for each sample.
import { until } from '../../tests/lib/wait.mjs';
import { connectionStats, keepConnections, openChromium } from './chromium.mjs';

let rooms = 0;

export async function startPeer({ network, pages, footage, display, sound }) {
  const browser = await openChromium({ footage, display, sound });
  return {
    browser,

    /** A call from the link to both pictures, or a failure. With `keep` it goes on until `end` is called. */
    async call({ warm = false, within = 15_000, init } = {}) {
      const room = `r${++rooms}`;
      const open = async (browser, role, options = {}) => {
        const context = await browser.newContext(options);
        await context.addInitScript(keepConnections);
        if (init) await context.addInitScript(...init);
        const page = await context.newPage();
        await page.goto(`${pages.url}/peer.html?role=${role}&room=${room}${warm ? '&warm=1' : ''}`);
        await page.waitForFunction(() => window.diary?.ready, null, { polling: 50, timeout: within });
        return page;
      };
      const customerBrowser = await openChromium({ prefix: network.inB, footage });
      let agent;
      const end = async () => {
        await customerBrowser.close();
        await agent?.context().close();
      };
      try {
        agent = await open(browser, 'agent', display ? { viewport: null } : {});
        const customer = await open(customerBrowser, 'customer');
        await customer.click('#join');
        const diaries = await until('both pages show the other side', async () => {
          const both = [await diary(agent), await diary(customer)];
          const wrong = both.find(({ error }) => error);
          if (wrong) throw new Error(wrong.error);
          return both.every(({ first_frame_at: at }) => at) && both;
        }, { within, every: 250 });
        const [agentSaw, customerSaw] = diaries;
        return {
          agent_ms: agentSaw.first_frame_at - customerSaw.accept_at,
          customer_ms: customerSaw.first_frame_at - customerSaw.accept_at,
          pages: { agent, customer },
          stats: (side) => ({ agent, customer })[side].evaluate(connectionStats),
          customerBrowser,
          end,
        };
      } catch (error) {
        await end();
        throw error;
      }
    },

    close: () => browser.close(),
  };
}

const diary = (page) => page.evaluate(() => ({ ...window.diary }));
