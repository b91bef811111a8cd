// Two hosts and the line between them: A is the namespace this process runs in (the agent's machine and the server),
// B is the customer's. The line is bench/forwarder.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { start, stop } from '../../tests/lib/process.mjs';
import { binary } from '../../tests/lib/paths.mjs';

export const hostA = '10.77.0.1';
export const hostB = '10.77.0.2';

export async function startNetwork() {
  const forwarder = start(binary('bench-forwarder', process.env.BENCH_FORWARDER_PROFILE ?? 'release'), [], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: forwarder.stdout });
  const waiting = new Map();
  let ready;
  let listener = null;
  const namespace = new Promise((resolve, reject) => {
    ready = resolve;
    forwarder.exited.then(({ error, code }) => reject(new Error(`the forwarder ended: ${error?.message ?? code}`)));
  });
  lines.on('line', (line) => {
    const said = JSON.parse(line);
    if (said.ready) ready(said.ready.b);
    else if (said.at_ms) listener?.(said);
    else if (said.error) throw new Error(`the forwarder: ${said.error}`);
    else waiting.get(said.done)?.();
  });

  const inB = ['nsenter', `--net=${await namespace}`, '--'];
  const configure = (prefix, address) => {
    for (const command of [
      'ip link set lo up',
      'ip link set line up mtu 1500 txqueuelen 2000',
      `ip address add ${address}/24 dev line`,
    ]) {
      const [program, ...args] = [...prefix, ...command.split(' ')];
      execFileSync(program, args);
    }
  };
  configure([], hostA);
  configure(inB, hostB);

  let commands = 0;
  const command = async (change) => {
    const id = ++commands;
    const done = new Promise((resolve) => waiting.set(id, resolve));
    forwarder.stdin.write(`${JSON.stringify({ id, ...change })}\n`);
    await done;
    waiting.delete(id);
  };

  return {
    /** Put before a command to run it on host B. */
    inB,

    /** Both directions alike. `rtt` in ms; the rest as in the forwarder's conditions. */
    async set({ rtt = 0, seed, ...rest } = {}) {
      const conditions = { delay_ms: rtt / 2, ...rest };
      await command({ a_to_b: conditions, b_to_a: conditions, ...(seed === undefined ? {} : { seed }) });
    },

    /** Each direction by itself; what is absent stays as it is. */
    directions: (change) => command(change),

    /** What passes, every 100 ms, until the returned function is called. */
    async watch(onReport) {
      listener = onReport;
      await command({ report: true });
      return async () => {
        await command({ report: false });
        listener = null;
      };
    },

    /** Keeps every packet as its host sends it, until the returned function is called. */
    async capture(path) {
      await command({ capture: path });
      return () => command({ capture: '' });
    },

    /** The true round trip, by ping: the median of `count`, in ms. */
    async ping(count = 10) {
      const child = start('ping', ['-n', '-q', '-c', String(count), '-i', '0.05', hostB], { stdio: ['ignore', 'pipe', 'ignore'] });
      let text = '';
      child.stdout.on('data', (chunk) => (text += chunk));
      await once(child.stdout, 'close');
      const average = /= [\d.]+\/([\d.]+)\//.exec(text)?.[1];
      if (!average) throw new Error(`no ping reached host B: ${text}`);
      return Number(average);
    },

    close: () => stop(forwarder),
  };
}
