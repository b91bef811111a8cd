// The journey of one reference system, played over that system's own channel: the real server with a deployment's file,
// the real window, a real browser as the customer of the call. Every numbered behaviour is shown or named as one that
// cannot be shown here, with the reason.
import { createRequire } from 'node:module';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import WebSocket from 'ws';
import { output, temporaryFolder } from '../lib/paths.mjs';
import { until } from '../lib/wait.mjs';
import { startWorld } from '../lib/world.mjs';

/** The vendors' own libraries. */
export const vendor = createRequire(new URL('../vendors/package.json', import.meta.url));

export class Seed {
  constructor(name) {
    this.name = name;
    this.folder = output(join('demo', name));
    this.shown = [];
    this.closers = [];
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
  }

  /** Ends with the journey. */
  keep(part) {
    this.closers.push(() => part.close());
    return part;
  }

  /** A server with this deployment's file and these secrets, a display, sound, a browser, and the agent's window. */
  async start({ config, secrets = {}, env = {}, deskEnv = {} }) {
    const file = join(temporaryFolder('deployment'), 'sightline.toml');
    writeFileSync(file, config);
    this.world = this.keep(await startWorld({ serverEnv: { SIGHTLINE_CONFIG: file, ...secrets, ...env } }));
    this.server = this.world.server;
    this.desk = await this.world.desk({ env: deskEnv });
    await this.desk.signIn(this.server.agent);
    if (await this.desk.has('button', 'Got it')) await this.desk.click('button', 'Got it');
    await this.desk.chooseTestDevices();
    return this;
  }

  /** The address that the platform calls. */
  hook(name) {
    return `${this.server.url}/v1/hooks/${name}`;
  }

  /** One numbered behaviour; the pictures show window and page after it. */
  async shows(number, what, play) {
    const began = Date.now();
    let fault = null;
    try {
      await play();
    } catch (error) {
      fault = error;
      writeFileSync(join(this.folder, `failure-${number}.txt`), `${what}\n${error.stack}\n`);
    }
    this.shown.push({ number, what, ok: fault === null });
    const result = fault ? 'FAILED' : 'ok';
    console.log(`${number.padEnd(7)} ${result.padEnd(7)} ${what}${fault ? `: ${fault.message}` : ` (${((Date.now() - began) / 1000).toFixed(1)} s)`}`);
    const path = join(this.folder, `${String(this.shown.length).padStart(2, '0')}-${number}`);
    try {
      await this.desk?.settled();
      this.world?.display.save(`${path}-window.png`);
      await this.customer?.screenshot(`${path}-customer.png`);
    } catch (error) {
      console.log(`        no picture: ${error.message}`);
    }
  }

  /** One that cannot be shown on one machine without the vendor. */
  cannot(number, what, reason) {
    this.shown.push({ number, what, ok: null, reason });
    console.log(`${number.padEnd(7)} ${'no'.padEnd(7)} ${what}: cannot be shown here, ${reason}`);
  }

  /** One that the product does not show yet. */
  missing(number, what, reason) {
    this.shown.push({ number, what, ok: false, reason });
    console.log(`${number.padEnd(7)} ${'MISSING'.padEnd(7)} ${what}: ${reason}`);
  }

  /** This customer's conversation, once it is in the agent's inbox. */
  inInbox(name, desk = this.desk) {
    const find = (name) => [...document.querySelectorAll('[data-conversation]')].find((row) => row.textContent.includes(name))?.dataset.conversation ?? null;
    return until(`${name} is in the inbox`, () => desk.script(find, name), { within: 20_000 });
  }

  /** Somebody who is there without a window; `conversationOf` waits for a customer's newest conversation that they see. */
  async present(person) {
    const { access_token } = await this.server.signIn(person);
    const socket = new WebSocket(`${this.server.url.replace('http', 'ws')}/v1/agent/socket`, { origin: this.server.url });
    this.keep({ close: async () => socket.terminate() });
    const seen = [];
    socket.on('message', (data) => {
      const event = JSON.parse(data);
      if (event.type === 'heartbeat') socket.send(JSON.stringify({ type: 'heartbeat' }));
      if (event.type === 'welcome') seen.push(...event.conversations);
      if (event.type === 'conversation') seen.push(event);
    });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.send(JSON.stringify({ type: 'hello', access_token, desk: crypto.randomUUID(), take_over: false }));
    const newest = (name, not) => seen.findLast(({ customer_name, id }) => customer_name === name && !not.includes(id))?.id;
    return { conversationOf: (name, { not = [] } = {}) => until(`${person.name} sees ${name}`, () => newest(name, not)) };
  }

  /** The open conversation as the server has it. */
  async record(id) {
    const { access_token: token } = await this.server.signIn(this.server.supervisor);
    const [conversation, messages] = await Promise.all([
      this.server.request('GET', `/v1/conversations/${id}`, { token }),
      this.server.request('GET', `/v1/conversations/${id}/messages?after=0&limit=500`, { token }),
    ]);
    return { ...conversation.body, messages: messages.body.messages };
  }

  /** Closes everything, prints one line of JSON, and ends the program. */
  async end() {
    while (this.closers.length) await this.closers.pop()().catch((error) => console.log(`    ${error.message}`));
    const failed = this.shown.filter(({ ok }) => ok === false).length;
    const told = this.shown.filter(({ ok }) => ok === null).length;
    console.log(`${this.shown.length - failed - told} shown, ${failed} failed, ${told} cannot be shown here; pictures in ${join('target', 'demo', this.name)}`);
    console.log(JSON.stringify({ ok: failed === 0, seed: this.name, behaviours: this.shown }));
    process.exit(failed === 0 ? 0 : 1);
  }
}
