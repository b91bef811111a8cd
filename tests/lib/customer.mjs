// The customer: a real Chromium, in which each customer is a context of its own (own cookies, own storage).
import { chromium } from 'playwright-core';
import { hearRemote, installDevices, watchRemote } from './customer-page.mjs';
import { until } from './wait.mjs';

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

export async function startBrowser() {
  const browser = await launchChromium();
  return {
    /** A customer in a fresh browser profile. */
    async customer(options = {}) {
      return openCustomer(browser, options);
    },
    close: () => browser.close(),
  };
}

async function openCustomer(
  browser,
  { devices = 'both', tone = 440, width = 720, height = 960, barcode = true, viewport = { width: 1100, height: 760 } } = {},
) {
  const context = await browser.newContext({ viewport, locale: 'en-GB' });
  context.setDefaultTimeout(15_000);
  await context.addInitScript(installDevices, { devices, tone, width, height, barcode });
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  return new Customer({ context, page, faults });
}

export class Customer {
  constructor(parts) {
    Object.assign(this, parts);
  }

  open(url) {
    return this.page.goto(url);
  }

  /** Another tab of the same browser. */
  async newTab() {
    const page = await this.context.newPage();
    return new Customer({ context: this.context, page, faults: this.faults });
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  async click(name) {
    await this.button(name).click();
  }

  async send(text) {
    await this.page.getByRole('textbox', { name: 'Message' }).fill(text);
    await this.click('Send');
  }

  /** Opens the web chat and writes the first message. */
  async startChat(url, { name, text }) {
    await this.open(url);
    await this.page.getByRole('textbox', { name: 'Your name (optional)' }).fill(name);
    await this.send(text);
    await this.sees(text);
  }

  /** From the newest invite card in the chat to the preview. */
  async openInvite() {
    await this.button('Join').click();
    await this.button('Join with video').waitFor();
  }

  /** Answers the survey with thumbs. */
  async rate(verdict, comment = '') {
    await this.click(verdict === 'up' ? 'Good' : 'Not good');
    if (comment) await this.page.getByLabel('Anything to add?').fill(comment);
    await this.click('Send feedback');
    await this.page.getByText(/thank you/i).first().waitFor();
  }

  sees(text, timeout = 8000) {
    return this.page.getByText(text).first().waitFor({ timeout });
  }

  state() {
    return this.page.evaluate(() => document.documentElement.dataset.callState ?? null);
  }

  reaches(state, within = 15_000) {
    return until(`the customer's page is ${state}`, async () => (await this.state()) === state, { within });
  }

  /** The page's own diary of the call. */
  diary() {
    return this.page.evaluate(() => ({ ...window.sightline }));
  }

  watch(lasting = 2000) {
    return this.page.evaluate(watchRemote, { lasting });
  }

  async hears(tone, { within = 8000, atLeast = 0.3 } = {}) {
    return (await this.page.evaluate(hearRemote, { tone, lasting: within, atLeast })) >= atLeast;
  }

  /** What arrives is silence, or at least not this tone. */
  async silent(tone, lasting = 1500) {
    await until('the tone stops', async () => !(await this.hears(tone, { within: lasting })), { within: 10_000 });
  }

  /** The picture stops: no new frame for a while. */
  async stands(lasting = 1500) {
    await until('the picture stops', async () => (await this.watch(lasting)).ages.length <= 2, { within: 12_000 });
  }

  /** Back into the call after the page was lost. */
  async comeBack() {
    const rejoin = this.button('Rejoin');
    const join = this.button('Join with video');
    await rejoin.or(join).first().click();
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

  close() {
    return this.context.close();
  }
}
