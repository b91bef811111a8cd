// C: Chromium to Chromium over bench/pages/peer.html. The agent's browser stays open, as the desk does; the
// customer's is a fresh process for each sample.
import { until } from '../../tests/lib/wait.mjs';
import { connectionStats, keepConnections, openChromium } from './chromium.mjs';

let rooms = 0;

export async function startPeer({ network, pages, footage, display, sound, args }) {
  const browser = await openChromium({ footage, display, sound, args });
  return {
    call: ({ warm = false, preview = false, ...options } = {}) => {
      const url = `${pages.url}/peer.html?room=r${++rooms}${warm ? '&warm=1' : ''}${preview ? '&preview=1' : ''}`;
      return callOverPage({ network, footage, browser, url, windowed: Boolean(display), ...options });
    },
    /** The agent's camera off or on, in a call. */
    camera: (call, on) => call.camera(on),
    close: () => browser.close(),
  };
}

/**
 * A call between two browsers from the link to both pictures, or a failure; it goes on until `end` is called.
 * `init` is a script, with its argument, that runs in the customer's page before its own code.
 */
export async function callOverPage({ network, footage, browser, url, windowed = false, within = 15_000, init }) {
  const open = async (browser, role, options = {}) => {
    const context = await browser.newContext(options);
    await context.addInitScript(keepConnections);
    if (init && role === 'customer') await context.addInitScript(...init);
    const page = await context.newPage();
    await page.goto(`${url}&role=${role}`);
    await page.waitForFunction(() => window.diary?.ready || window.diary?.error, null, { polling: 50, timeout: within });
    return page;
  };
  const customerBrowser = await openChromium({ prefix: network.inB, footage });
  let agent;
  const end = async () => {
    await customerBrowser.close();
    await agent?.context().close();
  };
  try {
    agent = await open(browser, 'agent', windowed ? { viewport: null } : {});
    const customer = await open(customerBrowser, 'customer');
    await customer.click('#join');
    const [agentSaw, customerSaw] = await until('both pages show the other side', async () => {
      const both = [await diary(agent), await diary(customer)];
      return both.every(({ first_frame_at: at }) => at) && both;
    }, { within, every: 250 }).catch(async (error) => {
      const reasons = [await diary(agent), await diary(customer)].map((one) => one.error).filter(Boolean);
      throw reasons.length ? new Error(reasons.join('; ')) : error;
    });
    return {
      agent_ms: agentSaw.first_frame_at - customerSaw.accept_at,
      customer_ms: customerSaw.first_frame_at - customerSaw.accept_at,
      tapped_at: customerSaw.accept_at,
      /** Shows the customer's picture to the agent at this size, as the desk does. */
      fit: ({ width, height }) => agent.addStyleTag({ content: `#remote { width: ${width}px; height: ${height}px }` }),
      /** Where it is on the display. */
      place: () => agent.evaluate(() => {
        const { x, y, width, height } = document.querySelector('#remote').getBoundingClientRect();
        const chrome = { x: (outerWidth - innerWidth) / 2, y: outerHeight - innerHeight };
        return { x: screenX + chrome.x + x, y: screenY + chrome.y + y, width, height };
      }),
      /** As a page does that mutes its camera: the sender's encoding pauses. */
      camera: (on) => agent.evaluate(async (on) => {
        const sender = window.__connections.at(-1).getSenders().find(({ track }) => track?.kind === 'video');
        const parameters = sender.getParameters();
        parameters.encodings[0].active = on;
        await sender.setParameters(parameters);
      }, on),
      sound: async () => ({ agent: (await agent.evaluate(connectionStats)).audio_in, customer: (await customer.evaluate(connectionStats)).audio_in }),
      stats: (side = 'customer') => ({ agent, customer })[side].evaluate(connectionStats),
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

const diary = (page) => page.evaluate(() => ({ ...window.diary }));
