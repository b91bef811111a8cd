// RFC 8867's test cases over the forwarder: each run is one call under a plan of capacities.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { pause } from '../../tests/lib/wait.mjs';
import { hostA } from './network.mjs';

const DELAY = { delay_ms: 50, queue_ms: 300 };

/**
 * Plays a plan: { seconds, a_to_b: [{ at_s, bps }], b_to_a: […], actions: [{ at_s, act }] }. Resolves with what passed
 * in each direction every 100 ms, in seconds since the plan began. The call is there before, on a line without limit.
 */
export async function play(network, plan) {
  const reports = { a_to_b: [], b_to_a: [] };
  const limits = (direction, at_s) => {
    const bps = plan[direction]?.findLast((step) => step.at_s <= at_s)?.bps;
    return { ...DELAY, ...(bps ? { rate_bps: bps } : {}) };
  };
  const times = new Set([0, ...['a_to_b', 'b_to_a'].flatMap((direction) => (plan[direction] ?? []).map(({ at_s }) => at_s))]);
  const events = [
    ...[...times].map((at_s) => ({ at_s, act: () => network.directions({ a_to_b: limits('a_to_b', at_s), b_to_a: limits('b_to_a', at_s) }) })),
    ...(plan.actions ?? []),
  ].sort((a, b) => a.at_s - b.at_s);
  const began = Date.now();
  const stop = await network.watch(({ at_ms, a_to_b, b_to_a }) => {
    const at_s = (at_ms - began) / 1000;
    reports.a_to_b.push({ at_s, ...a_to_b });
    reports.b_to_a.push({ at_s, ...b_to_a });
  });
  try {
    for (const { at_s, act } of events) {
      await pause(Math.max(0, began + at_s * 1000 - Date.now()));
      await act();
    }
    await pause(Math.max(0, began + plan.seconds * 1000 - Date.now()));
  } finally {
    await stop();
    await network.set({});
  }
  return reports;
}

/** A long TCP transfer from A to B, with the kernel's own congestion control; `bytes()` is what B has received. */
export async function longTcp(network) {
  const full = Buffer.alloc(64 * 1024);
  const server = createServer((socket) => {
    const fill = () => {
      while (socket.write(full));
    };
    socket.on('drain', fill);
    socket.on('error', () => {});
    fill();
  });
  await new Promise((resolve) => server.listen(0, hostA, resolve));
  const reader = `
    let bytes = 0;
    require('node:net').connect(${server.address().port}, '${hostA}').on('data', (data) => (bytes += data.length)).on('error', () => process.exit());
    setInterval(() => console.log(bytes), 500);
  `;
  const [program, ...args] = [...network.inB, process.execPath, '-e', reader];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let bytes = 0;
  child.stdout.on('data', (data) => (bytes = Number(data.toString().trim().split('\n').at(-1))));
  return {
    bytes: () => bytes,
    close() {
      child.kill('SIGKILL');
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
