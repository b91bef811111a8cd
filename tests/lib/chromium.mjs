// A customer in Chromium: each is a context of its own (own cookies, own storage) in one browser.
import { chromium } from 'playwright-core';
import { Customer } from './customer.mjs';
import { installDevices } from './customer-page.mjs';
import { nameOf, tree } from './proc.mjs';

const args = [
  '--no-sandbox',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-gpu',
  // A page that no window shows would be slowed down.
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** A Chromium of its own; `options` are Playwright's, and `args` come on top of ours. */
export const launchChromium = (options = {}) =>
  chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, ...options, args: [...args, ...(options.args ?? [])] });

export async function startChromium(args = []) {
  const browser = await launchChromium({ args });
  return {
    /** A customer in a fresh browser profile; `prepare` gets the page before the product does. */
    async customer({ viewport = { width: 1100, height: 760 }, prepare, ...devices } = {}) {
      const context = await browser.newContext({ viewport, locale: 'en-GB' });
      context.setDefaultTimeout(15_000);
      await context.addInitScript(installDevices, devices);
      const page = await context.newPage();
      await prepare?.(page);
      const faults = [];
      page.on('pageerror', (error) => faults.push(error.message));
      return new ChromiumCustomer({ context, page, faults });
    },
    /** All processes of this browser. */
    pids: () => tree(process.pid).filter((pid) => nameOf(pid) === 'chromium'),
    close: () => browser.close(),
  };
}

export class ChromiumCustomer extends Customer {
  open(url) {
    return this.page.goto(url);
  }

  reload() {
    return this.page.reload();
  }

  /** Another tab of the same browser. */
  async newTab() {
    const page = await this.context.newPage();
    return new ChromiumCustomer({ context: this.context, page, faults: this.faults });
  }

  evaluate(body, argument) {
    return this.page.evaluate(body, argument);
  }

  appears(...names) {
    const [first, ...others] = names.map((name) => this.page.getByRole('button', { name, exact: true }));
    return others.reduce((all, next) => all.or(next), first).first().waitFor();
  }

  async has(name) {
    return (await this.page.getByRole('button', { name, exact: true }).count()) > 0;
  }

  click(name) {
    return this.page.getByRole('button', { name, exact: true }).click();
  }

  fill(name, text) {
    return this.page.getByRole('textbox', { name, exact: true }).fill(text);
  }

  sees(text, timeout = 8000) {
    return this.page.getByText(text).first().waitFor({ timeout });
  }

  screenshot(path) {
    return this.page.screenshot({ path });
  }

  /** The tab dies as when its process is killed: no farewell from the page. */
  async crash() {
    const session = await this.context.newCDPSession(this.page);
    session.send('Page.crash').catch(() => {});
    await this.page.waitForEvent('crash').catch(() => {});
  }

  /** The network goes and comes back, for everything that is not media. */
  offline(gone) {
    return this.context.setOffline(gone);
  }

  close() {
    return this.context.close();
  }
}
