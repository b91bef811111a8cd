// From the tap on Join to the first remote frame at both ends, side by side under one network condition.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { output } from '../../tests/lib/paths.mjs';
import { pause } from '../../tests/lib/wait.mjs';
import { stepsOf } from './capture.mjs';
import { withDeadline } from './deadline.mjs';
import { p50, p95 } from './statistics.mjs';

/** A side that fails this often in a row is not asked again under this condition. */
const GIVE_UP = 4;

/**
 * Interleaved samples of `sides` ("ours", "ours_cold", "ours_warm", "ours_seen", "c", ..., "j"; `cold`: the page may
 * not connect before the tap; `seen`: warm, and the customer has looked at herself before the tap). What the chosen
 * rows need under one condition is measured together, once. A sample is { side, agent_ms, customer_ms, both_ms } or { side, failed }.
 */
export async function joins(world, condition, sides) {
  const together = new Set([...sides, ...world.needs.filter((need) => need.condition === condition).flatMap((need) => need.sides)]);
  const missing = [...together].filter((side) => !kept(world, condition, side));
  if (missing.length) await measure(world, condition, missing);
  return Object.fromEntries(sides.map((side) => [side, kept(world, condition, side)]));
}

/** All of a row's needs, one condition after the other. */
export async function inTurn(world, needs) {
  const found = [];
  for (const { condition, sides } of needs) found.push(await joins(world, condition, sides));
  return found;
}

const key = ({ name }, side) => `${name} ${side}`;
const kept = (world, condition, side) => world.joins.get(key(condition, side));

const callers = {
  ours: async (world) => (await world.sightline()).call(),
  ours_cold: async (world) => (await world.sightline()).call({ unprepared: true }),
  ours_warm: async (world) => (await world.sightline()).call({ warm: true }),
  ours_seen: async (world) => (await world.sightline()).call({ warm: true, preview: true }),
  c: async (world) => (await world.peer()).call(),
  c_warm: async (world) => (await world.peer()).call({ warm: true }),
  c_seen: async (world) => (await world.peer()).call({ warm: true, preview: true }),
  j: async (world) => (await world.janus()).call(),
};

async function measure(world, condition, sides) {
  // What must be there before the clock runs.
  for (const side of sides) await warmUp(world, side);
  await world.network.set(condition.network);
  const true_rtt_ms = condition.network.loss ? null : await world.network.ping();
  const samples = [];
  const failing = new Map();
  for (let n = 0; n < world.options.n; n++) {
    // The same losses for each side of a pair.
    for (const side of sides) {
      if ((failing.get(side) ?? 0) >= GIVE_UP) {
        samples.push({ n, side, failed: `given up after ${GIVE_UP} failures in a row` });
        continue;
      }
      if (condition.network.loss) await world.network.set({ ...condition.network, seed: 1000 + n });
      const began = Date.now();
      let call;
      const captured = world.options.capture ? await capturing(world, `${condition.name} ${side} ${n}`) : null;
      try {
        call = await withDeadline(callers[side](world), 40_000, `${side} sample ${n}`);
        const { agent_ms, customer_ms, warm, tapped_at } = call;
        const steps = captured && { steps: await captured(tapped_at) };
        samples.push({ n, side, agent_ms, customer_ms, both_ms: Math.max(agent_ms, customer_ms), ...(warm === undefined ? {} : { warm }), ...steps });
        failing.set(side, 0);
        world.progress(`${condition.name} ${n + 1}/${world.options.n} ${side} ${agent_ms.toFixed(0)} / ${customer_ms.toFixed(0)} ms (${Date.now() - began} ms)`);
      } catch (error) {
        samples.push({ n, side, failed: error.message.split('\n')[0] });
        failing.set(side, (failing.get(side) ?? 0) + 1);
        world.progress(`${condition.name} ${n + 1} ${side} FAILED: ${error.message.split('\n')[0]}`);
      }
      await withDeadline(call?.end(), 20_000, 'the end of the call').catch((error) => world.progress(`${side}: ${error.message}`));
    }
  }
  await world.network.set({});
  for (const side of sides) {
    const mine = samples.filter((sample) => sample.side === side);
    world.joins.set(key(condition, side), { condition: condition.name, true_rtt_ms, samples: mine, ...figures(mine) });
  }
}

/** Keeps the packets of one join; then says when which of them was sent, in ms after the tap. */
async function capturing(world, name) {
  const folder = output(join('bench', 'packets'));
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name.replaceAll(/\W+/g, '-')}.pcap`);
  const end = await world.network.capture(path);
  return async (tapped_at) => {
    await end();
    return stepsOf(readFileSync(path), tapped_at);
  };
}

/** One call that does not count: caches, page files, the first conversation. */
async function warmUp(world, side) {
  if (world.warmedUp.has(side)) return;
  world.warmedUp.add(side);
  const call = await withDeadline(callers[side](world), 90_000, `${side}'s first call`).catch((error) => world.progress(`${side}'s first call: ${error.message}`));
  await pause(500);
  await call?.end();
}

function figures(samples) {
  const good = samples.filter(({ failed }) => !failed);
  const of = (name) => ({ p50: p50(good.map((sample) => sample[name])), p95: p95(good.map((sample) => sample[name])) });
  return { n: good.length, failed: samples.length - good.length, agent: of('agent_ms'), customer: of('customer_ms'), both: of('both_ms') };
}

/** Named conditions, so that rows share samples. */
export const conditions = {
  near: { name: 'RTT 0', rtt: 0, network: { rtt: 0 } },
  rtt100: { name: 'RTT 100', rtt: 100, network: { rtt: 100 } },
  rtt200: { name: 'RTT 200', rtt: 200, network: { rtt: 200 } },
  lossy: { name: 'RTT 100, 5 % UDP loss', rtt: 100, network: { rtt: 100, loss: 0.05 } },
};
