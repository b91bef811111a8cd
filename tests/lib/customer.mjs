// The customer: what a person does in the pages, whatever the browser. Chromium unless a test asks for Firefox.
import { countFrames, countedFrames, hearRemote, remoteColour, watchRemote } from './customer-page.mjs';
import { until } from './wait.mjs';

/** What the test camera and microphone are when a test does not say. */
const DEVICES = { devices: 'both', tone: 440, width: 720, height: 960, barcode: true };

const starters = {
  chromium: async (env, args) => (await import('./chromium.mjs')).startChromium(args),
  firefox: async (env) => (await import('./firefox.mjs')).startFirefox(env),
};

/** Chromium at once, with these `args` too; another browser when the first customer wants it. */
export async function startBrowser({ env = {}, args = [] } = {}) {
  const running = new Map();
  const started = (name) => {
    if (!running.has(name)) running.set(name, starters[name](env, args));
    return running.get(name);
  };
  await started('chromium');
  return {
    /** A customer in a fresh profile: `{ browser: 'firefox' }` for the other browser. */
    customer: async ({ browser = 'chromium', ...options } = {}) => (await started(browser)).customer({ ...DEVICES, ...options }),
    /** All processes of Chromium. */
    pids: async () => (await started('chromium')).pids(),
    close: () => Promise.all([...running.values()].map(async (browser) => (await browser).close())),
  };
}

/**
 * A page and the person before it. Each browser brings: open, reload, evaluate, appears, has, click, fill, sees,
 * screenshot, close.
 */
export class Customer {
  constructor(parts) {
    Object.assign(this, parts);
  }

  async send(text) {
    await this.fill('Message', text);
    await this.click('Send');
  }

  /** Opens the web chat and writes the first message. */
  async startChat(url, { name, text }) {
    await this.open(url);
    await this.fill('Your name (optional)', name);
    await this.send(text);
    await this.sees(text);
  }

  /** From the newest invite card in the chat to the preview. */
  async openInvite() {
    await this.click('Join');
    await this.appears('Join with video');
  }

  /** Looks at herself before joining. */
  async preview() {
    await this.click('Turn on camera');
    await until('the preview shows a picture', () => this.evaluate(() => document.querySelector('.preview-video')?.videoWidth > 0));
  }

  /** Answers the survey with thumbs. */
  async rate(verdict, comment = '') {
    await this.click(verdict === 'up' ? 'Good' : 'Not good');
    if (comment) await this.fill('Anything to add? (optional)', comment);
    await this.click('Send feedback');
    await this.sees(/thank you/i);
  }

  state() {
    return this.evaluate(() => document.documentElement.dataset.callState ?? null);
  }

  reaches(state, within = 15_000) {
    return until(`the customer's page is ${state}`, async () => (await this.state()) === state, { within });
  }

  /** The page's own diary of the call. */
  diary() {
    return this.evaluate(() => ({ ...window.sightline }));
  }

  watch(lasting = 2000) {
    return this.evaluate(watchRemote, { lasting });
  }

  /** Follows the picture until the returned function is called: how many frames, and the longest time without. */
  async follow() {
    await this.evaluate(countFrames);
    return () => this.evaluate(countedFrames);
  }

  async hears(tone, { within = 8000, atLeast = 0.3 } = {}) {
    return (await this.evaluate(hearRemote, { tone, lasting: within, atLeast })) >= atLeast;
  }

  /** The picture turns this colour, or close to it. */
  seesColour(wanted, within = 12_000) {
    return until(
      `the page shows the colour ${wanted}`,
      async () => (await this.evaluate(remoteColour))?.every((value, n) => Math.abs(value - wanted[n]) < 40),
      { within },
    );
  }

  /** The words are no longer on the page. */
  misses(text, within = 8000) {
    return until(`the page no longer shows ${text}`, async () => !text.test(await this.evaluate(() => document.body.innerText)), { within });
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
    await this.appears('Rejoin', 'Join with video');
    await this.click((await this.has('Rejoin')) ? 'Rejoin' : 'Join with video');
  }
}
