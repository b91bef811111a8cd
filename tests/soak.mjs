// `make soak`: call after call in one desk window with a real browser, and what the desk and the server hold after
// each. Exit code 0 only when every call connected and nothing grew by more than the bound (GOALS.md, R5).
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { call, finish } from './lib/flows.mjs';
import { output } from './lib/paths.mjs';
import { held, tree } from './lib/proc.mjs';
import { median } from './lib/wait.mjs';
import { startWorld } from './lib/world.mjs';

const calls = Number(process.env.CALLS ?? 200);
/** Nothing may grow by more than this share between the first quarter's end and the last call. */
const MOST_GROWTH = 0.05;
/** A figure is the median of this many calls: a browser engine's memory goes up and down with its collector. */
const WINDOW = Math.max(1, Math.min(10, Math.floor(calls / 8)));
const first = Math.max(WINDOW, Math.min(50, Math.floor(calls / 4)));

const folder = output('soak');
mkdirSync(folder, { recursive: true });
const samples = [];
const world = await startWorld();
let failure = null;
try {
  const desk = await world.desk();
  await desk.signIn(world.server.agent);
  await desk.chooseTestDevices();
  const pid = desk.pid();
  for (let number = 1; number <= calls; number++) {
    const began = Date.now();
    const customer = await call(world, desk);
    const live = Date.now();
    await finish(desk, customer);
    samples.push({
      call: number,
      connect_ms: live - began,
      total_ms: Date.now() - began,
      desk: held(tree(pid)),
      main: held([pid]),
      server: held([world.server.child.pid]),
    });
    write();
    if (number % 10 === 0 || number === calls) console.log(line(samples.at(-1)));
  }
} catch (error) {
  failure = error;
  console.error(error);
} finally {
  await world.close();
}

const growth = grown();
const over = growth.filter(({ share }) => share > MOST_GROWTH);
const ok = !failure && samples.length === calls && over.length === 0;
write({ growth, ok });
const table = [
  `${samples.length} of ${calls} calls connected; medians of ${WINDOW} calls up to call ${first} and up to call ${samples.length}`,
  ...growth.map(
    ({ what, from, to, share }) =>
      `${what.padEnd(16)} ${String(from).padStart(8)} ${String(to).padStart(8)}  ${(share * 100).toFixed(1).padStart(6)} %${share > MOST_GROWTH ? '  too much' : ''}`,
  ),
].join('\n');
writeFileSync(join(folder, 'calls.txt'), `${table}\n`);
console.log(`\n${table}`);
process.exit(ok ? 0 : 1);

function grown() {
  if (samples.length <= first) return [];
  const at = (end, read) => median(samples.slice(end - WINDOW, end).map(read));
  return ['desk', 'main', 'server'].flatMap((part) =>
    ['pss_kb', 'threads', 'fds'].map((figure) => {
      const read = (sample) => sample[part][figure];
      const [from, to] = [at(first, read), at(samples.length, read)];
      return { what: `${part}.${figure}`, from, to, share: to / from - 1 };
    }),
  );
}

/** After each call, so that a run that was cut short leaves its figures too. */
function write(result = {}) {
  writeFileSync(join(folder, 'calls.json'), JSON.stringify({ calls, bound: MOST_GROWTH, window: WINDOW, ...result, samples }, null, 1));
}

function line({ call, total_ms, desk, main, server }) {
  const one = ({ pss_kb, threads, fds }) => `${(pss_kb / 1024).toFixed(0)} MB ${threads} threads ${fds} files`;
  return `call ${call} (${(total_ms / 1000).toFixed(1)} s): desk ${one(desk)} | its main process ${one(main)} | server ${one(server)}`;
}
