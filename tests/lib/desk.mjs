// The real desk window, driven from outside through tauri-driver and WebKitWebDriver.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { findByRole, visibleNames } from './accessible.mjs';
import { freePort, start, stop } from './process.mjs';
import { binary, temporaryFolder } from './paths.mjs';
import { until } from './wait.mjs';
import { openSession } from './webdriver.mjs';

/** Opens a window on `display`; without `server` the desk runs its embedded one. */
export async function openDesk({ display, sound, server, data = temporaryFolder('desk'), env = {} }) {
  const [port, nativePort] = [await freePort(), await freePort()];
  const log = join(data, 'desk.log');
  const driver = start(
    'tauri-driver',
    ['--port', port, '--native-port', nativePort, '--native-driver', '/usr/bin/WebKitWebDriver'].map(String),
    {
      env: {
        ...display.env,
        ...sound?.env,
        // The person's own settings are neither read nor changed.
        XDG_DATA_HOME: join(data, 'xdg-data'),
        XDG_CONFIG_HOME: join(data, 'xdg-config'),
        SIGHTLINE_DATA_DIR: data,
        ...(server ? { SIGHTLINE_SERVER: server.url } : { SIGHTLINE_READINESS: 'advised' }),
        ...env,
      },
      log,
    },
  );
  const base = `http://127.0.0.1:${port}`;
  await until('tauri-driver answers', async () => (await fetch(`${base}/status`, { signal: AbortSignal.timeout(2000) })).ok);
  const session = await openSession(base, { alwaysMatch: { 'tauri:options': { application: binary('sightline') } } });
  return new Desk({ session, driver, display, data, log });
}

export class Desk {
  constructor(parts) {
    Object.assign(this, parts);
  }

  script(body, ...args) {
    return this.session.script(body, ...args);
  }

  /** Waits for an element by role and name; see `findByRole` for "~". */
  async find(role, name, { within = 10_000, enabled = false } = {}) {
    try {
      return await until(`the desk shows ${role} "${name}"`, () => this.script(findByRole, role, name, enabled), { within });
    } catch (error) {
      const there = await this.script(visibleNames).catch(() => '');
      throw new Error(`${error.message}; there is: ${there}`);
    }
  }

  async has(role, name) {
    return Boolean(await this.script(findByRole, role, name, false));
  }

  async click(role, name, options = {}) {
    await until(
      `${role} "${name}" can be clicked`,
      async () => {
        await this.session.click(await this.find(role, name, { enabled: true, ...options }));
        return true;
      },
      { within: options.within ?? 10_000 },
    );
  }

  async fill(name, text) {
    const box = await this.find('textbox', name);
    await this.session.clear(box);
    await this.session.type(box, text);
  }

  async signIn(account) {
    await this.enterPassword(account);
    await this.online();
  }

  /** Types the password; whether the desk gets online is the test's business. */
  async enterPassword({ email, password }) {
    await this.fill('E-mail', email);
    await this.fill('Password', password);
    await this.click('button', 'Sign in');
  }

  /** After a restart: whether the session was kept or the sign-in page is shown. */
  async needsSignIn() {
    const shown = await until('the desk has started', async () =>
      [await this.link()].find((state) => ['online', 'offline', 'displaced', 'signed_out'].includes(state)),
    );
    return shown === 'signed_out';
  }

  link() {
    return this.script(() => document.documentElement.dataset.link ?? null);
  }

  online(within = 15_000) {
    return until('the desk is online', async () => (await this.link()) === 'online', { within });
  }

  async send(text) {
    await this.fill('Message', text);
    await this.click('button', 'Send');
  }

  /** Until what was asked for last is on the screen: transitions over, two frames drawn. */
  settled() {
    return this.script(async () => {
      await Promise.allSettled(document.getAnimations().filter(({ effect }) => Number.isFinite(effect?.getComputedTiming().endTime)).map(({ finished }) => finished));
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    });
  }

