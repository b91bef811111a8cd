// A customer in Debian's Firefox, driven over WebDriver BiDi. Each customer is a user context of its own.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findByRole, visibleNames } from './accessible.mjs';
import { connect, Tab } from './bidi.mjs';
import { Customer } from './customer.mjs';
import { installDevices } from './customer-page.mjs';
import { temporaryFolder } from './paths.mjs';
import { firstLine, start, stop } from './process.mjs';
import { until } from './wait.mjs';

/** The browser's own fake devices speak this tone. */
const TONE = 440;

const preferences = {
  // Its own moving colour and a tone instead of a camera and a microphone, without asking.
  'media.navigator.streams.fake': true,
  'media.navigator.audio.fake_frequency': TONE,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  // Nothing of its own on the network: no updates, no add-ons, no portal check, no reports.
  'app.update.disabledForTesting': true,
  'browser.aboutwelcome.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.search.update': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.getAddons.cache.enabled': false,
  'extensions.update.enabled': false,
  'media.gmp-manager.updateEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.enabled': false,
  // A window that nobody looks at is not slowed down.
  'dom.min_background_timeout_value': 4,
  'widget.windows.window_occlusion_tracking.enabled': false,
};

/** Without a sound server in `env` its audio clock stands still. */
export async function startFirefox(env) {
  const profile = temporaryFolder('firefox');
  const lines = Object.entries(preferences).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`);
  writeFileSync(join(profile, 'user.js'), lines.join('\n'));
  const child = start(
    '/usr/bin/firefox-esr',
    ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'],
    { env: { ...env, HOME: profile, MOZ_DISABLE_AUTO_SAFE_MODE: '1' }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  // It says where it listens on standard error.
  child.stdout = child.stderr;
  const address = await firstLine(child, 'Firefox', (line) => /BiDi listening on (ws:\S+)/.exec(line)?.[1], 60_000);
  child.stderr.resume();
  const bidi = await connect(`${address}/session`);
  const faults = new Map();
  await bidi.subscribe(['log.entryAdded'], (_, { type, source, text }) => {
    if (type === 'javascript') faults.get(source.context)?.push(text);
  });
  return {
    pid: child.pid,

    /** A customer with storage and cookies of its own. `devices: 'browser'` are Firefox's own fake ones. */
    async customer({ viewport = { width: 1100, height: 760 }, ...devices } = {}) {
      const { userContext } = await bidi.send('browser.createUserContext');
      await bidi.send('script.addPreloadScript', {
        functionDeclaration: `() => (${installDevices})(${JSON.stringify(devices)})`,
        userContexts: [userContext],
      });
      const { context } = await bidi.send('browsingContext.create', { type: 'tab', userContext });
      await bidi.send('browsingContext.setViewport', { context, viewport });
      faults.set(context, []);
      return new FirefoxCustomer({ tab: new Tab(bidi, context), userContext, faults: faults.get(context) });
    },

    async close() {
      bidi.close();
      await stop(child);
    },
  };
}

class FirefoxCustomer extends Customer {
  open(url) {
    return this.tab.open(url);
  }

  reload() {
    return this.tab.reload();
  }

  evaluate(body, argument) {
    return this.tab.evaluate(body, argument);
  }

  async has(name) {
    return (await this.tab.find(findByRole, 'button', name, true)) !== null;
  }

  appears(...names) {
    return until(`the page shows ${names.join(' or ')}`, async () => {
      for (const name of names) if (await this.has(name)) return true;
      return false;
    });
  }

  async click(name) {
    const button = await this.find('button', name);
    await this.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    await this.tab.click(button);
  }

  async fill(name, text) {
    await this.tab.click(await this.find('textbox', name));
    await this.tab.type(text);
  }

  /** By accessible name, once it can be used. */
  async find(role, name) {
    try {
      return await until(`the page shows ${role} "${name}"`, () => this.tab.find(findByRole, role, name, true));
    } catch (error) {
      throw new Error(`${error.message}; there is: ${await this.evaluate(visibleNames).catch(() => 'nothing')}`);
    }
  }

  sees(text, within = 8000) {
    const wanted = text instanceof RegExp ? text : new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i');
    return until(`the page shows ${wanted}`, async () => wanted.test(await this.evaluate(() => document.body.innerText)), { within });
  }

  async screenshot(path) {
    writeFileSync(path, await this.tab.screenshot());
  }

  async close() {
    await this.tab.bidi.send('browser.removeUserContext', { userContext: this.userContext });
  }
}
