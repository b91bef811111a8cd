// A WebDriver BiDi client of the few commands that a customer's browser needs, over its own socket
// (https://w3c.github.io/webdriver-bidi/).
import { WebSocket } from 'ws';

/** Longer than any single command takes here; a browser that hangs must not hang the run. */
const ANSWER_MS = 60_000;

export class BidiError extends Error {}

/** Connects to a browser and opens its session. */
export async function connect(url) {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const bidi = new Bidi(socket);
  await bidi.send('session.new', { capabilities: {} });
  return bidi;
}

class Bidi {
  constructor(socket) {
    this.socket = socket;
    this.last = 0;
    this.waiting = new Map();
    this.listeners = new Set();
    socket.on('message', (text) => this.receive(JSON.parse(text)));
    socket.on('close', () => {
      for (const { reject } of this.waiting.values()) reject(new BidiError('the browser has closed its socket'));
      this.waiting.clear();
    });
  }

  receive(message) {
    if (message.type === 'event') {
      for (const listener of this.listeners) listener(message.method, message.params);
      return;
    }
    const { resolve, reject } = this.waiting.get(message.id) ?? {};
    this.waiting.delete(message.id);
    if (message.type === 'error') reject?.(new BidiError(`${message.error}: ${message.message}`));
    else resolve?.(message.result);
  }

  send(method, params = {}) {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new BidiError(`${method}: no answer within ${ANSWER_MS} ms`));
      }, ANSWER_MS);
      const settle = (then) => (value) => {
        clearTimeout(timer);
        then(value);
      };
      this.waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** Events of all pages from now on; `listener` gets their name and parameters. */
  async subscribe(events, listener) {
    this.listeners.add(listener);
    await this.send('session.subscribe', { events });
  }

  close() {
    this.socket.close();
  }
}

/** One tab. */
export class Tab {
  constructor(bidi, context) {
    this.bidi = bidi;
    this.context = context;
  }

  open(url) {
    return this.bidi.send('browsingContext.navigate', { context: this.context, url, wait: 'complete' });
  }

  reload() {
    return this.bidi.send('browsingContext.reload', { context: this.context, wait: 'complete' });
  }

  /** Runs a function in the page; its argument and result are JSON. */
  async evaluate(body, argument) {
    const { value } = await this.call(`async (given) => JSON.stringify(await (${body})(JSON.parse(given)) ?? null)`, [
      { type: 'string', value: JSON.stringify(argument ?? null) },
    ]);
    return JSON.parse(value);
  }

  /** Runs a function in the page that finds an element; null when there is none. */
  async find(body, ...words) {
    const found = await this.call(String(body), words.map((value) => ({ type: typeof value, value })));
    return found.sharedId ? { sharedId: found.sharedId } : null;
  }

  async call(functionDeclaration, argumentsHere) {
    const answer = await this.bidi.send('script.callFunction', {
      functionDeclaration,
      arguments: argumentsHere,
      awaitPromise: true,
      target: { context: this.context },
    });
    if (answer.type === 'exception') throw new BidiError(answer.exceptionDetails.text);
    return answer.result;
  }

  /** A press and a release of the main button in the middle of an element, as a hand does it. */
  click(element) {
    const origin = { type: 'element', element };
    return this.act({
      type: 'pointer',
      id: 'mouse',
      actions: [
        { type: 'pointerMove', x: 0, y: 0, origin },
        { type: 'pointerDown', button: 0 },
        { type: 'pointerUp', button: 0 },
      ],
    });
  }

  /** Types into whatever has the focus. */
  type(text) {
    const actions = [...text].flatMap((value) => [{ type: 'keyDown', value }, { type: 'keyUp', value }]);
    return this.act({ type: 'key', id: 'keyboard', actions });
  }

  act(source) {
    return this.bidi.send('input.performActions', { context: this.context, actions: [source] });
  }

  /** A PNG of what is visible. */
  async screenshot() {
    const { data } = await this.bidi.send('browsingContext.captureScreenshot', { context: this.context });
    return Buffer.from(data, 'base64');
  }

  close() {
    return this.bidi.send('browsingContext.close', { context: this.context });
  }
}