  /** Waits for a text anywhere in the window. */
  sees(text, within = 8000) {
    return until(`the desk shows "${text}"`, () => this.script((wanted) => document.body.innerText.includes(wanted), text), { within });
  }

  /** The text is no longer anywhere in the window. */
  misses(text, within = 8000) {
    return until(`the desk no longer shows "${text}"`, () => this.script((gone) => !document.body.innerText.includes(gone), text), { within });
  }

  /** The stage's phase, or null when there is no call. */
  phase() {
    return this.script(() => document.querySelector('[data-phase]')?.dataset.phase ?? null);
  }

  reaches(phase, within = 15_000) {
    return until(`the stage is ${phase}`, async () => (await this.phase()) === phase, { within });
  }

  /** Ends the call, and is done when the stage says that it has ended. */
  async hangUp() {
    await this.click('button', 'Hang up');
    await this.reaches('ended');
  }

  /** When the first frame of the customer was drawn and how many were, as the stage says. */
  drawn() {
    return this.script(() => {
      const stage = document.querySelector('[data-phase]');
      return { firstFrameAt: Number(stage?.dataset.firstFrameAt ?? 0), frames: Number(stage?.dataset.framesDrawn ?? 0) };
    });
  }

  /** Samples of the customer's sound played since the call began, and how many of them were made up. */
  sound() {
    return this.script(() => {
      const stage = document.querySelector('[data-phase]');
      return { samples: Number(stage?.dataset.soundPlayed ?? 0), concealed: Number(stage?.dataset.soundConcealed ?? 0) };
    });
  }

  /** The stage says that the customer's page is gone and how long the seat is kept. */
  customerAway(within) {
    return this.sees("'s page is gone", within);
  }

  customerBack(within = 10_000) {
    return until("the stage no longer says that the customer is gone", () =>
      this.script(() => !document.querySelector('[data-phase]')?.innerText.includes("'s page is gone")), { within });
  }

  /** Why the video button cannot be used, as its description says; null when it can. */
  videoBlock() {
    return this.script(() => document.querySelector('#video-block')?.textContent ?? null);
  }

  /** Chooses devices in the device menu, the way an agent does; null is the system's default. */
  async chooseDevices(choices) {
    await this.click('button', 'Device settings');
    for (const [kind, name] of Object.entries(choices)) {
      const find = (kind, name) => {
        const group = [...document.querySelectorAll('[role=menu] [role=group], [role=menu] [role=radiogroup]')].find(
          (group) => group.getAttribute('aria-label')?.toLowerCase() === kind,
        );
        const items = [...(group?.querySelectorAll('[role=menuitemradio]') ?? [])];
        return (name === null ? items[0] : items.find((item) => item.textContent.trim() === name)) ?? null;
      };
      const item = await until(`the ${kind} "${name}" is in the menu`, () => this.script(find, kind, name));
      await this.session.click(item);
      await until(`the ${kind} is chosen`, () =>
        this.script((item) => item.getAttribute('aria-checked') === 'true', item),
      );
    }
    await this.session.keys('Escape');
    await until('the menu is closed', () => this.script(() => document.querySelector('[role=menu]') === null));
  }

  /** The product's own test sources: a picture with the time barcode, a tone. */
  chooseTestDevices() {
    return this.chooseDevices({ camera: 'Test picture', microphone: 'Test tone' });
  }

  /** Opens a conversation from the inbox by the customer's name. */
  async openConversation(name) {
    const find = (name) =>
      [...document.querySelectorAll('[data-conversation]')].find((row) => row.textContent.includes(name)) ?? null;
    const row = await until(`${name} is in the inbox`, () => this.script(find, name));
    await this.session.click(row);
    await until(`${name} is open`, () =>
      this.script((name) => document.querySelector('header h1')?.textContent.includes(name), name),
    );
  }

