// A WebDriver client of the few commands that a desk window needs, over fetch.
const elementKey = 'element-6066-11e4-a52e-4f735466cecf';

/** Opens a session at a driver that listens on `base`. */
export async function openSession(base, capabilities) {
  const answer = await command('POST', `${base}/session`, { capabilities });
  return new Session(`${base}/session/${answer.sessionId}`);
}

export class WebDriverError extends Error {}

async function command(method, url, body) {
  const answer = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json' },
    body: method === 'POST' ? JSON.stringify(body ?? {}) : undefined,
    signal: AbortSignal.timeout(60_000),
  });
  const { value } = await answer.json();
  if (value?.error) throw new WebDriverError(`${value.error}: ${value.message}`);
  return value;
}

export class Session {
  constructor(url) {
    this.url = url;
  }

  /** Runs a function in the page; arguments and result are JSON or elements. */
  script(body, ...args) {
    const source = typeof body === 'string' ? body : `return (${body}).apply(null, arguments)`;
    return command('POST', `${this.url}/execute/sync`, { script: source, args });
  }

  click(element) {
    return command('POST', `${this.url}/element/${element[elementKey]}/click`);
  }

  type(element, text) {
    return command('POST', `${this.url}/element/${element[elementKey]}/value`, { text });
  }

  clear(element) {
    return command('POST', `${this.url}/element/${element[elementKey]}/clear`);
  }

  /** Presses and releases keys on whatever has the focus, e.g. `keys('Control', 'k')`. */
  keys(...names) {
    const values = names.map((name) => special[name] ?? name);
    const actions = [
      ...values.map((value) => ({ type: 'keyDown', value })),
      ...values.reverse().map((value) => ({ type: 'keyUp', value })),
    ];
    return command('POST', `${this.url}/actions`, { actions: [{ type: 'key', id: 'keyboard', actions }] });
  }

  windowRect() {
    return command('GET', `${this.url}/window/rect`);
  }

  setWindowRect(rect) {
    return command('POST', `${this.url}/window/rect`, rect);
  }

  close() {
    return command('DELETE', this.url);
  }
}

const special = {
  Enter: '\uE007',
  Escape: '\uE00C',
  Tab: '\uE004',
  Shift: '\uE008',
  Control: '\uE009',
  Alt: '\uE00A',
  ArrowUp: '\uE013',
  ArrowDown: '\uE015',
};