  async accept(name) {
    await this.openConversation(name);
    await this.click('button', 'Accept');
    await this.find('textbox', 'Message');
  }

  /** Asks a colleague to take the open conversation over; the dialog is open. */
  async askColleague(name, note) {
    // The field has the focus; a role of its own each engine gives it.
    await this.session.type(await this.script(() => document.querySelector('[data-testid=transfer] input')), name);
    // The rows move until what was typed has been looked for.
    const find = (name) => {
      const rows = [...document.querySelectorAll('[role=option]')];
      return rows.length === 1 && rows[0].textContent.includes(name) ? rows[0] : null;
    };
    await this.session.click(await until(`${name} can be asked`, () => this.script(find, name)));
    await this.session.type(await this.script(() => document.querySelector('[data-testid=transfer] textarea')), note);
    await this.click('button', `Ask ${name}`);
  }

  /** The id of the open conversation. */
  conversation() {
    return this.script(() => document.querySelector('[data-conversation][aria-current]')?.dataset.conversation ?? null);
  }

  async wrapUp(disposition = 'Solved') {
    await this.click('button', 'Wrap up');
    await this.closeConversation(disposition);
  }

  /** The last step of a conversation that is in wrap-up. */
  async closeConversation(disposition = 'Solved') {
    await this.click('radio', disposition);
    await this.click('button', 'Close conversation');
    await until('the conversation has left the inbox', async () => !(await this.has('button', 'Close conversation')));
  }

  /** The customer's picture on the X display: the stage's place with the letterbox of the picture taken off. */
  async picture(aspect = 3 / 4, testid = 'stage-remote') {
    const stage = await this.script((testid) => {
      const box = document.querySelector(`[data-testid=${testid}]`)?.getBoundingClientRect();
      return box && { x: box.x, y: box.y, width: box.width, height: box.height, scale: devicePixelRatio, left: screenX, top: screenY };
    }, testid);
    if (!stage) throw new Error(`the desk has no ${testid}`);
    const width = Math.min(stage.width, stage.height * aspect);
    const height = width / aspect;
    return {
      x: (stage.left + stage.x + (stage.width - width) / 2) * stage.scale,
      y: (stage.top + stage.y + (stage.height - height) / 2) * stage.scale,
      width: width * stage.scale,
      height: height * stage.scale,
    };
  }

  /** The colour on the display where a button is, a little inside its edge: what the agent really sees there. */
  async colourOf(role, name) {
    const button = await this.find(role, name);
    const at = await this.script((element) => {
      const box = element.getBoundingClientRect();
      return { x: (screenX + box.x + box.width * 0.12) * devicePixelRatio, y: (screenY + box.y + box.height / 2) * devicePixelRatio };
    }, button);
    return this.display.colourAt(at.x, at.y);
  }

  /** Buttons on the stage are not covered by the picture: the one to hang up is red on the display itself. */
  hangUpShows() {
    return until('the hang-up button is red on the display', async () => {
      const [red, green, blue] = await this.colourOf('button', 'Hang up');
      return red > 150 && green < 90 && blue < 90;
    });
  }

  /** The process of the window itself, below the drivers. */
  pid() {
    const wanted = binary('sightline');
    const parents = new Map();
    for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
        parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
      } catch {
        // It ended while we looked.
      }
    }
    const descends = (pid) => pid === this.driver.pid || (parents.has(pid) && descends(parents.get(pid)));
    for (const pid of parents.keys()) {
      try {
        if (readlinkSync(`/proc/${pid}/exe`) === wanted && descends(pid)) return pid;
      } catch {
        // As above.
      }
    }
    return null;
  }

  /** Ends the window without a word, as a crash or a power cut does. */
  async kill() {
    const pid = this.pid();
    if (pid) process.kill(pid, 'SIGKILL');
    await stop(this.driver, 'SIGKILL');
  }

  async close() {
    await this.session.close().catch(() => {});
    await stop(this.driver);
  }
}
